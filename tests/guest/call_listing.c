/* /proc/<pid>/syscall: the call that a thread is in, with its arguments; nothing of one that runs. */
// libc: gcc
// calls: read
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "include/test.h"

static char text[256];

static int look(const char *path)
{
	int fd = open(path, O_RDONLY);
	long n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
	return n > 0 ? 0 : errno;
}

int main(void)
{
	char path[64], wanted[256];
	int pair[2], fd, status;
	pid_t child;

	if (access("/proc/self", F_OK)) {
		mkdir("/proc", 0755);
		CHECK_EQ(mount("proc", "/proc", "proc", 0, NULL), 0);
	}
	fd = open("/proc/self/syscall", O_RDONLY);
	snprintf(wanted, sizeof(wanted), "%ld 0x%lx 0x%lx 0x%lx ", (long)SYS_read, (long)fd, (unsigned long)text, sizeof(text) - 1);
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	CHECK(!strncmp(text, wanted, strlen(wanted)));

	CHECK_EQ(pipe(pair), 0);
	child = fork();
	if (child == 0) {
		for (;;)
			syscall(SYS_read, pair[0], text, 7ul, 0x123ul, 0x456ul, 0x789ul);
	}
	snprintf(path, sizeof(path), "/proc/%d/syscall", child);
	snprintf(wanted, sizeof(wanted), "%ld 0x%lx 0x%lx 0x7 0x123 0x456 0x789 0x", (long)SYS_read, (long)pair[0],
		 (unsigned long)text);
	do {
		CHECK_EQ(look(path), 0);
		sched_yield();
	} while (strncmp(text, wanted, strlen(wanted)));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);

	child = fork();
	if (child == 0) {
		setresuid(1000, 1000, 1000);
		_exit(look("/proc/1/syscall") != EACCES);
	}
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	return test_done();
}
