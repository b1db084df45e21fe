/*
 * Shared memory: shmctl and /proc/sysvipc/shm.
 *
 * SHM_LOCK only counts against RLIMIT_MEMLOCK: without swap every page stays where it is.
 */
#include <gen/sysvipc.h>
#include <linux/resource.h>

#include "modules/sysvipc/shm.h"
#include "modules/vfs/text_file.h"

static long limits_info(uintptr_t buf)
{
	struct shminfo64 i = {
		.shmmax = READ_ONCE(shm_max_bytes), .shmmin = SHMMIN, .shmmni = READ_ONCE(shm_max_ids),
		.shmseg = READ_ONCE(shm_max_ids), .shmall = READ_ONCE(shm_max_pages),
	};

	return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : ipc_highest(&shm_ids);
}

static long use_info(uintptr_t buf)
{
	struct shm_info i = { 0 };
	struct ipc_object *o;
	uint64_t total;

	for (int at = 0; (o = ipc_lock_next(&shm_ids, &at)); ipc_unlock_put(o))
		i.shm_rss += READ_ONCE(shm_of(o)->object->pages);
	i.used_ids = ipc_count(&shm_ids, &total);
	i.shm_tot = total;
	return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : ipc_highest(&shm_ids);
}

static long stat(int id, int command, uintptr_t buf)
{
	struct shmid64_ds d = { 0 };
	struct ipc_object *o;
	struct shm *s;
	long result = ipc_lock_to_describe(&shm_ids, id, command == IPC_STAT, command != SHM_STAT_ANY, &o);

	if (result)
		return result;
	s = shm_of(o);
	ipc_describe_locked(o, &d.shm_perm);
	d.shm_segsz = s->size;
	d.shm_atime = s->atime;
	d.shm_dtime = s->dtime;
	d.shm_ctime = s->ctime;
	d.shm_cpid = s->creator_pid;
	d.shm_lpid = s->last_pid;
	d.shm_nattch = s->attached;
	result = command == IPC_STAT ? 0 : o->id;
	ipc_unlock_put(o);
	return copy_to_user(buf, &d, sizeof(d)) ? -EFAULT : result;
}

static long change(int id, uintptr_t buf)
{
	struct shmid64_ds d;
	struct ipc_object *o;
	int error;

	if (copy_from_user(&d, buf, sizeof(d)))
		return -EFAULT;
	error = ipc_lock_to_change(&shm_ids, id, &o);
	if (error)
		return error;
	error = ipc_set_locked(o, &d.shm_perm);
	if (!error)
		shm_of(o)->ctime = ipc_now();
	ipc_unlock_put(o);
	return error;
}

static long remove(int id)
{
	struct ipc_object *o;
	bool gone;
	int error = ipc_lock_to_change(&shm_ids, id, &o);

	if (error)
		return error;
	gone = !shm_of(o)->attached;
	if (gone) {
		shm_remove_locked(shm_of(o));
	} else {
		o->mode |= SHM_DEST;
		ipc_forget_key_locked(o);
	}
	ipc_unlock_put(o);
	if (gone)
		ipc_put(o);
	return 0;
}

/* Pages that a user has locked in all segments. No object lock may be held: the answer may be old when it is there. */
static uint64_t locked_pages(uint32_t uid)
{
	struct ipc_object *o;
	uint64_t pages = 0;

	for (int at = 0; (o = ipc_lock_next(&shm_ids, &at)); ipc_unlock_put(o))
		if ((o->mode & SHM_LOCKED) && shm_of(o)->locked_by == uid)
			pages += shm_pages(shm_of(o));
	return pages;
}

static int may_lock_locked(const struct ipc_object *o, const struct identity *who, bool lock, uint64_t limit)
{
	if (service(authority)->capable(CAP_IPC_LOCK))
		return 0;
	if (who->euid != o->uid && who->euid != o->cuid)
		return -EPERM;
	return lock && !limit ? -EPERM : 0;
}

static long lock_pages(int id, bool lock)
{
	static struct mutex one_by_one = MUTEX_INIT(one_by_one);	/* the sum stays true until it is added to */
	uint64_t limit = service(process)->rlimit(RLIMIT_MEMLOCK), before;
	struct identity who;
	struct ipc_object *o;
	int error;

	service(authority)->identity(current, &who);
	mutex_lock(&one_by_one);
	before = lock ? locked_pages(who.uid) : 0;
	error = ipc_lock(&shm_ids, id, &o);
	if (error)
		goto undo_mutex;
	error = may_lock_locked(o, &who, lock, limit);
	if (!error && lock && !(o->mode & SHM_LOCKED)) {
		if (before + shm_pages(shm_of(o)) > limit / PAGE_SIZE && !service(authority)->capable(CAP_IPC_LOCK)) {
			error = -ENOMEM;
		} else {
			o->mode |= SHM_LOCKED;
			shm_of(o)->locked_by = who.uid;
		}
	} else if (!error && !lock) {
		o->mode &= ~(unsigned int)SHM_LOCKED;
	}
	ipc_unlock_put(o);
undo_mutex:
	mutex_unlock(&one_by_one);
	return error;
}

long sys_shmctl(int32_t id, int32_t command, uintptr_t buf)
{
	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO: return limits_info(buf);
	case SHM_INFO: return use_info(buf);
	case IPC_STAT: case SHM_STAT: case SHM_STAT_ANY: return stat(id, command, buf);
	case IPC_SET: return change(id, buf);
	case IPC_RMID: return remove(id);
	case SHM_LOCK: case SHM_UNLOCK: return lock_pages(id, command == SHM_LOCK);
	}
	return -EINVAL;
}

int shm_show(struct text_out *t)
{
	struct ipc_object *o;

	text_printf(t, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
		       "      atime      dtime      ctime                   rss                  swap\n");
	for (int at = 0; (o = ipc_lock_next(&shm_ids, &at)); ipc_unlock_put(o)) {
		const struct shm *s = shm_of(o);

		text_printf(t, "%10d %10d  %4o %21llu %5d %5d  %5llu %5u %5u %5u %5u %10lld %10lld %10lld %21llu %21llu\n",
			    o->key, o->id, o->mode, (unsigned long long)s->size, s->creator_pid, s->last_pid,
			    (unsigned long long)s->attached, o->uid, o->gid, o->cuid, o->cgid, (long long)s->atime,
			    (long long)s->dtime, (long long)s->ctime,
			    (unsigned long long)READ_ONCE(s->object->pages) * PAGE_SIZE, 0ull);
	}
	return 0;
}
