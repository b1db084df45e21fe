/* Signals and timers. */
#include "bench.h"

#include <signal.h>
#include <time.h>

#define ARMED 1000

static timer_t timer;

static void ignore(int signal) { (void)signal; }

static void handler(void)
{
	struct sigaction a = { .sa_handler = ignore };

	NEED(sigaction(SIGUSR1, &a, NULL) == 0);
}

static void install_run(long n) { while (n--) handler(); }
static void deliver_run(long n) { while (n--) kill(getpid(), SIGUSR1); }

static void mask_run(long n)
{
	sigset_t all, old;

	sigfillset(&all);
	while (n--) {
		sigprocmask(SIG_BLOCK, &all, &old);
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
}

static timer_t make_timer(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_NONE };
	timer_t t;

	NEED(timer_create(CLOCK_MONOTONIC, &e, &t) == 0);
	return t;
}

static void timer_run(long n) { while (n--) timer_delete(make_timer()); }

static void set(timer_t t, long seconds)
{
	struct itimerspec when = { .it_value.tv_sec = seconds };

	NEED(timer_settime(t, 0, &when, NULL) == 0);
}

static void many_timers(void)
{
	for (int i = 0; i < ARMED; i++)
		set(make_timer(), 1000 + i);
	timer = make_timer();
}

static void set_run(long n) { while (n--) set(timer, 1000 + n % 500); }

const struct measure signals[] = {
	{ "signal_install", NULL, install_run, 10000 },
	{ "signal_deliver", handler, deliver_run, 4000 },
	{ "signal_mask_pair", NULL, mask_run, 8000 },
	{ "timer_create_delete", NULL, timer_run, 4000 },
	{ "timer_set_1000_armed", many_timers, set_run, 8000 },
	{ 0 },
};
