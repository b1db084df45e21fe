/* What opening, creating and closing refuse. */
// libc: gcc
// errors: open openat openat2 creat close
#include "include/proof.h"

#include <linux/openat2.h>
#include <stdint.h>
#include <sys/resource.h>

static void names(void)
{
	FAILS(ENOENT, open, "none", O_RDONLY);
	FAILS(ENOENT, open, "", O_RDONLY);
	FAILS(ENOENT, open, "none/below", O_CREAT | O_RDWR, 0600);
	FAILS(ENOENT, open, "dangling", O_RDONLY);
	FAILS(ENOTDIR, open, "file/below", O_RDONLY);
	FAILS(ENOTDIR, open, "file", O_RDONLY | O_DIRECTORY);
	FAILS(ENOTDIR, open, "file/", O_RDONLY);
	FAILS(ELOOP, open, "loop", O_RDONLY);
	FAILS(ELOOP, open, "link", O_RDONLY | O_NOFOLLOW);
	FAILS(ENAMETOOLONG, open, long_name, O_RDONLY);
	FAILS(ENAMETOOLONG, open, long_path, O_RDONLY);
	FAILS(ENAMETOOLONG, openat, AT_FDCWD, long_name, O_CREAT | O_RDWR, 0600);
	FAILS(ENAMETOOLONG, creat, long_name, 0600);
	FAILS(EISDIR, open, "dir", O_WRONLY);
	FAILS(EISDIR, open, "dir", O_RDWR);
	FAILS(EISDIR, open, "dir", O_RDONLY | O_CREAT, 0600);
	FAILS(EISDIR, open, "none/", O_RDWR | O_CREAT, 0600);
	FAILS(EISDIR, creat, "dir", 0600);
	FAILS(ENOENT, creat, "none/below", 0600);
	FAILS(ENOTDIR, creat, "file/below", 0600);
	FAILS(EEXIST, open, "file", O_RDWR | O_CREAT | O_EXCL, 0600);
	FAILS(EEXIST, open, "dangling", O_RDWR | O_CREAT | O_EXCL, 0600);
	FAILS(EEXIST, open, "dir", O_RDONLY | O_CREAT | O_EXCL, 0600);
	FAILS(EINVAL, open, "dir", O_RDONLY | O_CREAT | O_DIRECTORY, 0600);
	FAILS(EINVAL, open, ".", O_TMPFILE | O_RDONLY, 0600);
	FAILS(ENOENT, open, "none", O_TMPFILE | O_RDWR, 0600);
	FAILS(ENOTDIR, open, "file", O_TMPFILE | O_RDWR, 0600);
}

static void devices(void)
{
	mkfifo("fifo", 0600);
	FAILS(ENXIO, open, "fifo", O_WRONLY | O_NONBLOCK);
	unlink("fifo");
	if (geteuid() == 0 && mknod("device", S_IFCHR | 0600, 0xfff00) == 0) {
		FAILS(ENXIO, open, "device", O_RDWR);
		unlink("device");
	}
}

static void pointers(void)
{
	struct open_how how = { .flags = O_RDONLY };

	FAULTS(open, 0, 0, 0, O_RDONLY);
	FAULTS(openat, 1, 0, AT_FDCWD, 0, O_RDONLY);
	FAULTS(creat, 0, 0, 0, 0600);
	FAULTS(openat2, 1, 0, AT_FDCWD, 0, P(&how), sizeof(how));
	FAULTS(openat2, 2, sizeof(how), AT_FDCWD, P("file"), 0, sizeof(how));
	GIVES(-1, open, proof_edge(4, "file"), O_RDONLY);
	CHECK_EQ(errno, EFAULT);
	GIVES(0, close, syscall(SYS_open, proof_edge(5, "file"), O_RDONLY));
}

static void descriptors(void)
{
	struct open_how how = { .flags = O_RDONLY };
	int file = open("file", O_RDONLY);

	FAILS(EBADF, openat, 9999, "file", O_RDONLY);
	FAILS(EBADF, openat, -1, "file", O_RDONLY);
	FAILS(ENOTDIR, openat, file, "file", O_RDONLY);
	FAILS(EBADF, openat2, 9999, "file", &how, sizeof(how));
	FAILS(ENOTDIR, openat2, file, "file", &how, sizeof(how));
	FAILS(EBADF, close, 9999);
	FAILS(EBADF, close, -1);
	GIVES(0, close, file);
	FAILS(EBADF, close, file);
}

static long how(uint64_t flags, uint64_t mode, uint64_t resolve, size_t size)
{
	struct { struct open_how how; char more[40]; } h = { { flags, mode, resolve } };

	return syscall(SYS_openat2, AT_FDCWD, "file", &h, size);
}

static void arguments(void)
{
	struct { struct open_how how; char more[40]; } h = { .more = "x" };

	CHECK_ERRNO(how(O_RDONLY, 0, 0, sizeof(struct open_how) - 1), EINVAL);
	CHECK_ERRNO(how(O_RDONLY, 0, 0, 0), EINVAL);
	CHECK_ERRNO(how(1ull << 40, 0, 0, sizeof(struct open_how)), EINVAL);
	CHECK_ERRNO(how(O_RDONLY, 0600, 0, sizeof(struct open_how)), EINVAL);
	CHECK_ERRNO(how(O_RDWR | O_CREAT, 1 << 20, 0, sizeof(struct open_how)), EINVAL);
	CHECK_ERRNO(how(O_RDONLY, 0, 1 << 20, sizeof(struct open_how)), EINVAL);
	CHECK_ERRNO(how(O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT, sizeof(struct open_how)), EINVAL);
	CHECK_ERRNO(how(O_PATH | O_RDWR, 0, 0, sizeof(struct open_how)), EINVAL);
	FAILS(E2BIG, openat2, AT_FDCWD, "file", &h, sizeof(h));
	FAILS(E2BIG, openat2, AT_FDCWD, "file", &h, 5000);
	h.more[0] = 0;
	h.how.resolve = RESOLVE_BENEATH;
	FAILS(EXDEV, openat2, AT_FDCWD, "/etc", &h, sizeof(h));
	FAILS(EXDEV, openat2, AT_FDCWD, "..", &h, sizeof(h));
	h.how.resolve = RESOLVE_NO_SYMLINKS;
	FAILS(ELOOP, openat2, AT_FDCWD, "link", &h, sizeof(h));
	h.how.resolve = RESOLVE_NO_XDEV;
	FAILS(EXDEV, openat2, AT_FDCWD, "/proc/version", &h, sizeof(h));
	h.how.resolve = RESOLVE_NO_MAGICLINKS;
	FAILS(ELOOP, openat2, AT_FDCWD, "/proc/self/fd/0", &h, sizeof(h));
}

static void limits(void)
{
	struct rlimit r = { 20, 20 };
	int fd;

	setrlimit(RLIMIT_NOFILE, &r);
	while ((fd = open("file", O_RDONLY)) >= 0)
		;
	CHECK_EQ(errno, EMFILE);
	FAILS(EMFILE, openat, AT_FDCWD, "file", O_RDONLY);
	FAILS(EMFILE, creat, "file", 0600);
	CHECK_ERRNO(how(O_RDONLY, 0, 0, sizeof(struct open_how)), EMFILE);
	/* No room comes before no such file. */
	FAILS(EMFILE, open, "none", O_RDONLY);
}

static void permissions(void)
{
	FAILS(EACCES, open, "secret", O_RDONLY);
	FAILS(EACCES, open, "file", O_WRONLY);
	FAILS(EACCES, open, "file", O_RDONLY | O_TRUNC);
	FAILS(EACCES, openat, AT_FDCWD, "closed/file", O_RDONLY);
	FAILS(EACCES, open, "dir/new", O_RDWR | O_CREAT, 0600);
	FAILS(EACCES, creat, "dir/new", 0600);
	FAILS(EACCES, open, "dir", O_TMPFILE | O_RDWR, 0600);
	FAILS(EPERM, open, "file", O_RDONLY | O_NOATIME);
	GIVES(0, close, open("secret", O_PATH));
}

static void busy(void)
{
	int fd = open("program", O_RDWR | O_CREAT, 0700), self;
	char buf[4096];
	ssize_t n;
	pid_t child;

	/* A program that runs cannot be opened for writing. */
	self = open("/proc/self/exe", O_RDONLY);
	while ((n = read(self, buf, sizeof(buf))) > 0)
		n = write(fd, buf, n);
	close(self);
	close(fd);
	child = fork();
	if (child == 0) {
		char *args[] = { "program", "sleep", NULL };

		execv("./program", args);
		_exit(127);
	}
	for (int i = 0; i < 1000; i++) {
		char link[64], to[200] = "";

		snprintf(link, sizeof(link), "/proc/%d/exe", child);
		if (readlink(link, to, sizeof(to) - 1) > 0 && strstr(to, "/program"))
			break;
		usleep(1000);
	}
	FAILS(ETXTBSY, open, "program", O_WRONLY);
	FAILS(ETXTBSY, open, "program", O_RDWR);
	GIVES(0, close, open("program", O_RDONLY));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	unlink("program");
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		for (;;)
			pause();
	}
	own_directory("open_errors");
	own_names();
	names();
	devices();
	pointers();
	descriptors();
	arguments();
	in_child(limits);
	as_user(permissions);
	busy();
	own_names_remove();
	return test_done();
}
