/*
 * SEM_UNDO: what is given back when the last thread of those that share the adjustments ends.
 *
 * An entry is in its share's list and in its array's. Removing the array and ending the share both free it, whoever finds it in the lists
 * under the array's lock; a share that ends therefore takes the array's lock first, with a reference of its own to the array.
 */
#include "modules/sysvipc/sem.h"

static void free_entry(struct sem_undo *u)
{
	list_remove(&u->array_link);
	spin_lock(&u->share->lock);
	list_remove(&u->share_link);
	spin_unlock(&u->share->lock);
}

int sem_undo_find_locked(struct sem_array *a, struct sem_undo_share *share, struct sem_undo **out)
{
	struct sem_undo *u;

	spin_lock(&share->lock);
	list_for_each(u, &share->entries, share_link)
		if (u->array == a)
			break;
	spin_unlock(&share->lock);
	if (&u->share_link != &share->entries) {
		*out = u;
		return 0;
	}
	/* Another thread of the share would make one under this array's lock, too. */
	u = kvmalloc(sizeof(*u) + a->count * sizeof(u->adjust[0]), ALLOC_ZERO | IPC_ALLOC);
	if (!u)
		return -ENOMEM;
	u->share = share;
	u->array = a;
	ipc_hold(&a->ipc);
	list_add_head(&a->undos, &u->array_link);
	spin_lock(&share->lock);
	list_add_head(&share->entries, &u->share_link);
	spin_unlock(&share->lock);
	*out = u;
	return 0;
}

void sem_undo_clear_locked(struct sem_array *a, unsigned int index)
{
	struct sem_undo *u;

	list_for_each(u, &a->undos, array_link)
		u->adjust[index] = 0;
}

void sem_undo_drop_all_locked(struct sem_array *a)
{
	while (!list_empty(&a->undos)) {
		struct sem_undo *u = list_first(&a->undos, struct sem_undo, array_link);

		free_entry(u);
		ipc_put(&a->ipc);	/* never the last: the caller has one */
		kvfree(u);
	}
}

/* The share's entry for the array, if removal was not quicker. array.lock held. */
static struct sem_undo *find_entry(struct sem_array *a, struct sem_undo_share *share)
{
	struct sem_undo *u;

	list_for_each(u, &a->undos, array_link)
		if (u->share == share)
			return u;
	return NULL;
}

static void give_back_locked(struct sem_array *a, struct sem_undo *u, struct wake_list *wakes)
{
	int pid = ipc_pid();

	for (unsigned int i = 0; i < a->count; i++) {
		struct semaphore *s = &a->sem[i];

		if (!u->adjust[i])
			continue;
		s->value = MIN(MAX(s->value + u->adjust[i], 0), SEMVMX);
		s->pid = pid;
	}
	sem_update_locked(a, wakes);
	a->otime = ipc_now();
}

/* The array of the share's first entry, with a reference; null when there is none left. */
static struct sem_array *next_array(struct sem_undo_share *share)
{
	struct sem_array *a = NULL;

	spin_lock(&share->lock);
	if (!list_empty(&share->entries)) {
		a = list_first(&share->entries, struct sem_undo, share_link)->array;
		ipc_hold(&a->ipc);
	}
	spin_unlock(&share->lock);
	return a;
}

static void apply(struct sem_undo_share *share)
{
	struct sem_array *a;

	while ((a = next_array(share))) {
		struct wake_list wakes;
		struct sem_undo *u;

		wake_list_init(&wakes);
		mutex_lock(&a->ipc.lock);
		u = find_entry(a, share);
		if (u) {
			give_back_locked(a, u, &wakes);
			free_entry(u);
		}
		mutex_unlock(&a->ipc.lock);
		wake_list_deliver(&wakes);
		if (u)
			ipc_put(&a->ipc);
		kvfree(u);
		ipc_put(&a->ipc);
	}
}

void sem_undo_start(void)
{
	sem_undo_apply = apply;
}
