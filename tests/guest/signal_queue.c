/* Signals with data, to processes and to single threads: who gets them, in which order, and what the receiver is told. */
// libc: gcc
// flags: -pthread
// calls: rt_sigqueueinfo rt_tgsigqueueinfo tkill tgkill
#include "include/proof.h"

#include <pthread.h>
#include <stdint.h>

static siginfo_t got[8];
static int count, receivers[8];

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	receivers[count] = syscall(SYS_gettid);
	got[count++] = *info;
}

static siginfo_t value(int n)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_code = SI_QUEUE;
	info.si_pid = 4711;
	info.si_uid = 4712;
	info.si_value.sival_int = n;
	return info;
}

static volatile int tid, stop;

static void *thread(void *arg)
{
	tid = syscall(SYS_gettid);
	while (!stop)
		usleep(1000);
	return arg;
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	siginfo_t info;
	sigset_t set;
	pthread_t t;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGUSR1);
	sigaction(SIGRTMIN, &a, NULL);
	sigaction(SIGRTMIN + 1, &a, NULL);
	sigaction(SIGUSR1, &a, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Real-time signals queue, lower numbers first, each number in order; others are there once. */
	for (int i = 1; i <= 2; i++) {
		info = value(i);
		GIVES(0, rt_sigqueueinfo, getpid(), SIGRTMIN + 1, &info);
		info = value(10 + i);
		GIVES(0, rt_sigqueueinfo, getpid(), SIGRTMIN, &info);
		info = value(20 + i);
		GIVES(0, rt_sigqueueinfo, getpid(), SIGUSR1, &info);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	/* Frames are put one above the other, so the last one built runs first; a signal's own handler is not interrupted by it. */
	CHECK_EQ(count, 5);
	CHECK(got[4].si_signo == SIGUSR1 && got[4].si_value.sival_int == 21);
	CHECK(got[2].si_value.sival_int == 11 && got[3].si_value.sival_int == 12);
	CHECK(got[0].si_value.sival_int == 1 && got[1].si_value.sival_int == 2);
	CHECK(got[0].si_code == SI_QUEUE && got[0].si_pid == 4711 && got[0].si_uid == 4712);
	/* To oneself any code may be claimed. */
	count = 0;
	info = value(5);
	info.si_code = SI_USER;
	GIVES(0, rt_sigqueueinfo, getpid(), SIGUSR1, &info);
	CHECK(count == 1 && got[0].si_code == SI_USER);
	/* A single thread. */
	pthread_create(&t, NULL, thread, NULL);
	while (!tid)
		usleep(1000);
	count = 0;
	GIVES(0, tkill, tid, SIGUSR1);
	for (int i = 0; i < 5000 && count < 1; i++)
		usleep(1000);
	CHECK(receivers[0] == tid && got[0].si_code == SI_TKILL && got[0].si_pid == getpid());
	GIVES(0, tgkill, getpid(), tid, SIGUSR1);
	for (int i = 0; i < 5000 && count < 2; i++)
		usleep(1000);
	CHECK(receivers[1] == tid && got[1].si_code == SI_TKILL);
	info = value(33);
	GIVES(0, rt_tgsigqueueinfo, getpid(), tid, SIGRTMIN, &info);
	for (int i = 0; i < 5000 && count < 3; i++)
		usleep(1000);
	CHECK(receivers[2] == tid && got[2].si_value.sival_int == 33 && got[2].si_code == SI_QUEUE);
	stop = 1;
	pthread_join(t, NULL);
	/* Joined is not quite gone: the word that joining waits for is cleared before the end. */
	for (int i = 0; i < 5000 && syscall(SYS_tkill, tid, 0) == 0; i++)
		usleep(1000);
	FAILS(ESRCH, tkill, tid, 0);
	return test_done();
}
