/*
 * The calls that ports younger than x86_64 do not have. There a test's `syscall(SYS_open, ...)` makes the call that took its place, with
 * the arguments that mean the same; so the expectation is tried on the younger call. Those without such a successor
 * give LEGACY_ABSENT, which checks take as passed: the port has no such call.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LEGACY_ABSENT (-7777l)

#ifndef SYS_open
#define LEGACY_SUCCESSORS 1
enum {
	SYS_open = -2000, SYS_stat, SYS_lstat, SYS_poll, SYS_access, SYS_pipe, SYS_select, SYS_dup2, SYS_getdents, SYS_rename,
	SYS_mkdir, SYS_rmdir, SYS_creat, SYS_link, SYS_unlink, SYS_symlink, SYS_readlink, SYS_chmod, SYS_chown, SYS_lchown,
	SYS_utime, SYS_utimes, SYS_mknod, SYS_futimesat, SYS_epoll_create, SYS_epoll_wait, SYS_eventfd, SYS_pause,
	SYS_signalfd, SYS_getpgrp, SYS_fork, SYS_vfork, SYS_arch_prctl, SYS_alarm, SYS_time,
};

static inline long legacy_poll(long a, long b, int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000l };

	return syscall(SYS_ppoll, a, b, ms < 0 ? NULL : &t, NULL, 8l);
}

/* The time is read here; a bad pointer to it is left for the kernel to refuse. */
static inline long legacy_select(const long *v)
{
	struct timeval t;
	struct iovec to = { &t, sizeof(t) }, from = { (void *)v[4], sizeof(t) };
	struct timespec s;
	long result;
	int error;

	if (syscall(SYS_process_vm_readv, (long)getpid(), &to, 1l, &from, 1l, 0l) != sizeof(t))
		return syscall(SYS_pselect6, v[0], v[1], v[2], v[3], v[4], 0l);
	s = (struct timespec){ t.tv_sec, t.tv_usec * 1000 };
	result = syscall(SYS_pselect6, v[0], v[1], v[2], v[3], &s, 0l);
	error = errno;
	t = (struct timeval){ s.tv_sec, s.tv_nsec / 1000 };	/* what is left */
	syscall(SYS_process_vm_writev, (long)getpid(), &to, 1l, &from, 1l, 0l);
	errno = error;
	return result;
}

/* Times of microseconds, or seconds in pairs, for utimensat; a bad pointer is left for the kernel to refuse. */
static inline long legacy_utimes(long dirfd, long path, long times, int seconds_only)
{
	struct timeval t[2];
	struct timespec s[2];
	long pair[2];
	struct iovec to = { seconds_only ? (void *)pair : (void *)t, seconds_only ? sizeof(pair) : sizeof(t) };
	struct iovec from = { (void *)times, to.iov_len };

	if (!times)
		return syscall(SYS_utimensat, dirfd, path, 0l, 0l);
	if (syscall(SYS_process_vm_readv, (long)getpid(), &to, 1l, &from, 1l, 0l) != (long)to.iov_len)
		return syscall(SYS_utimensat, dirfd, path, times, 0l);
	for (int i = 0; i < 2; i++)
		s[i] = seconds_only ? (struct timespec){ pair[i], 0 } : (struct timespec){ t[i].tv_sec, t[i].tv_usec * 1000 };
	if (!seconds_only && ((unsigned long)t[0].tv_usec >= 1000000 || (unsigned long)t[1].tv_usec >= 1000000)) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_utimensat, dirfd, path, s, 0l);
}

static inline long legacy_alarm(unsigned int seconds)
{
	struct itimerval value = { { 0, 0 }, { seconds, 0 } }, old;

	if (syscall(SYS_setitimer, (long)ITIMER_REAL, &value, &old))
		return -1;
	return old.it_value.tv_sec + (old.it_value.tv_usec >= 500000 || (!old.it_value.tv_sec && old.it_value.tv_usec));
}

static inline long legacy_call(long number, ...)
{
	const long here = AT_FDCWD;
	va_list ap;
	long v[6];

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		v[i] = va_arg(ap, long);
	va_end(ap);
	switch (number) {
	case SYS_open: return syscall(SYS_openat, here, v[0], v[1], v[2]);
	case SYS_creat: return syscall(SYS_openat, here, v[0], (long)(O_CREAT | O_WRONLY | O_TRUNC), v[1]);
	case SYS_stat: return syscall(SYS_newfstatat, here, v[0], v[1], 0l);
	case SYS_lstat: return syscall(SYS_newfstatat, here, v[0], v[1], (long)AT_SYMLINK_NOFOLLOW);
	case SYS_poll: return legacy_poll(v[0], v[1], (int)v[2]);
	case SYS_select: return legacy_select(v);
	case SYS_access: return syscall(SYS_faccessat, here, v[0], v[1]);
	case SYS_pipe: return syscall(SYS_pipe2, v[0], 0l);
	case SYS_dup2: return (int)v[0] == (int)v[1] ? fcntl((int)v[0], F_GETFD) < 0 ? -1 : v[1] : syscall(SYS_dup3, v[0], v[1], 0l);
	case SYS_rename: return syscall(SYS_renameat, here, v[0], here, v[1]);
	case SYS_mkdir: return syscall(SYS_mkdirat, here, v[0], v[1]);
	case SYS_rmdir: return syscall(SYS_unlinkat, here, v[0], (long)AT_REMOVEDIR);
	case SYS_link: return syscall(SYS_linkat, here, v[0], here, v[1], 0l);
	case SYS_unlink: return syscall(SYS_unlinkat, here, v[0], 0l);
	case SYS_symlink: return syscall(SYS_symlinkat, v[0], here, v[1]);
	case SYS_readlink: return syscall(SYS_readlinkat, here, v[0], v[1], v[2]);
	case SYS_chmod: return syscall(SYS_fchmodat, here, v[0], v[1]);
	case SYS_chown: return syscall(SYS_fchownat, here, v[0], v[1], v[2], 0l);
	case SYS_lchown: return syscall(SYS_fchownat, here, v[0], v[1], v[2], (long)AT_SYMLINK_NOFOLLOW);
	case SYS_mknod: return syscall(SYS_mknodat, here, v[0], v[1], v[2]);
	case SYS_epoll_wait: return syscall(SYS_epoll_pwait, v[0], v[1], v[2], v[3], 0l, 8l);
	case SYS_eventfd: return syscall(SYS_eventfd2, v[0], 0l);
	case SYS_signalfd: return syscall(SYS_signalfd4, v[0], v[1], v[2], 0l);
	case SYS_utime: return legacy_utimes(here, v[0], v[1], 1);
	case SYS_utimes: return legacy_utimes(here, v[0], v[1], 0);
	case SYS_futimesat: return legacy_utimes(v[0], v[1], v[2], 0);
	case SYS_alarm: return legacy_alarm((unsigned int)v[0]);
	case SYS_pause: return syscall(SYS_ppoll, 0l, 0l, 0l, 0l, 8l);
	case SYS_getpgrp: return syscall(SYS_getpgid, 0l);
	case SYS_fork: return syscall(SYS_clone, (long)SIGCHLD, 0l, 0l, 0l, 0l);
	}
	return number >= -2000 && number < -1900 ? LEGACY_ABSENT : syscall(number, v[0], v[1], v[2], v[3], v[4], v[5]);
}

#define syscall(...) legacy_call(__VA_ARGS__, 0l, 0l, 0l, 0l, 0l, 0l)
#endif
