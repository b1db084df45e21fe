/*
 * Numbers of threads, processes, groups and sessions. See pid.h.
 *
 * A bitmap says which numbers are taken, a hash finds the structs. Numbers are given out in rising order and wrap above PID_RESERVED.
 *
 * Locking: tree_lock guards bitmap, hash and uses. The struct itself goes when its references go.
 */
#include "internal.h"

#define HASH_SIZE 4096

static unsigned long taken[BITMAP_LONGS(PID_MAX)];
static struct pid *hash[HASH_SIZE];
int pid_last;
MODAPI(pid_last);
static struct kmem_cache *pid_cache;

struct pid pid_none;

int pid_start(void)
{
	bitmap_set(taken, 0);
	refcount_init(&pid_none.refs, 1);
	list_init(&pid_none.group);
	list_init(&pid_none.session);
	wait_queue_init(&pid_none.wait);
	pid_none.uses = 1;		/* never given back: the number stays taken */
	pid_cache = kmem_cache_create("pid", sizeof(struct pid), 0);
	return pid_cache ? 0 : -ENOMEM;
}

static struct pid **bucket(int nr) { return &hash[(unsigned int)nr % HASH_SIZE]; }

/* A free number, marked taken. tree_lock held. -EAGAIN. */
static int take_number(int wanted)
{
	unsigned int nr;

	if (wanted) {
		if (bitmap_test(taken, (unsigned int)wanted))
			return -EEXIST;
		bitmap_set(taken, (unsigned int)wanted);
		return wanted;
	}
	nr = bitmap_next_clear(taken, PID_MAX, (unsigned int)READ_ONCE(pid_last) + 1);
	if (nr >= PID_MAX) {
		nr = bitmap_next_clear(taken, PID_MAX, PID_RESERVED);
		if (nr >= PID_MAX)
			return -EAGAIN;
	}
	bitmap_set(taken, nr);
	WRITE_ONCE(pid_last, (int)nr);
	return (int)nr;
}

int pid_allocate(int wanted, struct pid **out)
{
	struct pid *p;
	unsigned long flags;
	int nr;

	if (wanted < 0 || wanted >= PID_MAX)
		return -EINVAL;
	p = kmem_cache_alloc(pid_cache, ALLOC_ZERO);
	if (!p)
		return -ENOMEM;
	refcount_init(&p->refs, 1);
	list_init(&p->group);
	list_init(&p->session);
	wait_queue_init(&p->wait);
	p->uses = 1;
	flags = spin_lock_irqsave(&tree_lock);
	nr = take_number(wanted);
	if (nr > 0) {
		p->nr = nr;
		p->hash_next = *bucket(nr);
		*bucket(nr) = p;
	}
	spin_unlock_irqrestore(&tree_lock, flags);
	if (nr < 0) {
		kmem_cache_free(pid_cache, p);
		return nr;
	}
	*out = p;
	return 0;
}

static void pid_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(pid_cache, container_of(head, struct pid, rcu));
}

void pid_put(struct pid *p)
{
	if (p && refcount_put(&p->refs))
		rcu_call(&p->rcu, pid_free_rcu);
}
MODAPI(pid_put);

void pid_use_locked(struct pid *p)
{
	p->uses++;
}

void pid_unuse_locked(struct pid *p)
{
	struct pid **link;

	if (--p->uses)
		return;
	for (link = bucket(p->nr); *link != p; link = &(*link)->hash_next)
		;
	*link = p->hash_next;
	bitmap_clear(taken, (unsigned int)p->nr);
}

struct pid *pid_find_locked(int nr)
{
	struct pid *p;

	if (nr <= 0)
		return NULL;
	for (p = *bucket(nr); p && p->nr != nr; p = p->hash_next)
		;
	return p;
}

struct pid *pid_find(int nr)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *p = pid_find_locked(nr);

	if (p)
		pid_get(p);
	spin_unlock_irqrestore(&tree_lock, flags);
	return p;
}
MODAPI(pid_find);

struct pid *pid_next_locked(int nr)
{
	unsigned int at = bitmap_next_set(taken, PID_MAX, nr < 1 ? 1 : (unsigned int)nr);

	return at < PID_MAX ? pid_find_locked((int)at) : NULL;
}

struct pid *pid_next(int nr)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *p = pid_next_locked(nr);

	if (p)
		pid_get(p);
	spin_unlock_irqrestore(&tree_lock, flags);
	return p;
}
MODAPI(pid_next);
