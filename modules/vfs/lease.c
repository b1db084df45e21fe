/*
 * Leases: who holds one is told by a signal that somebody wants to open or cut the file, and has lease_break_time seconds to give it up.
 *
 * They stand in the inode's list of locks, under its mutex. A write lease wants the file to be open nowhere else, a read lease that nobody
 * writes: the counts of the inode are looked at again after the lease is in the list, and who opens counts himself
 * before he looks at the list, so that one of them sees the other.
 */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <asm/signal.h>

#include "core/time/clock.h"
#include "modules/vfs/lock_list.h"
#include "modules/vfs/poll.h"

int leases_enabled = 1, lease_break_seconds = 45;
MODAPI(leases_enabled);
MODAPI(lease_break_seconds);

static void drop(struct lease *l)
{
	list_remove(&l->link);
	account_sub(l->account, ACCOUNT_LOCKS, 1);
	account_put(l->account);
	kfree(l);
}

/* What its holder did not do in time is done without him. */
static void time_out(struct file_lock_list *list)
{
	uint64_t now = clock_monotonic();
	struct lease *l, *next;
	bool any = false;

	list_for_each_safe(l, next, &list->leases, link) {
		if (l->unlocking && now >= l->unlock_at) {
			drop(l);
			any = true;
		} else if (l->downgrading && now >= l->downgrade_at) {
			l->type = F_RDLCK;
			l->downgrading = false;
			any = true;
		}
	}
	if (any)
		lock_list_changed(list);
}

static struct lease *lease_of(struct file_lock_list *list, const struct file *f)
{
	struct lease *l;

	list_for_each(l, &list->leases, link) {
		if (l->file == f)
			return l;
	}
	return NULL;
}

void lease_release(struct file_lock_list *list, const struct file *f)
{
	struct lease *l = lease_of(list, f);

	if (!l)
		return;
	drop(l);
	lock_list_changed(list);
}

/* Do others have it open in a way that the lease excludes? */
static bool open_elsewhere(const struct file *f, int type)
{
	const struct inode *inode = f->inode;
	int writers = __atomic_load_n(&inode->write_count, __ATOMIC_SEQ_CST);
	int readers = __atomic_load_n(&inode->read_count, __ATOMIC_SEQ_CST);

	if (type == F_RDLCK)
		return writers > 0;
	return writers != ((f->mode & FILE_WRITER) != 0) || readers != ((f->mode & FILE_READER) != 0);
}

/* The mutex is held. `fresh` is used and set to null if the file has no lease yet. */
static int set_locked(struct file_lock_list *list, struct file *f, int fd, int type, struct lease **fresh)
{
	struct lease *own, *l;

	time_out(list);
	own = lease_of(list, f);
	if (open_elsewhere(f, type))
		return -EAGAIN;
	list_for_each(l, &list->leases, link) {
		if (l != own && (type == F_WRLCK || l->unlocking))
			return -EAGAIN;
	}
	if (own) {
		own->type = (short)type;
		own->downgrading = own->downgrading && type != F_RDLCK;
		lock_list_changed(list);
		return 0;
	}
	l = *fresh;
	l->file = f;
	l->type = (short)type;
	l->fd = fd;
	l->pid = service(process)->pid();
	list_add_tail(&list->leases, &l->link);
	full_barrier();
	if (open_elsewhere(f, type)) {
		list_remove(&l->link);
		return -EAGAIN;
	}
	*fresh = NULL;
	return 0;
}

static long add(struct file *f, int fd, int type)
{
	struct file_lock_list *list = lock_list_of(f->inode);
	struct account *a = list ? account_find() : NULL;
	struct lease *fresh;
	long error;

	if (!a || !account_charge(a, ACCOUNT_LOCKS, 1)) {
		account_put(a);
		return -ENOLCK;
	}
	fresh = kzalloc(sizeof(*fresh), 0);
	error = fresh ? file_owner_default(f) : -ENOMEM;
	if (!error) {
		fresh->account = a;
		list_init(&fresh->link);
		mutex_lock(&list->mutex);
		error = set_locked(list, f, fd, type, &fresh);
		mutex_unlock(&list->mutex);
		if (!error && !fresh)
			return 0;
	}
	kfree(fresh);
	account_sub(a, ACCOUNT_LOCKS, 1);
	account_put(a);
	return error;
}

long lease_set(struct file *f, int fd, int type)
{
	struct file_lock_list *list = load_acquire(&f->inode->locks);
	long error = -EAGAIN;

	if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK)
		return -EINVAL;
	if (service(authority)->fsuid() != f->inode->uid && !capable(CAP_LEASE))
		return -EACCES;
	if (!inode_is_regular(f->inode))
		return -EINVAL;
	if (type != F_UNLCK)
		return READ_ONCE(leases_enabled) ? add(f, fd, type) : -EINVAL;
	if (!list)
		return -EAGAIN;
	mutex_lock(&list->mutex);
	if (lease_of(list, f)) {
		lease_release(list, f);
		error = 0;
	}
	mutex_unlock(&list->mutex);
	return error;
}

int lease_get(struct file *f)
{
	struct file_lock_list *list = load_acquire(&f->inode->locks);
	struct lease *l;
	int type = F_UNLCK;

	if (!list)
		return type;
	mutex_lock(&list->mutex);
	time_out(list);
	l = lease_of(list, f);
	if (l)
		type = lease_target(l);
	mutex_unlock(&list->mutex);
	return type;
}

static bool in_the_way(const struct lease *l, bool write)
{
	return write || l->type == F_WRLCK;
}

static struct lease *first_in_the_way(struct file_lock_list *list, bool write)
{
	struct lease *l;

	list_for_each(l, &list->leases, link) {
		if (in_the_way(l, write))
			return l;
	}
	return NULL;
}

/* Asks the holders; each is told once of each thing that is wanted of him. */
static void ask(struct file_lock_list *list, bool write)
{
	int seconds = READ_ONCE(lease_break_seconds);
	uint64_t deadline = seconds > 0 ? clock_monotonic() + (uint64_t)seconds * NSEC_PER_SEC : TIME_NEVER;
	struct lease *l;

	list_for_each(l, &list->leases, link) {
		if (!in_the_way(l, write) || l->unlocking || (!write && l->downgrading))
			continue;
		if (write) {
			l->unlocking = true;
			l->unlock_at = deadline;
		} else {
			l->downgrading = true;
			l->downgrade_at = deadline;
		}
		file_owner_signal(l->file, l->fd, POLL_IN_SET | EPOLLMSG);
	}
}

int lease_break(struct inode *inode, bool write, bool nonblock)
{
	struct file_lock_list *list = load_acquire(&inode->locks);
	struct lease *l;
	int error = 0;

	if (!list || list_empty(&list->leases))
		return 0;
	mutex_lock(&list->mutex);
	for (;;) {
		unsigned int seen = list->changes;
		uint64_t deadline;

		time_out(list);
		l = first_in_the_way(list, write);
		if (!l || error)
			break;
		ask(list, write);
		if (nonblock) {
			error = -EAGAIN;
			break;
		}
		deadline = l->unlocking ? l->unlock_at : l->downgrade_at;
		seen = list->changes;
		mutex_unlock(&list->mutex);
		error = wait_event(&list->wait, READ_ONCE(list->changes) != seen, WAIT_INTERRUPTIBLE, deadline);
		mutex_lock(&list->mutex);
		error = error == -ETIMEDOUT ? 0 : (int)wait_error(error);
	}
	mutex_unlock(&list->mutex);
	return error;
}
