/* What the calls on descriptors themselves refuse. */
// libc: gcc
// errors: dup dup2 dup3 fcntl ioctl flock close_range pipe pipe2 memfd_create
#include "include/proof.h"

#include <linux/close_range.h>
#include <linux/memfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

static char long_memory[300];

static void duplicates(int file)
{
	FAILS(EBADF, dup, -1);
	FAILS(EBADF, dup, 9999);
	FAILS(EBADF, dup2, -1, 5);
	FAILS(EBADF, dup2, 9999, 5);
	FAILS(EBADF, dup2, 9999, 9999);
	FAILS(EBADF, dup2, file, -1);
	FAILS(EBADF, dup2, file, 0x7fffffff);
	FAILS(EBADF, dup3, 9999, 5, 0);
	FAILS(EBADF, dup3, file, -1, 0);
	FAILS(EINVAL, dup3, file, file, 0);
	FAILS(EINVAL, dup3, 9999, 9999, 0);
	FAILS(EINVAL, dup3, file, 5, O_NONBLOCK);
	FAILS(EINVAL, close_range, 5, 4, 0);
	FAILS(EINVAL, close_range, 500, 600, 1);
	FAILS(EINVAL, close_range, 500, 600, 8);
	FAILS(EINVAL, pipe2, NULL, 0x40000000);
	FAULTS(pipe, 0, 8, 0);
	FAULTS(pipe2, 0, 8, 0, 0);
	FAILS(EBADF, flock, 9999, LOCK_SH);
	FAILS(EINVAL, flock, file, 0);
	FAILS(EINVAL, flock, file, LOCK_SH | LOCK_EX);
	FAILS(EINVAL, memfd_create, "m", 0x8000);
	FAILS(EINVAL, memfd_create, long_memory, 0);
	FAULTS(memfd_create, 0, 0, 0, 0);
}

static void controls(int file, int path)
{
	struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct f_owner_ex owner = { 77, 1 };
	int value;

	FAILS(EBADF, fcntl, 9999, F_GETFD);
	FAILS(EBADF, fcntl, -1, F_GETFL);
	FAILS(EINVAL, fcntl, file, 0x7000);
	FAILS(EINVAL, fcntl, file, F_DUPFD, -1);
	FAILS(EINVAL, fcntl, file, F_DUPFD, 0x7fffffff);
	FAILS(EINVAL, fcntl, file, F_DUPFD_CLOEXEC, -1);
	FAILS(EBADF, fcntl, path, F_SETFL, 0);
	FAILS(EBADF, fcntl, path, F_SETLK, &l);
	FAILS(EINVAL, fcntl, file, F_SETSIG, 65);
	FAILS(EINVAL, fcntl, file, F_SETSIG, -1);
	FAILS(EINVAL, fcntl, file, F_SETOWN_EX, &owner);
	FAILS(EINVAL, fcntl, file, F_SETOWN, 0x80000000l);
	FAILS(ESRCH, fcntl, file, F_SETOWN, 0x7fffffffl);
	FAILS(EBADF, fcntl, file, F_GETPIPE_SZ);
	FAILS(EBADF, fcntl, file, F_SETPIPE_SZ, 4096);
	FAULTS(fcntl, 2, sizeof(l), file, F_SETLK, 0);
	FAULTS(fcntl, 2, sizeof(l), file, F_GETLK, 0);
	FAULTS(fcntl, 2, sizeof(owner), file, F_GETOWN_EX, 0);
	FAULTS(fcntl, 2, sizeof(owner), file, F_SETOWN_EX, 0);
	l.l_type = 9;
	FAILS(EINVAL, fcntl, file, F_SETLK, &l);
	l.l_type = F_RDLCK;
	l.l_whence = 9;
	FAILS(EINVAL, fcntl, file, F_SETLK, &l);
	l.l_whence = SEEK_SET;
	l.l_start = -1;
	FAILS(EINVAL, fcntl, file, F_SETLK, &l);
	l.l_start = 0x7fffffffffffffffl;
	l.l_len = 2;
	FAILS(EOVERFLOW, fcntl, file, F_SETLK, &l);
	l.l_start = l.l_len = 0;
	l.l_pid = 1;
	FAILS(EINVAL, fcntl, file, F_OFD_SETLK, &l);
	FAILS(EBADF, ioctl, 9999, FIONREAD, &value);
	FAILS(EBADF, ioctl, path, FIONREAD, &value);
	FAILS(ENOTTY, ioctl, file, TCGETS, &value);
	FAILS(ENOTTY, ioctl, file, 0x12345678, &value);
	FAULTS(ioctl, 2, 4, file, FIONBIO, 0);
	FAULTS(ioctl, 2, 4, file, FIONREAD, 0);
}

static void locks(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int a = open("file", O_RDWR), b = open("file", O_RDWR), reader = open("file", O_RDONLY), writer = open("file", O_WRONLY);

	FAILS(EBADF, fcntl, reader, F_SETLK, &l);
	l.l_type = F_RDLCK;
	FAILS(EBADF, fcntl, writer, F_SETLK, &l);
	GIVES(0, flock, a, LOCK_EX);
	FAILS(EAGAIN, flock, b, LOCK_EX | LOCK_NB);
	FAILS(EAGAIN, flock, b, LOCK_SH | LOCK_NB);
	l.l_type = F_WRLCK;
	GIVES(0, fcntl, a, F_OFD_SETLK, &l);
	FAILS(EAGAIN, fcntl, b, F_OFD_SETLK, &l);
	FAILS(EAGAIN, fcntl, b, F_SETLK, &l);
}

static void limits(void)
{
	struct rlimit r = { 20, 20 };
	int ends[2], file = open("file", O_RDONLY);

	setrlimit(RLIMIT_NOFILE, &r);
	FAILS(EBADF, dup2, file, 20);
	FAILS(EBADF, dup3, file, 20, 0);
	FAILS(EINVAL, fcntl, file, F_DUPFD, 20);
	while (dup(file) >= 0)
		;
	FAILS(EMFILE, dup, file);
	FAILS(EMFILE, fcntl, file, F_DUPFD, 0);
	FAILS(EMFILE, fcntl, file, F_DUPFD_CLOEXEC, 0);
	FAILS(EMFILE, pipe, ends);
	FAILS(EMFILE, pipe2, ends, 0);
	FAILS(EMFILE, memfd_create, "m", 0);
	/* With room for one end only, none is left behind. */
	close(19);
	FAILS(EMFILE, pipe, ends);
	GIVES(19, dup, file);
}

/* An ordinary user may not make a pipe bigger than the system's limit. */
static void pipes(void)
{
	int ends[2];

	if (pipe(ends))
		exit(2);
	FAILS(EPERM, fcntl, ends[0], F_SETPIPE_SZ, 1 << 30);
	CHECK(fcntl(ends[0], F_SETPIPE_SZ, 1 << 17) == 1 << 17);
	FAILS(EPERM, fcntl, ends[0], F_SETPIPE_SZ, 0x80000000u);
	for (int i = 0; i < 2; i++) {
		char page[4096] = "";

		GIVES(4096, write, ends[1], page, 4096l);
	}
	FAILS(EBUSY, fcntl, ends[0], F_SETPIPE_SZ, 4096);
}

int main(void)
{
	int file, path;

	own_directory("descriptor_errors");
	file = own_file("file", "contents");
	path = open("file", O_PATH);
	memset(long_memory, 'm', 299);
	duplicates(file);
	controls(file, path);
	in_child(locks);
	in_child(limits);
	as_user(pipes);
	unlink("file");
	proof_remove();
	return test_done();
}
