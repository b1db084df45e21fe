/*
 * Semaphores: semctl and /proc/sysvipc/sem.
 */
#include <gen/sysvipc.h>

#include "modules/sysvipc/sem.h"
#include "modules/vfs/text_file.h"

static long information(int command, uintptr_t buf)
{
	struct seminfo i = {
		.semmap = SEMMAP, .semmni = (int)READ_ONCE(sem_max_ids), .semmns = (int)READ_ONCE(sem_max_total),
		.semmnu = SEMMNU, .semmsl = (int)READ_ONCE(sem_max_array), .semopm = (int)READ_ONCE(sem_max_ops),
		.semume = SEMUME, .semusz = SEMUSZ, .semvmx = SEMVMX, .semaem = SEMAEM,
	};
	uint64_t total;
	int used = ipc_count(&sem_ids, &total);

	if (command == SEM_INFO) {
		i.semusz = used;
		i.semaem = (int)total;
	}
	return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : ipc_highest(&sem_ids);
}

static long stat(int id, int command, uintptr_t buf)
{
	struct semid64_ds d = { 0 };
	struct ipc_object *o;
	long result = ipc_lock_to_describe(&sem_ids, id, command == IPC_STAT, command != SEM_STAT_ANY, &o);

	if (result)
		return result;
	ipc_describe_locked(o, &d.sem_perm);
	d.sem_otime = sem_array_of(o)->otime;
	d.sem_ctime = sem_array_of(o)->ctime;
	d.sem_nsems = sem_array_of(o)->count;
	result = command == IPC_STAT ? 0 : o->id;
	ipc_unlock_put(o);
	return copy_to_user(buf, &d, sizeof(d)) ? -EFAULT : result;
}

static long change(int id, uintptr_t buf)
{
	struct semid64_ds d;
	struct ipc_object *o;
	int error;

	if (copy_from_user(&d, buf, sizeof(d)))
		return -EFAULT;
	error = ipc_lock_to_change(&sem_ids, id, &o);
	if (error)
		return error;
	error = ipc_set_locked(o, &d.sem_perm);
	if (!error)
		sem_array_of(o)->ctime = ipc_now();
	ipc_unlock_put(o);
	return error;
}

static long remove(int id)
{
	struct wake_list wakes;
	struct ipc_object *o;
	int error = ipc_lock_to_change(&sem_ids, id, &o);

	if (error)
		return error;
	wake_list_init(&wakes);
	sem_undo_drop_all_locked(sem_array_of(o));
	sem_fail_all_locked(sem_array_of(o), -EIDRM, &wakes);
	ipc_remove_locked(o, sem_array_of(o)->count);
	ipc_unlock_put(o);
	wake_list_deliver(&wakes);
	ipc_put(o);
	return 0;
}

/* Waiting calls that a semaphore stops: those for zero, or those for a larger value. */
static int count_waiters(const struct sem_array *a, unsigned int index, bool zero)
{
	const struct list *const lists[] = { &a->zero_waiters, &a->waiters };
	const struct sem_call *c;
	int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		list_for_each(c, lists[i], link)
			n += c->blocking->sem_num == index && (c->blocking->sem_op == 0) == zero;
	return n;
}

static int get_one(const struct sem_array *a, int index, int command)
{
	if (index < 0 || (unsigned int)index >= a->count)
		return -EINVAL;
	switch (command) {
	case GETVAL: return a->sem[index].value;
	case GETPID: return a->sem[index].pid;
	case GETNCNT: return count_waiters(a, (unsigned int)index, false);
	}
	return count_waiters(a, (unsigned int)index, true);
}

static long look(int id, int index, int command)
{
	struct ipc_object *o;
	int result = ipc_lock(&sem_ids, id, &o);

	if (result)
		return result;
	result = ipc_permission(o, IPC_MAY_READ);
	if (!result)
		result = get_one(sem_array_of(o), index, command);
	ipc_unlock_put(o);
	return result;
}

static void set_locked(struct sem_array *a, unsigned int index, int value, int pid)
{
	sem_undo_clear_locked(a, index);
	a->sem[index].value = value;
	a->sem[index].pid = pid;
}

/* Values were set: lets waiting calls go on, and drops lock and reference. */
static void changed_unlock_put(struct sem_array *a)
{
	struct wake_list wakes;

	wake_list_init(&wakes);
	a->ctime = ipc_now();
	sem_update_locked(a, &wakes);
	mutex_unlock(&a->ipc.lock);
	wake_list_deliver(&wakes);
	ipc_put(&a->ipc);
}

static long set_one(int id, int index, int value)
{
	struct ipc_object *o;
	int error;

	if (value < 0 || value > SEMVMX)
		return -ERANGE;
	error = ipc_lock(&sem_ids, id, &o);
	if (error)
		return error;
	if (index < 0 || (unsigned int)index >= sem_array_of(o)->count)
		error = -EINVAL;
	else
		error = ipc_permission(o, IPC_MAY_WRITE);
	if (error) {
		ipc_unlock_put(o);
		return error;
	}
	set_locked(sem_array_of(o), (unsigned int)index, value, ipc_pid());
	changed_unlock_put(sem_array_of(o));
	return 0;
}

/* The array and room for its values; it has a reference and no lock: it may be removed, but its size stays. */
static int open_array(int id, unsigned int bits, struct sem_array **out, uint16_t **values)
{
	struct ipc_object *o;
	int error = ipc_lock(&sem_ids, id, &o);

	if (error)
		return error;
	error = ipc_permission(o, bits);
	mutex_unlock(&o->lock);
	if (!error) {
		*out = sem_array_of(o);
		*values = kvmalloc((*out)->count * sizeof(**values), IPC_ALLOC);
		error = *values ? 0 : -ENOMEM;
	}
	if (error)
		ipc_put(o);
	return error;
}

static long get_all(int id, uintptr_t buf)
{
	struct sem_array *a;
	uint16_t *values;
	int error = open_array(id, IPC_MAY_READ, &a, &values);

	if (error)
		return error;
	mutex_lock(&a->ipc.lock);
	error = a->ipc.removed ? -EIDRM : 0;
	for (unsigned int i = 0; i < a->count; i++)
		values[i] = (uint16_t)a->sem[i].value;
	mutex_unlock(&a->ipc.lock);
	if (!error && copy_to_user(buf, values, a->count * sizeof(*values)))
		error = -EFAULT;
	kvfree(values);
	ipc_put(&a->ipc);
	return error;
}

static long set_all(int id, uintptr_t buf)
{
	struct sem_array *a;
	uint16_t *values;
	int error = open_array(id, IPC_MAY_WRITE, &a, &values), pid = ipc_pid();

	if (error)
		return error;
	if (copy_from_user(values, buf, a->count * sizeof(*values)))
		error = -EFAULT;
	for (unsigned int i = 0; !error && i < a->count; i++)
		if (values[i] > SEMVMX)
			error = -ERANGE;
	if (error)
		goto undo_values;
	mutex_lock(&a->ipc.lock);
	if (a->ipc.removed) {
		mutex_unlock(&a->ipc.lock);
		error = -EIDRM;
		goto undo_values;
	}
	for (unsigned int i = 0; i < a->count; i++)
		set_locked(a, i, values[i], pid);
	changed_unlock_put(a);
	kvfree(values);
	return 0;
undo_values:
	kvfree(values);
	ipc_put(&a->ipc);
	return error;
}

long sys_semctl(int32_t id, int32_t number, int32_t command, uintptr_t argument)
{
	if (id < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO: case SEM_INFO: return information(command, argument);
	case IPC_STAT: case SEM_STAT: case SEM_STAT_ANY: return stat(id, command, argument);
	case IPC_SET: return change(id, argument);
	case IPC_RMID: return remove(id);
	case GETVAL: case GETPID: case GETNCNT: case GETZCNT: return look(id, number, command);
	case GETALL: return get_all(id, argument);
	case SETVAL: return set_one(id, number, (int)argument);
	case SETALL: return set_all(id, argument);
	}
	return -EINVAL;
}

int sem_show(struct text_out *t)
{
	struct ipc_object *o;

	text_printf(t, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
	for (int at = 0; (o = ipc_lock_next(&sem_ids, &at)); ipc_unlock_put(o)) {
		const struct sem_array *a = sem_array_of(o);

		text_printf(t, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lld %10lld\n", o->key, o->id, o->mode, a->count,
			    o->uid, o->gid, o->cuid, o->cgid, (long long)a->otime, (long long)a->ctime);
	}
	return 0;
}
