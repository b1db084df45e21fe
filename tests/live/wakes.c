/*
 * Single wake-ups, timeouts and dying threads across replacements of the futex module, and the build that counts its wake-ups.
 *
 *	wakes COUNTING.ko
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/guest/include/test.h"
#include "tests/live/live.h"

#define FUTEX_WAIT_REQUEUE_PI_PRIVATE (11 | 128)
#define FUTEX_REQUEUE_PRIVATE         (3 | 128)
#define FUTEX_CMP_REQUEUE_PI_PRIVATE  (12 | 128)
#define FUTEX_UNLOCK_PI_PRIVATE       (7 | 128)

static uint32_t word, other;

static long futex(uint32_t *w, int op, uint32_t value, void *timeout, uint32_t *w2, uint32_t value3)
{
	return syscall(SYS_futex, w, op, value, timeout, w2, value3);
}

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* Waits until a thread of this process sleeps. */
static void until_asleep(int tid)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	for (;;) {
		int fd = open(path, O_RDONLY);
		long n = read(fd, text, sizeof(text) - 1);
		char *at;

		close(fd);
		if (n <= 0)
			return;
		text[n] = '\0';
		at = strrchr(text, ')');
		if (at && at[2] == 'S')
			return;
		usleep(1000);
	}
}

struct waiter {
	pthread_t thread;
	int tid;
	long result;
	int error;
};

static void *wait_plain(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	w->result = futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	w->error = errno;
	return NULL;
}

static void start(struct waiter *w, void *(*fn)(void *))
{
	memset(w, 0, sizeof(*w));
	if (pthread_create(&w->thread, NULL, fn, w))
		exit(1);
	while (!__atomic_load_n(&w->tid, __ATOMIC_SEQ_CST))
		usleep(1000);
	until_asleep(w->tid);
}

static void *replace_once(void *arg)
{
	*(long *)arg = live_replace("futex", "");
	return NULL;
}

/* The word does not change: a waker that comes while the waiter is kicked must find it queued again. */
static void one_wake_each(void)
{
	int good = 0;

	for (int i = 0; i < 40; i++) {
		struct waiter w;
		pthread_t t;
		long replaced = -1, n;

		start(&w, wait_plain);
		pthread_create(&t, NULL, replace_once, &replaced);
		usleep((useconds_t)(i * 100));
		n = futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		pthread_join(t, NULL);
		if (n == 0)		/* would hang: let it go */
			while (!futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0))
				usleep(1000);
		pthread_join(w.thread, NULL);
		good += n == 1 && w.result == 0 && replaced == 0;
	}
	CHECK_EQ(good, 40);
}

/* A waiter that was moved to another word is woken for no reason, not left on its first word. */
static void requeued(void)
{
	struct waiter w;

	start(&w, wait_plain);
	CHECK_EQ(futex(&word, FUTEX_REQUEUE_PRIVATE, 0, (void *)1l, &other, 0), 1);
	until_asleep(w.tid);
	CHECK_EQ(live_replace("futex", ""), 0);
	pthread_join(w.thread, NULL);
	CHECK_EQ(w.result, 0);
}

static void *wait_requeue_pi(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	w->result = futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &other, 0);
	w->error = errno;
	return NULL;
}

/* Moved to a priority-inheriting word it answers EWOULDBLOCK, as when a signal comes then. */
static void requeued_pi(void)
{
	struct waiter w;

	other = (uint32_t)syscall(SYS_gettid);
	start(&w, wait_requeue_pi);
	CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1l, &other, 0), 1);
	until_asleep(w.tid);
	CHECK_EQ(live_replace("futex", ""), 0);
	pthread_join(w.thread, NULL);
	CHECK_EQ(w.result, -1);
	CHECK_EQ(w.error, EAGAIN);
	if (other & 0x80000000u)
		CHECK_EQ(futex(&other, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	other = 0;
}

/* The value changes while the gate is shut: the waiter learns it. */
static void changed_meanwhile(void)
{
	int good = 0;

	for (int i = 0; i < 10; i++) {
		struct waiter w;

		word = 0;
		start(&w, wait_plain);
		word = 1;
		CHECK_EQ(live_replace("futex", ""), 0);
		pthread_join(w.thread, NULL);
		good += w.result == -1 && w.error == EAGAIN;
	}
	word = 0;
	CHECK_EQ(good, 10);
}

static void *twenty_replacements(void *arg)
{
	long *failed = arg;

	for (int i = 0; i < 20; i++) {
		*failed += live_replace(i & 1 ? "posix_timers" : "futex", "") != 0;
		usleep(60000);
	}
	return NULL;
}

static void two_seconds(void)
{
	struct timespec two = { 2, 0 };
	uint32_t local = 0;
	long failed = 0, r;
	long long begun, took;
	pthread_t t;
	int error;

	pthread_create(&t, NULL, twenty_replacements, &failed);
	begun = now();
	r = futex(&local, FUTEX_WAIT_PRIVATE, 0, &two, NULL, 0);
	error = errno;
	took = now() - begun;
	pthread_join(t, NULL);
	CHECK_EQ(r, -1);
	CHECK_EQ(error, ETIMEDOUT);
	CHECK_EQ(failed, 0);
	CHECK(took >= 2000000000ll);
	printf("# a wait of 2 s through 20 replacements ended %lld us late\n", (took - 2000000000ll) / 1000);
}

/* Killed while it waits, or while the gate is shut. */
static void killed(void)
{
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();
		long replaced = -1;
		pthread_t t;
		int status;

		if (pid == 0) {
			futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
			_exit(1);
		}
		usleep(10000);
		pthread_create(&t, NULL, replace_once, &replaced);
		usleep((useconds_t)(i * 300));
		kill(pid, SIGKILL);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		pthread_join(t, NULL);
		CHECK_EQ(replaced, 0);
	}
}

/* A parent that waits for a vfork child which waits in the module, and a stopped waiter. */
static void vfork_and_stop(void)
{
	static const struct timespec pause = { 0, 200000000 };
	long failed = 0;
	pthread_t t;
	pid_t pid;
	int status;

	pthread_create(&t, NULL, twenty_replacements, &failed);
	for (int i = 0; i < 4; i++) {
		pid = vfork();
		if (pid == 0) {
			static uint32_t in_child;

			futex(&in_child, FUTEX_WAIT_PRIVATE, 0, (void *)&pause, NULL, 0);
			_exit(7);
		}
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(WEXITSTATUS(status), 7);
	}
	pid = fork();
	if (pid == 0) {
		uint32_t local = 0;
		struct timespec ts = { 0, 400000000 };

		_exit(futex(&local, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0) == -1 && errno == ETIMEDOUT ? 0 : 1);
	}
	usleep(50000);
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	usleep(100000);
	kill(pid, SIGCONT);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	pthread_join(t, NULL);
	CHECK_EQ(failed, 0);
}

static void *concurrent(void *arg)
{
	for (int i = 0; i < 10; i++)
		*(long *)arg += live_replace(live_modules[i % 4], "") != 0;
	return NULL;
}

/* Two at once, one of them taking out and putting in. */
static void two_at_once(void)
{
	long failed[2] = { 0, 0 };
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, concurrent, &failed[i]);
	for (int i = 0; i < 10; i++) {
		long r = syscall(SYS_delete_module, "posix_timers", O_NONBLOCK | O_TRUNC);

		if (r && errno != EBUSY && errno != ENOENT)
			failed[0]++;
		if (!r && live_load(LIVE_DIR "posix_timers.ko", "", 0))
			failed[1]++;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	/* While it was out there was nothing to replace. */
	CHECK(failed[0] <= 6 && failed[1] <= 6);
	CHECK_EQ(live_replace("posix_timers", ""), 0);
}

static unsigned long counted(void)
{
	char text[32] = "";
	int fd = open("/sys/module/futex/parameters/wakes", O_RDONLY);

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		close(fd);
	}
	return strtoul(text, NULL, 10);
}

static void counting_build(const char *path)
{
	unsigned long before, after;

	CHECK_EQ(counted(), 0ul);
	CHECK_EQ(live_load(path, "", MODULE_INIT_REPLACE), 0);
	before = counted();
	for (int i = 0; i < 20; i++) {
		struct waiter w;

		start(&w, wait_plain);
		CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
		pthread_join(w.thread, NULL);
	}
	after = counted();
	printf("# wake-ups counted by the new build: %lu, then %lu\n", before, after);
	CHECK(after >= before + 20);
	CHECK_EQ(live_replace("futex", ""), 0);
	CHECK_EQ(counted(), 0ul);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	one_wake_each();
	requeued();
	requeued_pi();
	changed_meanwhile();
	two_seconds();
	killed();
	vfork_and_stop();
	if (argc > 1)
		counting_build(argv[1]);
	two_at_once();
	return test_done();
}
