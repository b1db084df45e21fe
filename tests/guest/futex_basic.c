/* Futexes: waiting and waking, bitsets, timeouts, requeue, wake-op, shared words, waitv, errors. */
// libc: gcc
// flags: -pthread
// calls: futex set_robust_list
// errors: futex set_robust_list
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "include/test.h"

static long futex(uint32_t *word, int op, uint32_t value, const struct timespec *timeout, uint32_t *word2, uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static uint32_t a, b, started;
static long results[8];

static void wait_until(uint32_t *counter, uint32_t value)
{
	while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < value)
		usleep(1000);
	usleep(20000);
}

static void *sleeper(void *arg)
{
	long i = (long)arg;

	__atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
	results[i] = futex(&a, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1u << i);
	return NULL;
}

static void start(pthread_t *t, int n)
{
	started = 0;
	a = b = 0;
	for (long i = 0; i < n; i++)
		pthread_create(&t[i], NULL, sleeper, (void *)i);
	wait_until(&started, (uint32_t)n);
}

static void errors(void)
{
	struct timespec bad = { 0, 2000000000 }, little = { 0, 10000000 };

	a = 1;
	CHECK_ERRNO(futex(&a, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EAGAIN);
	CHECK_ERRNO(futex(&a, FUTEX_WAIT_PRIVATE, 1, &little, NULL, 0), ETIMEDOUT);
	CHECK_ERRNO(futex(&a, FUTEX_WAIT_PRIVATE, 1, &bad, NULL, 0), EINVAL);
	CHECK_ERRNO(futex((uint32_t *)((char *)&a + 1), FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex((uint32_t *)8, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(&a, FUTEX_WAIT_BITSET_PRIVATE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&a, 99, 1, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(&a, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(&a, FUTEX_REQUEUE_PRIVATE, -1u, NULL, &b, 0), EINVAL);
	CHECK_EQ(futex(&a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
	CHECK_ERRNO(syscall(SYS_set_robust_list, &a, 8), EINVAL);
}

static void bitsets(void)
{
	pthread_t t[3];

	start(t, 3);
	CHECK_EQ(futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 8), 0);
	CHECK_EQ(futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 2), 1);
	CHECK_EQ(futex(&a, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], NULL);
		CHECK_EQ(results[i], 0);
	}
}

static void requeues(void)
{
	pthread_t t[4];

	start(t, 4);
	CHECK_ERRNO(futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10, &b, 5), EAGAIN);
	CHECK_EQ(futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &b, 0), 3);
	CHECK_EQ(futex(&a, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 1);
	CHECK_EQ(futex(&b, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

static void wake_op(void)
{
	pthread_t t[2];

	start(t, 2);
	b = 5;
	CHECK_EQ(futex(&b, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &a, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)), 1);
	CHECK_EQ(a, 3);
	CHECK_EQ(futex(&a, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &b, FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 0)), 1);
	CHECK_EQ(b, 9);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

/* Two mappings of one object at different addresses, in two processes. */
static void shared(void)
{
	uint32_t *one = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec limit = { 20, 0 };
	int status;
	pid_t child = fork();

	if (!child) {
		uint32_t *moved = mremap(one, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, (char *)one + (64 << 20));

		__atomic_store_n(&moved[1], 1, __ATOMIC_SEQ_CST);
		_exit(futex(moved, FUTEX_WAIT, 0, &limit, NULL, 0) ? 1 : 0);
	}
	wait_until(&one[1], 1);
	CHECK_EQ(futex(one, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	/* A private wake does not find a shared waiter's key. */
	CHECK_EQ(futex(one, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
}

static void nothing(int sig) { (void)sig; }

static void interruption(void)
{
	struct sigaction act = { .sa_handler = nothing, .sa_flags = 0 };
	struct timespec limit = { 20, 0 };
	int status;
	pid_t child;

	/* Before the child begins, which may be late on a busy machine. */
	sigaction(SIGUSR1, &act, NULL);
	child = fork();
	if (!child) {
		a = 0;
		_exit(futex(&a, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0) == -1 && errno == EINTR ? 0 : 1);
	}
	for (int i = 0; i < 1000 && !waitpid(child, &status, WNOHANG); i++) {
		usleep(10000);
		kill(child, SIGUSR1);
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static uint32_t words[3];

/* Waits until the first thread sleeps, which a busy machine may put off; it gives up after some seconds. */
static void until_first_sleeps(void)
{
	char line[256] = "";

	for (int i = 0; i < 5000 && !strstr(line, ") S"); i++) {
		int fd = open("/proc/self/stat", O_RDONLY);	/* of the first thread */

		usleep(1000);
		if (read(fd, line, sizeof(line) - 1) < 0)
			line[0] = '\0';
		close(fd);
	}
}

static void *wake_second(void *arg)
{
	until_first_sleeps();
	words[1] = 1;
	futex(&words[1], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return arg;
}

static void several(void)
{
	struct { uint64_t val, uaddr; uint32_t flags, reserved; } v[3];
	pthread_t t;

	for (int i = 0; i < 3; i++) {
		v[i].val = 0;
		v[i].uaddr = (uintptr_t)&words[i];
		v[i].flags = 2 | 128;
		v[i].reserved = 0;
	}
	pthread_create(&t, NULL, wake_second, NULL);
	CHECK_EQ(syscall(449, v, 3, 0, NULL, 0), 1);
	pthread_join(t, NULL);
	CHECK_ERRNO(syscall(449, v, 3, 0, NULL, 0), EAGAIN);
	CHECK_ERRNO(syscall(449, v, 0, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(syscall(449, v, 200, 0, NULL, 0), EINVAL);
	v[0].flags = 1;
	CHECK_ERRNO(syscall(449, v, 3, 0, NULL, 0), EINVAL);
}

/* A robust mutex whose owner dies is passed on. */
static void robust(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t child;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(m, &attr);
	child = fork();
	if (!child) {
		pthread_mutex_lock(m);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, &status, 0);
	CHECK_EQ(pthread_mutex_lock(m), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(m), 0);
	CHECK_EQ(pthread_mutex_unlock(m), 0);
}

int main(void)
{
	errors();
	bitsets();
	requeues();
	wake_op();
	shared();
	interruption();
	several();
	robust();
	return test_done();
}
