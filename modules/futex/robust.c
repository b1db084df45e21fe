/*
 * Robust lists: locks that a thread still holds when it ends, or when its memory goes away in exec, are marked and passed on.
 *
 * The list is user memory: every pointer may be wrong, unaligned or part of a cycle. The walk is bounded and a bad entry ends it.
 */
#include "internal.h"

#include <gen/futex.h>

#define ROBUST_LIST_LIMIT 2048

long sys_set_robust_list(struct uaddr_robust_list_head head, size_t size)
{
	if (size != sizeof(struct robust_list_head))
		return -EINVAL;
	thread_set_data(current, futex_slot, (void *)head.addr);
	return 0;
}

/* The head as another thread has set it. */
static void head_of(struct thread *t, void *arg)
{
	*(uintptr_t *)arg = (uintptr_t)thread_data(t, futex_slot);
}

long sys_get_robust_list(int32_t tid, struct uout_word head, struct uout_usize size)
{
	uintptr_t value = (uintptr_t)thread_data(current, futex_slot);
	int error = tid ? service(process)->inspect(tid, head_of, &value) : 0;

	if (error)
		return error;
	if (user_store_u64(size.addr, sizeof(struct robust_list_head)))
		return -EFAULT;
	return user_store_u64(head.addr, value);
}

/*
 * The owner of this word ends: marks it and wakes one who waits.
 *
 * `pending`: the thread wanted the lock or was giving it back, and may owe a wake-up: it stored 0 and never came to wake, or it was woken
 * and never came to take the lock, which is free then, marked by another owner's death, or taken by somebody who does not know
 * that there are waiters. One of them looks at the word in our place; if it need not have, it sleeps again.
 */
static int handle_death(uintptr_t uaddr, uint32_t tid, bool pi, bool pending)
{
	uint32_t word, seen, new;

	if (uaddr & 3)
		return -EFAULT;
	for (;;) {
		if (user_load_u32(uaddr, &word))
			return -EFAULT;
		if ((word & FUTEX_TID_MASK) != tid) {
			if (pending && !pi)
				futex_wake(uaddr, false, 1, FUTEX_BITSET_MATCH_ANY);
			return 0;
		}
		new = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
		if (user_cmpxchg_u32(uaddr, word, new, &seen))
			return -EFAULT;
		if (seen == word)
			break;
	}
	if (!pi && (word & FUTEX_WAITERS))
		futex_wake(uaddr, false, 1, FUTEX_BITSET_MATCH_ANY);
	return 0;
}

/* Reads a list pointer; its lowest bit says that the lock is a PI one. */
static int fetch(uintptr_t from, uintptr_t *entry, bool *pi)
{
	uint64_t v;

	if (user_load_u64(from, &v))
		return -EFAULT;
	*entry = v & ~1ul;
	*pi = v & 1;
	return 0;
}

static void walk(uintptr_t head, uint32_t tid)
{
	uintptr_t entry, next, pending;
	bool pi, next_pi, pending_pi;
	uint64_t offset;

	if (fetch(head, &entry, &pi) || user_load_u64(head + offsetof(struct robust_list_head, futex_offset), &offset) ||
	    fetch(head + offsetof(struct robust_list_head, list_op_pending), &pending, &pending_pi))
		return;
	for (unsigned int n = 0; entry != head && n < ROBUST_LIST_LIMIT; n++) {
		int error = fetch(entry, &next, &next_pi);

		/* The next pointer is read first: the lock may be freed by who is woken. */
		if (entry != pending && handle_death(entry + offset, tid, pi, false))
			return;
		if (error)
			return;
		entry = next;
		pi = next_pi;
	}
	if (pending)
		handle_death(pending + offset, tid, pending_pi, true);
}

static void release_list(struct thread *t)
{
	uintptr_t head = (uintptr_t)thread_data(t, futex_slot);

	thread_set_data(t, futex_slot, NULL);
	if (head && t == current && t->aspace)
		walk(head, (uint32_t)service(process)->tid());
}

void futex_exec_release(struct thread *t)
{
	release_list(t);
	pi_release_all();
}

/* The list first: who finds out that nobody can wait for this thread any more looks at the word again. */
void futex_thread_exit(struct thread *t)
{
	release_list(t);
	pi_thread_exit(t);
}

void futex_drop(struct thread *t)
{
	thread_set_data(t, futex_slot, NULL);
}
