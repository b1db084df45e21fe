/*
 * The logic of the generated smoke test (smoke.c holds the rows). Each row runs in a child of its own with a bound of time,
 * in an empty directory, so that a call that does something does it to the child alone.
 */
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

struct smoke_subject {
	int index;
	const char *name;
	int expected;
};

struct smoke_row {
	int number;
	const char *name;
	int served;
	int args;
	long values[6];
	int subject_count;
	struct smoke_subject subjects[6];
	unsigned int nulls;		/* arguments that may be null, as bits */
};

/* Placeholders among the values. */
#define SMOKE_FILE   (-1000001l)	/* a file open for reading and writing */
#define SMOKE_PIPE   (-1000002l)	/* the writing end of a pipe */
#define SMOKE_PIPE_READ (-1000003l)	/* the reading end of a pipe with some bytes in it */
#define SMOKE_DIR    (-1000004l)	/* the directory, open */
#define SMOKE_EPOLL  (-1000005l)
#define SMOKE_TIMERFD (-1000006l)
#define SMOKE_SELF   (-1000007l)	/* the process's id */
#define SMOKE_PIDFD  (-1000008l)
#define SMOKE_SOCKET (-1000009l)	/* one of a pair of stream sockets, with some bytes to read */
#define SMOKE_PATH   (-1000010l)	/* "." */
#define SMOKE_NEW    (-1000011l)	/* the name of a file that is not there */
#define SMOKE_LINK   (-1000012l)	/* the name of a symbolic link */
#define SMOKE_BUFFER (-1000013l)	/* a page of zeros */
#define SMOKE_PAGE   (-1000014l)	/* a mapped page's address */

static char *smoke_page;

static long smoke_value(long value)
{
	int ends[2];

	switch (value) {
	case SMOKE_FILE:
		return open("file", O_RDWR);
	case SMOKE_PIPE:
		return pipe(ends) == 0 ? ends[1] : -1;
	case SMOKE_PIPE_READ:
		if (pipe(ends) != 0 || write(ends[1], "some bytes", 10) != 10)
			return -1;
		return ends[0];
	case SMOKE_DIR:
		return open(".", O_RDONLY | O_DIRECTORY);
	case SMOKE_EPOLL:
		return syscall(SYS_epoll_create1, 0);
	case SMOKE_TIMERFD:
		return syscall(SYS_timerfd_create, 1, 0);
	case SMOKE_SOCKET:
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || write(ends[1], "some bytes", 10) != 10)
			return -1;
		return ends[0];
	case SMOKE_SELF:
		return getpid();
	case SMOKE_PIDFD:
		return syscall(SYS_pidfd_open, getpid(), 0);
	case SMOKE_PATH:
		return (long)".";
	case SMOKE_NEW:
		return (long)"new";
	case SMOKE_LINK:
		return (long)"link";
	case SMOKE_BUFFER:
	case SMOKE_PAGE:
		return (long)smoke_page;
	}
	return value;
}

static long smoke_call(const struct smoke_row *row, const long *v)
{
	memset(smoke_page, 0, 4096);
	return syscall(row->number, v[0], v[1], v[2], v[3], v[4], v[5]) == -1 ? -errno : 0;
}

/* Unmapped, in the kernel's half, and no address at all. */
static const unsigned long smoke_bad[] = { 0x10000ul - 4096, 0xffff888000001000ul, 0xffffffff80100000ul, 0x8000000000000000ul };

static int smoke_subject_ok(const struct smoke_row *row, const struct smoke_subject *s, const long *base, char *why)
{
	for (size_t i = 0; i < sizeof(smoke_bad) / sizeof(*smoke_bad); i++) {
		long v[6], r;

		memcpy(v, base, sizeof(v));
		v[s->index] = (long)smoke_bad[i];
		r = smoke_call(row, v);
		if (r != -s->expected) {
			sprintf(why, "at %lx: result %ld, expected %d", smoke_bad[i], r, -s->expected);
			return 0;
		}
	}
	return 1;
}

/* One row, in the child: prints its TAP lines without numbers; the parent numbers them. */
static void smoke_child(const struct smoke_row *row, int mortise, FILE *out)
{
	long base[6];
	char why[100];

	for (int i = 0; i < 6; i++)
		base[i] = smoke_value(row->values[i]);
	if (!row->served) {
		long r = mortise ? smoke_call(row, (long[6]){ 0 }) : -ENOSYS;

		if (mortise)
			fprintf(out, "%sok - %s is ENOSYS (%ld)\n", r == -ENOSYS ? "" : "not ", row->name, r);
		return;
	}
	for (int i = 0; i < row->subject_count; i++) {
		const struct smoke_subject *s = &row->subjects[i];
		int ok = smoke_subject_ok(row, s, base, why);

		fprintf(out, "%sok - %s: bad %s%s%s\n", ok ? "" : "not ", row->name, s->name, ok ? "" : " ", ok ? "" : why);
	}
	if (row->nulls) {
		long v[6], r;

		memcpy(v, base, sizeof(v));
		for (int i = 0; i < 6; i++) {
			if (row->nulls & (1u << i))
				v[i] = 0;
		}
		r = smoke_call(row, v);
		fprintf(out, "%sok - %s: null is allowed (%ld)\n", r != -EFAULT && r != -ENOSYS ? "" : "not ", row->name, r);
	}
}

static int smoke_row(const struct smoke_row *row, int mortise, int *count)
{
	int ends[2], status = 0, failures = 0;
	char line[300];
	FILE *in;
	pid_t child;

	if (pipe(ends) != 0)
		return 1;
	fflush(stdout);
	child = fork();
	if (child == 0) {
		FILE *out = fdopen(ends[1], "w");

		alarm(5);
		close(ends[0]);
		smoke_child(row, mortise, out);
		fclose(out);
		_exit(0);
	}
	close(ends[1]);
	in = fdopen(ends[0], "r");
	while (fgets(line, sizeof(line), in)) {
		int bad = strncmp(line, "not ", 4) == 0;

		failures += bad;
		printf("%sok %d%s", bad ? "not " : "", ++*count, line + (bad ? 6 : 2));
	}
	fclose(in);
	waitpid(child, &status, 0);
	if (status != 0) {
		failures++;
		printf("not ok %d - %s: the child ended with status %x\n", ++*count, row->name, status);
	}
	fflush(stdout);
	return failures;
}

static int smoke_main(const struct smoke_row *rows, size_t n)
{
	struct utsname name;
	int failures = 0, count = 0, mortise, fd;

	uname(&name);
	mortise = strstr(name.release, "mortise") != NULL;
	smoke_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0 && write(fd, smoke_page, 4096) != 4096)
		return 1;
	close(fd);
	if (symlink("target", "link") != 0 && errno != EEXIST)
		return 1;
	for (size_t i = 0; i < n; i++)
		failures += smoke_row(&rows[i], mortise, &count);
	printf("1..%d\n", count);
	return failures ? 1 : 0;
}
