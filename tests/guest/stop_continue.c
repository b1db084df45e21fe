/*
 * Job control under speed: a SIGCONT right after a stop signal is not lost, and a stopped process
 * stands still, also one that was making threads when the signal came.
 */
// libc: gcc musl
#include "include/test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define CHILDREN 8
#define ROUNDS 60

static volatile unsigned long *counters;

static char state_of(pid_t pid)
{
	char path[64], text[512], *end;
	size_t length;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return '?';
	length = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[length] = 0;
	end = strrchr(text, ')');
	return end ? end[2] : '?';
}

/* Counts, and sleeps a little so that signals find it at every place. */
static pid_t counter_child(int which)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;) {
		counters[which]++;
		if (counters[which] % 64 == 0)
			usleep(200);
	}
}

/* Does the child go on? It does not if it stays stopped however often it is looked at. */
static int goes_on(pid_t pid, int which)
{
	unsigned long before = counters[which];
	int stopped = 0;

	while (counters[which] == before && stopped < 100) {
		stopped = state_of(pid) == 'T' ? stopped + 1 : 0;
		usleep(1000);
	}
	return stopped < 100;
}

static void cont_is_not_lost(int stop_signal)
{
	pid_t pids[CHILDREN];
	int lost = 0;

	for (int i = 0; i < CHILDREN; i++)
		pids[i] = counter_child(i);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CHILDREN; i++) {
			kill(pids[i], stop_signal);
			kill(pids[i], SIGCONT);
		}
		for (int i = 0; i < CHILDREN; i++)
			if (!goes_on(pids[i], i)) {
				lost++;
				kill(pids[i], SIGCONT);
			}
	}
	for (int i = 0; i < CHILDREN; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	CHECK_EQ(lost, 0);
}

static void *count_and_end(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++)
		counters[0]++;
	return NULL;
}

static void make_threads(void)
{
	for (;;) {
		pthread_t threads[4];

		for (int i = 0; i < 4; i++)
			if (pthread_create(&threads[i], NULL, count_and_end, NULL))
				_exit(9);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
}

static void stopped_stands_still(void)
{
	int moved = 0, other = 0, status;
	pid_t pid = fork();

	if (!pid)
		make_threads();
	for (int round = 0; round < ROUNDS; round++) {
		unsigned long seen;

		usleep((useconds_t)(round * 37 % 3000));
		kill(pid, SIGSTOP);
		other += waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status);
		seen = counters[0];
		usleep(2000);
		moved += counters[0] != seen;
		kill(pid, SIGCONT);
		other += waitpid(pid, &status, WCONTINUED) != pid || !WIFCONTINUED(status);
	}
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_EQ(moved, 0);
	CHECK_EQ(other, 0);
}

int main(void)
{
	counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setpgid(0, 0);	/* stop signals of the terminal are for groups that are not orphaned */
	cont_is_not_lost(SIGSTOP);
	cont_is_not_lost(SIGTSTP);
	stopped_stands_still();
	return test_done();
}
