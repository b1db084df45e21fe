/*
 * Locks and leases as text: /proc/locks and the lines of fdinfo. lists_mutex guards the list of all inodes' lists; it is taken before
 * the mutex of one.
 */
#include "modules/vfs/lock_list.h"
#include "modules/vfs/text_file.h"

static struct mutex lists_mutex = MUTEX_INIT(lists_mutex);
static struct list lists = LIST_INIT(lists);

void lock_list_register(struct file_lock_list *list)
{
	mutex_lock(&lists_mutex);
	list_add_tail(&lists, &list->all_link);
	mutex_unlock(&lists_mutex);
}

void lock_list_unregister(struct file_lock_list *list)
{
	mutex_lock(&lists_mutex);
	list_remove(&list->all_link);
	mutex_unlock(&lists_mutex);
}

static const char *type_name(int type)
{
	return type == F_WRLCK ? "WRITE" : type == F_RDLCK ? "READ" : "UNLCK";
}

static void show_place(struct text_out *t, const struct inode *inode, int pid)
{
	uint64_t dev = inode->super->dev;

	text_printf(t, "%d %02x:%02x:%llu ", pid, device_major(dev), device_minor(dev), (unsigned long long)inode->ino);
}

static void show_lock(struct text_out *t, unsigned int id, const char *arrow, const struct inode *inode, const struct file_lock *l)
{
	static const char *const kinds[] = { [LOCK_POSIX] = "POSIX ", [LOCK_OFD] = "OFDLCK", [LOCK_FLOCK] = "FLOCK " };

	text_printf(t, "%u: %s%s ADVISORY  %s ", id, arrow, kinds[l->kind], type_name(l->type));
	show_place(t, inode, l->pid);
	text_printf(t, "%lld ", (long long)l->start);
	if (l->end == INT64_MAX)
		text_printf(t, "EOF\n");
	else
		text_printf(t, "%lld\n", (long long)l->end);
}

static void show_lease(struct text_out *t, unsigned int id, const struct inode *inode, const struct lease *l)
{
	text_printf(t, "%u: LEASE  %s %s ", id, l->unlocking || l->downgrading ? "BREAKING " : "ACTIVE   ",
		    type_name(lease_target(l)));
	show_place(t, inode, l->pid);
	text_printf(t, "0 EOF\n");
}

static void show_list(struct text_out *t, struct file_lock_list *list, unsigned int *id)
{
	struct pending_lock *p;
	struct lease *lease;

	list_for_each(p, &list->pending, link) {
		p->blocker = lock_tree_conflict(list, p->lock);
		if (p->blocker)
			p->blocker->waited = true;
	}
	for (struct rb_node *n = rb_first(&list->owned); n; n = rb_next(n)) {
		struct held_lock *l = rb_entry(n, struct held_lock, owned);

		show_lock(t, ++*id, "", list->inode, &l->lock);
		if (!l->waited)
			continue;
		l->waited = false;
		list_for_each(p, &list->pending, link) {
			if (p->blocker == l)
				show_lock(t, *id, "-> ", list->inode, p->lock);
		}
	}
	list_for_each(lease, &list->leases, link)
		show_lease(t, ++*id, list->inode, lease);
}

int locks_show(struct text_out *t, void *arg)
{
	struct file_lock_list *list;
	unsigned int id = 0;

	(void)arg;
	mutex_lock(&lists_mutex);
	list_for_each(list, &lists, all_link) {
		mutex_lock(&list->mutex);
		show_list(t, list, &id);
		mutex_unlock(&list->mutex);
	}
	mutex_unlock(&lists_mutex);
	return 0;
}
MODAPI(locks_show);

void locks_show_file(struct text_out *t, const struct file *f, const void *table)
{
	struct file_lock_list *list = load_acquire(&f->inode->locks);
	unsigned int id = 0;
	struct lease *lease;

	if (!list)
		return;
	mutex_lock(&list->mutex);
	for (enum file_lock_kind kind = LOCK_POSIX; kind <= LOCK_FLOCK; kind++) {
		struct held_lock *l = lock_tree_own(list, kind == LOCK_POSIX ? table : f, kind, 0);

		for (; l; l = lock_tree_own_next(l)) {
			if (l->lock.file != f)
				continue;
			text_printf(t, "lock:\t");
			show_lock(t, ++id, "", list->inode, &l->lock);
		}
	}
	list_for_each(lease, &list->leases, link) {
		if (lease->file == f) {
			text_printf(t, "lock:\t");
			show_lease(t, ++id, list->inode, lease);
		}
	}
	mutex_unlock(&list->mutex);
}
MODAPI(locks_show_file);
