/* Limits by user: what one user's processes, signals and timers take, others still have; zombies count; set*id and exec. */
// libc: gcc
// flags: -pthread
// calls: fork execve timer_create
// errors: fork execve timer_create
#include "include/proof.h"

#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

static void limit(int which, long n)
{
	struct rlimit r = { n, n };

	setrlimit(which, &r);
}

static pid_t sleeper(void)
{
	pid_t child = fork();

	if (child == 0) {
		for (;;)
			pause();
	}
	return child;
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void other_user(void)
{
	pid_t child;

	become_user(5002);
	limit(RLIMIT_NPROC, 2);
	child = sleeper();
	CHECK(child > 0);
	end(child);
}

static void *thread(void *arg) { return arg; }

static void processes(void)
{
	pid_t child[3];
	siginfo_t info;
	pthread_t t;

	become_user(5001);
	limit(RLIMIT_NPROC, 3);		/* this one and two more */
	child[0] = sleeper();
	child[1] = sleeper();
	CHECK(child[0] > 0 && child[1] > 0);
	CHECK_ERRNO(sleeper(), EAGAIN);
	CHECK_EQ(pthread_create(&t, NULL, thread, NULL), EAGAIN);
	/* One that ended counts until somebody has waited for it. */
	kill(child[0], SIGKILL);
	waitid(P_PID, child[0], &info, WEXITED | WNOWAIT);
	CHECK_ERRNO(sleeper(), EAGAIN);
	waitpid(child[0], NULL, 0);
	child[0] = sleeper();
	CHECK(child[0] > 0);
	end(child[0]);
	/* Threads count as long as they run. */
	for (int i = 0; i < 20; i++) {
		int error = pthread_create(&t, NULL, thread, NULL);

		if (error == EAGAIN) {		/* the one before is just ending */
			usleep(10000);
			continue;
		}
		CHECK_EQ(error, 0);
		pthread_join(t, NULL);
	}
	end(child[1]);
}

static int leader_gone[2], go_on[2];

static void *takes_its_place(void *arg)
{
	char *args[] = { "self", "stay", NULL }, c;

	(void)arg;
	if (read(go_on[0], &c, 1) == 1)
		execv("/proc/self/exe", args);
	return NULL;
}

/* A process's first thread counts after its end, too, while others run; until one of those takes its place by exec. */
static void first_thread(void)
{
	pthread_t t;
	pid_t child, other = -1;
	char c;

	become_user(5005);
	limit(RLIMIT_NPROC, 3);
	CHECK_EQ(pipe2(leader_gone, O_CLOEXEC) | pipe2(go_on, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		/* The pipe's last writing end is closed by exec. */
		pthread_create(&t, NULL, takes_its_place, NULL);
		pthread_exit(NULL);
	}
	close(leader_gone[1]);
	usleep(200000);
	CHECK_ERRNO(sleeper(), EAGAIN);
	CHECK_EQ(write(go_on[1], "x", 1), 1);
	CHECK_EQ(read(leader_gone[0], &c, 1), 0);
	/* Linux sometimes needs a moment. */
	for (int i = 0; i < 500 && other < 0; i++) {
		other = sleeper();
		if (other < 0)
			usleep(10000);
	}
	CHECK(other > 0);
	if (other > 0)
		end(other);
	end(child);
}

/* A user that is full already: becoming it works, running a program as it does not. */
static void crowded_exec(void)
{
	char *args[] = { "self", "exit", NULL };

	limit(RLIMIT_NPROC, 0);
	become_user(5003);
	FAILS(EAGAIN, execve, "/proc/self/exe", args, NULL);
	limit(RLIMIT_NPROC, 0);
}

static void crowd(void)
{
	pid_t child;

	child = fork();
	if (child == 0) {
		become_user(5003);
		for (;;)
			pause();
	}
	usleep(100000);
	in_child(crowded_exec);
	end(child);
}

static void signals(void)
{
	union sigval v = { 0 };
	sigset_t all;
	timer_t timer;
	pid_t child;
	int status;

	become_user(5004);
	limit(RLIMIT_SIGPENDING, 3);
	sigfillset(&all);
	sigdelset(&all, SIGCHLD);		/* would count while it is held back */
	sigprocmask(SIG_BLOCK, &all, NULL);
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN, v), 0);
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0);
	/* What a child of the same user has pending counts, too. */
	child = fork();
	if (child == 0) {
		if (sigqueue(getpid(), SIGRTMIN, v) || sigqueue(getppid(), SIGRTMIN, v) != -1 || errno != EAGAIN)
			_exit(1);
		_exit(timer_create(CLOCK_MONOTONIC, NULL, &timer) != -1 || errno != EAGAIN);
	}
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	/* It has taken its own with it. */
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN, v), 0);
	CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, v), EAGAIN);
	CHECK_EQ(timer_delete(timer), 0);
	for (int i = 0; i < 1000 && sigqueue(getpid(), SIGRTMIN, v); i++)
		usleep(1000);
	CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, v), EAGAIN);
	sigemptyset(&all);
	sigaddset(&all, SIGRTMIN);
	CHECK_EQ(sigwaitinfo(&all, NULL), SIGRTMIN);
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN, v), 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "stay") == 0)
		pause();
	if (argc > 1)
		return 0;
	if (geteuid() == 0) {
		in_child(processes);
		in_child(other_user);
		in_child(first_thread);
		in_child(crowd);
		in_child(signals);
	}
	return test_done();
}
