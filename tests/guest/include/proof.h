/*
 * What tests of calls' errors and limits share: bad pointers, children whose checks count, a directory of the test's own,
 * an ordinary user. The calls are made by number, so that the library's own checks are not what is tested.
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "test.h"

/* The call `name` fails with this errno: FAILS(EBADF, close, -1). Negative numbers wider than an int need an L. */
#define FAILS(expected, name, ...)                                                                     \
	({                                                                                             \
		errno = 0;                                                                             \
		long proof_r = syscall(SYS_##name __VA_OPT__(,) __VA_ARGS__);                          \
		test_result((proof_r == -1 && errno == (expected)) || proof_r == LEGACY_ABSENT,                                  \
			    #name "(" #__VA_ARGS__ ") fails with " #expected, __FILE__, __LINE__, proof_r); \
	})

/* The call `name` gives this result. */
#define GIVES(expected, name, ...)                                                                     \
	({                                                                                             \
		errno = 0;                                                                             \
		long proof_e = (long)(expected), proof_r = syscall(SYS_##name __VA_OPT__(,) __VA_ARGS__); \
		test_result(proof_r == proof_e || proof_r == LEGACY_ABSENT, #name "(" #__VA_ARGS__ ") gives " #expected, __FILE__, __LINE__, proof_r); \
	})

/* A pointer among a call's arguments, as FAULTS wants them. */
#define P(pointer) ((long)(pointer))

/*
 * The call gives EFAULT when argument `arg` (from 0) is unmapped, in the kernel's half or no address at all, and, with
 * `size`, when only the last byte of so many lies on a page without access.
 */
#define FAULTS(name, arg, size, ...) \
	proof_faults(#name, SYS_##name, arg, size, (long[6]){ __VA_ARGS__ }, __FILE__, __LINE__)

/* Memory of `size` bytes whose next byte may not be touched; it is filled with `from` if that is given. */
static inline void *proof_edge(size_t size, const void *from)
{
	char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(page + 2 * 4096, 4096, PROT_NONE);
	page += 2 * 4096 - size;
	if (from)
		memcpy(page, from, size);
	return page;
}

static inline void proof_faults(const char *name, long number, int arg, size_t size, const long *args, const char *file, int line)
{
	unsigned long bad[5] = { 0x10000ul - 4096, 0xffff888000001000ul, 0xffffffff80100000ul, 0x8000000000000000ul };
	char what[100];
	int n = 4;

	if (size)
		bad[n++] = (unsigned long)proof_edge(size - 1, NULL);
	for (int i = 0; i < n; i++) {
		long v[6], r;

		memcpy(v, args, sizeof(v));
		v[arg] = (long)bad[i];
		errno = 0;
		r = syscall(number, v[0], v[1], v[2], v[3], v[4], v[5]);
		snprintf(what, sizeof(what), "%s with argument %d at %lx fails with EFAULT", name, arg, i < 4 ? bad[i] : 0xed9eul);
		test_result((r == -1 && errno == EFAULT) || r == LEGACY_ABSENT, what, file, line, r);
	}
}

/* Runs fn in a child whose checks count as this process's. */
static inline void in_child(void (*fn)(void))
{
	int ends[2], counts[2], status;
	pid_t child;

	if (pipe(ends))
		exit(2);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		fcntl(ends[1], F_SETFD, FD_CLOEXEC);
		fn();
		fflush(stdout);
		counts[0] = test_count;
		counts[1] = test_failures;
		_exit(write(ends[1], counts, sizeof(counts)) != sizeof(counts));
	}
	close(ends[1]);
	if (read(ends[0], counts, sizeof(counts)) == sizeof(counts)) {
		test_count = counts[0];
		test_failures = counts[1];
	} else {
		test_result(0, "a child lives to its end", __FILE__, __LINE__, child);
	}
	close(ends[0]);
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
}

/* Becomes user and group `id` without any capability. Only a superuser can. */
static inline void become_user(int id)
{
	if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id))
		test_result(0, "an ordinary user is to be had", __FILE__, __LINE__, id);
}

static void (*proof_user_fn)(void);

static inline void proof_user(void)
{
	become_user(1000);
	proof_user_fn();
}

/* Runs fn in a child that is an ordinary user; without privileges, as oneself. */
static inline void as_user(void (*fn)(void))
{
	proof_user_fn = fn;
	in_child(geteuid() == 0 ? proof_user : fn);
}

static char proof_name[64];

/* Back out of own_directory. */
static inline void proof_remove(void)
{
	if (chdir("/") == 0)
		rmdir(proof_name);
}

static inline void proof_directory_in(const char *parent, const char *name)
{
	umask(022);
	snprintf(proof_name, sizeof(proof_name), "%s/%s.XXXXXX", parent, name);
	if (!mkdtemp(proof_name) || chdir(proof_name) || chmod(".", 0777))
		exit(2);
}

/* A fresh directory, which is the current one from then on; removed at the end if the test has emptied it. */
static inline void own_directory(const char *name)
{
	mkdir("/tmp", 01777);
	proof_directory_in("/tmp", name);
}

/* The same on a tmpfs, where /tmp may be something else. */
static inline void own_tmpfs_directory(const char *name)
{
	struct statfs s;

	if (statfs("/dev/shm", &s) == 0 && s.f_type == 0x01021994)
		proof_directory_in("/dev/shm", name);
	else
		own_directory(name);
}

/* A file with this text. */
static inline int own_file(const char *name, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(2);
	return fd;
}

static char long_name[300], long_path[5000];

/* What every walk through names refuses: `long_name` is one component too long, `long_path` a path too long. */
static inline void own_names(void)
{
	memset(long_name, 'n', 299);
	for (int i = 0; i < 4998; i += 2)
		memcpy(long_path + i, "./", 2);
	close(own_file("file", "contents"));
	close(own_file("secret", "contents"));
	mkdir("dir", 0755);
	mkdir("closed", 0700);
	close(own_file("closed/file", ""));
	if (symlink("loop", "loop") || symlink("file", "link") || symlink("nowhere", "dangling") || chmod("secret", 0600))
		exit(2);
}

static inline void own_names_remove(void)
{
	static const char *const names[] = { "file", "secret", "closed/file", "loop", "link", "dangling" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(names[i]);
	rmdir("dir");
	rmdir("closed");
	proof_remove();
}
