/* The real-time clock is set while timers on it are set and expire, on several processors. */
// linux: no (sets the machine's clock)
// timeout: 90
// calls: clock_settime timer_settime timerfd_settime setitimer
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#include "include/test.h"

#define TIMERS 4
#define ROUNDS 600

static int timer_id[TIMERS], timer_fd[TIMERS], stop;

static void move(unsigned int *seed)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned int)rand_r(seed) % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static struct itimerspec soon(unsigned int *seed)
{
	struct itimerspec it = { .it_value = { 0, 0 } };

	clock_gettime(CLOCK_REALTIME, &it.it_value);
	it.it_value.tv_sec += rand_r(seed) % 50;
	it.it_value.tv_nsec = rand_r(seed) % 1000000000;
	return it;
}

static void *set_timers(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct itimerspec it = soon(&seed);
		struct itimerval real = { { 0, 300 }, { 0, rand_r(&seed) % 500 } };

		if (i % 12 == 0)
			move(&seed);
		syscall(SYS_timer_settime, timer_id[i % TIMERS], TIMER_ABSTIME, &it, NULL);
		timerfd_settime(timer_fd[i % TIMERS], TFD_TIMER_ABSTIME, &it, NULL);
		if (i % 8 == 0)
			setitimer(ITIMER_REAL, &real, NULL);
		if (i % 16 == 0)
			setitimer(ITIMER_PROF, &real, NULL);
	}
	return NULL;
}

/* To the time that it is, but for a nanosecond. */
static void *set_clock(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct timespec t;

		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_nsec ^= 1;
		clock_settime(CLOCK_REALTIME, &t);
		if (rand_r(&seed) % 64 == 0)
			move(&seed);
	}
	return NULL;
}

/* Processes with such timers end meanwhile. */
static void end_beside(void)
{
	for (int i = 0; i < 12; i++) {
		pid_t pid = fork();

		if (!pid) {
			struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
			unsigned int seed = (unsigned int)i;
			int id;

			for (int k = 0; k < 8; k++) {
				struct itimerspec it = soon(&seed);

				syscall(SYS_timer_create, CLOCK_REALTIME, &e, &id);
				syscall(SYS_timer_settime, id, TIMER_ABSTIME, &it, NULL);
			}
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

int main(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec it = { .it_value = { 0, 0 } }, left;
	struct itimerval none = { { 0, 0 }, { 0, 0 } };
	struct timespec now;
	pthread_t thread[4];

	signal(SIGUSR1, SIG_IGN);
	signal(SIGALRM, SIG_IGN);
	signal(SIGPROF, SIG_IGN);
	for (int i = 0; i < TIMERS; i++) {
		CHECK_EQ(syscall(SYS_timer_create, CLOCK_REALTIME, &e, &timer_id[i]), 0);
		timer_fd[i] = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
		CHECK(timer_fd[i] >= 0);
	}
	for (long i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, i < 3 ? set_timers : set_clock, (void *)(i + 1)), 0);
	end_beside();
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	pthread_join(thread[2], NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread[3], NULL);
	setitimer(ITIMER_REAL, &none, NULL);
	/* They follow the clock as before. */
	clock_gettime(CLOCK_REALTIME, &now);
	it.it_value = now;
	it.it_value.tv_sec += 5000;
	CHECK_EQ(syscall(SYS_timer_settime, timer_id[0], TIMER_ABSTIME, &it, NULL), 0);
	CHECK_EQ(timerfd_settime(timer_fd[0], TFD_TIMER_ABSTIME, &it, NULL), 0);
	now.tv_sec += 4000;
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &now), 0);
	CHECK_EQ(syscall(SYS_timer_gettime, timer_id[0], &left), 0);
	CHECK(left.it_value.tv_sec > 900 && left.it_value.tv_sec <= 1000);
	CHECK_EQ(timerfd_gettime(timer_fd[0], &left), 0);
	CHECK(left.it_value.tv_sec > 900 && left.it_value.tv_sec <= 1000);
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec -= 4000;
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &now), 0);
	return test_done();
}
