/*
 * Robust locks and wake-ups that die: a thread that was woken for a lock and ends before it takes it passes the wake-up on, whatever became
 * of the lock meanwhile; a process that is killed with owner and next waiter leaves the lock to the waiter in another process.
 */
// libc: gcc
// flags: -pthread
// timeout: 90
#include "include/robust.h"

struct shared {
	pthread_mutex_t mutex;
	uint32_t owner, next;
};

static struct shared *s;

static void *next_waiter(void *arg)
{
	(void)arg;
	set(&s->next, self());
	pthread_mutex_lock(&s->mutex);
	return NULL;
}

static void victim(void)
{
	pthread_t t;

	pthread_mutex_lock(&s->mutex);
	pthread_create(&t, NULL, next_waiter, NULL);
	until_asleep(&s->next);
	set(&s->owner, self());
	for (;;)
		pause();
}

static void *survivor(void *arg)
{
	struct timespec t = after_ms(CLOCK_REALTIME, PATIENCE * 1000);
	uint32_t *tid = arg;

	set(tid, self());
	return (void *)(long)pthread_mutex_timedlock(&s->mutex, &t);
}

static long killed_with_waiter(void)
{
	pthread_mutexattr_t attr;
	uint32_t tid = 0;
	void *result;
	pthread_t t;
	pid_t child;

	memset(s, 0, sizeof(*s));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&s->mutex, &attr);
	child = fork();
	if (!child)
		victim();
	while (!get(&s->owner))
		usleep(500);
	pthread_create(&t, NULL, survivor, &tid);
	until_asleep(&tid);
	kill(child, SIGKILL);
	pthread_join(t, &result);
	waitpid(child, NULL, 0);
	return (long)result;
}

int main(void)
{
	int wrong = 0, result = EOWNERDEAD;

	CHECK_EQ(passed_on(0), 0);
	CHECK_EQ(passed_on(FUTEX_OWNER_DIED), 0);
	CHECK_EQ(passed_on(FUTEX_OWNER_DIED | FUTEX_WAITERS), 0);
	s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 100 && !wrong; i++) {
		result = (int)killed_with_waiter();
		wrong += result != EOWNERDEAD;
	}
	CHECK_EQ(result, EOWNERDEAD);
	return test_done();
}
