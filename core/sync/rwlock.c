/*
 * Sleeping reader-writer lock.
 *
 * Without waiters all is a swap of `state`. RWLOCK_WAITING is set, under `lock`, while the lists are not empty; then whoever comes or
 * leaves the lock free goes through `lock`, so what happens while the bit is set and nobody is inside happens under it.
 *
 * A lock that becomes free is given away at first by waking who is next (take_turns): who comes meanwhile may have it, so that two that
 * want it often need no switch for each time. A waiter that was woken in vain presses, and from then on nobody passes it: the lock
 * is handed over, `granted`, by who leaves it. If the lock is free and somebody waits, one of those has been woken and not looked yet.
 *
 * A waiter's record is on its stack and is not touched after `granted` is set; its thread outlives the lock's holder being in
 * a section without switches.
 */
#include "core/sync/rwlock.h"

#include "core/debug/panic.h"
#include "core/module/export.h"
#include "core/sched/cpu.h"
#include "core/sched/thread.h"

struct rwlock_waiter {
	struct list link;
	struct thread *thread;
	bool write;
	bool woken;			/* may try */
	bool pressing;			/* tried in vain */
	bool granted;			/* has the lock, and is in no list */
};

void rwlock_init(struct rwlock *l)
{
	l->state = 0;
	l->pressing = 0;
	l->writer = 0;
	spin_init(&l->lock);
	list_init(&l->readers);
	list_init(&l->writers);
}
KAPI(rwlock_init);

bool rwlock_read_trylock(struct rwlock *l)
{
	uint32_t s = READ_ONCE(l->state);

	while (!(s & (RWLOCK_WRITER | RWLOCK_WAITING)))
		if (__atomic_compare_exchange_n(&l->state, &s, s + 1, true, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
	return false;
}
KAPI(rwlock_read_trylock);

static bool write_trylock(struct rwlock *l)
{
	uint32_t expected = 0;

	if (!__atomic_compare_exchange_n(&l->state, &expected, RWLOCK_WRITER, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	WRITE_ONCE(l->writer, (uintptr_t)current);
	return true;
}

/* As the lists are, so is the bit. `enter` is added at the same step. lock held. */
static void leave_list(struct rwlock *l, struct rwlock_waiter *w, uint32_t enter)
{
	list_remove(&w->link);
	if (w->pressing)
		l->pressing--;
	if (list_empty(&l->readers) && list_empty(&l->writers))
		enter -= RWLOCK_WAITING;
	if (enter)
		__atomic_fetch_add(&l->state, enter, __ATOMIC_SEQ_CST);
}

/* lock held. w's record is its thread's again at once. */
static void grant(struct rwlock *l, struct rwlock_waiter *w)
{
	struct thread *t = w->thread;

	if (w->write)
		WRITE_ONCE(l->writer, (uintptr_t)t);
	leave_list(l, w, w->write ? RWLOCK_WRITER : 1);
	store_release(&w->granted, true);
	thread_wake(t);
}

static void wake(struct rwlock_waiter *w)
{
	struct thread *t = w->thread;

	WRITE_ONCE(w->woken, true);
	thread_wake(t);
}

/* Nobody is inside and somebody waits: whose turn is it? lock held. */
static void take_turns(struct rwlock *l, bool after_writer)
{
	struct rwlock_waiter *w, *next;

	if (READ_ONCE(l->state) != RWLOCK_WAITING)
		return;
	if (list_empty(&l->readers) || (!after_writer && !list_empty(&l->writers))) {
		w = list_first(&l->writers, struct rwlock_waiter, link);
		if (l->pressing)
			grant(l, w);
		else
			wake(w);
		return;
	}
	list_for_each_safe(w, next, &l->readers, link) {
		if (l->pressing || READ_ONCE(l->state) != RWLOCK_WAITING)
			grant(l, w);
		else
			wake(w);
	}
}

static void left_free(struct rwlock *l, bool after_writer)
{
	spin_lock(&l->lock);
	take_turns(l, after_writer);
	spin_unlock(&l->lock);
}

/* May `w` come in now? If so, it is inside. `w` waits or has just come. lock held. */
static bool enter(struct rwlock *l, struct rwlock_waiter *w)
{
	uint32_t s = READ_ONCE(l->state), barred = w->write ? RWLOCK_INSIDE : RWLOCK_WRITER;

	/* Who was woken has its turn, but for those who press. */
	if (l->pressing || (!w->write && !w->woken && !list_empty(&l->writers)))
		return false;
	while (!(s & barred))
		if (__atomic_compare_exchange_n(&l->state, &s, s + (w->write ? RWLOCK_WRITER : 1), true,
						__ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
			if (w->write)
				WRITE_ONCE(l->writer, (uintptr_t)current);
			return true;
		}
	return false;
}

/* Tries, and if that fails waits in the list: it is true that somebody is inside then, or that another has been woken. */
static bool enter_or_queue(struct rwlock *l, struct rwlock_waiter *w)
{
	bool inside;

	spin_lock(&l->lock);
	inside = enter(l, w);
	if (!inside) {
		list_add_tail(w->write ? &l->writers : &l->readers, &w->link);
		/* The bit first: then the last who leaves comes to lock, unless he had left before. */
		__atomic_fetch_or(&l->state, RWLOCK_WAITING, __ATOMIC_SEQ_CST);
		inside = enter(l, w);
		if (inside)
			leave_list(l, w, 0);
	}
	spin_unlock(&l->lock);
	return inside;
}

/* A waiter that was woken tries. False: it presses from now on. */
static bool enter_woken(struct rwlock *l, struct rwlock_waiter *w)
{
	bool inside;

	spin_lock(&l->lock);
	inside = w->granted;
	if (!inside && enter(l, w)) {
		leave_list(l, w, 0);
		inside = true;
	}
	if (!inside) {
		w->woken = false;
		if (!w->pressing)
			l->pressing++;
		w->pressing = true;
		take_turns(l, !w->write);	/* it may have become free since */
		inside = w->granted;
	}
	spin_unlock(&l->lock);
	return inside;
}

/* A waiter that was killed. True if it has got the lock all the same. */
static bool give_up(struct rwlock *l, struct rwlock_waiter *w)
{
	bool inside;

	spin_lock(&l->lock);
	inside = w->granted;
	if (!inside) {
		struct rwlock_waiter *r, *next;

		leave_list(l, w, 0);
		/* Readers who wait behind us, while others read. */
		if (list_empty(&l->writers) && !(READ_ONCE(l->state) & RWLOCK_WRITER))
			list_for_each_safe(r, next, &l->readers, link)
				grant(l, r);
		take_turns(l, false);
	}
	spin_unlock(&l->lock);
	return inside;
}

static bool called(const struct rwlock_waiter *w)
{
	return READ_ONCE(w->woken) || load_acquire(&w->granted);
}

/* Long enough for some changes of mappings: to sleep and be woken costs more than the turns of those before. */
#define TURN_SPINS (16 * LOCK_SPINS)

static void spin(struct rwlock *l, struct rwlock_waiter *w)
{
	for (unsigned int i = 0; i < TURN_SPINS && !called(w) && owner_worth_spinning(&l->writer); i++)
		arch_cpu_relax();
}

static int lock_slow(struct rwlock *l, bool write, enum wait_mode mode)
{
	struct rwlock_waiter self = { .link = LIST_INIT(self.link), .thread = current, .write = write };
	int result = 0;

	if (enter_or_queue(l, &self))
		return 0;
	for (;;) {
		spin(l, &self);
		for (;;) {
			wait_prepare(mode);
			if (called(&self) || result)
				break;
			result = wait_sleep(TIME_NEVER);
		}
		wait_finish();
		if (load_acquire(&self.granted))
			return 0;
		if (!READ_ONCE(self.woken))
			return give_up(l, &self) ? 0 : result;
		result = 0;
		if (enter_woken(l, &self))
			return 0;
	}
}

void rwlock_read_lock(struct rwlock *l)
{
	might_sleep();
	if (unlikely(!rwlock_read_trylock(l)))
		lock_slow(l, false, WAIT_UNINTERRUPTIBLE);
}
KAPI(rwlock_read_lock);

void rwlock_read_unlock(struct rwlock *l)
{
	if (unlikely(__atomic_sub_fetch(&l->state, 1, __ATOMIC_SEQ_CST) == RWLOCK_WAITING))
		left_free(l, false);
}
KAPI(rwlock_read_unlock);

static int write_lock(struct rwlock *l, enum wait_mode mode)
{
	might_sleep();
	return likely(write_trylock(l)) ? 0 : lock_slow(l, true, mode);
}

void rwlock_write_lock(struct rwlock *l)
{
	write_lock(l, WAIT_UNINTERRUPTIBLE);
}
KAPI(rwlock_write_lock);

int rwlock_write_lock_killable(struct rwlock *l)
{
	return write_lock(l, WAIT_KILLABLE);
}
KAPI(rwlock_write_lock_killable);

void rwlock_write_unlock(struct rwlock *l)
{
	WRITE_ONCE(l->writer, 0);
	if (unlikely(__atomic_sub_fetch(&l->state, RWLOCK_WRITER, __ATOMIC_SEQ_CST)))
		left_free(l, true);
}
KAPI(rwlock_write_unlock);
