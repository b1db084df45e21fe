/* glibc's priority-inheriting mutexes: plain, error-checking, robust, process-shared, timed, with condition variables, under load. */
// libc: gcc
// flags: -pthread
#include "include/pi.h"

static pthread_mutex_t m;
static pthread_cond_t c;
static uint32_t ready, tickets, served, counter, waiting;

static void make(pthread_mutex_t *mutex, int type, int robust, int shared)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	pthread_mutexattr_settype(&a, type);
	if (robust)
		pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	if (shared)
		pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	CHECK_EQ(pthread_mutex_init(mutex, &a), 0);
}

static void *add(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&m);
		counter++;
		if (i % 64 == 0)
			sched_yield();
		pthread_mutex_unlock(&m);
	}
	return arg;
}

static void *timed(void *arg)
{
	struct timespec t = after_ms(CLOCK_REALTIME, 30);

	CHECK_EQ(pthread_mutex_trylock(&m), EBUSY);
	CHECK_EQ(pthread_mutex_timedlock(&m, &t), ETIMEDOUT);
	return arg;
}

static void locks(void)
{
	pthread_t t[6];

	make(&m, PTHREAD_MUTEX_ERRORCHECK, 0, 0);
	CHECK_EQ(pthread_mutex_lock(&m), 0);
	CHECK_EQ(pthread_mutex_lock(&m), EDEADLK);
	pthread_create(&t[0], NULL, timed, NULL);
	pthread_join(t[0], NULL);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	CHECK_EQ(pthread_mutex_unlock(&m), EPERM);
	pthread_mutex_destroy(&m);
	make(&m, PTHREAD_MUTEX_RECURSIVE, 0, 0);
	CHECK_EQ(pthread_mutex_lock(&m), 0);
	CHECK_EQ(pthread_mutex_lock(&m), 0);
	pthread_mutex_unlock(&m);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	pthread_mutex_destroy(&m);
	make(&m, PTHREAD_MUTEX_NORMAL, 0, 0);
	for (int i = 0; i < 6; i++)
		pthread_create(&t[i], NULL, add, NULL);
	for (int i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(counter, 12000);
}

static void *consumer(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&m);
		ready++;
		while (!tickets)
			pthread_cond_wait(&c, &m);
		tickets--;
		uint32_t n = ++served;
		pthread_mutex_unlock(&m);
		if (n > 300)
			return arg;
	}
}

static void conditions(void)
{
	struct timespec past;
	pthread_t t[4];

	pthread_cond_init(&c, NULL);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, consumer, NULL);
	for (int i = 0; i < 304; i++) {
		pthread_mutex_lock(&m);
		tickets++;
		if (i % 3)
			pthread_cond_signal(&c);
		else
			pthread_cond_broadcast(&c);
		pthread_mutex_unlock(&m);
	}
	pthread_mutex_lock(&m);
	tickets += 4;
	pthread_cond_broadcast(&c);
	pthread_mutex_unlock(&m);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK(served >= 304);
	past = after_ms(CLOCK_REALTIME, 20);
	pthread_mutex_lock(&m);
	CHECK_EQ(pthread_cond_timedwait(&c, &m, &past), ETIMEDOUT);
	pthread_mutex_unlock(&m);
}

/* The raw calls: waiters of one word are moved to the other. */
static uint32_t from, to, tids[3];
static long results[3];

static void *requeued(void *arg)
{
	long i = (long)arg;

	set(&tids[i], self());
	results[i] = futex(&from, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &to, 0);
	if (!results[i]) {
		CHECK_EQ(get(&to) & FUTEX_TID_MASK, self());
		__atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
		CHECK_EQ(futex(&to, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	}
	return NULL;
}

static void requeue(int locked)
{
	pthread_t t[3];
	uint32_t other = 0;

	from = to = waiting = 0;
	memset(tids, 0, sizeof(tids));
	if (locked)
		lock_pi(&to);
	for (long i = 0; i < 3; i++) {
		pthread_create(&t[i], NULL, requeued, (void *)i);
		until_asleep(&tids[i]);
	}
	CHECK_ERRNO(futex(&from, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&from, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &to, 0), EINVAL);
	CHECK_ERRNO(futex(&from, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &other, 0), EINVAL);
	CHECK_ERRNO(futex(&from, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EINVAL);
	CHECK_EQ(futex(&from, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &to, 0), 2);
	CHECK_EQ(futex(&from, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10, &to, 0), 1);
	if (locked) {
		CHECK_EQ(to, FUTEX_WAITERS | self());
		CHECK_EQ(waiting, 0);
		CHECK_EQ(unlock_pi(&to), 0);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], NULL);
		CHECK_EQ(results[i], 0);
	}
	CHECK_EQ(waiting, 3);
	CHECK_EQ(to, 0);
}

static void *late(void *arg)
{
	struct timespec t = after_ms(CLOCK_MONOTONIC, 150);

	set(&tids[0], self());
	CHECK_ERRNO(futex(&from, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, &t, &to, 0), ETIMEDOUT);
	return arg;
}

/* A requeued waiter times out on the second word. */
static void requeue_timeout(void)
{
	pthread_t t;

	from = to = 0;
	tids[0] = 0;
	lock_pi(&to);
	pthread_create(&t, NULL, late, NULL);
	until_asleep(&tids[0]);
	CHECK_EQ(futex(&from, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, NULL, &to, 0), 1);
	pthread_join(t, NULL);
	CHECK_EQ(unlock_pi(&to), 0);
	CHECK_EQ(to, 0);
}

static void *dies(void *arg)
{
	pthread_mutex_lock(arg);
	set(&ready, 1);
	usleep(30000);
	return NULL;
}

static void robust(void)
{
	pthread_mutex_t *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_t t;
	pid_t child;
	int status;

	make(s, PTHREAD_MUTEX_NORMAL, 1, 1);
	ready = 0;
	pthread_create(&t, NULL, dies, s);
	while (!get(&ready))
		usleep(500);
	CHECK_EQ(pthread_mutex_lock(s), EOWNERDEAD);	/* while waiting */
	CHECK_EQ(pthread_mutex_consistent(s), 0);
	CHECK_EQ(pthread_mutex_unlock(s), 0);
	pthread_join(t, NULL);
	child = fork();
	if (!child) {
		pthread_mutex_lock(s);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, &status, 0);
	CHECK_EQ(pthread_mutex_trylock(s), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_unlock(s), 0);		/* not made consistent */
	CHECK_EQ(pthread_mutex_lock(s), ENOTRECOVERABLE);
}

int main(void)
{
	locks();
	conditions();
	requeue(0);
	requeue(1);
	requeue_timeout();
	robust();
	return test_done();
}
