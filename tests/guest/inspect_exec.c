/* Looking into a process that executes a program with more rights: never the new one by an old right. */
// calls: process_vm_readv process_vm_writev pidfd_getfd
// errors: process_vm_readv pidfd_getfd kcmp get_robust_list move_pages
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "include/test.h"

#define NEW 0x5ec4e7c0ffee1234ul
#define USER 1000
#define KCMP_VM 1

/* In a program that has just begun, NEW; at the same place in each, as the program is not relocated. */
static volatile unsigned long secret = NEW, written;
static char plain[] = "/tmp/inspect_exec.plain", raised[] = "/tmp/inspect_exec.raised";

static int copy_program(const char *name, mode_t mode)
{
	int from = open("/proc/self/exe", O_RDONLY), to = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) != n)
			return -1;
	close(from);
	fchmod(to, mode);
	return close(to);
}

static void nap(int ms) { poll(NULL, 0, ms); }

/* The program with more rights. Tells if somebody wrote into it. */
static int victim(int stays)
{
	if (geteuid() != 0)
		return 3;
	while (stays)
		pause();
	for (int i = 0; i < 10 && !written; i++)
		nap(5);
	return written ? 77 : 0;
}

/* A process of ours that executes it when told; it takes its time over closing descriptors. */
static pid_t start(char *how, int descriptors, int *go)
{
	char *argv[] = { raised, how, NULL }, *envp[] = { "SECRET=environment", NULL };
	int p[2], ready[2];
	char byte;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		exit(20);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(p[1]);
		secret = 1;
		for (int i = 0; i < descriptors; i++)
			open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (write(ready[1], "x", 1) != 1 || read(p[0], &byte, 1) != 1)
			_exit(21);
		execve(raised, argv, envp);
		_exit(22);
	}
	close(p[0]);
	if (read(ready[0], &byte, 1) != 1)
		exit(23);
	close(ready[0]);
	close(ready[1]);
	*go = p[1];
	return pid;
}

static long peek(pid_t pid, unsigned long *out)
{
	struct iovec mine = { out, sizeof(*out) }, there = { (void *)&secret, sizeof(secret) };

	return process_vm_readv(pid, &mine, 1, &there, 1, 0);
}

static void poke(pid_t pid)
{
	unsigned long value = 1;
	struct iovec mine = { &value, sizeof(value) }, there = { (void *)&written, sizeof(written) };

	process_vm_writev(pid, &mine, 1, &there, 1, 0);
}

/* From the moment of its exec until it is barred for good. `by_file`: through /proc. */
static int race(int by_file)
{
	int go, status = 0, got = 0, dir;
	pid_t pid = start("victim", 200, &go);
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d", pid);
	dir = open(name, O_RDONLY | O_DIRECTORY);
	if (write(go, "x", 1) != 1)
		exit(24);
	for (int i = 0; i < 4000 && !got; i++) {
		unsigned long value = 0;

		if (by_file) {
			int fd = openat(dir, "mem", O_RDWR);

			if (fd >= 0 && pread(fd, &value, sizeof(value), (off_t)&secret) == sizeof(value) && value == NEW) {
				value = 1;
				got = 1;
				if (pwrite(fd, &value, sizeof(value), (off_t)&written) < 0)
					got = 2;
			}
			if (fd >= 0)
				close(fd);
			else if (i > 100)
				break;
		} else if (peek(pid, &value) != sizeof(value)) {
			if (i > 100)
				break;
		} else if (value == NEW) {
			got = 1;
			poke(pid);
		}
	}
	waitpid(pid, &status, 0);
	close(go);
	close(dir);
	return got || status;
}

static void races(void)
{
	int bad = 0;

	for (int i = 0; i < 12; i++)
		bad += race(i & 1);
	CHECK_EQ(bad, 0);
}

static char text[65536];

static long read_all(int fd)
{
	long n, total = 0;

	while ((n = read(fd, text + total, sizeof(text) - 1 - (size_t)total)) > 0)
		total += n;
	text[total] = 0;
	return n < 0 && !total ? -1 : total;
}

/* Descriptors of before show what was, or nothing. */
static void old_descriptors(void)
{
	static const char *const names[] = { "maps", "smaps", "environ", "auxv", "pagemap", "mem", "io", "personality" };
	int fd[8], go, early;
	pid_t pid = start("stays", 0, &go);
	unsigned long value = 0;
	char name[64];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "/proc/%d/%s", pid, names[i]);
		fd[i] = open(name, O_RDONLY);
		CHECK(fd[i] >= 0);
	}
	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	early = open(name, O_RDONLY);
	CHECK(read_all(early) > 0);
	CHECK_EQ(write(go, "x", 1), 1);
	do
		nap(1);
	while (peek(pid, &value) == sizeof(value));
	CHECK_EQ(errno, EPERM);
	for (int i = 0; i < 5; i++) {
		long n = read_all(fd[i]);

		CHECK(n >= 0);
		CHECK(!strstr(text, raised) && !memmem(text, n < 0 ? 0 : (size_t)n, "SECRET=", 7));
	}
	CHECK_EQ(read_all(fd[0]), 0);
	CHECK_EQ(lseek(fd[5], (off_t)&secret, SEEK_SET), (long)&secret);
	CHECK_EQ(read(fd[5], &value, sizeof(value)), 0);
	CHECK_ERRNO(read(fd[6], text, 10), EACCES);
	CHECK_ERRNO(read(fd[7], text, 10), EPERM);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "/proc/%d/%s", pid, names[i]);
		CHECK_ERRNO(open(name, O_RDONLY), EACCES);
		close(fd[i]);
	}
	snprintf(name, sizeof(name), "/proc/%d/fd/0", pid);
	CHECK_ERRNO(readlink(name, text, 10), EACCES);
	snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	CHECK_ERRNO(readlink(name, text, 10), EACCES);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	close(go);
}

/* Without `dumpable`, its own user may not look either. */
static void undumpable(void)
{
	int p[2], q[2], path, pidfd;
	unsigned long value;
	void *head;
	size_t size;
	char byte, name[64];
	pid_t pid;

	CHECK_EQ(pipe(p) | pipe(q), 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (read(q[0], &byte, 1) != 1 || prctl(PR_SET_DUMPABLE, 0) || write(p[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	path = open(name, O_PATH);
	CHECK_EQ(peek(pid, &value), sizeof(value));
	CHECK_EQ(syscall(SYS_get_robust_list, pid, &head, &size), 0);
	CHECK(write(q[1], "x", 1) == 1 && read(p[0], &byte, 1) == 1);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path);
	CHECK_ERRNO(open(name, O_RDWR), EACCES);
	CHECK_ERRNO(peek(pid, &value), EPERM);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, pidfd, 0, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_kcmp, pid, pid, KCMP_VM, 0, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_get_robust_list, pid, &head, &size), EPERM);
	CHECK_ERRNO(syscall(SYS_move_pages, pid, 0ul, NULL, NULL, NULL, 0), EPERM);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	close(path);
	close(pidfd);
}

/* A descriptor of its memory keeps none of it: so many would not fit. */
static void dead_memory(void)
{
	enum { SIZE = 48 << 20, COUNT = 16 };
	int fd[COUNT], bad = 0;
	unsigned long value;
	char name[64], byte;

	for (int i = 0; i < COUNT; i++) {
		int p[2];
		pid_t pid;

		if (pipe(p))
			return;
		fflush(stdout);
		pid = fork();
		if (!pid) {
			char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			for (long at = 0; at < SIZE; at += 4096)
				m[at] = 1;
			if (write(p[1], "x", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		close(p[1]);
		bad += read(p[0], &byte, 1) != 1;
		close(p[0]);
		snprintf(name, sizeof(name), "/proc/%d/%s", pid, i & 1 ? "mem" : "smaps");
		fd[i] = open(name, O_RDONLY);
		bad += fd[i] < 0;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	CHECK_EQ(bad, 0);
	CHECK_EQ(pread(fd[1], &value, sizeof(value), (off_t)&secret), 0);
	CHECK_ERRNO(read(fd[0], text, 100), ESRCH);
	for (int i = 0; i < COUNT; i++)
		close(fd[i]);
}

int main(int argc, char **argv)
{
	int status = -1;
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "victim"))
		return victim(0);
	if (argc == 2 && !strcmp(argv[1], "stays"))
		return victim(1);
	if (argc == 2) {
		races();
		old_descriptors();
		undumpable();
		dead_memory();
		return test_done();
	}
	if (copy_program(plain, 0755) || copy_program(raised, 04755))
		return 1;
	pid = fork();
	if (!pid) {
		if (setgid(USER) || setuid(USER))
			_exit(1);
		execl(plain, plain, "user", NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	unlink(plain);
	unlink(raised);
	return status != 0;
}
