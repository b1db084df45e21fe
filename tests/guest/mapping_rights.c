/* What mprotect(2) may add to a mapping: no more than its file, mount, seals or attachment gave. */
// calls: mprotect
// errors: mprotect
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "include/test.h"

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define RX (PROT_READ | PROT_EXEC)

static char file_name[] = "/tmp/mapping_rights.XXXXXX";

static char *map_file(int fd, int prot, int kind)
{
	return mmap(NULL, PAGE, prot, kind, fd, 0);
}

static int error_in_child(char *p, int prot)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(mprotect(p, PAGE, prot) ? errno : 0);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void read_only_file(void)
{
	int fd = open(file_name, O_RDONLY);
	char *p = map_file(fd, PROT_READ, MAP_SHARED), *q;

	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, PAGE, RW), EACCES);
	CHECK_ERRNO(mprotect(p, PAGE, PROT_WRITE), EACCES);
	CHECK_EQ(mprotect(p, PAGE, RX), 0);
	CHECK_EQ(error_in_child(p, RW), EACCES);
	q = mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	CHECK_ERRNO(mprotect(q, PAGE, RW), EACCES);
	CHECK_ERRNO(mprotect(q, 2 * PAGE, RW), EACCES);
	munmap(q, 2 * PAGE);
	/* A private one writes to pages of its own. */
	p = map_file(fd, PROT_READ, MAP_PRIVATE);
	CHECK_EQ(mprotect(p, PAGE, RW), 0);
	p[0] = 'p';
	munmap(p, PAGE);
	p = map_file(fd, PROT_READ, MAP_PRIVATE);
	CHECK_EQ(p[0], 'f');
	close(fd);
}

static void noexec_mount(void)
{
	const char *dir = "/tmp/mapping_rights.mount";
	char *p;
	int fd;

	mkdir(dir, 0700);
	if (mount("none", dir, "tmpfs", MS_NOEXEC, "size=64k")) {
		printf("# no mount here: %d\n", errno);
		return;
	}
	fd = open("/tmp/mapping_rights.mount/f", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	p = map_file(fd, RX, MAP_SHARED);
	CHECK(p == MAP_FAILED && errno == EPERM);
	for (int i = 0; i < 2; i++) {
		p = map_file(fd, PROT_READ, i ? MAP_PRIVATE : MAP_SHARED);
		CHECK(p != MAP_FAILED);
		CHECK_ERRNO(mprotect(p, PAGE, RX), EACCES);
		CHECK_EQ(error_in_child(p, PROT_EXEC), EACCES);
		CHECK_EQ(mprotect(p, PAGE, RW), 0);
		CHECK_ERRNO(mprotect(p, PAGE, RW | PROT_EXEC), EACCES);
		munmap(p, PAGE);
	}
	close(fd);
	CHECK_EQ(umount(dir), 0);
	rmdir(dir);
}

static void sealed(void)
{
	int fd = (int)syscall(SYS_memfd_create, "sealed", 2u);
	char *p, *before;

	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	before = map_file(fd, RW, MAP_SHARED);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	p = map_file(fd, PROT_READ, MAP_SHARED);
	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, PAGE, RW), EACCES);
	CHECK_EQ(error_in_child(p, RW), EACCES);
	before[0] = 'b';
	CHECK_EQ(p[0], 'b');
	p = map_file(fd, PROT_READ, MAP_PRIVATE);
	CHECK_EQ(mprotect(p, PAGE, RW), 0);
	p[0] = 'p';
	CHECK_EQ(before[0], 'b');
	close(fd);
}

static void attached_read_only(void)
{
	int id = shmget(IPC_PRIVATE, PAGE, 0600);
	char *p = shmat(id, NULL, SHM_RDONLY);

	CHECK(p != (char *)-1);
	CHECK_ERRNO(mprotect(p, PAGE, RW), EACCES);
	CHECK_EQ(error_in_child(p, PROT_WRITE), EACCES);
	shmdt(p);
	shmctl(id, IPC_RMID, NULL);
}

/* /proc/self/mem reads what the program itself may not; that gives the program nothing. */
static void forced_read(void)
{
	char *p = mmap(NULL, PAGE, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *fresh = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/mem", O_RDWR), shared = open(file_name, O_RDONLY);
	char byte = 1;

	CHECK_EQ(pread(fd, &byte, 1, (off_t)p), 1);
	CHECK_EQ(byte, 0);
	*(volatile char *)p = 'x';
	CHECK_EQ(*(volatile char *)fresh, 0);
	CHECK_EQ(pread(fd, &byte, 1, (off_t)p), 1);
	CHECK_EQ(byte, 'x');
	p = map_file(shared, PROT_NONE, MAP_SHARED);
	CHECK_EQ(pread(fd, &byte, 1, (off_t)p), 1);
	CHECK_EQ(byte, 'f');
	CHECK_ERRNO(pwrite(fd, &byte, 1, (off_t)p), EIO);
	close(fd);
	close(shared);
}

int main(void)
{
	int fd = mkstemp(file_name);

	CHECK(fd >= 0 && write(fd, "file", 4) == 4);
	CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
	close(fd);
	read_only_file();
	noexec_mount();
	sealed();
	attached_read_only();
	forced_read();
	unlink(file_name);
	return test_done();
}
