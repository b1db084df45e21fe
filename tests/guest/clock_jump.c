/* Waits until a time of day follow a clock that is set; those for a span of time do not. */
// libc: gcc
// flags: -pthread
// linux: no (sets the machine's clock)
// calls: clock_settime timer_settime timer_gettime timerfd_settime clock_nanosleep
// calls: futex futex_waitv mq_timedreceive
#define _GNU_SOURCE
#include <linux/futex.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>

#include "include/test.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif
#define WAITS 8

static struct timespec goal;
static int result[WAITS], over[WAITS];
static uint32_t word, owned, owned2, second;
static mqd_t queue;

static long futex(uint32_t *at, int op, uint32_t value, uint32_t *other)
{
	return syscall(SYS_futex, at, op, value, &goal, other, FUTEX_BITSET_MATCH_ANY);
}

static long wait_one(int which)
{
	struct futex_waitv w = { .uaddr = (uintptr_t)&word, .flags = FUTEX_32 };
	struct timespec atomic = { goal.tv_sec + 37, goal.tv_nsec };
	char b[8];

	switch (which) {
	case 0: return futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, NULL);
	case 1: return futex(&owned, FUTEX_LOCK_PI, 0, NULL);
	case 2: return futex(&owned2, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, NULL);
	case 3: return futex(&word, FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 0, &second);
	case 4: return syscall(SYS_futex_waitv, &w, 1, 0, &goal, CLOCK_REALTIME);
	case 5: return mq_timedreceive(queue, b, sizeof(b), NULL, &goal);
	case 6: errno = clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &goal, NULL); break;
	case 7: errno = clock_nanosleep(CLOCK_TAI, TIMER_ABSTIME, &atomic, NULL); break;
	}
	return errno ? -1 : 0;
}

static void *waiter(void *arg)
{
	int which = (int)(long)arg;
	long r = wait_one(which);

	result[which] = r < 0 ? errno : (int)r;
	__atomic_store_n(&over[which], 1, __ATOMIC_RELEASE);
	return NULL;
}

static void rest(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000l };

	while (nanosleep(&t, &t))
		;
}

static int count_over(void)
{
	int n = 0;

	for (int i = 0; i < WAITS; i++)
		n += __atomic_load_n(&over[i], __ATOMIC_ACQUIRE);
	return n;
}

static void set_by(long seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += seconds;
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
}

static void step_by(long seconds)
{
	struct timex t = { .modes = ADJ_SETOFFSET, .time = { seconds, 0 } };

	CHECK(adjtimex(&t) >= 0);
}

static void set_atomic_offset(int seconds)
{
	struct timex t = { .modes = ADJ_TAI, .constant = seconds };

	CHECK(adjtimex(&t) >= 0);
}

static void start(pthread_t *thread)
{
	clock_gettime(CLOCK_REALTIME, &goal);
	goal.tv_sec += 1000;
	memset(over, 0, sizeof(over));
	for (long i = 0; i < WAITS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, waiter, (void *)i), 0);
	rest(100);
	CHECK_EQ(count_over(), 0);
}

static void check_results(pthread_t *thread)
{
	for (int i = 0; i < 200 && count_over() < WAITS; i++)
		rest(20);
	for (int i = 0; i < WAITS; i++) {
		CHECK(over[i]);
		if (!over[i])
			pthread_cancel(thread[i]);
		pthread_join(thread[i], NULL);
		CHECK_EQ(result[i], i < 6 ? ETIMEDOUT : 0);
	}
}

static void sleepers(void)
{
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	pthread_t thread[WAITS];
	pid_t owner = fork();

	if (!owner)
		for (;;)
			pause();
	owned = owned2 = (uint32_t)owner;
	queue = mq_open("/clock_jump", O_CREAT | O_RDWR, 0600, &a);
	CHECK(queue >= 0);
	set_atomic_offset(37);
	start(thread);
	set_by(-3000);
	rest(60);
	CHECK_EQ(count_over(), 0);
	set_by(4001);
	check_results(thread);
	start(thread);
	step_by(1001);
	check_results(thread);
	set_by(-2002);
	set_atomic_offset(0);
	kill(owner, SIGKILL);
	waitpid(owner, NULL, 0);
	mq_close(queue);
	mq_unlink("/clock_jump");
}

static volatile int fired;
static void on_signal(int sig) { (void)sig; fired++; }

static int ticks_of(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? (int)n : -errno;
}

static void timers(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec absolute = { .it_value = { 0, 0 } }, span = { .it_value = { 500, 0 } }, left;
	struct itimerspec period = { { 0, 20000000 }, { 0, 20000000 } };
	int fa = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK), fs = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK), seen;
	timer_t ta, ts, tp;

	signal(SIGUSR1, on_signal);
	CHECK_EQ(timer_create(CLOCK_REALTIME, &e, &ta), 0);
	CHECK_EQ(timer_create(CLOCK_REALTIME, &e, &ts), 0);
	clock_gettime(CLOCK_REALTIME, &absolute.it_value);
	absolute.it_value.tv_sec += 1000;
	CHECK_EQ(timer_settime(ta, TIMER_ABSTIME, &absolute, NULL), 0);
	CHECK_EQ(timer_settime(ts, 0, &span, NULL), 0);
	CHECK_EQ(timerfd_settime(fa, TFD_TIMER_ABSTIME, &absolute, NULL), 0);
	CHECK_EQ(timerfd_settime(fs, 0, &span, NULL), 0);
	set_by(-3000);
	CHECK_EQ(timer_gettime(ta, &left), 0);
	CHECK(left.it_value.tv_sec > 3900 && left.it_value.tv_sec <= 4000);
	CHECK_EQ(timer_gettime(ts, &left), 0);
	CHECK(left.it_value.tv_sec > 400 && left.it_value.tv_sec <= 500);
	CHECK_EQ(timerfd_gettime(fs, &left), 0);
	CHECK(left.it_value.tv_sec > 400 && left.it_value.tv_sec <= 500);
	set_by(4001);
	rest(100);
	CHECK_EQ(fired, 1);
	CHECK_EQ(ticks_of(fa), 1);
	CHECK_EQ(ticks_of(fs), -EAGAIN);
	/* A period that began with a span goes on when the clock is set back. */
	fired = 0;
	CHECK_EQ(timer_create(CLOCK_REALTIME, &e, &tp), 0);
	CHECK_EQ(timer_settime(tp, 0, &period, NULL), 0);
	CHECK_EQ(timerfd_settime(fs, 0, &period, NULL), 0);
	rest(100);
	set_by(-1001);
	seen = fired;
	ticks_of(fs);
	for (int i = 0; i < 100 && fired < seen + 3; i++)
		rest(20);
	CHECK(fired >= seen + 3);
	CHECK(ticks_of(fs) >= 1);
	timer_delete(tp);
	timer_delete(ta);
	timer_delete(ts);
	close(fa);
	close(fs);
}

/* Who asked to be told of settings is told, armed or not; ticks can be put back. */
static void told(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	struct itimerspec off = { .it_value = { 0, 0 } };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n = 5;

	CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &off, NULL), 0);
	CHECK_EQ(poll(&p, 1, 0), 0);
	set_by(1);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(ticks_of(fd), -ECANCELED);
	set_by(-1);
	CHECK_EQ(ioctl(fd, TFD_IOC_SET_TICKS, &n), -1);
	CHECK_EQ(errno, ECANCELED);
	CHECK_EQ(ioctl(fd, TFD_IOC_SET_TICKS, &n), 0);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(ticks_of(fd), 5);
	n = 0;
	CHECK_EQ(ioctl(fd, TFD_IOC_SET_TICKS, &n), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(ioctl(fd, TFD_IOC_SET_TICKS, (void *)8), -1);
	CHECK_EQ(errno, EFAULT);
	close(fd);
}

int main(void)
{
	struct timespec before, after;

	clock_gettime(CLOCK_BOOTTIME, &before);
	sleepers();
	timers();
	told();
	clock_gettime(CLOCK_BOOTTIME, &after);
	CHECK(after.tv_sec - before.tv_sec < 60);
	CHECK_EQ(clock_settime(CLOCK_PROCESS_CPUTIME_ID, &before), -1);
	CHECK_EQ(errno, EINVAL);
	return test_done();
}
