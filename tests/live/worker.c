/*
 * Work that modules are replaced under: 8 processes of 8 threads each, and the loop that replaces.
 *
 *	worker COUNT     replaces futex, rseq, posix_timers and cred in turn, COUNT times, while the others work; prints TAP lines
 *
 * Each thread checks its own invariant all the time, and at the end the sums are compared:
 *	0, 1  a word that is woken without being changed: as many waits end as wake-ups were counted
 *	2, 3  mutex and condition variables: every item arrives, in order
 *	4     a priority-inheriting mutex shared by all processes: the counter under it is exact
 *	5     a counter for each CPU, raised in restartable sequences: the sum is exact
 *	6     an interval timer by signals, one by a descriptor, and sleeps: every period counted once, no sleep too short
 *	7     ids of the thread alone: always what was set
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/guest/include/test.h"
#include "tests/live/live.h"

#define PROCESSES 8
#define THREADS   8
#define CPUS      64
#define PERIOD_NS 20000000ll
#define SIGNATURE 0x53053053

struct shared {
	int stop;
	pthread_mutex_t pi;
	unsigned long pi_counter;	/* under pi */
	unsigned long pi_sum;		/* what the threads did */
	unsigned long rseq_sum;
	unsigned long progress[PROCESSES][THREADS];
	int done[PROCESSES][THREADS];
	struct { unsigned long n; char pad[56]; } rseq_counter[CPUS];
};

static struct shared *shared;
static int process;

static int stopped(void) { return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED); }

static void fail(int thread, const char *what, long a, long b)
{
	printf("not ok - process %d thread %d: %s (%ld, %ld, errno %d)\n", process, thread, what, a, b, errno);
	fflush(stdout);
	_exit(1);
}

#define NEED(thread, cond, a, b)                                                                   \
	do {                                                                                       \
		if (!(cond))                                                                       \
			fail(thread, #cond, (long)(a), (long)(b));                                 \
	} while (0)

static void step(int thread) { __atomic_fetch_add(&shared->progress[process][thread], 1, __ATOMIC_RELAXED); }

/* ---- 0 and 1 ---- */

static uint32_t plain_word;
static unsigned long waits_ended, wakes_counted;
static int waiter_done;

static void plain_waiter(void)
{
	while (!stopped()) {
		long r = syscall(SYS_futex, &plain_word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);

		NEED(0, r == 0, r, errno);
		waits_ended++;
		step(0);
	}
	__atomic_store_n(&waiter_done, 1, __ATOMIC_SEQ_CST);
}

static void plain_waker(void)
{
	while (!__atomic_load_n(&waiter_done, __ATOMIC_SEQ_CST)) {
		long r = syscall(SYS_futex, &plain_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);

		NEED(1, r == 0 || r == 1, r, 0);
		wakes_counted += (unsigned long)r;
		step(1);
		if (!r)
			sched_yield();
	}
}

/* ---- 2 and 3 ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static unsigned long items[4], put, got;
static int producer_done;

static void producer(void)
{
	while (!stopped()) {
		pthread_mutex_lock(&lock);
		while (put - got == 4)
			pthread_cond_wait(&not_full, &lock);
		items[put % 4] = put;
		put++;
		pthread_cond_signal(&not_empty);
		pthread_mutex_unlock(&lock);
		step(2);
	}
	pthread_mutex_lock(&lock);
	producer_done = 1;
	pthread_cond_broadcast(&not_empty);
	pthread_mutex_unlock(&lock);
}

static void consumer(void)
{
	for (;;) {
		pthread_mutex_lock(&lock);
		while (put == got && !producer_done)
			pthread_cond_wait(&not_empty, &lock);
		if (put == got)
			break;
		NEED(3, items[got % 4] == got, items[got % 4], got);
		got++;
		pthread_cond_signal(&not_full);
		pthread_mutex_unlock(&lock);
		step(3);
	}
	pthread_mutex_unlock(&lock);
}

/* ---- 4 ---- */

static void pi_counter(void)
{
	unsigned long mine = 0;

	while (!stopped()) {
		unsigned long before;
		int error = pthread_mutex_lock(&shared->pi);

		NEED(4, error == 0, error, 0);
		before = shared->pi_counter;
		if (mine % 16 == 0)
			sched_yield();
		shared->pi_counter = before + 1;
		error = pthread_mutex_unlock(&shared->pi);
		NEED(4, error == 0, error, 0);
		mine++;
		step(4);
	}
	__atomic_fetch_add(&shared->pi_sum, mine, __ATOMIC_SEQ_CST);
}

/* ---- 5 ---- */

struct rseq_area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t cs;
	uint32_t flags, pad[3];
} __attribute__((aligned(32)));

/* Raises the counter of the CPU that it runs on; 0 if the sequence was aborted. */
static int rseq_increment(volatile struct rseq_area *area)
{
	uint32_t cpu = area->cpu_id_start;
	unsigned long *counter = &shared->rseq_counter[cpu % CPUS].n;

#ifdef __aarch64__
	__asm__ goto(".pushsection .data.rseq_cs, \"aw\"\n\t"
		     ".balign 32\n"
		     "3:\t.long 0, 0\n\t"
		     ".quad 1f, 2f - 1f, 4f\n\t"
		     ".popsection\n\t"
		     "adrp x9, 3b\n\t"
		     "add x9, x9, :lo12:3b\n\t"
		     "str x9, [%[area], #8]\n"
		     "1:\tldr w9, [%[area], #4]\n\t"
		     "cmp w9, %w[cpu]\n\t"
		     "b.ne 4f\n\t"
		     "ldr x9, [%[counter]]\n\t"
		     "add x9, x9, #1\n\t"
		     "str x9, [%[counter]]\n"
		     "2:\tb 5f\n\t"
		     ".long 0x53053053\n"
		     "4:\tb %l[aborted]\n"
		     "5:"
		     : : [area] "r"(area), [cpu] "r"(cpu), [counter] "r"(counter) : "x9", "memory", "cc" : aborted);
#else
	__asm__ goto(".pushsection .data.rseq_cs, \"aw\"\n\t"
		     ".balign 32\n"
		     "3:\t.long 0, 0\n\t"
		     ".quad 1f, 2f - 1f, 4f\n\t"
		     ".popsection\n\t"
		     "leaq 3b(%%rip), %%rax\n\t"
		     "movq %%rax, 8(%[area])\n"
		     "1:\tcmpl %[cpu], 4(%[area])\n\t"
		     "jnz 4f\n\t"
		     "movq (%[counter]), %%rax\n\t"
		     "addq $1, %%rax\n\t"
		     "movq %%rax, (%[counter])\n"
		     "2:\n\t"
		     ".pushsection .text.rseq_abort, \"ax\"\n\t"
		     ".byte 0x0f, 0xb9, 0x3d\n\t"
		     ".long 0x53053053\n"
		     "4:\tjmp %l[aborted]\n\t"
		     ".popsection"
		     : : [area] "r"(area), [cpu] "r"(cpu), [counter] "r"(counter) : "rax", "memory", "cc" : aborted);
#endif
	return 1;
aborted:
	return 0;
}

static void rseq_counter(void)
{
	static __thread struct rseq_area area;
	unsigned long mine = 0;
	long r = syscall(SYS_rseq, &area, 32, 0, SIGNATURE);

	NEED(5, r == 0, r, 0);
	while (!stopped()) {
		for (int i = 0; i < 1000; i++)
			mine += (unsigned long)rseq_increment(&area);
		step(5);
		sched_yield();
	}
	r = syscall(SYS_rseq, &area, 32, 1, SIGNATURE);
	NEED(5, r == 0, r, 0);
	__atomic_fetch_add(&shared->rseq_sum, mine, __ATOMIC_SEQ_CST);
}

/* ---- 6 ---- */

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static timer_t start_timer(long long start)
{
	struct itimerspec its = { { 0, PERIOD_NS }, { start / 1000000000, start % 1000000000 } };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3 };
	timer_t timer;

	NEED(6, timer_create(CLOCK_MONOTONIC, &e, &timer) == 0, 0, 0);
	NEED(6, timer_settime(timer, TIMER_ABSTIME, &its, NULL) == 0, 0, 0);
	return timer;
}

static int start_timerfd(long long start)
{
	struct itimerspec its = { { 0, PERIOD_NS }, { start / 1000000000, start % 1000000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	NEED(6, fd >= 0, fd, 0);
	NEED(6, timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL) == 0, 0, 0);
	return fd;
}

/* Periods that are over at a time. */
static long long periods(long long start, long long at) { return at < start ? 0 : (at - start) / PERIOD_NS + 1; }

/* Takes the timer's signal if there is one: it and its overrun account for all periods that were over then. */
static long long take_signal(const struct timespec *timeout, long long start, long long so_far)
{
	long long before = now(), taken;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	if (sigtimedwait(&set, &info, timeout) != SIGRTMIN + 3)
		return 0;
	taken = 1 + info.si_overrun;
	NEED(6, so_far + taken >= periods(start, before) && so_far + taken <= periods(start, now()), so_far + taken,
	     periods(start, before));
	return taken;
}

static void timers(void)
{
	long long start = now() + PERIOD_NS, signals = 0, ticks = 0, before, after;
	timer_t timer = start_timer(start);
	int fd = start_timerfd(start);
	struct timespec zero = { 0, 0 };
	uint64_t n;

	while (!stopped()) {
		struct timespec pause = { 0, PERIOD_NS / 3 };

		before = now();
		NEED(6, nanosleep(&pause, NULL) == 0, 0, 0);
		NEED(6, now() - before >= pause.tv_nsec, now() - before, 0);
		before = now();
		n = 0;
		NEED(6, read(fd, &n, sizeof(n)) == sizeof(n) || errno == EAGAIN, n, 0);
		after = now();
		ticks += (long long)n;
		NEED(6, ticks >= periods(start, before) && ticks <= periods(start, after), ticks, periods(start, before));
		signals += take_signal(&zero, start, signals);
		step(6);
	}
	NEED(6, take_signal(&(struct timespec){ 10, 0 }, start, signals) > 0, signals, 0);
	timer_delete(timer);
	close(fd);
}

/* ---- 7 ---- */

static void ids(void)
{
	unsigned int seed = (unsigned int)process;

	while (!stopped()) {
		uid_t want = 1000 + (uid_t)(rand_r(&seed) % 1000), r, e, s;

		NEED(7, syscall(SYS_setresuid, want, want + 1, 0) == 0, want, 0);
		NEED(7, syscall(SYS_getresuid, &r, &e, &s) == 0, 0, 0);
		NEED(7, r == want && e == want + 1 && s == 0, r, e);
		NEED(7, (uid_t)syscall(SYS_geteuid) == want + 1, want, 0);
		NEED(7, syscall(SYS_setresuid, 0, 0, 0) == 0, 0, 0);
		NEED(7, syscall(SYS_getresuid, &r, &e, &s) == 0 && r == 0 && e == 0 && s == 0, r, e);
		step(7);
	}
}

/* ---- all ---- */

static void *run(void *arg)
{
	static void (*const parts[THREADS])(void) = {
		plain_waiter, plain_waker, producer, consumer, pi_counter, rseq_counter, timers, ids,
	};
	long thread = (long)arg;

	parts[thread]();
	shared->done[process][thread] = 1;
	return NULL;
}

static void work(int number)
{
	pthread_t t[THREADS];
	sigset_t set;

	process = number;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, run, (void *)i))
			fail((int)i, "pthread_create", 0, 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	NEED(0, waits_ended == wakes_counted, waits_ended, wakes_counted);
	NEED(2, put == got, put, got);
	_exit(0);
}

static void share(void)
{
	pthread_mutexattr_t a;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	if (pthread_mutex_init(&shared->pi, &a)) {
		puts("not ok - no priority-inheriting mutex");
		exit(1);
	}
}

/* Waits for the workers; those that do not come are named with what they were at. */
static int collect(pid_t *pids, int seconds)
{
	int left = PROCESSES, bad = 0;

	for (long long end = now() + seconds * 1000000000ll; left && now() < end; usleep(20000))
		for (int i = 0; i < PROCESSES; i++) {
			int status;

			if (pids[i] && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
				pids[i] = 0;
				left--;
				bad += status != 0;
			}
		}
	for (int i = 0; i < PROCESSES; i++)
		for (int t = 0; pids[i] && t < THREADS; t++)
			if (!shared->done[i][t])
				printf("# process %d thread %d does not end (%lu steps)\n", i, t, shared->progress[i][t]);
	for (int i = 0; i < PROCESSES; i++)
		if (pids[i])
			kill(pids[i], SIGKILL);
	return bad + left;
}

static int all_moved(void)
{
	int still = 0;

	for (int i = 0; i < PROCESSES; i++)
		for (int t = 0; t < THREADS; t++)
			if (!shared->progress[i][t]) {
				printf("# process %d thread %d never moved\n", i, t);
				still++;
			}
	return !still;
}

static void check_sums(void)
{
	unsigned long sum = 0;

	for (int i = 0; i < CPUS; i++)
		sum += shared->rseq_counter[i].n;
	CHECK_EQ(shared->pi_counter, shared->pi_sum);
	CHECK_EQ(sum, shared->rseq_sum);
}

/* Nothing else goes on: replacing takes no page for good. */
static void check_leaks(void)
{
	long before = live_free_pages(), after;
	int failed = 0;

	for (int i = 0; i < 200; i++)
		failed += live_replace(live_modules[i % 4], "") != 0;
	after = live_free_pages();
	printf("# 200 more alone: free pages before %ld, after %ld\n", before, after);
	CHECK_EQ(failed, 0);
	CHECK(before - after < 32);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 300, failed = 0;
	long free_before, free_after;
	pid_t pids[PROCESSES];

	setvbuf(stdout, NULL, _IOLBF, 0);
	share();
	for (int i = 0; i < 4; i++) {
		char path[128];

		snprintf(path, sizeof(path), LIVE_DIR "%s.ko", live_modules[i]);
		live_load(path, "", 0);	/* may be there */
	}
	for (int i = 0; i < 40; i++)
		failed += live_replace(live_modules[i % 4], "") != 0;
	CHECK_EQ(failed, 0);
	free_before = live_free_pages();
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			work(i);
	}
	usleep(300000);
	for (int i = 0; i < count && !failed; i++) {
		if (live_replace(live_modules[i % 4], "")) {
			printf("# replacement %d of %s: %s\n", i, live_modules[i % 4], strerror(errno));
			failed++;
		}
		live_note_time();
		if (i % 1000 == 999)
			printf("# %d replacements\n", i + 1);
	}
	CHECK_EQ(failed, 0);
	CHECK(all_moved());
	__atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
	CHECK_EQ(collect(pids, 60), 0);
	check_sums();
	free_after = live_free_pages();
	printf("# %d replacements; free pages before %ld, after %ld\n", count, free_before, free_after);
	/* Page tables of the kernel's areas stay, and what holds objects for each processor; a page lost each time would be far more. */
	CHECK(free_before - free_after < 96);
	live_print_times();
	check_leaks();
	return test_done();
}
