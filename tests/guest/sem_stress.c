/* Semaphores under load: locks with undo whose holders are killed, pipelines over several semaphores, timeouts beside wake-ups, removal. */
// libc: gcc
// flags: -pthread
// timeout: 120
#include "include/sem.h"

#include <pthread.h>

#define WORKERS 6

static int id;
static volatile long *shared;

/* A lock whose holder may die at any time is free again, and nobody is ever in it together with another. */
static void locker(void)
{
	for (;;) {
		long before;

		if (sem_op1(id, 0, -1, SEM_UNDO))
			_exit(1);
		before = __atomic_exchange_n(&shared[0], getpid(), __ATOMIC_SEQ_CST);
		if (before && before != shared[3])	/* the one that is being killed cannot say that it left */
			__atomic_add_fetch(&shared[1], 1, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&shared[2], 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&shared[0], 0, __ATOMIC_SEQ_CST);
		if (sem_op1(id, 0, 1, SEM_UNDO))
			_exit(1);
	}
}

static pid_t start(void (*fn)(void))
{
	pid_t child = fork();

	if (!child) {
		fn();
		_exit(0);
	}
	return child;
}

static void killed_holders(void)
{
	pid_t child[WORKERS];
	int bad = 0;
	long last, together;

	id = sem_new(1);
	semctl(id, 0, SETVAL, 1);
	for (int i = 0; i < WORKERS; i++)
		child[i] = start(locker);
	for (int round = 0; round < 60; round++) {
		int victim = round % WORKERS;

		last = shared[2];
		for (int i = 0; i < 20000 && shared[2] < last + 20; i++)
			usleep(300);
		bad += shared[2] < last + 20;
		shared[3] = child[victim];
		kill(child[victim], SIGKILL);
		bad += ended_with(child[victim]) != -SIGKILL;
		while (sem_timed(id, 0, -1, SEM_UNDO, 20000))
			bad++;
		shared[0] = 0;
		sem_op1(id, 0, 1, SEM_UNDO);
		child[victim] = start(locker);
	}
	/* Those that outlive others now may find their marks. */
	together = shared[1];
	for (int i = 0; i < WORKERS; i++) {
		kill(child[i], SIGKILL);
		bad += ended_with(child[i]) != -SIGKILL;
	}
	CHECK_EQ(bad, 0);
	CHECK_EQ(together, 0);
	CHECK_EQ(value_of(id, 0), 1);
	CHECK_EQ(semctl(id, 0, GETNCNT, 0), 0);
	semctl(id, 0, IPC_RMID, 0);
}

#define TABLE 5
#define MEALS 200

/* Philosophers: both forks in one call, so nobody starves holding one. */
static void *philosopher(void *arg)
{
	unsigned short n = (unsigned short)(long)arg;
	struct sembuf take[2] = { { n, -1, 0 }, { (unsigned short)((n + 1) % TABLE), -1, 0 } };
	struct sembuf give[2] = { { n, 1, 0 }, { (unsigned short)((n + 1) % TABLE), 1, 0 } };

	for (int i = 0; i < MEALS; i++)
		if (syscall(SYS_semop, (long)id, take, 2l) || syscall(SYS_semop, (long)id, give, 2l))
			return (void *)1;
	return NULL;
}

static void philosophers(void)
{
	pthread_t t[TABLE];
	void *result;
	int bad = 0;

	id = sem_new(TABLE);
	for (int i = 0; i < TABLE; i++)
		semctl(id, i, SETVAL, 1);
	for (long i = 0; i < TABLE; i++)
		pthread_create(&t[i], NULL, philosopher, (void *)i);
	for (int i = 0; i < TABLE; i++) {
		pthread_join(t[i], &result);
		bad += result != NULL;
	}
	for (int i = 0; i < TABLE; i++)
		bad += value_of(id, i) != 1;
	CHECK_EQ(bad, 0);
	semctl(id, 0, IPC_RMID, 0);
}

static long taken, late;

static void *impatient(void *arg)
{
	for (int i = 0; i < 300; i++) {
		struct sembuf op = { 0, -1, 0 };
		struct timespec t = { 0, i % 7 * 200000 };

		if (!syscall(SYS_semtimedop, (long)id, &op, 1l, &t))
			__atomic_fetch_add(&taken, 1, __ATOMIC_SEQ_CST);
		else if (errno == EAGAIN)
			__atomic_fetch_add(&late, 1, __ATOMIC_SEQ_CST);
		else
			return (void *)1;
	}
	return arg;
}

/* Wake-ups and timeouts at the same moment: what was given is taken or still there. */
static void timeouts(void)
{
	pthread_t t[4];
	void *result;
	int bad = 0;

	id = sem_new(1);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, impatient, NULL);
	for (int i = 0; i < 600; i++) {
		sem_op1(id, 0, 1, 0);
		usleep(i % 5 * 100);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		bad += result != NULL;
	}
	CHECK_EQ(bad, 0);
	CHECK_EQ(taken + value_of(id, 0), 600);
	CHECK_EQ(taken + late, 1200);
	semctl(id, 0, IPC_RMID, 0);
}

static void holder(void)
{
	sem_op1(id, 1, 3, SEM_UNDO);
	sem_op1(id, 2, 1, SEM_UNDO);
	_exit(sem_op1(id, 0, -1, SEM_UNDO) && errno == EIDRM ? 0 : 1);
}

/* Removal while calls wait and ends give back. */
static void removals(void)
{
	pid_t child[WORKERS];
	int bad = 0;

	for (int round = 0; round < 20; round++) {
		id = sem_new(3);
		for (int i = 0; i < WORKERS; i++)
			child[i] = start(holder);
		while (semctl(id, 0, GETNCNT, 0) < WORKERS)
			usleep(200);
		for (int i = 0; i < 2; i++)
			kill(child[i], SIGKILL);
		bad += semctl(id, 0, IPC_RMID, 0) != 0;
		for (int i = 0; i < WORKERS; i++) {
			int how = ended_with(child[i]);

			bad += how != 0 && (i >= 2 || how != -SIGKILL);
		}
	}
	CHECK_EQ(bad, 0);
}

int main(void)
{
	own_ipc();
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	killed_holders();
	philosophers();
	timeouts();
	removals();
	return test_done();
}
