/*
 * Timeouts of every call that has one: the right answer, never early, at once when there is none to wait for, and not at all for
 * times beyond what a counter holds.
 */
// libc: gcc
// calls: poll ppoll select pselect6 epoll_wait epoll_pwait epoll_pwait2 futex futex_wait futex_waitv rt_sigtimedwait nanosleep clock_nanosleep timerfd_settime
#include "include/proof.h"

#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <time.h>

#ifndef SYS_futex_wait
#define SYS_futex_wait 455
#endif

static int in[2], ep;
static uint32_t word, lock;
static struct timespec left;

static struct timespec clock_plus(int clock, struct timespec t)
{
	struct timespec now;

	clock_gettime(clock, &now);
	if (t.tv_sec > LONG_MAX - now.tv_sec - 2)
		return (struct timespec){ LONG_MAX, 0 };
	now.tv_sec += t.tv_sec;
	now.tv_nsec += t.tv_nsec;
	if (now.tv_nsec >= 1000000000) {
		now.tv_nsec -= 1000000000;
		now.tv_sec++;
	}
	return now;
}

/* In milliseconds for the calls that take them; the longest they can say for what is longer. */
static int ms(struct timespec t)
{
	return t.tv_sec > 2000000 ? INT_MAX : (int)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

static long by_poll(struct timespec t)
{
	struct pollfd p = { in[0], POLLIN, 0 };

	return syscall(SYS_poll, &p, 1, ms(t));
}

static long by_ppoll(struct timespec t)
{
	struct pollfd p = { in[0], POLLIN, 0 };

	left = t;
	return syscall(SYS_ppoll, &p, 1, &left, NULL, 8l);
}

static long by_select(struct timespec t)
{
	struct timeval v = { t.tv_sec, t.tv_nsec / 1000 };
	fd_set set;
	long r;

	FD_ZERO(&set);
	FD_SET(in[0], &set);
	r = syscall(SYS_select, in[0] + 1, &set, NULL, NULL, &v);
	left = (struct timespec){ v.tv_sec, v.tv_usec * 1000 };
	return r;
}

static long by_pselect(struct timespec t)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(in[0], &set);
	left = t;
	return syscall(SYS_pselect6, in[0] + 1, &set, NULL, NULL, &left, NULL);
}

static struct epoll_event e;
static long by_epoll(struct timespec t) { return syscall(SYS_epoll_wait, ep, &e, 1, ms(t)); }
static long by_epoll_p(struct timespec t) { return syscall(SYS_epoll_pwait, ep, &e, 1, ms(t), NULL, 8l); }
static long by_epoll_p2(struct timespec t) { return syscall(SYS_epoll_pwait2, ep, &e, 1, &t, NULL, 8l); }
static long by_futex(struct timespec t) { return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t, NULL, 0); }

static long by_futex_bitset(struct timespec t)
{
	struct timespec at = clock_plus(CLOCK_MONOTONIC, t);

	return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &at, NULL, 1);
}

static long by_futex_wall(struct timespec t)
{
	struct timespec at = clock_plus(CLOCK_REALTIME, t);

	return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &at, NULL, 1);
}

static long by_lock_pi(struct timespec t)
{
	struct timespec at = clock_plus(CLOCK_REALTIME, t);

	return syscall(SYS_futex, &lock, FUTEX_LOCK_PI, 0, &at, NULL, 0);
}

static long by_futex2(struct timespec t)
{
	struct timespec at = clock_plus(CLOCK_MONOTONIC, t);

	return syscall(SYS_futex_wait, &word, 0l, 1l, 2, &at, CLOCK_MONOTONIC);
}

static long by_waitv(struct timespec t)
{
	struct { uint64_t val, uaddr; uint32_t flags, reserved; } v = { 0, (uintptr_t)&word, 2, 0 };
	struct timespec at = clock_plus(CLOCK_REALTIME, t);

	return syscall(SYS_futex_waitv, &v, 1, 0, &at, CLOCK_REALTIME);
}

static long by_sigwait(struct timespec t)
{
	uint64_t set = 1ull << (SIGUSR2 - 1);

	return syscall(SYS_rt_sigtimedwait, &set, NULL, &t, 8l);
}

static long by_nanosleep(struct timespec t) { return syscall(SYS_nanosleep, &t, NULL); }
static long by_clock(struct timespec t) { return syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &t, NULL); }

static long by_clock_at(struct timespec t)
{
	struct timespec at = clock_plus(CLOCK_REALTIME, t);

	return syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL);
}

static long by_timerfd(struct timespec t)
{
	struct itimerspec v = { { 0, 0 }, t };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t n = 0;

	if (!t.tv_sec && !t.tv_nsec)
		v.it_value.tv_nsec = 1;		/* nothing would disarm it */
	timerfd_settime(fd, 0, &v, NULL);
	if (read(fd, &n, 8) != 8)
		n = -1;
	close(fd);
	return n - 1;
}

static const struct row {
	const char *name;
	long (*call)(struct timespec t);
	int error;			/* what it says when the time is over; 0: it succeeds */
	int tells_left;
} rows[] = {
	{ "poll", by_poll, 0, 0 },
	{ "ppoll", by_ppoll, 0, 1 },
	{ "select", by_select, 0, 1 },
	{ "pselect6", by_pselect, 0, 1 },
	{ "epoll_wait", by_epoll, 0, 0 },
	{ "epoll_pwait", by_epoll_p, 0, 0 },
	{ "epoll_pwait2", by_epoll_p2, 0, 0 },
	{ "futex wait", by_futex, ETIMEDOUT, 0 },
	{ "futex wait_bitset", by_futex_bitset, ETIMEDOUT, 0 },
	{ "futex wait_bitset on the wall clock", by_futex_wall, ETIMEDOUT, 0 },
	{ "futex lock_pi", by_lock_pi, ETIMEDOUT, 0 },
	{ "futex_wait", by_futex2, ETIMEDOUT, 0 },
	{ "futex_waitv", by_waitv, ETIMEDOUT, 0 },
	{ "rt_sigtimedwait", by_sigwait, EAGAIN, 0 },
	{ "nanosleep", by_nanosleep, 0, 0 },
	{ "clock_nanosleep", by_clock, 0, 0 },
	{ "clock_nanosleep until", by_clock_at, 0, 0 },
	{ "timerfd", by_timerfd, 0, 0 },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void answer(const struct row *r, struct timespec t, double least, const char *what)
{
	char text[100];
	double begun = now();
	long result;

	errno = 0;
	left = t;
	result = r->call(t);
	snprintf(text, sizeof(text), "%s, %s: answers rightly", r->name, what);
	test_result(r->error ? result == -1 && errno == r->error : result == 0, text, __FILE__, __LINE__, result);
	snprintf(text, sizeof(text), "%s, %s: not early", r->name, what);
	test_result(now() - begun >= least, text, __FILE__, __LINE__, (long)((now() - begun) * 1e6));
	if (r->tells_left) {
		snprintf(text, sizeof(text), "%s, %s: nothing is left", r->name, what);
		test_result(!left.tv_sec && !left.tv_nsec, text, __FILE__, __LINE__, left.tv_nsec);
	}
}

/* Times without an end in sight: nobody has come back after a while. */
static void endless(void)
{
	static const struct timespec far[] = { { 1000000, 0 }, { LONG_MAX, 999999999 }, { LONG_MAX / 1000000000, 0 } };
	pid_t child[ROWS][3];
	char text[100];
	int status;

	fflush(stdout);
	for (size_t i = 0; i < ROWS; i++)
		for (int j = 0; j < 3; j++) {
			child[i][j] = fork();
			if (child[i][j] == 0) {
				rows[i].call(far[j]);
				_exit(errno);
			}
		}
	usleep(300000);
	for (size_t i = 0; i < ROWS; i++)
		for (int j = 0; j < 3; j++) {
			pid_t ended = waitpid(child[i][j], &status, WNOHANG);

			/* The wall clock's end of time and the like may be refused instead. */
			if (ended)
				status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
			snprintf(text, sizeof(text), "%s waits on for %ld seconds", rows[i].name, (long)far[j].tv_sec);
			test_result(ended == 0, text, __FILE__, __LINE__, status);
			kill(child[i][j], SIGKILL);
			waitpid(child[i][j], NULL, 0);
		}
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t set;

	if (pipe(in))
		return 2;
	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, in[0], &event);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	lock = getppid();
	for (size_t i = 0; i < ROWS; i++) {
		answer(&rows[i], (struct timespec){ 0, 0 }, 0, "no time");
		answer(&rows[i], (struct timespec){ 0, 30000000 }, 0.03, "30 ms");
	}
	endless();
	return test_done();
}
