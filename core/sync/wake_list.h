/*
 * Threads to be woken later, when locks are dropped: any number, in order, without memory.
 *
 * A thread is in at most one list at a time. If it is in another one already, that waker has not woken it yet and its wake-up
 * serves for ours, too: it comes after everything that we did before wake_list_add().
 */
#pragma once

#include "core/sched/thread.h"

struct wake_list {
	struct thread *first;
	struct thread **last;
};

#define WAKE_LIST_END ((struct thread *)1)

static inline void wake_list_init(struct wake_list *l)
{
	l->first = WAKE_LIST_END;
	l->last = &l->first;
}

static inline void wake_list_add(struct wake_list *l, struct thread *t)
{
	struct thread *expected = NULL;

	/* Full barrier: pairs with the one of thread_wake by the other waker, which follows its store of null. */
	if (!__atomic_compare_exchange_n(&t->wake_next, &expected, WAKE_LIST_END, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return;
	thread_get(t);
	*l->last = t;
	l->last = &t->wake_next;
}

static inline void wake_list_deliver(struct wake_list *l)
{
	struct thread *t = l->first;

	while (t != WAKE_LIST_END) {
		struct thread *next = t->wake_next;

		WRITE_ONCE(t->wake_next, NULL);
		thread_wake(t);
		thread_put(t);
		t = next;
	}
	wake_list_init(l);
}
