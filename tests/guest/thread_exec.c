/* Threads: creation, joining, exec from a thread that does not lead, exit of the leader first, exit of the group. */
// flags: -pthread
// calls: exit
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "include/test.h"

static const char *self;

static void *add(void *arg)
{
	__atomic_fetch_add((long *)arg, 1, __ATOMIC_SEQ_CST);
	return (void *)(long)syscall(SYS_gettid);
}

static void joins(void)
{
	pthread_t t[50];
	long sum = 0, different = 0;
	void *result;

	for (int i = 0; i < 50; i++)
		if (pthread_create(&t[i], NULL, add, &sum))
			break;
	for (int i = 0; i < 50; i++) {
		pthread_join(t[i], &result);
		different += (long)result != getpid();
	}
	CHECK_EQ(sum, 50);
	CHECK_EQ(different, 50);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static long counter, go;

static void *contend(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	while (!go)
		pthread_cond_wait(&ready, &lock);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void locking(void)
{
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, contend, NULL);
	pthread_mutex_lock(&lock);
	go = 1;
	pthread_cond_broadcast(&ready);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(counter, 160000);
}

static void *exec_now(void *arg)
{
	(void)arg;
	execl(self, self, "child", NULL);
	_exit(99);
}

static void *forever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *spin(void *arg)
{
	for (;;)
		;
	return arg;
}

static void exec_from_thread(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		pthread_t t;

		pthread_create(&t, NULL, forever, NULL);
		pthread_create(&t, NULL, spin, NULL);
		pthread_create(&t, NULL, exec_now, NULL);
		for (;;)
			pause();
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 23);
}

static void *exit_later(void *arg)
{
	usleep(100000);
	_exit(31);
	return arg;
}

static void leader_first(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		pthread_t t;

		pthread_create(&t, NULL, exit_later, NULL);
		syscall(SYS_exit, 5);
	}
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 31);
}

static void killed_group(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		pthread_t t;

		for (int i = 0; i < 10; i++)
			pthread_create(&t, NULL, i & 1 ? forever : spin, NULL);
		for (;;)
			pause();
	}
	usleep(50000);
	kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void *cancelled(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void cancels(void)
{
	pthread_t t;
	void *result;

	CHECK_EQ(pthread_create(&t, NULL, cancelled, NULL), 0);
	CHECK_EQ(pthread_cancel(t), 0);
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "child"))
		return syscall(SYS_gettid) == getpid() ? 23 : 24;
	self = "/proc/self/exe";
	joins();
	locking();
	exec_from_thread();
	leader_first();
	killed_group();
	cancels();
	return test_done();
}
