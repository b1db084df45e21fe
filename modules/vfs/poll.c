/*
 * poll and select.
 *
 * One round registers a waiter on every queue that the files name, then asks for masks alone after each wake-up. A waiter's
 * notify() ignores wake-ups for events that nobody asked for. The files are held by reference until the waiters are off
 * their queues.
 */
#include "modules/vfs/poll_wait.h"
#include "modules/vfs/internal.h"

unsigned int file_poll(struct file *f, struct poll_table *table)
{
	if (!f->ops->poll)
		return POLL_IN_SET | POLL_OUT_SET;
	return f->ops->poll(f, table);
}
MODAPI(file_poll);

static bool poll_notify(struct waiter *w, unsigned long key)
{
	struct poll_entry *e = container_of(w, struct poll_entry, waiter);

	if (key && !(key & e->events))
		return false;
	return waiter_notify_thread(w, key);
}

static void poll_queue(struct poll_table *table, struct file *f, struct wait_queue *q)
{
	struct poll_round *r = container_of(table, struct poll_round, table);
	struct poll_entry *e;

	if (r->inline_used < POLL_INLINE) {
		e = &r->inline_entries[r->inline_used++];
	} else {
		if (!r->block || r->block->used == POLL_BLOCK) {
			struct poll_block *b = kmalloc(sizeof(*b), 0);

			if (!b) {
				r->error = -ENOMEM;
				return;
			}
			b->used = 0;
			b->next = r->block;
			r->block = b;
		}
		e = &r->block->entries[r->block->used++];
	}
	waiter_init(&e->waiter);
	e->waiter.notify = poll_notify;
	e->events = table->events | EPOLLERR | EPOLLHUP | POLL_WAKE_FREE;
	e->queue = q;
	e->file = f;
	if (r->hold_files)
		file_get(f);
	wait_queue_add(q, &e->waiter);
}

void poll_round_begin(struct poll_round *r, bool hold_files)
{
	r->table.queue = poll_queue;
	r->table.events = 0;
	r->inline_used = 0;
	r->block = NULL;
	r->error = 0;
	r->hold_files = hold_files;
}

static void end_entry(struct poll_round *r, struct poll_entry *e)
{
	wait_queue_remove(e->queue, &e->waiter);
	if (r->hold_files)
		file_put(e->file);
}

void poll_round_end(struct poll_round *r)
{
	while (r->inline_used)
		end_entry(r, &r->inline_entries[--r->inline_used]);
	while (r->block) {
		struct poll_block *b = r->block;

		while (b->used)
			end_entry(r, &b->entries[--b->used]);
		r->block = b->next;
		kfree(b);
	}
}

long poll_run(struct poll_round *r, long (*scan)(struct poll_round *r, void *arg), void *arg, uint64_t deadline)
{
	long found;
	int error = 0;

	/* Without waiting there is nothing to register. */
	if (!deadline)
		r->table.queue = NULL;
	for (;;) {
		if (deadline)
			wait_prepare(WAIT_INTERRUPTIBLE);
		found = scan(r, arg);
		r->table.queue = NULL;
		if (!found)
			found = r->error;
		if (found || !deadline)
			break;
		if (error) {
			found = error == -ETIMEDOUT ? 0 : error;
			break;
		}
		error = wait_sleep(deadline);
	}
	if (deadline)
		wait_finish();
	return found;
}
