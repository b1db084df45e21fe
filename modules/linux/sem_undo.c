/*
 * Sharing of semaphore adjustments between threads.
 *
 * task.sem_undo is written by the thread itself, and by its creator before it runs.
 */
#include "internal.h"

#include "modules/linux/sem_undo.h"

void (*sem_undo_apply)(struct sem_undo_share *share);
MODAPI(sem_undo_apply);

struct sem_undo_share *sem_undo_share(void)
{
	struct task *t = current_task;
	struct sem_undo_share *s = t->sem_undo;

	if (s)
		return s;
	s = kmalloc(sizeof(*s), 0);
	if (!s)
		return NULL;
	refcount_init(&s->refs, 1);
	spin_init(&s->lock);
	list_init(&s->entries);
	t->sem_undo = s;
	return s;
}
MODAPI(sem_undo_share);

int sem_undo_inherit(struct task *t)
{
	struct sem_undo_share *s = sem_undo_share();

	if (!s)
		return -ENOMEM;
	refcount_get(&s->refs);
	t->sem_undo = s;
	return 0;
}

void sem_undo_leave(struct task *t)
{
	struct sem_undo_share *s = t->sem_undo;

	t->sem_undo = NULL;
	if (!s || !refcount_put(&s->refs))
		return;
	if (!list_empty(&s->entries))
		sem_undo_apply(s);
	kfree(s);
}
