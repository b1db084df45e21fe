/*
 * Ticket spinlocks. Holding one disables preemption; a lock that an interrupt handler takes too is only taken with
 * the _irq variants elsewhere. In debug builds lock order and context are checked (core/debug/lockcheck.h).
 */
#pragma once

#include "core/arch/cpu.h"
#include "core/lib/types.h"

struct lock_class;

struct spinlock {
	union {
		uint32_t word;
		struct {
			uint16_t owner;		/* ticket being served */
			uint16_t next;		/* next ticket to hand out */
		};
	};
#ifdef CONFIG_DEBUG
	const void *class_key;
	struct thread *holder;
#endif
};

#ifdef CONFIG_DEBUG
#define SPINLOCK_INIT(name) { .word = 0, .class_key = &(name) }
void spin_init_class(struct spinlock *l, const void *key);
/* One lock class a place of initialisation. */
#define spin_init(l) do { static const char lock_key; spin_init_class((l), &lock_key); } while (0)
/* A lock outside of the order checks. */
#define spin_init_unchecked(l) spin_init_class((l), NULL)
#else
#define SPINLOCK_INIT(name) { .word = 0 }
static inline void spin_init(struct spinlock *l) { l->word = 0; }
static inline void spin_init_unchecked(struct spinlock *l) { l->word = 0; }
#endif

void spin_lock_contended(struct spinlock *l, uint16_t ticket);

#ifdef CONFIG_DEBUG
void lockcheck_acquire(const void *key, const void *lock, bool trylock);
void lockcheck_release(const void *key, const void *lock);
#else
static inline void lockcheck_acquire(const void *k, const void *l, bool t) { (void)k; (void)l; (void)t; }
static inline void lockcheck_release(const void *k, const void *l) { (void)k; (void)l; }
#endif

#ifdef CONFIG_DEBUG
#define SPIN_KEY(l) ((l)->class_key)
#else
#define SPIN_KEY(l) NULL
#endif

/* Takes the lock without touching preemption: for code that has disabled it already (scheduler). */
static inline void spin_lock_raw(struct spinlock *l)
{
	uint16_t ticket;

	lockcheck_acquire(SPIN_KEY(l), l, false);
	ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
	if (unlikely(__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket))
		spin_lock_contended(l, ticket);
}

static inline void spin_unlock_raw(struct spinlock *l)
{
	lockcheck_release(SPIN_KEY(l), l);
	__atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
}

static inline void spin_lock(struct spinlock *l)
{
	preempt_disable();
	spin_lock_raw(l);
}

static inline void spin_unlock(struct spinlock *l)
{
	spin_unlock_raw(l);
	preempt_enable();
}

static inline bool spin_is_locked(const struct spinlock *l)
{
	return READ_ONCE(l->owner) != READ_ONCE(l->next);
}

/* True if the lock was taken; preemption is then disabled. */
static inline bool spin_trylock(struct spinlock *l)
{
	struct spinlock old, new;

	preempt_disable();
	old.word = READ_ONCE(l->word);
	new.word = old.word;
	new.next++;
	if (old.owner == old.next &&
	    __atomic_compare_exchange_n(&l->word, &old.word, new.word, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED)) {
		lockcheck_acquire(SPIN_KEY(l), l, true);
		return true;
	}
	preempt_enable();
	return false;
}

/* Disables interrupts on this CPU and takes the lock; returns what spin_unlock_irqrestore wants. */
static inline unsigned long spin_lock_irqsave(struct spinlock *l)
{
	unsigned long flags = arch_irq_save();

	preempt_disable();
	spin_lock_raw(l);
	return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *l, unsigned long flags)
{
	spin_unlock_raw(l);
	arch_irq_restore(flags);
	preempt_enable();
}
