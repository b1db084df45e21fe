/*
 * Tests of threads under contention: mutexes, wake-ups back and forth, sleeps and their timers, RCU, migration, memory from
 * several CPUs at once. Each ends by counting, and has a bound in time.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/ktest.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/sched/sched.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"
#include "core/time/clock.h"

#define WORKERS 8
#define BOUND_NS (30 * NSEC_PER_SEC)

/* Runs fn on WORKERS threads and waits for all; false if they are not done in time. */
struct team {
	void (*fn)(struct team *team, unsigned int index);
	struct wait_queue wait;
	unsigned int next, left;
	struct mutex mutex;
	unsigned long count, errors;
	struct wait_queue turn_wait;
	unsigned int turn;
};

static void team_member(void *arg)
{
	struct team *team = arg;

	team->fn(team, __atomic_fetch_add(&team->next, 1, __ATOMIC_RELAXED));
	__atomic_fetch_sub(&team->left, 1, __ATOMIC_SEQ_CST);
	wait_wake_all(&team->wait);
}

/* Waits for all members. False only when nothing at all goes on for a while: a busy machine is slow. */
static bool team_wait(struct team *team)
{
	unsigned long before, now = ~0ul;

	do {
		before = now;
		if (!wait_event(&team->wait, READ_ONCE(team->left) == 0, WAIT_UNINTERRUPTIBLE,
				clock_monotonic() + BOUND_NS))
			return true;
		now = READ_ONCE(team->count) + READ_ONCE(team->left) + READ_ONCE(team->turn);
	} while (now != before);
	return false;
}

/* The team is static in its test: members of a test that failed may still run. */
static bool team_run(struct team *team, void (*fn)(struct team *team, unsigned int index))
{
	memset(team, 0, sizeof(*team));
	team->fn = fn;
	team->left = WORKERS;
	wait_queue_init(&team->wait);
	wait_queue_init(&team->turn_wait);
	mutex_init(&team->mutex);
	for (unsigned int i = 0; i < WORKERS; i++)
		if (thread_start_kernel("ktest_team", team_member, team))
			return false;
	if (!team_wait(team))
		return false;
	rcu_synchronize();		/* the last member has left the wait queue's lock */
	return true;
}

static void mutex_member(struct team *team, unsigned int index)
{
	for (unsigned int i = 0; i < 2000; i++) {
		mutex_lock(&team->mutex);
		team->count++;
		if (i % 64 == index)
			sched_yield();
		mutex_unlock(&team->mutex);
	}
}

KTEST(sched_mutex)
{
	static struct team team;

	ktest_check(team_run(&team, mutex_member));
	ktest_check(team.count == WORKERS * 2000ul);
}

static void turn_member(struct team *team, unsigned int index)
{
	for (unsigned int i = 0; i < 200; i++) {
		wait_event(&team->turn_wait, READ_ONCE(team->turn) % WORKERS == index, WAIT_UNINTERRUPTIBLE, TIME_NEVER);
		team->count++;
		__atomic_fetch_add(&team->turn, 1, __ATOMIC_SEQ_CST);
		wait_wake_all(&team->turn_wait);
	}
}

KTEST(sched_turns)
{
	static struct team team;

	ktest_check(team_run(&team, turn_member));
	ktest_check(team.count == WORKERS * 200ul);
}

static void sleep_member(struct team *team, unsigned int index)
{
	for (unsigned int i = 0; i < 20; i++) {
		uint64_t deadline = clock_monotonic() + (100 + 37 * index) * NSEC_PER_USEC;
		int result;

		do {
			wait_prepare(WAIT_UNINTERRUPTIBLE);
			result = wait_sleep(deadline);
		} while (!result);
		if (result != -ETIMEDOUT || clock_monotonic() < deadline)
			__atomic_fetch_add(&team->errors, 1, __ATOMIC_RELAXED);
	}
}

KTEST(sched_sleep)
{
	static struct team team;

	ktest_check(team_run(&team, sleep_member));
	ktest_check(team.errors == 0);
}

static void memory_member(struct team *team, unsigned int index)
{
	void *held[16] = { NULL };

	for (unsigned int i = 0; i < 600; i++) {
		unsigned int slot = (i * 7 + index) % 16;
		size_t size = 16 + (i * 193 + index * 71) % 9000;
		unsigned char *p = held[slot];

		if (p && (p[0] != index || p[15] != slot))
			__atomic_fetch_add(&team->errors, 1, __ATOMIC_RELAXED);
		if (i % 8 == 0)
			kvfree(p);
		else
			kfree(p);
		p = kmalloc(size, 0);
		if ((i + 7) % 8 == 0 && p) {
			/* The next visit of this slot frees by kfree or kvfree: both take it. */
			memset(p, 0, size);
		}
		held[slot] = p;
		if (!p) {
			__atomic_fetch_add(&team->errors, 1, __ATOMIC_RELAXED);
			continue;
		}
		p[0] = (unsigned char)index;
		p[15] = (unsigned char)slot;
		if (i % 50 == 0) {
			char *big = vmalloc(5 * PAGE_SIZE, 0);

			if (big)
				big[5 * PAGE_SIZE - 1] = 1;
			vfree(big);
			rcu_synchronize();
		}
	}
	for (unsigned int i = 0; i < 16; i++)
		kfree(held[i]);
}

KTEST(sched_memory)
{
	static struct team team;

	ktest_check(team_run(&team, memory_member));
	ktest_check(team.errors == 0);
}

static void affinity_member(struct team *team, unsigned int index)
{
	for (unsigned int i = 0; i < 50; i++) {
		unsigned int cpu = (i + index) % cpu_count;
		struct cpu_set set = { { 0 } };

		if (!cpus[cpu] || !cpus[cpu]->online)
			continue;
		bitmap_set(set.bits, cpu);
		if (sched_set_affinity(current, &set) || arch_cpu_id() != cpu)
			__atomic_fetch_add(&team->errors, 1, __ATOMIC_RELAXED);
	}
}

KTEST(sched_affinity)
{
	static struct team team;

	ktest_check(team_run(&team, affinity_member));
	ktest_check(team.errors == 0);
}

static void count_call(void *arg)
{
	__atomic_fetch_add((unsigned int *)arg, 1, __ATOMIC_SEQ_CST);
}

KTEST(sched_cpu_call)
{
	unsigned int online = 0, calls = 0, i;

	for_each_online_cpu(i)
		online++;
	for (unsigned int n = 0; n < 100; n++)
		cpu_call(&cpus_online, count_call, &calls);
	ktest_check(calls == 100 * (online - 1));
}

/* A thread for late wakers: counts how often it was made to run without being woken. */
struct sleeper {
	struct thread *thread;
	bool go;
	unsigned int runs;
};

static void sleeper(void *arg)
{
	struct sleeper *s = arg;

	thread_get(current);
	store_release(&s->thread, current);
	for (;;) {
		wait_prepare(WAIT_UNINTERRUPTIBLE);
		if (READ_ONCE(s->go))
			break;
		wait_sleep(TIME_NEVER);
		s->runs++;
	}
	wait_finish();
}

static void pause_ns(uint64_t ns)
{
	uint64_t deadline = clock_monotonic() + ns;

	do
		wait_prepare(WAIT_UNINTERRUPTIBLE);
	while (!wait_sleep(deadline));
}

/* Until the thread is off its CPU in that state. False: it took too long. */
static bool comes_to(struct thread *t, unsigned int state)
{
	uint64_t bound = clock_monotonic() + BOUND_NS;

	while (READ_ONCE(t->state) != state || READ_ONCE(t->on_cpu)) {
		if (clock_monotonic() > bound)
			return false;
		pause_ns(NSEC_PER_MSEC);
	}
	return true;
}

/* The second half of a wake-up comes when the thread sleeps again, and when it has ended: nothing may come of it. */
KTEST(sched_late_wake)
{
	static struct sleeper s;

	ktest_check(thread_start_kernel("ktest_sleeper", sleeper, &s) == 0);
	while (!load_acquire(&s.thread))
		pause_ns(NSEC_PER_MSEC);
	ktest_check(comes_to(s.thread, THREAD_SLEEPING));
	for (unsigned int i = 0; i < 10; i++) {
		sched_queue_woken(s.thread);
		pause_ns(NSEC_PER_MSEC);
	}
	ktest_check(READ_ONCE(s.runs) == 0);
	WRITE_ONCE(s.go, true);
	ktest_check(thread_wake(s.thread));
	ktest_check(comes_to(s.thread, THREAD_DEAD));
	ktest_check(s.runs == 1);
	sched_queue_woken(s.thread);
	pause_ns(NSEC_PER_MSEC);
	thread_put(s.thread);
}

/* Who ran a function, while the thread that asks is sent from one CPU to the next. */
struct census {
	struct thread *asks;
	unsigned long seen;
	unsigned int calls;
	bool stop, ended;
};

static void count_self(void *arg)
{
	struct census *c = arg;

	__atomic_fetch_or(&c->seen, 1ul << arch_cpu_id(), __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&c->calls, 1, __ATOMIC_SEQ_CST);
}

static void send_about(void *arg)
{
	struct census *c = arg;
	struct cpu_set set;

	for (unsigned int cpu = 0; !READ_ONCE(c->stop); cpu = (cpu + 1) % cpu_count) {
		set = (struct cpu_set){ { 1ul << cpu } };
		sched_set_affinity(c->asks, &set);
		sched_yield();
	}
	store_release(&c->ended, true);
}

KTEST(sched_cpu_call_each)
{
	static struct census c;
	struct cpu_set all = cpus_online;
	unsigned int online = 0, wrong = 0, i;

	for_each_online_cpu(i)
		online++;
	c = (struct census){ .asks = current };
	c.ended = thread_start_kernel("ktest_sender", send_about, &c) != 0;
	ktest_check(!c.ended);
	for (unsigned int n = 0; n < 300; n++) {
		c.seen = c.calls = 0;
		cpu_call_each(&cpus_online, count_self, &c);
		wrong += c.seen != all.bits[0] || c.calls != online;
	}
	WRITE_ONCE(c.stop, true);
	while (!load_acquire(&c.ended))
		pause_ns(NSEC_PER_MSEC);
	ktest_check(sched_set_affinity(current, &all) == 0);
	ktest_check(wrong == 0);
}

struct spinner {
	struct thread *thread;
	unsigned int cpu;
	bool stop, ended;
};

static int bind_to(unsigned int cpu)
{
	struct cpu_set set = { { 0 } };

	bitmap_set(set.bits, cpu);
	return sched_set_affinity(current, &set);
}

static void spinner(void *arg)
{
	struct spinner *s = arg;

	WRITE_ONCE(s->cpu, bind_to(1) ? 0 : 1);
	thread_get(current);
	store_release(&s->thread, current);
	while (!READ_ONCE(s->stop))
		WRITE_ONCE(s->cpu, arch_cpu_id());
	store_release(&s->ended, true);
}

/* Nothing but an offer wakes the other CPUs: whoever looks spins, too. */
KTEST(sched_idle_is_offered_work)
{
	static struct spinner s[2];
	struct cpu_set all = cpus_online;
	uint64_t bound = clock_monotonic() + BOUND_NS;

	ktest_check(bind_to(0) == 0);
	if (cpu_count < 3) {		/* nobody to make an offer to */
		ktest_check(sched_set_affinity(current, &all) == 0);
		return;
	}
	for (unsigned int i = 0; i < 2; i++)
		ktest_check(thread_start_kernel("ktest_spinner", spinner, &s[i]) == 0);
	while ((!load_acquire(&s[0].thread) || !load_acquire(&s[1].thread)) && clock_monotonic() < bound)
		arch_cpu_relax();
	ktest_check(s[0].thread && s[1].thread);
	if (!s[0].thread || !s[1].thread)
		return;
	clock_delay_ns(100 * NSEC_PER_MSEC);	/* the others come to rest */
	for (unsigned int i = 0; i < 2; i++)
		ktest_check(sched_set_affinity(s[i].thread, &all) == 0);
	while (READ_ONCE(s[0].cpu) == READ_ONCE(s[1].cpu) && clock_monotonic() < bound)
		arch_cpu_relax();
	ktest_check(READ_ONCE(s[0].cpu) != READ_ONCE(s[1].cpu));
	for (unsigned int i = 0; i < 2; i++) {
		WRITE_ONCE(s[i].stop, true);
		while (!load_acquire(&s[i].ended) && clock_monotonic() < bound)
			arch_cpu_relax();
		thread_put(s[i].thread);
	}
	ktest_check(sched_set_affinity(current, &all) == 0);
}
