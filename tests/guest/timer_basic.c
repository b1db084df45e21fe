/* Clocks and timers: reading, sleeping, POSIX timers with overruns, interval timers, timerfd, errors. */
// libc: gcc
// calls: clock_gettime clock_getres clock_settime nanosleep clock_nanosleep timer_create timer_settime timer_gettime timer_delete timer_getoverrun setitimer getitimer alarm timerfd_create timerfd_settime timerfd_gettime gettimeofday adjtimex
// errors: adjtimex clock_gettime clock_settime nanosleep setitimer timer_create timer_delete timerfd_create timerfd_settime
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>

#include "include/test.h"

static volatile sig_atomic_t count, overruns, value;

static void on_timer(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	count++;
	overruns += info->si_overrun;
	value = info->si_value.sival_int;
}

static long long now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void clocks(void)
{
	struct timespec ts;
	struct timeval tv;
	long long before = now(CLOCK_MONOTONIC);

	CHECK(now(CLOCK_MONOTONIC) >= before);
	CHECK(now(CLOCK_BOOTTIME) >= 0);
	CHECK(now(CLOCK_REALTIME) > 1500000000000000000ll);
	CHECK_EQ(gettimeofday(&tv, NULL), 0);
	CHECK(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
	CHECK_EQ(clock_getres(CLOCK_MONOTONIC, &ts), 0);
	CHECK(ts.tv_sec == 0 && ts.tv_nsec > 0);
	CHECK_ERRNO(syscall(SYS_clock_gettime, 77, &ts), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_REALTIME, 8), EFAULT);
	ts.tv_nsec = 1000000000;
	CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, &ts), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &ts), EINVAL);
}

static void cpu_clocks(void)
{
	long long process = now(CLOCK_PROCESS_CPUTIME_ID), thread = now(CLOCK_THREAD_CPUTIME_ID);
	volatile unsigned long n = 0;

	while (now(CLOCK_PROCESS_CPUTIME_ID) < process + 20000000)
		n++;
	CHECK(now(CLOCK_THREAD_CPUTIME_ID) > thread);
	CHECK(n > 0);
}

static void sleeping(void)
{
	struct timespec ts = { 0, 20000000 }, bad = { 0, -1 };
	long long before = now(CLOCK_MONOTONIC);

	CHECK_EQ(nanosleep(&ts, NULL), 0);
	CHECK(now(CLOCK_MONOTONIC) - before >= 20000000);
	CHECK_ERRNO(nanosleep(&bad, NULL), EINVAL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec = ts.tv_sec > 0 ? ts.tv_sec - 1 : 0;		/* in the machine's first second there is no earlier one */
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
	CHECK_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL), EINVAL);
}

static void interrupted_sleep(void)
{
	struct sigaction a = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO };
	struct itimerval t = { .it_value = { 0, 30000 } }, old;
	struct timespec ts = { 10, 0 }, rest = { 0, 0 };

	sigaction(SIGALRM, &a, NULL);
	CHECK_EQ(setitimer(ITIMER_REAL, &t, NULL), 0);
	CHECK_ERRNO(nanosleep(&ts, &rest), EINTR);
	CHECK(rest.tv_sec == 9 && rest.tv_nsec > 0);
	CHECK_EQ(alarm(100), 0);
	CHECK_EQ(getitimer(ITIMER_REAL, &old), 0);
	CHECK(old.it_value.tv_sec >= 98);
	CHECK(alarm(0) >= 99);
	CHECK_ERRNO(setitimer((__itimer_which_t)9, &t, NULL), EINVAL);
	t.it_value.tv_usec = 1000000;
	CHECK_ERRNO(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
}

static void posix_timers(void)
{
	struct sigaction a = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 55 };
	struct itimerspec t = { { 0, 10000000 }, { 0, 10000000 } }, left;
	struct timespec pause_time = { 0, 95000000 };
	sigset_t set;
	timer_t id;

	sigaction(SIGRTMIN, &a, NULL);
	count = overruns = 0;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &e, &id), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_EQ(timer_settime(id, 0, &t, NULL), 0);
	CHECK_EQ(timer_gettime(id, &left), 0);
	CHECK(left.it_value.tv_nsec > 0 && left.it_interval.tv_nsec == 10000000);
	nanosleep(&pause_time, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK(count >= 1);
	CHECK(overruns >= 7);
	CHECK_EQ(value, 55);
	memset(&t, 0, sizeof(t));
	CHECK_EQ(timer_settime(id, 0, &t, NULL), 0);
	count = 0;
	nanosleep(&pause_time, NULL);
	CHECK_EQ(count, 0);
	CHECK(timer_getoverrun(id) >= 0);
	CHECK_EQ(timer_delete(id), 0);
	CHECK_ERRNO(syscall(SYS_timer_delete, 12345), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_create, 77, NULL, &id), EINVAL);
	e.sigev_signo = 99;
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &e, &id), EINVAL);
}

static void cpu_timer(void)
{
	struct sigaction a = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO };
	struct itimerval t = { .it_value = { 0, 30000 } };
	volatile unsigned long n = 0;

	count = 0;
	sigaction(SIGVTALRM, &a, NULL);
	CHECK_EQ(setitimer(ITIMER_VIRTUAL, &t, NULL), 0);
	while (!count)
		n++;
	CHECK_EQ(count, 1);
}

static void descriptors(void)
{
	struct itimerspec t = { { 0, 0 }, { 0, 20000000 } }, left;
	struct pollfd p;
	uint64_t ticks = 0;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	CHECK(fd >= 0);
	CHECK_ERRNO(read(fd, &ticks, 8), EAGAIN);
	CHECK_EQ(timerfd_settime(fd, 0, &t, NULL), 0);
	CHECK_ERRNO(read(fd, &ticks, 4), EINVAL);
	p = (struct pollfd){ fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_EQ(read(fd, &ticks, 8), 8);
	CHECK_EQ(ticks, 1);
	t.it_interval.tv_nsec = 5000000;
	t.it_value.tv_nsec = 5000000;
	CHECK_EQ(timerfd_settime(fd, 0, &t, NULL), 0);
	CHECK_EQ(timerfd_gettime(fd, &left), 0);
	CHECK_EQ(left.it_interval.tv_nsec, 5000000);
	usleep(52000);
	CHECK_EQ(read(fd, &ticks, 8), 8);
	CHECK(ticks >= 9);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 0x1000000), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	CHECK_ERRNO(timerfd_settime(0, 0, &t, NULL), EINVAL);
	close(fd);
}

static void adjustment(void)
{
	struct timex t;

	memset(&t, 0, sizeof(t));
	CHECK(adjtimex(&t) >= 0);
	CHECK(t.tick >= 9000 && t.tick <= 11000);
	CHECK_ERRNO(syscall(SYS_adjtimex, 8), EFAULT);
}

int main(void)
{
	clocks();
	cpu_clocks();
	sleeping();
	interrupted_sleep();
	posix_timers();
	cpu_timer();
	descriptors();
	adjustment();
	return test_done();
}
