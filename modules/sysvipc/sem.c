/*
 * Semaphores: making arrays, operations on them, waiting.
 *
 * A call is tried under the array's lock. If it must wait it is queued; whoever makes it possible carries it out in its stead, sets its
 * status and wakes the thread, which then has nothing to do but return. So nobody who comes later can snatch a value from a
 * thread that was woken for it. A signal or a timeout that finds the status set comes too late.
 */
#include <gen/sysvipc.h>

#include "modules/sysvipc/sem.h"

#define FEW_OPERATIONS 16

struct ipc_ids sem_ids;

static void destroy(struct ipc_object *o)
{
	kvfree(sem_array_of(o));
}

void sem_start(void)
{
	ipc_ids_init(&sem_ids, destroy);
	sem_undo_start();
}

/* ---- semget ---- */

static int check_count(const struct ipc_object *o, const struct ipc_get *g)
{
	return g->size > container_of(o, struct sem_array, ipc)->count ? -EINVAL : 0;
}

static long create(const struct ipc_get *g)
{
	struct sem_array *a;
	long result;

	if (!g->size)
		return -EINVAL;
	a = kvmalloc(sizeof(*a) + g->size * sizeof(a->sem[0]), ALLOC_ZERO | IPC_ALLOC);
	if (!a)
		return -ENOMEM;
	ipc_object_init(&a->ipc, g->key, (unsigned int)g->flags);
	a->count = (unsigned int)g->size;
	a->ctime = ipc_now();
	list_init(&a->undos);
	list_init(&a->zero_waiters);
	list_init(&a->waiters);
	result = ipc_charge(&a->ipc, ACCOUNT_IPC_BYTES, sizeof(*a) + g->size * sizeof(a->sem[0]));
	if (!result)
		result = ipc_add(&sem_ids, &a->ipc, READ_ONCE(sem_max_ids), g->size, READ_ONCE(sem_max_total));
	if (result < 0) {
		ipc_uncharge(&a->ipc);
		kvfree(a);
	}
	return result;
}

long sys_semget(int32_t key, int32_t count, int32_t flags)
{
	const struct ipc_get g = {
		.ids = &sem_ids, .key = key, .flags = flags, .check = check_count, .create = create,
		.size = (uint64_t)count,
	};

	if (count < 0 || (unsigned int)count > READ_ONCE(sem_max_array))
		return -EINVAL;
	return ipc_get(&g);
}

/* ---- operations ---- */

/* Takes back the first n operations. */
static void take_back(struct sem_array *a, struct sem_call *c, unsigned int n)
{
	while (n-- > 0) {
		const struct sembuf *op = &c->ops[n];

		a->sem[op->sem_num].value -= op->sem_op;
		if (op->sem_flg & SEM_UNDO)
			c->undo->adjust[op->sem_num] = (int16_t)(c->undo->adjust[op->sem_num] + op->sem_op);
	}
}

/* 0, SEM_WAITING or -ERANGE; only a success changes something. */
static int try_one(struct sem_array *a, struct sem_call *c, const struct sembuf *op)
{
	struct semaphore *s = &a->sem[op->sem_num];
	int value = s->value + op->sem_op;

	if ((!op->sem_op && s->value) || value < 0)
		return SEM_WAITING;
	if (value > SEMVMX)
		return -ERANGE;
	if (op->sem_flg & SEM_UNDO) {
		int adjust = c->undo->adjust[op->sem_num] - op->sem_op;

		if (adjust < -SEMAEM - 1 || adjust > SEMAEM)
			return -ERANGE;
		c->undo->adjust[op->sem_num] = (int16_t)adjust;
	}
	s->value = value;
	return 0;
}

int sem_try_locked(struct sem_array *a, struct sem_call *c)
{
	for (unsigned int i = 0; i < c->count; i++) {
		int result = try_one(a, c, &c->ops[i]);

		if (!result)
			continue;
		take_back(a, c, i);
		c->blocking = &c->ops[i];
		return result == SEM_WAITING && (c->ops[i].sem_flg & IPC_NOWAIT) ? -EAGAIN : result;
	}
	for (unsigned int i = 0; i < c->count; i++)
		a->sem[c->ops[i].sem_num].pid = c->pid;
	return 0;
}

/* Takes a call off its list and hands it back to its thread, which may be gone when this returns. */
static void finish(struct sem_array *a, struct sem_call *c, int status, struct wake_list *wakes)
{
	struct thread *t = c->thread;

	list_remove(&c->link);
	a->several -= c->count > 1;
	thread_get(t);
	__atomic_store_n(&c->status, status, __ATOMIC_RELEASE);
	wake_list_add(wakes, t);
	thread_put(t);
}

/* Does the operation that stopped the call stop it still? If so there is no need to try the others. */
static bool still_blocked(const struct sem_array *a, const struct sem_call *c)
{
	int value = a->sem[c->blocking->sem_num].value;

	return c->count == 1 && (c->blocking->sem_op ? value + c->blocking->sem_op < 0 : value != 0);
}

/* Tries the calls of a list once, in order. True if one succeeded; with `stop_early`, the rest is left when the caller must begin anew. */
static bool try_list(struct sem_array *a, struct list *l, struct wake_list *wakes, bool *again)
{
	struct sem_call *c, *next;
	bool any = false;

	list_for_each_safe(c, next, l, link) {
		int result = still_blocked(a, c) ? SEM_WAITING : sem_try_locked(a, c);
		/* One simple operation that succeeded after waiting has lowered a value: that helps those only who wait for zero. */
		bool may_help = c->count > 1 || a->several;

		if (result == SEM_WAITING)
			continue;
		finish(a, c, result, wakes);
		if (result)
			continue;
		any = true;
		if (again) {
			try_list(a, &a->zero_waiters, wakes, NULL);
			if (may_help) {
				*again = true;
				return true;
			}
		}
	}
	return any;
}

bool sem_update_locked(struct sem_array *a, struct wake_list *wakes)
{
	bool any = try_list(a, &a->zero_waiters, wakes, NULL), again;

	do {
		again = false;
		any |= try_list(a, &a->waiters, wakes, &again);
	} while (again);
	if (any)
		a->otime = ipc_now();
	return any;
}

void sem_fail_all_locked(struct sem_array *a, int error, struct wake_list *wakes)
{
	while (!list_empty(&a->zero_waiters))
		finish(a, list_first(&a->zero_waiters, struct sem_call, link), error, wakes);
	while (!list_empty(&a->waiters))
		finish(a, list_first(&a->waiters, struct sem_call, link), error, wakes);
}

/* Waits until the queued call is carried out or fails. The lock is dropped for good. */
static int wait_unlock(struct sem_array *a, struct sem_call *c, uint64_t deadline)
{
	int why = 0, status;

	mutex_unlock(&a->ipc.lock);
	for (;;) {
		wait_prepare(WAIT_INTERRUPTIBLE);
		status = __atomic_load_n(&c->status, __ATOMIC_ACQUIRE);
		if (status != SEM_WAITING || why)
			break;
		why = wait_sleep(deadline);
	}
	wait_finish();
	if (status != SEM_WAITING)
		return status;
	mutex_lock(&a->ipc.lock);
	status = c->status;
	if (status == SEM_WAITING) {
		list_remove(&c->link);
		a->several -= c->count > 1;
		status = why == -ETIMEDOUT ? -EAGAIN : why;
	}
	mutex_unlock(&a->ipc.lock);
	return status;
}

/* The checks that need the array, and its entry for what is to be undone. The lock is held. */
static int prepare_locked(struct sem_array *a, struct sem_call *c, struct sem_undo_share *share)
{
	int error;

	for (unsigned int i = 0; i < c->count; i++)
		if (c->ops[i].sem_num >= a->count)
			return -EFBIG;
	error = ipc_permission(&a->ipc, c->changes ? IPC_MAY_WRITE : IPC_MAY_READ);
	if (!error && share)
		error = sem_undo_find_locked(a, share, &c->undo);
	return error;
}

static int operate(int id, struct sem_call *c, struct sem_undo_share *share, uint64_t deadline)
{
	struct wake_list wakes;
	struct sem_array *a;
	struct ipc_object *o;
	int result = ipc_lock(&sem_ids, id, &o);

	if (result)
		return result;
	a = sem_array_of(o);
	wake_list_init(&wakes);
	result = prepare_locked(a, c, share);
	if (!result)
		result = sem_try_locked(a, c);
	if (result == SEM_WAITING) {
		c->status = SEM_WAITING;
		list_add_tail(c->changes ? &a->waiters : &a->zero_waiters, &c->link);
		a->several += c->count > 1;
		result = wait_unlock(a, c, deadline);
		ipc_put(o);
		return result;
	}
	if (!result) {
		if (c->changes)
			sem_update_locked(a, &wakes);
		a->otime = ipc_now();
	}
	mutex_unlock(&o->lock);
	wake_list_deliver(&wakes);
	ipc_put(o);
	return result;
}

static bool wants_undo(const struct sem_call *c)
{
	for (unsigned int i = 0; i < c->count; i++)
		if (c->ops[i].sem_flg & SEM_UNDO)
			return true;
	return false;
}

static bool changes_values(const struct sem_call *c)
{
	for (unsigned int i = 0; i < c->count; i++)
		if (c->ops[i].sem_op)
			return true;
	return false;
}

static int deadline_of(const struct __kernel_timespec *t, uint64_t *out)
{
	uint64_t now = clock_monotonic(), ns;

	if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	if (__builtin_mul_overflow((uint64_t)t->tv_sec, NSEC_PER_SEC, &ns) ||
	    __builtin_add_overflow(ns, now + (uint64_t)t->tv_nsec, out))
		*out = TIME_NEVER;
	return 0;
}

static long call(int id, struct uin_sembuf user, unsigned int count, const struct __kernel_timespec *timeout)
{
	struct sem_call c = { .thread = current, .count = count, .pid = ipc_pid() };
	struct sembuf few[FEW_OPERATIONS], *ops = few;
	struct sem_undo_share *share = NULL;
	uint64_t deadline = TIME_NEVER;
	long result;

	if (count > READ_ONCE(sem_max_ops))
		return -E2BIG;
	if (count > FEW_OPERATIONS)
		ops = kmalloc_array(count, sizeof(*ops), 0);
	if (!ops)
		return -ENOMEM;
	result = copy_in_sembuf_array(ops, user, count) ? -EFAULT : 0;
	if (!result && (count < 1 || id < 0))
		result = -EINVAL;
	if (!result && timeout)
		result = deadline_of(timeout, &deadline);
	if (result)
		goto undo_ops;
	c.ops = ops;
	c.changes = changes_values(&c);
	if (wants_undo(&c)) {
		share = sem_undo_share();
		result = share ? 0 : -ENOMEM;
	}
	if (!result)
		result = operate(id, &c, share, deadline);
undo_ops:
	if (ops != few)
		kfree(ops);
	return result;
}

long sys_semop(int32_t id, struct uin_sembuf operations, uint32_t count)
{
	return call(id, operations, count, NULL);
}

long sys_semtimedop(int32_t id, struct uin_sembuf operations, uint32_t count, struct uin_timespec timeout)
{
	struct __kernel_timespec t;

	if (!timeout.addr)
		return call(id, operations, count, NULL);
	if (copy_in_timespec(&t, timeout))
		return -EFAULT;
	return call(id, operations, count, &t);
}
