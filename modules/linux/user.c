/*
 * Users: what all processes of one real user id use together, for the limits that count by user (RLIMIT_NPROC, RLIMIT_SIGPENDING,
 * RLIMIT_MSGQUEUE).
 *
 * A user exists while something refers to it: a task (for its life), a process nobody has waited for, a queued signal, a timer, a message queue. Tasks
 * count from their creation until they end; the last one of a process until the process is reaped, since a zombie takes a number, too.
 *
 * `users_lock` guards the table and the step from one reference to none; it is a leaf and taken with interrupts off. The counters are
 * atomic. task.user changes under process.lock, by the task itself only.
 */
#include "internal.h"

#include "modules/linux/user.h"

#define BUCKETS 64

static struct spinlock users_lock = SPINLOCK_INIT(users_lock);
static struct user *buckets[BUCKETS];

static struct user **bucket_of(uint32_t uid) { return &buckets[(uid * 0x9e3779b1u) >> 26]; }

/* users_lock held. */
static struct user *find_locked(uint32_t uid)
{
	struct user *u = *bucket_of(uid);

	while (u && u->uid != uid)
		u = u->next;
	if (u)
		refcount_get(&u->refs);
	return u;
}

struct user *user_find(uint32_t uid)
{
	struct user *new = kzalloc(sizeof(*new), 0), *u;
	unsigned long flags = spin_lock_irqsave(&users_lock);

	u = find_locked(uid);
	if (!u && new) {
		u = new;
		new = NULL;
		u->uid = uid;
		refcount_init(&u->refs, 1);
		u->next = *bucket_of(uid);
		*bucket_of(uid) = u;
	}
	spin_unlock_irqrestore(&users_lock, flags);
	kfree(new);
	return u;
}

void user_put(struct user *u)
{
	struct user **at;
	unsigned long flags;

	if (!u || likely(refcount_put_unless_last(&u->refs)))
		return;
	flags = spin_lock_irqsave(&users_lock);
	if (refcount_put(&u->refs)) {
		for (at = bucket_of(u->uid); *at != u; at = &(*at)->next)
			;
		*at = u->next;
	} else {
		u = NULL;
	}
	spin_unlock_irqrestore(&users_lock, flags);
	kfree(u);
}

bool user_charge_task(struct user *u, uint64_t limit)
{
	if (__atomic_add_fetch(&u->tasks, 1, __ATOMIC_RELAXED) <= limit || u->uid == 0 || capable(CAP_SYS_RESOURCE) ||
	    capable(CAP_SYS_ADMIN))
		return true;
	user_uncharge_task(u);
	return false;
}

void user_uncharge_task(struct user *u)
{
	__atomic_fetch_sub(&u->tasks, 1, __ATOMIC_RELAXED);
}

bool user_may_have_task(const struct user *u, uint64_t limit)
{
	return __atomic_load_n(&u->tasks, __ATOMIC_RELAXED) < limit || u->uid == 0 || capable(CAP_SYS_RESOURCE) ||
	       capable(CAP_SYS_ADMIN);
}

bool user_charge_signal(struct user *u, uint64_t limit, bool must)
{
	if (__atomic_add_fetch(&u->signals, 1, __ATOMIC_RELAXED) <= limit || must) {
		user_get(u);
		return true;
	}
	__atomic_fetch_sub(&u->signals, 1, __ATOMIC_RELAXED);
	return false;
}

void user_uncharge_signal(struct user *u)
{
	if (!u)
		return;
	__atomic_fetch_sub(&u->signals, 1, __ATOMIC_RELAXED);
	user_put(u);
}

bool user_charge_queue(struct user *u, uint64_t bytes, uint64_t limit)
{
	uint64_t before = __atomic_load_n(&u->queue_bytes, __ATOMIC_RELAXED);

	do {
		if (bytes > limit || before > limit - bytes)
			return false;
	} while (!__atomic_compare_exchange_n(&u->queue_bytes, &before, before + bytes, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	user_get(u);
	return true;
}
MODAPI(user_charge_queue);

void user_uncharge_queue(struct user *u, uint64_t bytes)
{
	__atomic_fetch_sub(&u->queue_bytes, bytes, __ATOMIC_RELAXED);
	user_put(u);
}
MODAPI(user_uncharge_queue);

int user_change(uint32_t uid)
{
	struct task *t = current_task;
	struct user *new, *old;
	unsigned long flags;
	uint64_t before;

	if (!t || t->user->uid == uid)
		return 0;
	new = user_find(uid);
	if (!new)
		return -EAGAIN;
	/* set*id itself does not fail for want of room; the exec that usually follows does. */
	before = __atomic_fetch_add(&new->tasks, 1, __ATOMIC_RELAXED);
	t->over_task_limit = uid && before > process_limit(t->process, RLIMIT_NPROC);
	flags = spin_lock_irqsave(&t->process->lock);
	old = t->user;
	t->user = new;
	spin_unlock_irqrestore(&t->process->lock, flags);
	user_uncharge_task(old);
	user_put(old);
	return 0;
}

int user_check_exec(void)
{
	struct task *t = current_task;

	if (!t->over_task_limit)
		return 0;
	if (__atomic_load_n(&t->user->tasks, __ATOMIC_RELAXED) > process_limit(t->process, RLIMIT_NPROC))
		return -EAGAIN;
	t->over_task_limit = false;
	return 0;
}
