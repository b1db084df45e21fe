/*
 * From addresses to queues: keys, the hash of buckets, and lists of threads to wake.
 *
 * A private word is its address space's number and address; a shared one its memory object's number and offset: numbers are never
 * used twice, so a waiter cannot be taken for that of another object that came to the same place.
 */
#include "internal.h"

#include "core/mem/vmap.h"
#include "core/sched/sched.h"
#include "core/sync/rcu.h"

static struct futex_bucket *buckets;
static unsigned int bucket_mask;
unsigned int futex_hash_bits;			/* parameter; 0: by the number of CPUs */
int futex_slot;
unsigned long futex_wakes;			/* parameter, to be read */

int futex_init(void)
{
	unsigned int bits = futex_hash_bits;

	if (bits == 0)
		for (bits = 8; (1u << bits) < 256 * cpu_count && bits < 16; bits++)
			;
	if (bits < 4 || bits > 20)
		return -EINVAL;
	buckets = kvmalloc(sizeof(*buckets) << bits, ALLOC_ZERO);
	if (!buckets)
		return -ENOMEM;
	bucket_mask = (1u << bits) - 1;
	for (unsigned int i = 0; i <= bucket_mask; i++) {
		spin_init(&buckets[i].lock);
		list_init(&buckets[i].queue);
		list_init(&buckets[i].pi_states);
	}
	return 0;
}

void futex_exit(void)
{
	kvfree(buckets);
}

int futex_key_get(uintptr_t uaddr, bool private_key, struct futex_key *out)
{
	struct aspace_key k;
	int error;

	if (uaddr & 3)
		return -EINVAL;
	if (!user_range_ok(uaddr, 4))
		return -EFAULT;
	if (private_key) {
		*out = (struct futex_key){ current->aspace->id, uaddr, KEY_PRIVATE };
		return 0;
	}
	error = aspace_futex_key(current->aspace, uaddr, false, &k);
	if (!error)
		*out = (struct futex_key){ k.id, k.offset, k.shared ? KEY_OBJECT : KEY_ASPACE };
	return error;
}

struct futex_bucket *futex_bucket_of(const struct futex_key *key)
{
	uint64_t h = (key->offset >> 2) * 0x9e3779b97f4a7c15ull ^ key->id * 0xc2b2ae3d27d4eb4full;

	return &buckets[(h >> 32) & bucket_mask];
}

void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		spin_lock(a < b ? &b->lock : &a->lock);
}

void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

void futex_queue_locked(struct futex_bucket *b, struct futex_waiter *w)
{
	struct list *at = &b->queue;

	w->priority = w->thread->sched.base_priority;
	if (w->priority > 0)
		for (at = b->queue.next; at != &b->queue; at = at->next)
			if (list_entry(at, struct futex_waiter, link)->priority < w->priority)
				break;
	list_add_tail(at, &w->link);
}

void futex_mark_woken(struct futex_waiter *w, struct wake_list *wakes)
{
	struct futex_bucket *b = w->bucket;
	struct thread *t = w->thread;

#ifdef FUTEX_COUNT_WAKES
	__atomic_fetch_add(&futex_wakes, 1, __ATOMIC_RELAXED);
#endif
	thread_get(t);
	list_remove(&w->link);
	__atomic_fetch_sub(&b->waiters, 1, __ATOMIC_RELAXED);
	/* Pairs with the sleeper's acquire: from here on the waiter is its owner's again. */
	store_release(&w->bucket, NULL);
	/* Not earlier: if another waker has the thread in its list, that wake-up must find the store. */
	wake_list_add(wakes, t);
	thread_put(t);
}
