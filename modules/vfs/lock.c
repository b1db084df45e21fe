/*
 * File locks. Each inode that ever was locked has a list of locks, under its mutex; who waits sleeps on the list's queue and looks again
 * whenever a lock went or shrank (`changes`).
 *
 * Locks of one owner never overlap: setting one cuts those it meets. Record locks of the two kinds conflict with each other,
 * flock locks only among themselves. Deadlocks are looked for among POSIX waiters: waiters_lock guards the list of who waits for
 * which owner; a chain from the one in the way back to the caller means -EDEADLK.
 */
#include <linux/fcntl.h>

#include "modules/vfs/lock_list.h"

struct lock_waiter {
	struct list link;
	const void *owner, *blocker;
};

static struct spinlock waiters_lock = SPINLOCK_INIT(waiters_lock);
static struct list waiters = LIST_INIT(waiters);

struct file_lock_list *lock_list_of(struct inode *inode)
{
	struct file_lock_list *l = load_acquire(&inode->locks), *expected = NULL;

	if (l)
		return l;
	l = kzalloc(sizeof(*l), 0);
	if (!l)
		return NULL;
	mutex_init(&l->mutex);
	list_init(&l->leases);
	list_init(&l->pending);
	list_init(&l->all_link);
	l->inode = inode;
	wait_queue_init(&l->wait);
	if (__atomic_compare_exchange_n(&inode->locks, &expected, l, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		lock_list_register(l);
		return l;
	}
	kfree(l);
	return expected;
}

/* A lock for a list, charged to the caller's user. Null when out, or beyond the limit unless `must`. */
static struct held_lock *alloc_lock(bool must)
{
	struct account *a = account_find();
	struct held_lock *l;

	if (!a)
		return NULL;
	if (must)
		account_add(a, ACCOUNT_LOCKS, 1);
	else if (!account_charge(a, ACCOUNT_LOCKS, 1))
		goto undo_account;
	l = kzalloc(sizeof(*l), 0);
	if (l) {
		l->account = a;
		return l;
	}
	account_sub(a, ACCOUNT_LOCKS, 1);
undo_account:
	account_put(a);
	return NULL;
}

static void free_lock(struct held_lock *l)
{
	if (!l)
		return;
	account_sub(l->account, ACCOUNT_LOCKS, 1);
	account_put(l->account);
	kfree(l);
}

static void drop(struct file_lock_list *list, struct held_lock *l)
{
	lock_tree_remove(list, l);
	free_lock(l);
}

/* Gives a lock that is in the trees another range. */
static void set_range(struct file_lock_list *list, struct held_lock *l, int64_t start, int64_t end)
{
	lock_tree_remove(list, l);
	l->lock.start = start;
	l->lock.end = end;
	lock_tree_add(list, l);
}

void lock_list_changed(struct file_lock_list *list)
{
	WRITE_ONCE(list->changes, list->changes + 1);
	wait_wake_all(&list->wait);
}

/* What is left of `old`, of another type, beside the range of *l. */
static void cut(struct file_lock_list *list, struct held_lock *old, const struct file_lock *l, struct held_lock **spare)
{
	int64_t end = old->lock.end;

	if (old->lock.start < l->start) {
		if (end > l->end) {
			/* A hole in the middle. */
			struct held_lock *upper = *spare;

			*spare = NULL;
			upper->lock = old->lock;
			upper->lock.start = l->end + 1;
			set_range(list, old, old->lock.start, l->start - 1);
			lock_tree_add(list, upper);
			return;
		}
		set_range(list, old, old->lock.start, l->start - 1);
	} else if (end > l->end) {
		set_range(list, old, l->end + 1, end);
	} else {
		drop(list, old);
	}
}

/*
 * Puts *l in place of whatever its owner has in the range. `spare` are two allocated locks; those used are set to null.
 */
static void apply(struct file_lock_list *list, const struct file_lock *l, struct held_lock *spare[2])
{
	struct file_lock merged = *l;
	struct held_lock *old = lock_tree_own(list, l->owner, l->kind, l->start - (l->start > 0)), *next;

	for (; old && (merged.end == INT64_MAX || old->lock.start <= merged.end + 1); old = next) {
		next = lock_tree_own_next(old);
		if (old->lock.type == l->type) {
			/* It meets the range, or ends or begins beside it. */
			merged.start = MIN(merged.start, old->lock.start);
			merged.end = MAX(merged.end, old->lock.end);
			drop(list, old);
		} else if (old->lock.start <= l->end && l->start <= old->lock.end) {
			cut(list, old, l, &spare[1]);
		}
	}
	if (l->type != F_UNLCK) {
		spare[0]->lock = merged;
		lock_tree_add(list, spare[0]);
		spare[0] = NULL;
	}
	lock_list_changed(list);
}

/* Would waiting for `blocker` close a circle to `owner`? waiters_lock is held. */
static bool closes_circle(const void *owner, const void *blocker)
{
	for (int steps = 0; steps < 64; steps++) {
		struct lock_waiter *w;
		const void *next = NULL;

		if (blocker == owner)
			return true;
		list_for_each(w, &waiters, link) {
			if (w->owner == blocker) {
				next = w->blocker;
				break;
			}
		}
		if (!next)
			return false;
		blocker = next;
	}
	return false;
}

/* Sleeps until the list changed. */
static int wait_for_change(struct file_lock_list *list, unsigned int seen, const struct file_lock *l,
			   const struct file_lock *conflict_kind, const void *blocker)
{
	struct lock_waiter self = { .owner = l->owner, .blocker = blocker };
	bool record = l->kind == LOCK_POSIX && conflict_kind->kind == LOCK_POSIX;
	int error;

	if (record) {
		spin_lock(&waiters_lock);
		if (closes_circle(l->owner, blocker)) {
			spin_unlock(&waiters_lock);
			return -EDEADLK;
		}
		list_add_tail(&waiters, &self.link);
		spin_unlock(&waiters_lock);
	}
	error = wait_event(&list->wait, READ_ONCE(list->changes) != seen, WAIT_INTERRUPTIBLE, TIME_NEVER);
	if (record) {
		spin_lock(&waiters_lock);
		list_remove(&self.link);
		spin_unlock(&waiters_lock);
	}
	return (int)wait_error(error);
}

/* An flock that changes its type lets go of the old one first, so it may lose it. */
static void drop_own_flock(struct file_lock_list *list, const struct file_lock *l)
{
	struct held_lock *old = lock_tree_own(list, l->owner, l->kind, 0);

	if (old && old->lock.type != l->type) {
		drop(list, old);
		lock_list_changed(list);
	}
}

static int set_or_wait(struct file_lock_list *list, const struct file_lock *l, bool wait,
		       struct held_lock *spare[2])
{
	for (;;) {
		struct pending_lock pending = { .lock = l };
		struct held_lock *conflict;
		struct file_lock kind;
		unsigned int seen;
		int error;

		mutex_lock(&list->mutex);
		if (l->kind == LOCK_FLOCK)
			drop_own_flock(list, l);
		conflict = l->type == F_UNLCK ? NULL : lock_tree_conflict(list, l);
		if (!conflict) {
			apply(list, l, spare);
			mutex_unlock(&list->mutex);
			return 0;
		}
		kind = conflict->lock;
		seen = list->changes;
		if (wait)
			list_add_tail(&list->pending, &pending.link);
		mutex_unlock(&list->mutex);
		if (!wait)
			return -EAGAIN;
		error = wait_for_change(list, seen, l, &kind, kind.owner);
		mutex_lock(&list->mutex);
		list_remove(&pending.link);
		mutex_unlock(&list->mutex);
		if (error)
			return error;
	}
}

int lock_set(struct inode *inode, const struct file_lock *l, bool wait)
{
	struct held_lock *spare[2] = { NULL, NULL };
	struct file_lock_list *list;
	int error = -ENOLCK;

	if (l->type == F_UNLCK && !READ_ONCE(inode->locks))
		return 0;
	list = lock_list_of(inode);
	/* Taking a lock off may need one more, for what is left on both sides. */
	spare[0] = alloc_lock(l->type == F_UNLCK);
	spare[1] = alloc_lock(l->type == F_UNLCK);
	if (list && spare[0] && spare[1])
		error = set_or_wait(list, l, wait, spare);
	free_lock(spare[0]);
	free_lock(spare[1]);
	return error;
}

void lock_test(struct inode *inode, struct file_lock *l)
{
	struct file_lock_list *list = load_acquire(&inode->locks);
	struct held_lock *conflict = NULL;

	if (list) {
		mutex_lock(&list->mutex);
		conflict = lock_tree_conflict(list, l);
		if (conflict)
			*l = conflict->lock;
		mutex_unlock(&list->mutex);
	}
	if (!conflict)
		l->type = F_UNLCK;
}

/* All locks of this kind that the owner has; true if there were some. The mutex is held. */
static bool release(struct file_lock_list *list, const void *owner, enum file_lock_kind kind)
{
	struct held_lock *l;
	bool any = false;

	while ((l = lock_tree_own(list, owner, kind, 0))) {
		drop(list, l);
		any = true;
	}
	return any;
}

void locks_release_posix(struct file *f, const struct fd_table *owner)
{
	struct file_lock_list *list = load_acquire(&f->inode->locks);

	if (!list)
		return;
	mutex_lock(&list->mutex);
	if (release(list, owner, LOCK_POSIX))
		lock_list_changed(list);
	mutex_unlock(&list->mutex);
}

void locks_release_file(struct file *f)
{
	struct file_lock_list *list = load_acquire(&f->inode->locks);
	bool any;

	if (!list)
		return;
	mutex_lock(&list->mutex);
	any = release(list, f, LOCK_OFD);
	any |= release(list, f, LOCK_FLOCK);
	if (any)
		lock_list_changed(list);
	lease_release(list, f);
	mutex_unlock(&list->mutex);
}

void locks_free(struct inode *inode)
{
	struct file_lock_list *list = inode->locks;

	if (!list)
		return;
	lock_list_unregister(list);
	kfree(list);
}
