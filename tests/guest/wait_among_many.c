/*
 * Waiting for some of many children: by number, by group, by kind, by thread and by what happened. What is not asked for stays
 * to be found by others, and the cost of a call does not grow with those that it is not about.
 */
// libc: gcc
// calls: wait4 waitid kill setpgid clone
#include "include/proof.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define MANY 600

static pid_t child(pid_t group, int code)
{
	pid_t p = fork();

	if (p == 0) {
		while (code < 0)
			pause();
		_exit(code);
	}
	if (group >= 0)
		setpgid(p, group);
	return p;
}

static pid_t clone_child(int code)
{
	pid_t p = (pid_t)syscall(SYS_clone, 0l, 0l, 0l, 0l, 0l);

	if (p == 0)
		_exit(code);
	return p;
}

static void ended(pid_t p)
{
	siginfo_t info;

	CHECK_EQ(waitid(P_PID, (id_t)p, &info, WEXITED | WNOWAIT | __WALL), 0);
}

static void events(void)
{
	pid_t stopped = child(-1, -1), group = child(0, -1), dead = child(group, 3), other = child(-1, 4);
	int status;

	ended(dead);
	ended(other);
	CHECK_EQ(setpgid(dead, group), 0);
	kill(stopped, SIGSTOP);
	CHECK_EQ(waitpid(stopped, &status, WUNTRACED), stopped);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_EQ(waitpid(stopped, &status, WUNTRACED | WNOHANG), 0);
	/* The same one is seen as often as it is only looked at. */
	kill(stopped, SIGCONT);
	for (int i = 0; i < 3; i++) {
		siginfo_t info = { 0 };

		CHECK_EQ(waitid(P_ALL, 0, &info, WCONTINUED | WNOWAIT), 0);
		CHECK_EQ(info.si_pid, stopped);
		CHECK_EQ(info.si_code, CLD_CONTINUED);
	}
	CHECK_EQ(waitpid(-group, &status, WNOHANG), dead);
	CHECK_EQ(WEXITSTATUS(status), 3);
	CHECK_EQ(waitpid(-group, &status, WNOHANG), 0);
	CHECK_EQ(waitpid(-1, &status, 0), other);
	CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
	CHECK_EQ(waitpid(-1, &status, WNOHANG | WCONTINUED), stopped);
	CHECK(WIFCONTINUED(status));
	/* A stop that nobody saw, and then the end. */
	kill(stopped, SIGSTOP);
	usleep(20000);
	kill(stopped, SIGKILL);
	CHECK_EQ(waitpid(-1, &status, WUNTRACED), stopped);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* A zombie is none that may still stop. */
	kill(group, SIGKILL);
	ended(group);
	{
		siginfo_t info;

		CHECK_EQ(waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG) == -1 ? errno : 0, ECHILD);
		CHECK_EQ(waitid(P_PGID, (id_t)group, &info, WSTOPPED) == -1 ? errno : 0, ECHILD);
	}
	CHECK_EQ(waitpid(-group, NULL, 0), group);
	CHECK_EQ(waitpid(-group, NULL, 0) == -1 ? errno : 0, ECHILD);
	CHECK_EQ(waitpid(-1, NULL, 0) == -1 ? errno : 0, ECHILD);
}

static void kinds(void)
{
	pid_t clone = clone_child(1), usual = child(-1, 2);

	ended(clone);
	ended(usual);
	CHECK_EQ(waitpid(clone, NULL, WNOHANG) == -1 ? errno : 0, ECHILD);
	CHECK_EQ(waitpid(usual, NULL, WNOHANG | __WCLONE) == -1 ? errno : 0, ECHILD);
	CHECK_EQ(waitpid(-1, NULL, __WCLONE), clone);
	CHECK_EQ(waitpid(-1, NULL, __WCLONE) == -1 ? errno : 0, ECHILD);
	CHECK_EQ(waitpid(-1, NULL, 0), usual);
	clone = clone_child(1);
	CHECK_EQ(waitpid(-1, NULL, __WALL), clone);
}

static void *of_thread(void *arg)
{
	pid_t p = child(-1, 5);
	int status;

	(void)arg;
	CHECK_EQ(waitpid(-1, &status, __WNOTHREAD), p);
	CHECK_EQ(WEXITSTATUS(status), 5);
	CHECK_EQ(waitpid(-1, &status, __WNOTHREAD) == -1 ? errno : 0, ECHILD);
	return NULL;
}

static void threads(void)
{
	pid_t mine = child(-1, 6);
	pthread_t t;

	ended(mine);
	pthread_create(&t, NULL, of_thread, NULL);
	pthread_join(t, NULL);
	CHECK_EQ(waitpid(-1, NULL, __WNOTHREAD), mine);
}

/* The best of many, in ns. */
static long cost_of_look(pid_t p)
{
	long best = LONG_MAX;

	for (int i = 0; i < 200; i++) {
		struct timespec a, b;
		long ns;

		clock_gettime(CLOCK_MONOTONIC, &a);
		waitpid(p, NULL, WNOHANG);
		clock_gettime(CLOCK_MONOTONIC, &b);
		ns = (b.tv_sec - a.tv_sec) * 1000000000l + b.tv_nsec - a.tv_nsec;
		best = ns < best ? ns : best;
	}
	return best;
}

static void *sleeps(void *arg)
{
	pause();
	return arg;
}

static long cost_of_kill(void)
{
	long best = LONG_MAX;

	for (int i = 0; i < 200; i++) {
		struct timespec a, b;
		long ns;

		clock_gettime(CLOCK_MONOTONIC, &a);
		kill(getpid(), SIGURG);
		clock_gettime(CLOCK_MONOTONIC, &b);
		ns = (b.tv_sec - a.tv_sec) * 1000000000l + b.tv_nsec - a.tv_nsec;
		best = ns < best ? ns : best;
	}
	return best;
}

static void costs(void)
{
	static pid_t p[MANY];
	long alone, among;
	pthread_attr_t small;

	p[0] = child(-1, -1);
	alone = cost_of_look(p[0]);
	for (int i = 1; i < MANY; i++)
		p[i] = child(-1, -1);
	among = cost_of_look(p[MANY - 1]);
	printf("# a look at one child: %ld ns, among %d: %ld ns\n", alone, MANY, among);
	CHECK(among < 4 * alone);
	for (int i = 0; i < MANY; i++)
		kill(p[i], SIGKILL);
	for (int i = MANY; i-- > 0;)
		CHECK_EQ(waitpid(p[i], NULL, 0), p[i]);
	alone = cost_of_kill();
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 16384);
	for (int i = 0; i < MANY; i++) {
		pthread_t t;

		CHECK_EQ(pthread_create(&t, &small, sleeps, NULL), 0);
	}
	among = cost_of_kill();
	printf("# a signal to one thread: %ld ns, to %d: %ld ns\n", alone, MANY, among);
	CHECK(among < 4 * alone);
}

int main(void)
{
	events();
	kinds();
	threads();
	costs();
	return test_done();
}
