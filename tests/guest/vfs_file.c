/* Files: reading, writing, positions, appending, holes, truncation, mapping, descriptors. */
// libc: gcc
// calls: read write open close lseek pread64 pwrite64 readv preadv2 ftruncate fallocate dup dup2 dup3 fcntl close_range fstat setrlimit
// errors: close close_range dup dup2 dup3 fallocate fcntl ftruncate lseek open pread64 preadv2 read readv truncate write
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "include/test.h"

static char name[64];

static void transfers(void)
{
	char buf[100];
	struct iovec iov[2] = { { buf, 3 }, { buf + 50, 4 } };
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK_EQ(write(fd, "hello world", 11), 11);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 11);
	CHECK_EQ(read(fd, buf, 10), 0);
	CHECK_EQ(lseek(fd, -5, SEEK_END), 6);
	CHECK_EQ(read(fd, buf, 100), 5);
	CHECK(!memcmp(buf, "world", 5));
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, 99), EINVAL);
	CHECK_EQ(pread(fd, buf, 5, 0), 5);
	CHECK(!memcmp(buf, "hello", 5));
	CHECK_EQ(pwrite(fd, "J", 1, 0), 1);
	CHECK_ERRNO(pread(fd, buf, 1, -1), EINVAL);
	lseek(fd, 0, SEEK_SET);
	CHECK_EQ(readv(fd, iov, 2), 7);
	CHECK(!memcmp(buf, "Jel", 3) && !memcmp(buf + 50, "lo w", 4));
	CHECK_ERRNO(readv(fd, iov, 1025), EINVAL);
	CHECK_ERRNO(read(fd, (void *)8, 1), EFAULT);
	CHECK_ERRNO(read(fd, (void *)-4096l, 1), EFAULT);
	CHECK_EQ(preadv2(fd, iov, 1, 0, 0), 3);
	CHECK_ERRNO(syscall(SYS_preadv2, fd, iov, 1, 0, 0, 0x8000), EOPNOTSUPP);
	close(fd);
	CHECK_ERRNO(read(fd, buf, 1), EBADF);
	fd = open(name, O_WRONLY | O_APPEND);
	CHECK_ERRNO(read(fd, buf, 1), EBADF);
	CHECK_EQ(write(fd, "!!", 2), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 13);
	close(fd);
	fd = open(name, O_RDONLY);
	CHECK_ERRNO(write(fd, buf, 1), EBADF);
	close(fd);
}

static void holes(void)
{
	char buf[4096];
	struct stat st;
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), zeros = 1;

	CHECK_EQ(pwrite(fd, "x", 1, 1 << 20), 1);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, (1 << 20) + 1);
	CHECK(st.st_blocks <= 16);
	CHECK_EQ(pread(fd, buf, 4096, 4096), 4096);
	for (int i = 0; i < 4096; i++)
		zeros &= !buf[i];
	CHECK(zeros);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 1 << 20);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
	CHECK_ERRNO(lseek(fd, 2 << 20, SEEK_DATA), ENXIO);
	CHECK_EQ(ftruncate(fd, 10), 0);
	CHECK_EQ(ftruncate(fd, 5000), 0);
	CHECK_EQ(pwrite(fd, "abcdefghij", 10, 4090), 10);
	CHECK_EQ(ftruncate(fd, 4093), 0);
	CHECK_EQ(ftruncate(fd, 8192), 0);
	CHECK_EQ(pread(fd, buf, 10, 4090), 10);
	CHECK(!memcmp(buf, "abc\0\0\0\0\0\0", 10));
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	CHECK_ERRNO(truncate("/tmp", 0), EISDIR);
	CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 65536), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 8192);
	CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4000, 200), 0);
	CHECK_EQ(pread(fd, buf, 10, 4090), 10);
	CHECK(!memcmp(buf, "\0\0\0\0\0\0\0\0\0", 10));
	CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
	close(fd);
}

static void mapping(void)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), ro;
	char *a, *b;

	CHECK_EQ(ftruncate(fd, 8192), 0);
	a = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(a != MAP_FAILED && b != MAP_FAILED);
	strcpy(a + 4090, "shared");
	CHECK(!strcmp(b + 4090, "shared"));
	strcpy(b, "private");
	CHECK_EQ(a[0], 0);
	CHECK_EQ(pwrite(fd, "written", 8, 100), 8);
	CHECK(!strcmp(a + 100, "written"));
	munmap(a, 8192);
	munmap(b, 8192);
	ro = open(name, O_RDONLY);
	CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED && errno == EACCES);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 9999, 0) == MAP_FAILED && errno == EBADF);
	a = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ro, 0);
	CHECK(a != MAP_FAILED);
	CHECK(mprotect(a, 4096, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
	close(ro);
	close(fd);
}

static void descriptors(void)
{
	struct rlimit old, r;
	int fd = open("/dev/null", O_RDWR), d, i;

	CHECK(fd >= 0);
	CHECK_EQ(dup2(fd, 50), 50);
	CHECK_EQ(dup2(50, 50), 50);
	CHECK_ERRNO(dup3(50, 50, 0), EINVAL);
	CHECK_EQ(dup3(50, 51, O_CLOEXEC), 51);
	CHECK_EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(50, F_GETFD), 0);
	CHECK_EQ(fcntl(50, F_SETFD, FD_CLOEXEC), 0);
	CHECK_EQ(fcntl(50, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_DUPFD, 60), 60);
	CHECK_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 60), 61);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, -1), EINVAL);
	CHECK_ERRNO(fcntl(fd, 9999), EINVAL);
	CHECK_ERRNO(dup(9999), EBADF);
	CHECK_ERRNO(close(9999), EBADF);
	CHECK_ERRNO(close(-1), EBADF);
	CHECK_EQ(syscall(SYS_close_range, 50, 60, 0), 0);
	CHECK_ERRNO(fcntl(51, F_GETFD), EBADF);
	CHECK_EQ(fcntl(61, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(syscall(SYS_close_range, 61, ~0u, 4), 0);
	CHECK_ERRNO(syscall(SYS_close_range, 5, 4, 0), EINVAL);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND), 0);
	CHECK(fcntl(fd, F_GETFL) & O_APPEND);
	getrlimit(RLIMIT_NOFILE, &old);
	r = old;
	r.rlim_cur = 100;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &r), 0);
	for (i = 0; (d = dup(fd)) >= 0; i++)
		;
	CHECK_EQ(errno, EMFILE);
	CHECK(i > 80 && i < 100);
	CHECK_ERRNO(dup2(fd, 100), EBADF);
	setrlimit(RLIMIT_NOFILE, &old);
	for (i = fd + 1; i < 100; i++)
		close(i);
	close(61);
}

static int got_signal;
static void on_signal(int sig) { got_signal = sig; }

static void size_limit(void)
{
	struct rlimit r = { 100, RLIM_INFINITY };
	char buf[200] = { 0 };
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), status;

	if (fork() == 0) {
		signal(SIGXFSZ, on_signal);
		setrlimit(RLIMIT_FSIZE, &r);
		_exit(!(write(fd, buf, 200) == 100 && write(fd, buf, 1) == -1 && errno == EFBIG && got_signal == SIGXFSZ));
	}
	wait(&status);
	CHECK_EQ(status, 0);
	close(fd);
}

static void devices(void)
{
	char buf[16] = "xxxxxxxxxxxxxxx";
	int fd = open("/dev/zero", O_RDWR);

	CHECK(fd >= 0);
	CHECK_EQ(read(fd, buf, 8), 8);
	CHECK(!buf[0] && !buf[7] && buf[8] == 'x');
	CHECK_EQ(write(fd, buf, 8), 8);
	close(fd);
	fd = open("/dev/full", O_RDWR);
	CHECK_ERRNO(write(fd, buf, 1), ENOSPC);
	close(fd);
	fd = open("/dev/null", O_RDWR);
	CHECK_EQ(read(fd, buf, 8), 0);
	CHECK_EQ(write(fd, buf, 8), 8);
	close(fd);
	fd = open("/dev/urandom", O_RDONLY);
	CHECK_EQ(read(fd, buf, 16), 16);
	close(fd);
}

static void unlinked(void)
{
	char buf[4];
	struct stat st;
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), fd2;

	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(unlink(name), 0);
	CHECK_EQ(pread(fd, buf, 3, 0), 3);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_nlink, 0);
	close(fd);
	fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_TMPFILE | O_ACCMODE | O_CREAT), O_TMPFILE | O_RDWR);
	CHECK_EQ(write(fd, "tmp", 3), 3);
	close(fd);
	CHECK_ERRNO(open("/tmp", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	fd = open(name, O_RDWR | O_CREAT, 0400);
	fd2 = open(name, O_WRONLY);
	CHECK(geteuid() ? fd2 == -1 : fd2 >= 0);
}

int main(void)
{
	mkdir("/tmp", 01777);
	snprintf(name, sizeof(name), "/tmp/vfs_file.%d", getpid());
	transfers();
	holes();
	mapping();
	descriptors();
	size_limit();
	devices();
	unlinked();
	unlink(name);
	return test_done();
}
