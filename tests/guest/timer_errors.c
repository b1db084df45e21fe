/* What clocks, sleeps and timers refuse. */
// libc: gcc
// errors: timer_create timer_settime timer_gettime timer_getoverrun timer_delete clock_settime clock_gettime clock_getres clock_nanosleep clock_adjtime adjtimex nanosleep getitimer setitimer time gettimeofday settimeofday timerfd_create timerfd_settime timerfd_gettime
#include "include/proof.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>

static struct timespec zero, bad = { 0, 1000000000 }, negative = { -1, 0 }, less = { 0, -1 };

static void clocks(void)
{
	struct timex x = { .modes = 0 };
	struct timespec t;

	FAILS(EINVAL, clock_gettime, 99, &t);
	FAILS(EINVAL, clock_gettime, 16, &t);
	FAILS(EINVAL, clock_gettime, -1, &t);
	FAILS(EINVAL, clock_gettime, ~0x7ffffff << 3 | 2, &t);		/* the clock of a process that is not there */
	FAULTS(clock_gettime, 1, sizeof(t), CLOCK_MONOTONIC_RAW, 0);
	FAILS(EINVAL, clock_getres, 99, &t);
	FAULTS(clock_getres, 1, sizeof(t), CLOCK_MONOTONIC, 0);
	GIVES(0, clock_getres, CLOCK_MONOTONIC, NULL);
	FAILS(EINVAL, clock_settime, 99, &zero);
	FAILS(EINVAL, clock_settime, CLOCK_MONOTONIC, &zero);
	FAILS(EINVAL, clock_settime, CLOCK_REALTIME, &bad);
	FAILS(EINVAL, clock_settime, CLOCK_REALTIME, &negative);
	FAULTS(clock_settime, 1, sizeof(t), CLOCK_REALTIME, 0);
	FAULTS(clock_adjtime, 1, sizeof(x), CLOCK_REALTIME, 0);
	FAILS(EINVAL, clock_adjtime, 99, &x);
	FAILS(EOPNOTSUPP, clock_adjtime, CLOCK_MONOTONIC, &x);
	FAULTS(adjtimex, 0, sizeof(x), 0);
	x.modes = ADJ_TICK;
	x.tick = 1;
	FAILS(EINVAL, adjtimex, &x);
	FAILS(EINVAL, clock_adjtime, CLOCK_REALTIME, &x);
	FAULTS(time, 0, 8, 0);
	FAULTS(gettimeofday, 0, sizeof(struct timeval), 0, 0);
	FAULTS(gettimeofday, 1, sizeof(struct timezone), 0, 0);
	FAULTS(settimeofday, 0, sizeof(struct timeval), 0, 0);
	FAULTS(settimeofday, 1, sizeof(struct timezone), 0, 0);
	GIVES(0, gettimeofday, NULL, NULL);
	FAILS(EINVAL, settimeofday, &(struct timeval){ 0, 1000000 }, NULL);
	FAILS(EINVAL, settimeofday, &(struct timeval){ 0, -1 }, NULL);
	FAILS(EINVAL, settimeofday, &(struct timeval){ -1, 0 }, NULL);
	FAILS(EINVAL, settimeofday, NULL, &(struct timezone){ 16 * 60, 0 });
}

static void sleeps(void)
{
	FAILS(EINVAL, nanosleep, &bad, NULL);
	FAILS(EINVAL, nanosleep, &negative, NULL);
	FAILS(EINVAL, nanosleep, &less, NULL);
	FAULTS(nanosleep, 0, sizeof(zero), 0, 0);
	FAILS(EINVAL, clock_nanosleep, 99, 0, &zero, NULL);
	FAILS(EINVAL, clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, NULL);
	FAILS(EINVAL, clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &negative, NULL);
	FAILS(EOPNOTSUPP, clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &zero, NULL);
	FAILS(EOPNOTSUPP, clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &zero, NULL);
	FAILS(EOPNOTSUPP, clock_nanosleep, CLOCK_REALTIME_COARSE, 0, &zero, NULL);
	FAULTS(clock_nanosleep, 2, sizeof(zero), CLOCK_MONOTONIC, 0, 0, 0);
}

static void timers(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec wrong = { .it_value = bad }, interval = { .it_value = { 1, 0 }, .it_interval = less }, now;
	int id = -1, gone;

	FAILS(EINVAL, timer_create, 99, NULL, &id);
	FAILS(EINVAL, timer_create, -1, NULL, &id);
	e.sigev_notify = 77;
	FAILS(EINVAL, timer_create, CLOCK_MONOTONIC, &e, &id);
	e.sigev_notify = SIGEV_SIGNAL;
	e.sigev_signo = 65;
	FAILS(EINVAL, timer_create, CLOCK_MONOTONIC, &e, &id);
	e.sigev_signo = -1;
	FAILS(EINVAL, timer_create, CLOCK_MONOTONIC, &e, &id);
	e.sigev_signo = SIGUSR1;
	e.sigev_notify = SIGEV_THREAD_ID;
	e._sigev_un._tid = 1;
	FAILS(EINVAL, timer_create, CLOCK_MONOTONIC, &e, &id);
	FAILS(EOPNOTSUPP, timer_create, CLOCK_MONOTONIC_RAW, NULL, &id);
	FAULTS(timer_create, 1, sizeof(e), CLOCK_MONOTONIC, 0, P(&id));
	FAULTS(timer_create, 2, 4, CLOCK_MONOTONIC, 0, 0);
	GIVES(0, timer_create, CLOCK_MONOTONIC, NULL, &id);
	FAILS(EINVAL, timer_settime, id, 0, NULL, NULL);
	FAILS(EINVAL, timer_settime, id, 0, &wrong, NULL);
	wrong.it_value = negative;
	FAILS(EINVAL, timer_settime, id, 0, &wrong, NULL);
	FAILS(EINVAL, timer_settime, id, 0, &interval, NULL);
	FAULTS(timer_settime, 2, sizeof(now), id, 0, 0, 0);
	wrong.it_value = zero;
	FAULTS(timer_settime, 3, sizeof(now), id, 0, P(&wrong), 0);
	FAULTS(timer_gettime, 1, sizeof(now), id, 0);
	gone = id;
	GIVES(0, timer_delete, id);
	for (int i = 0; i < 3; i++) {
		const int none[] = { gone, -1, 0x7fffffff };

		FAILS(EINVAL, timer_settime, none[i], 0, &wrong, NULL);
		FAILS(EINVAL, timer_gettime, none[i], &now);
		FAILS(EINVAL, timer_getoverrun, none[i]);
		FAILS(EINVAL, timer_delete, none[i]);
	}
}

static void intervals(void)
{
	struct itimerval v, wrong = { .it_value = { 0, 1000000 } }, minus = { .it_value = { -1, 0 } };

	FAILS(EINVAL, getitimer, 3, &v);
	FAILS(EINVAL, getitimer, -1, &v);
	FAULTS(getitimer, 1, sizeof(v), ITIMER_REAL, 0);
	FAILS(EINVAL, setitimer, 3, &v, NULL);
	FAILS(EINVAL, setitimer, ITIMER_REAL, &wrong, NULL);
	FAILS(EINVAL, setitimer, ITIMER_VIRTUAL, &minus, NULL);
	FAULTS(setitimer, 1, sizeof(v), ITIMER_REAL, 0, 0);
	GIVES(0, getitimer, ITIMER_REAL, &v);
	FAULTS(setitimer, 2, sizeof(v), ITIMER_REAL, P(&v), 0);
}

static void descriptors(void)
{
	struct itimerspec v = { 0 }, wrong = { .it_value = bad };
	uint64_t count;
	int fd, file = open("/dev/null", O_RDONLY);

	FAILS(EINVAL, timerfd_create, 99, 0);
	FAILS(EINVAL, timerfd_create, CLOCK_PROCESS_CPUTIME_ID, 0);
	FAILS(EINVAL, timerfd_create, CLOCK_MONOTONIC, 1);
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	FAILS(EINVAL, timerfd_settime, fd, 8, &v, NULL);
	FAILS(EINVAL, timerfd_settime, fd, 0, &wrong, NULL);
	FAILS(EBADF, timerfd_settime, 9999, 0, &v, NULL);
	FAILS(EINVAL, timerfd_settime, file, 0, &v, NULL);
	FAILS(EBADF, timerfd_gettime, 9999, &v);
	FAILS(EINVAL, timerfd_gettime, file, &v);
	FAULTS(timerfd_settime, 2, sizeof(v), fd, 0, 0, 0);
	FAULTS(timerfd_settime, 3, sizeof(v), fd, 0, P(&v), 0);
	FAULTS(timerfd_gettime, 1, sizeof(v), fd, 0);
	FAILS(EAGAIN, read, fd, &count, 8l);
	FAILS(EINVAL, read, fd, &count, 7l);
	FAILS(EINVAL, write, fd, &count, 8l);
	close(fd);
	close(file);
}

static void unprivileged(void)
{
	struct timex x = { .modes = ADJ_TICK, .tick = 10000 };
	struct timespec now;
	struct timeval v;

	clock_gettime(CLOCK_REALTIME, &now);
	v.tv_sec = now.tv_sec;
	v.tv_usec = 0;
	FAILS(EPERM, clock_settime, CLOCK_REALTIME, &now);
	FAILS(EPERM, settimeofday, &v, NULL);
	FAILS(EPERM, adjtimex, &x);
	FAILS(EPERM, clock_adjtime, CLOCK_REALTIME, &x);
	FAILS(EPERM, timerfd_create, CLOCK_REALTIME_ALARM, 0);
}

static void limited(void)
{
	struct rlimit r = { 20, 20 }, pending = { 3, 3 };
	int id, n = 0;

	setrlimit(RLIMIT_NOFILE, &r);
	setrlimit(RLIMIT_SIGPENDING, &pending);
	while (dup(0) >= 0)
		;
	FAILS(EMFILE, timerfd_create, CLOCK_MONOTONIC, 0);
	become_user(4323);
	while (n < 100 && syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(n, 3);
}

int main(void)
{
	clocks();
	sleeps();
	timers();
	intervals();
	descriptors();
	if (geteuid() == 0) {
		as_user(unprivileged);
		in_child(limited);
	}
	return test_done();
}
