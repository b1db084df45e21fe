/* Segments used by many processes at once: attaching and detaching, removal under users, killed users, ids to the last one. */
// libc: gcc
// flags: -pthread
// timeout: 120
#include "include/ipc.h"

#include <pthread.h>
#include <sys/shm.h>

#define WORKERS 6
#define ROUNDS 150

static int id;

static void worker(unsigned int seed)
{
	for (int i = 0; i < ROUNDS; i++) {
		long *p = shmat(id, NULL, 0);

		if (p == (void *)-1)
			_exit(1);
		__atomic_fetch_add(p + i % 512 * 16, 1, __ATOMIC_RELAXED);
		seed = seed * 1103515245 + 12345;
		if (seed >> 16 & 1)
			munmap((char *)p + 4096, 4096);
		if (seed >> 17 & 1 && fork() == 0)
			_exit(0);
		if (shmdt(p))
			_exit(2);
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
	_exit(0);
}

static long sum(void)
{
	long *p = shmat(id, NULL, SHM_RDONLY), total = 0;

	for (int i = 0; i < 512; i++)
		total += p[i * 16];
	shmdt(p);
	return total;
}

static void many(void)
{
	struct shmid_ds d;
	pid_t child[WORKERS];
	int status, bad = 0;

	id = shmget(IPC_PRIVATE, 16 * 4096, 0600);
	for (int i = 0; i < WORKERS; i++)
		if ((child[i] = fork()) == 0)
			worker((unsigned int)i * 977);
	for (int i = 0; i < WORKERS; i++) {
		waitpid(child[i], &status, 0);
		bad += status != 0;
	}
	CHECK_EQ(bad, 0);
	CHECK_EQ(sum(), WORKERS * ROUNDS);
	CHECK_EQ(shmctl(id, IPC_STAT, &d), 0);
	CHECK_EQ(d.shm_nattch, 0);
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
}

/* Whoever has it attached when it is removed keeps it; killed, they take it with them. */
static void removed_and_killed(void)
{
	struct shmid_ds d;
	pid_t child[WORKERS];
	int left = 0;

	for (int round = 0; round < 10; round++) {
		volatile int *p;

		id = shmget(0x5eed0002, 4096, IPC_CREAT | IPC_EXCL | 0600);
		p = shmat(id, NULL, 0);
		for (int i = 0; i < WORKERS; i++)
			if ((child[i] = fork()) == 0) {
				__atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST);
				for (;;)
					pause();
			}
		while (*p < WORKERS)
			usleep(200);
		shmctl(id, IPC_RMID, NULL);
		shmdt((void *)p);
		if (shmctl(id, IPC_STAT, &d) || d.shm_nattch != WORKERS)
			left++;
		for (int i = 0; i < WORKERS; i++)
			kill(child[i], SIGKILL);
		for (int i = 0; i < WORKERS; i++)
			waitpid(child[i], NULL, 0);
		left += shmctl(id, IPC_STAT, &d) != -1 || errno != EINVAL;
	}
	CHECK_EQ(left, 0);
}

static volatile int stop;

static void *attacher(void *arg)
{
	long n = 0;

	while (!stop) {
		int which = shmget(0x5eed0003, 4096, IPC_CREAT | 0600);
		char *p = shmat(which, NULL, 0);

		if (p != (void *)-1) {
			*p = 1;
			n += shmdt(p) == 0;
		} else if (errno != EINVAL && errno != EIDRM) {
			return (void *)-1l;
		}
	}
	return (void *)n;
}

/* Threads look for a key whose object another one removes all the time. */
static void key_race(void)
{
	pthread_t t[3];
	void *result;
	int bad = 0;

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, attacher, NULL);
	for (int i = 0; i < 500; i++) {
		int which = shmget(0x5eed0003, 4096, IPC_CREAT | 0600);

		if (shmctl(which, IPC_RMID, NULL) && errno != EINVAL && errno != EIDRM)
			bad++;
	}
	stop = 1;
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &result);
		bad += (long)result < 0;
	}
	shmctl(shmget(0x5eed0003, 1, 0), IPC_RMID, NULL);
	CHECK_EQ(bad, 0);
}

/* Every id is given, then none; all come back. */
static void all_ids(void)
{
	static int ids[5000];
	int n = 0, bad = 0, again;

	while (n < 5000 && (ids[n] = shmget(IPC_PRIVATE, 1, 0600)) >= 0)
		n++;
	CHECK(n < 5000 && n > 4000);
	CHECK_EQ(errno, ENOSPC);
	for (int i = 0; i < n; i++)
		bad += shmctl(ids[i], IPC_RMID, NULL) != 0;
	CHECK_EQ(bad, 0);
	again = shmget(IPC_PRIVATE, 1, 0600);
	CHECK(again >= 0);
	for (int i = 0; i < n; i++)
		bad += ids[i] == again;
	CHECK_EQ(bad, 0);
	CHECK_EQ(shmctl(again, IPC_RMID, NULL), 0);
}

int main(void)
{
	own_ipc();
	many();
	removed_and_killed();
	key_race();
	all_ids();
	return test_done();
}
