/*
 * What must not take the machine away: threads spinning at a real-time priority on every CPU, timers of a nanosecond, affinity changes
 * of processes that end meanwhile.
 */
// flags: -pthread
// libc: gcc
// linux: no (spins at a real-time priority on the build machine)
// calls: sched_setscheduler sched_setaffinity timerfd_settime setitimer
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#include "include/test.h"

static void spin_realtime(void)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), status;
	pid_t child[8];
	volatile unsigned long work = 0;

	for (int i = 0; i < cpus && i < 8; i++) {
		child[i] = fork();
		if (!child[i]) {
			struct sched_param p = { .sched_priority = 50 };

			sched_setscheduler(0, SCHED_FIFO, &p);
			for (;;)
				;
		}
	}
	/* We are a fair thread: without a share left for us this never ends. */
	for (int i = 0; i < 1000000; i++)
		work++;
	usleep(1500000);
	for (int i = 0; i < cpus && i < 8; i++) {
		kill(child[i], SIGKILL);
		waitpid(child[i], &status, 0);
		CHECK(WIFSIGNALED(status));
	}
}

static volatile sig_atomic_t alarms;
static void on_alarm(int sig) { (void)sig; alarms++; }

static void fast_timers(void)
{
	struct itimerspec t = { { 0, 1 }, { 0, 1 } };
	struct itimerval i = { { 0, 1 }, { 0, 1 } }, off = { { 0, 0 }, { 0, 0 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t ticks = 0;

	CHECK_EQ(timerfd_settime(fd, 0, &t, NULL), 0);
	usleep(20000);
	CHECK_EQ(read(fd, &ticks, sizeof(ticks)), 8);
	CHECK(ticks >= 20000000);
	close(fd);
	signal(SIGALRM, on_alarm);
	CHECK_EQ(setitimer(ITIMER_REAL, &i, NULL), 0);
	while (alarms < 50)
		;
	CHECK_EQ(setitimer(ITIMER_REAL, &off, NULL), 0);
}

/* Numbers of threads that end while they are used. */
static void vanishing(void)
{
	int wrong = 0, status;

	for (int i = 0; i < 200; i++) {
		cpu_set_t set;
		pid_t child = fork();
		int r;

		if (!child)
			_exit(0);
		CPU_ZERO(&set);
		CPU_SET(0, &set);
		do {
			r = sched_setaffinity(child, sizeof(set), &set);
			if (r && errno != ESRCH)
				wrong++;
		} while (!r && waitpid(child, &status, WNOHANG) == 0);
		if (r)
			waitpid(child, &status, 0);
	}
	CHECK_EQ(wrong, 0);
}

int main(void)
{
	fast_timers();
	vanishing();
	spin_realtime();
	return test_done();
}
