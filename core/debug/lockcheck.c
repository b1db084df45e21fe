/*
 * Debug builds: which spinlocks a thread holds, in which order classes were ever taken, and locks taken in interrupts.
 *
 * A class is the place where a lock was initialised. The first time class B is taken while A is held, the pair (A, B) is
 * recorded; if (B, A) is known already, the order is broken and both threads could wait for each other for ever: panic.
 * Locks of one class may be nested only in an order that the caller knows (run queues by CPU number), so equal classes are not compared.
 *
 * The table of pairs is only added to; insertion is by compare-and-swap on the first word.
 */
#ifdef CONFIG_DEBUG

#include "core/debug/panic.h"
#include "core/module/export.h"
#include "core/sched/cpu.h"
#include "core/sched/thread.h"

#define PAIRS 4096

static struct {
	const void *first;
	const void *second;
} pairs[PAIRS];

static unsigned int hash(const void *a, const void *b)
{
	uint64_t x = (uintptr_t)a * 0x9e3779b97f4a7c15ull ^ (uintptr_t)b * 0xc2b2ae3d27d4eb4full;

	return (unsigned int)(x >> 40) % PAIRS;
}

static bool known(const void *a, const void *b)
{
	for (unsigned int i = hash(a, b), n = 0; n < PAIRS; n++, i = (i + 1) % PAIRS) {
		if (!READ_ONCE(pairs[i].first))
			return false;
		if (pairs[i].first == a && READ_ONCE(pairs[i].second) == b)
			return true;
	}
	return false;
}

static void learn(const void *a, const void *b)
{
	for (unsigned int i = hash(a, b), n = 0; n < PAIRS; n++, i = (i + 1) % PAIRS) {
		const void *expected = NULL;

		if (pairs[i].first == a && READ_ONCE(pairs[i].second) == b)
			return;
		if (__atomic_compare_exchange_n(&pairs[i].first, &expected, a, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST)) {
			WRITE_ONCE(pairs[i].second, b);
			return;
		}
	}
}

void lockcheck_acquire(const void *key, const void *lock, bool trylock)
{
	struct cpu *cpu = arch_cpu_self();
	struct thread *t = cpu ? cpu->thread : NULL;

	if (!t || !key)
		return;
	for (int i = 0; i < t->held_count; i++) {
		const void *held = t->held[i].key;

		if (t->held[i].lock == lock && !trylock)
			panic("lock %p is taken twice by %s", lock, t->name);
		if (held == key || trylock)
			continue;
		if (known(key, held))
			panic("lock order: class %p taken under %p, the other way round elsewhere", key, held);
		learn(held, key);
	}
	if (t->held_count < (int)ARRAY_SIZE(t->held)) {
		t->held[t->held_count].key = key;
		t->held[t->held_count].lock = lock;
		t->held_count++;
	}
}
KAPI(lockcheck_acquire);

void lockcheck_release(const void *key, const void *lock)
{
	struct cpu *cpu = arch_cpu_self();
	struct thread *t = cpu ? cpu->thread : NULL;

	if (!t || !key)
		return;
	for (int i = t->held_count; i-- > 0;)
		if (t->held[i].lock == lock) {
			for (; i + 1 < t->held_count; i++)
				t->held[i] = t->held[i + 1];
			t->held_count--;
			return;
		}
}
KAPI(lockcheck_release);

#endif
