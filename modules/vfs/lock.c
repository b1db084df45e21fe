/*
 * File locks. Each inode that ever was locked has a list of locks, sorted by start, under its mutex; who waits sleeps on
 * the list's queue and looks again whenever a lock went or shrank (`changes`).
 *
 * POSIX locks of one owner never overlap: setting one cuts those it meets. Record locks of the two kinds conflict with each other,
 * flock locks only among themselves. Deadlocks are looked for among POSIX waiters: waiters_lock guards the list of who waits for
 * which owner; a chain from the one in the way back to the caller means -EDEADLK.
 */
#include <linux/fcntl.h>

#include "modules/vfs/account.h"
#include "modules/vfs/lock.h"
#include "modules/vfs/text_file.h"

struct file_lock_list {
	struct mutex mutex;
	struct list locks;
	struct list pending;		/* of pending_lock */
	struct list all_link;		/* under lists_mutex */
	const struct inode *inode;
	unsigned int changes;
	struct wait_queue wait;
};

/* Somebody waits with it; on the waiter's stack. */
struct pending_lock {
	struct list link;
	const struct file_lock *lock;
};

/* All lists, for /proc/locks. Taken before a list's mutex. */
static struct mutex lists_mutex = MUTEX_INIT(lists_mutex);
static struct list lists = LIST_INIT(lists);

struct lock_waiter {
	struct list link;
	const void *owner, *blocker;
};

static struct spinlock waiters_lock = SPINLOCK_INIT(waiters_lock);
static struct list waiters = LIST_INIT(waiters);

/* The inode's list, made on first use. Null when out. */
static struct file_lock_list *list_of(struct inode *inode)
{
	struct file_lock_list *l = load_acquire(&inode->locks), *expected = NULL;

	if (l)
		return l;
	l = kzalloc(sizeof(*l), 0);
	if (!l)
		return NULL;
	mutex_init(&l->mutex);
	list_init(&l->locks);
	list_init(&l->pending);
	list_init(&l->all_link);
	l->inode = inode;
	wait_queue_init(&l->wait);
	if (__atomic_compare_exchange_n(&inode->locks, &expected, l, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		mutex_lock(&lists_mutex);
		list_add_tail(&lists, &l->all_link);
		mutex_unlock(&lists_mutex);
		return l;
	}
	kfree(l);
	return expected;
}

/* A lock for a list, charged to the caller's user. Null when out, or beyond the limit unless `must`. */
static struct file_lock *alloc_lock(bool must)
{
	struct account *a = account_find();
	struct file_lock *l;

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

static void free_lock(struct file_lock *l)
{
	if (!l)
		return;
	account_sub(l->account, ACCOUNT_LOCKS, 1);
	account_put(l->account);
	kfree(l);
}

static void put_into(struct file_lock *to, const struct file_lock *from)
{
	struct account *a = to->account;

	*to = *from;
	to->account = a;
}

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
	return a->kind == b->kind && a->owner == b->owner;
}

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
	return a->start <= b->end && b->start <= a->end;
}

static struct file_lock *find_conflict(struct file_lock_list *list, const struct file_lock *l)
{
	struct file_lock *other;

	list_for_each(other, &list->locks, link) {
		if ((other->kind == LOCK_FLOCK) != (l->kind == LOCK_FLOCK) || same_owner(other, l))
			continue;
		if ((other->type == F_WRLCK || l->type == F_WRLCK) && overlap(other, l))
			return other;
	}
	return NULL;
}

static void insert_sorted(struct file_lock_list *list, struct file_lock *l)
{
	struct file_lock *other;

	list_for_each(other, &list->locks, link) {
		if (other->start > l->start)
			break;
	}
	list_add_tail(&other->link, &l->link);
}

static void changed(struct file_lock_list *list)
{
	WRITE_ONCE(list->changes, list->changes + 1);
	wait_wake_all(&list->wait);
}

/*
 * Puts *l in place of whatever its owner has in the range. `spare` are two allocated locks; those used are set to null.
 */
static void apply(struct file_lock_list *list, const struct file_lock *l, struct file_lock *spare[2])
{
	struct file_lock merged = *l, *old, *next;

	list_for_each_safe(old, next, &list->locks, link) {
		if (!same_owner(old, l))
			continue;
		if (old->type == l->type && l->type != F_UNLCK && old->start <= (merged.end == INT64_MAX ? INT64_MAX : merged.end + 1) &&
		    merged.start <= (old->end == INT64_MAX ? INT64_MAX : old->end + 1)) {
			merged.start = MIN(merged.start, old->start);
			merged.end = MAX(merged.end, old->end);
			list_remove(&old->link);
			free_lock(old);
			continue;
		}
		if (!overlap(old, l))
			continue;
		if (old->start < l->start && old->end > l->end) {
			/* A hole in the middle. */
			struct file_lock *upper = spare[1];

			spare[1] = NULL;
			put_into(upper, old);
			upper->start = l->end + 1;
			old->end = l->start - 1;
			insert_sorted(list, upper);
		} else if (old->start < l->start) {
			old->end = l->start - 1;
		} else if (old->end > l->end) {
			struct file_lock *moved = old;

			list_remove(&moved->link);
			moved->start = l->end + 1;
			insert_sorted(list, moved);
		} else {
			list_remove(&old->link);
			free_lock(old);
		}
	}
	if (l->type != F_UNLCK) {
		put_into(spare[0], &merged);
		insert_sorted(list, spare[0]);
		spare[0] = NULL;
	}
	changed(list);
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
	struct file_lock *old, *next;

	list_for_each_safe(old, next, &list->locks, link) {
		if (same_owner(old, l) && old->type != l->type) {
			list_remove(&old->link);
			free_lock(old);
			changed(list);
		}
	}
}

static int set_or_wait(struct file_lock_list *list, const struct file_lock *l, bool wait,
		       struct file_lock *spare[2])
{
	for (;;) {
		struct pending_lock pending = { .lock = l };
		struct file_lock *conflict, kind;
		unsigned int seen;
		int error;

		mutex_lock(&list->mutex);
		if (l->kind == LOCK_FLOCK)
			drop_own_flock(list, l);
		conflict = l->type == F_UNLCK ? NULL : find_conflict(list, l);
		if (!conflict) {
			apply(list, l, spare);
			mutex_unlock(&list->mutex);
			return 0;
		}
		kind = *conflict;
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
	struct file_lock *spare[2] = { NULL, NULL };
	struct file_lock_list *list;
	int error = -ENOLCK;

	if (l->type == F_UNLCK && !READ_ONCE(inode->locks))
		return 0;
	list = list_of(inode);
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
	struct file_lock *conflict = NULL;

	if (list) {
		mutex_lock(&list->mutex);
		conflict = find_conflict(list, l);
		if (conflict)
			*l = *conflict;
		mutex_unlock(&list->mutex);
	}
	if (!conflict)
		l->type = F_UNLCK;
}

static void release(struct inode *inode, bool posix, const void *owner)
{
	struct file_lock_list *list = load_acquire(&inode->locks);
	struct file_lock *l, *next;
	bool any = false;

	if (!list)
		return;
	mutex_lock(&list->mutex);
	list_for_each_safe(l, next, &list->locks, link) {
		if ((l->kind == LOCK_POSIX) == posix && l->owner == owner) {
			list_remove(&l->link);
			free_lock(l);
			any = true;
		}
	}
	if (any)
		changed(list);
	mutex_unlock(&list->mutex);
}

void locks_release_posix(struct file *f, const struct fd_table *owner)
{
	release(f->inode, true, owner);
}

void locks_release_file(struct file *f)
{
	release(f->inode, false, f);
}

void locks_free(struct inode *inode)
{
	struct file_lock_list *list = inode->locks;

	if (!list)
		return;
	mutex_lock(&lists_mutex);
	list_remove(&list->all_link);
	mutex_unlock(&lists_mutex);
	kfree(list);
}

static void show_lock(struct text_out *t, unsigned int id, const char *arrow, const struct inode *inode, const struct file_lock *l)
{
	static const char *const kinds[] = { [LOCK_POSIX] = "POSIX ", [LOCK_OFD] = "OFDLCK", [LOCK_FLOCK] = "FLOCK " };
	uint64_t dev = inode->super->dev;

	text_printf(t, "%u: %s%s ADVISORY  %s %d %02x:%02x:%llu %lld ", id, arrow, kinds[l->kind],
		    l->type == F_WRLCK ? "WRITE" : "READ", l->pid, device_major(dev), device_minor(dev),
		    (unsigned long long)inode->ino, (long long)l->start);
	if (l->end == INT64_MAX)
		text_printf(t, "EOF\n");
	else
		text_printf(t, "%lld\n", (long long)l->end);
}

void locks_show_file(struct text_out *t, const struct file *f, const void *table)
{
	struct file_lock_list *list = load_acquire(&f->inode->locks);
	struct file_lock *l;
	unsigned int id = 0;

	if (!list)
		return;
	mutex_lock(&list->mutex);
	list_for_each(l, &list->locks, link) {
		if (l->file != f || (l->owner != table && l->owner != f))
			continue;
		text_printf(t, "lock:\t");
		show_lock(t, ++id, "", list->inode, l);
	}
	mutex_unlock(&list->mutex);
}
MODAPI(locks_show_file);

int locks_show(struct text_out *t, void *arg)
{
	struct file_lock_list *list;
	struct pending_lock *p;
	struct file_lock *l;
	unsigned int id = 0;

	(void)arg;
	mutex_lock(&lists_mutex);
	list_for_each(list, &lists, all_link) {
		mutex_lock(&list->mutex);
		list_for_each(l, &list->locks, link) {
			show_lock(t, ++id, "", list->inode, l);
			list_for_each(p, &list->pending, link) {
				if (find_conflict(list, p->lock) == l)
					show_lock(t, id, "-> ", list->inode, p->lock);
			}
		}
		mutex_unlock(&list->mutex);
	}
	mutex_unlock(&lists_mutex);
	return 0;
}
MODAPI(locks_show);
