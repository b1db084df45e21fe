/* SEM_UNDO: what ends gives back; who shares it: processes, threads, exec, unshare, clone without sharing. */
// libc: gcc
// flags: -pthread
// calls: semop semctl unshare clone
#include "include/sem.h"

#include <pthread.h>

static int id;

static void run(void (*fn)(void))
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		fn();
		_exit(0);
	}
	CHECK_EQ(ended_with(child), 0);
}

static void takes_three(void) { sem_op1(id, 0, -1, SEM_UNDO); sem_op1(id, 0, -2, SEM_UNDO); sem_op1(id, 1, 4, SEM_UNDO); }
static void takes_and_sets(void) { sem_op1(id, 0, -1, SEM_UNDO); semctl(id, 0, SETVAL, 9); }
static void sets_all(void) { sem_op1(id, 0, -1, SEM_UNDO); semctl(id, 0, SETALL, (long)(unsigned short[2]){ 3, 4 }); }
static void adds(void) { sem_op1(id, 0, 5, SEM_UNDO); sem_op1(id, 0, -5, 0); }

static void execs(void)
{
	sem_op1(id, 0, -1, SEM_UNDO);
	execl("/proc/self/exe", "exec", "end", NULL);
}

/* A child of fork owes nothing of its parent's. */
static void forks(void)
{
	pid_t child;

	sem_op1(id, 0, -1, SEM_UNDO);
	child = fork();
	if (!child)
		_exit(0);
	ended_with(child);
	if (value_of(id, 0) != 9)
		_exit(3);
}

static void removes(void)
{
	int which = sem_new(3);

	sem_op1(which, 1, 2, SEM_UNDO);
	sem_op1(id, 0, -1, SEM_UNDO);
	semctl(which, 0, IPC_RMID, 0);
}

static void *takes_one(void *arg)
{
	sem_op1(id, 0, -1, SEM_UNDO);
	return arg;
}

/* Threads share: one's end gives nothing back. */
static void threads(void)
{
	pthread_t t;

	pthread_create(&t, NULL, takes_one, NULL);
	pthread_join(t, NULL);
	usleep(20000);
	if (value_of(id, 0) != 9)
		_exit(4);
	sem_op1(id, 0, -1, SEM_UNDO);
	if (syscall(SYS_unshare, (long)CLONE_SYSVSEM) || value_of(id, 0) != 10)
		_exit(5);
	sem_op1(id, 0, -2, SEM_UNDO);
}

static void *unshares(void *arg)
{
	sem_op1(id, 0, -1, SEM_UNDO);
	if (syscall(SYS_unshare, (long)CLONE_SYSVSEM) || value_of(id, 0) != 8)
		_exit(6);
	sem_op1(id, 0, -3, SEM_UNDO);
	return arg;
}

/* One that left the others pays for itself. */
static void threads_part(void)
{
	pthread_t t;

	sem_op1(id, 0, -1, SEM_UNDO);
	pthread_create(&t, NULL, unshares, NULL);
	pthread_join(t, NULL);
	for (int i = 0; i < 2000 && value_of(id, 0) != 8; i++)
		usleep(1000);
	if (value_of(id, 0) != 8)
		_exit(7);
}

static void *execs_in_thread(void *arg)
{
	sem_op1(id, 0, -1, SEM_UNDO);
	execl("/proc/self/exe", "exec", "end", NULL);
	return arg;
}

static void thread_exec(void)
{
	pthread_t t;

	sem_op1(id, 0, -1, SEM_UNDO);
	pthread_create(&t, NULL, execs_in_thread, NULL);
	pthread_join(t, NULL);
	_exit(8);
}

/* A process cloned with CLONE_SYSVSEM shares with its parent. */
static void clone_shares(void)
{
	long child = syscall(SYS_clone, (long)(CLONE_SYSVSEM | SIGCHLD), 0l, 0l, 0l, 0l);

	if (!child) {
		sem_op1(id, 0, -4, SEM_UNDO);
		_exit(0);
	}
	waitpid((pid_t)child, NULL, 0);
	if (value_of(id, 0) != 6)
		_exit(9);
}

static void bounds(void)
{
	int which = sem_new(2);

	CHECK_EQ(sem_op1(which, 0, 32767, SEM_UNDO), 0);
	CHECK_EQ(sem_op1(which, 0, -32767, 0), 0);
	CHECK_EQ(sem_op1(which, 0, 1, SEM_UNDO), 0);		/* -32768 is the least */
	CHECK_ERRNO(sem_op1(which, 0, 1, SEM_UNDO), ERANGE);
	CHECK_EQ(value_of(which, 0), 1);
	CHECK_EQ(semctl(which, 1, SETVAL, 100), 0);
	FAILS(EAGAIN, semop, which, ((struct sembuf[2]){ { 1, -60, SEM_UNDO }, { 1, -60, SEM_UNDO | IPC_NOWAIT } }), 2);
	CHECK_EQ(value_of(which, 1), 100);
	CHECK_EQ(syscall(SYS_unshare, (long)CLONE_SYSVSEM), 0);
	CHECK_EQ(value_of(which, 0), 0);
	CHECK_EQ(value_of(which, 1), 100);
	CHECK_EQ(semctl(which, 0, IPC_RMID, 0), 0);
}

/* What is given back wakes; a waiter that is killed owes nothing for what it did not get. */
static void wakes(void)
{
	pid_t holder, waiter;

	CHECK_EQ(semctl(id, 0, SETALL, (long)(unsigned short[2]){ 1, 0 }), 0);
	fflush(stdout);
	holder = fork();
	if (!holder) {
		sem_op1(id, 0, -1, SEM_UNDO);
		sem_op1(id, 1, -1, 0);
		_exit(0);
	}
	until_waiters(id, 1, GETNCNT, 1);
	waiter = sem_child(id, 0, -1, SEM_UNDO);
	until_waiters(id, 0, GETNCNT, 1);
	kill(waiter, SIGKILL);
	CHECK_EQ(ended_with(waiter), -SIGKILL);
	CHECK_EQ(value_of(id, 0), 0);
	waiter = sem_child(id, 0, -1, 0);
	until_waiters(id, 0, GETNCNT, 1);
	kill(holder, SIGKILL);
	CHECK_EQ(ended_with(holder), -SIGKILL);
	CHECK_EQ(ended_with(waiter), 0);
	CHECK_EQ(value_of(id, 0), 0);
}

#define EXPECT(fn, first, second)                              \
	do {                                                   \
		run(fn);                                       \
		CHECK_EQ(value_of(id, 0), first);              \
		CHECK_EQ(value_of(id, 1), second);             \
	} while (0)

int main(int argc, char **argv)
{
	if (argc > 1)
		return 0;
	own_ipc();
	id = sem_new(2);
	CHECK_EQ(semctl(id, 0, SETVAL, 10), 0);
	EXPECT(takes_three, 10, 0);
	EXPECT(takes_and_sets, 9, 0);
	EXPECT(sets_all, 3, 4);
	semctl(id, 0, SETALL, (long)(unsigned short[2]){ 10, 0 });
	EXPECT(adds, 5, 0);
	semctl(id, 0, SETVAL, 2);
	EXPECT(adds, 0, 0);		/* not below zero */
	semctl(id, 0, SETVAL, 10);
	EXPECT(execs, 10, 0);
	EXPECT(forks, 10, 0);
	EXPECT(removes, 10, 0);
	EXPECT(threads, 10, 0);
	EXPECT(threads_part, 10, 0);
	EXPECT(thread_exec, 10, 0);
	EXPECT(clone_shares, 10, 0);
	bounds();
	wakes();
	CHECK_EQ(semctl(id, 0, IPC_RMID, 0), 0);
	return test_done();
}
