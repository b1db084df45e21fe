/*
 * epoll: interests in files, and the list of those that may be ready.
 *
 * ep->mutex guards the tree of items and what is done with them; ep->lock (spin, interrupts off) the ready list alone, because
 * wake-ups put items there from any context. An item's waiters stand on the queues that its file named when it was added; taking them
 * off waits out a running notify, so the item may be freed then. A file that goes away takes its items with it: graph_mutex is held
 * then, when an epoll goes away, and when one is added to another, so that none of them vanishes under the others.
 *
 * Order: graph_mutex, ep->mutex (outer epoll before inner), a file's queue lock, ep->lock, ep's own queue locks.
 */
#include "modules/vfs/epoll.h"

static struct kmem_cache *item_cache;

static int compare(const struct epoll_item *i, const struct file *f, int fd)
{
	if (i->file != f)
		return i->file < f ? -1 : 1;
	return i->fd < fd ? -1 : i->fd > fd;
}

static struct epoll_item *find_item(struct epoll *ep, const struct file *f, int fd)
{
	struct rb_node *n = ep->items.top;

	while (n) {
		struct epoll_item *i = rb_entry(n, struct epoll_item, node);
		int c = compare(i, f, fd);

		if (!c)
			return i;
		n = c < 0 ? n->right : n->left;
	}
	return NULL;
}

static bool item_less(const struct rb_node *a, const struct rb_node *b)
{
	const struct epoll_item *i = rb_entry(b, struct epoll_item, node);

	return compare(rb_entry(a, struct epoll_item, node), i->file, i->fd) < 0;
}

/*
 * Makes the item ready; any context. True if somebody was there to hear it. Who sleeps in epoll_wait
 * hears only of an item that is new on the list: the others have been announced. Who watches the
 * epoll itself hears of each event, as it may wait for edges; how many that are is bounded when they
 * are added (epoll_graph.c).
 */
static bool make_ready(struct epoll_item *i)
{
	struct epoll *ep = i->ep;
	unsigned long flags = spin_lock_irqsave(&ep->lock);
	bool new, heard;

	if (!(READ_ONCE(i->event.events) & ~EPOLL_PRIVATE)) {
		spin_unlock_irqrestore(&ep->lock, flags);
		return false;
	}
	new = list_empty(&i->ready);
	if (new)
		list_add_tail(&ep->ready, &i->ready);
	spin_unlock_irqrestore(&ep->lock, flags);
	heard = new && wait_queue_active(&ep->wait);
	if (new)
		wait_queue_wake(&ep->wait, 1, 0);
	poll_wake(&ep->poll_wait, POLL_IN_SET);
	return heard;
}

static bool epoll_notify(struct waiter *w, unsigned long key)
{
	struct epoll_waiter *ew = container_of(w, struct epoll_waiter, waiter);
	struct epoll_item *i = ew->item;
	bool heard;

	if (key & POLL_WAKE_FREE) {
		/* The queue goes: this runs under its lock, as does the removal that finds it empty. */
		list_remove(&w->link);
		store_release(&ew->queue, NULL);
	}
	if (key && !(key & (READ_ONCE(i->event.events) | POLL_WAKE_FREE)))
		return false;
	heard = make_ready(i);
	return w->exclusive ? heard : true;
}

struct epoll_table {
	struct poll_table table;
	struct epoll_item *item;
	int error;
};

static void epoll_queue(struct poll_table *table, struct file *f, struct wait_queue *q)
{
	struct epoll_table *t = container_of(table, struct epoll_table, table);
	struct epoll_item *i = t->item;
	struct epoll_waiter *w = &i->first;

	(void)f;
	if (w->queue) {
		w = kmalloc(sizeof(*w), 0);
		if (!w) {
			t->error = -ENOMEM;
			return;
		}
		w->next = i->more;
		i->more = w;
	}
	waiter_init(&w->waiter);
	w->waiter.thread = NULL;
	w->waiter.notify = epoll_notify;
	w->waiter.exclusive = i->event.events & EPOLLEXCLUSIVE;
	w->item = i;
	w->queue = q;
	wait_queue_add(q, &w->waiter);
}

static void leave_queue(struct epoll_waiter *w)
{
	struct wait_queue *q;

	/* A queue that announced its end is still there for a grace period. */
	rcu_read_lock();
	q = load_acquire(&w->queue);
	if (q)
		wait_queue_remove(q, &w->waiter);
	rcu_read_unlock();
}

static void leave_queues(struct epoll_item *i)
{
	leave_queue(&i->first);
	while (i->more) {
		struct epoll_waiter *w = i->more;

		i->more = w->next;
		leave_queue(w);
		kfree(w);
	}
}

/* Takes an item out of everything and frees it; ep->mutex is held. */
static void remove_item(struct epoll *ep, struct epoll_item *i)
{
	unsigned long flags;

	leave_queues(i);
	spin_lock(&i->file->lock);
	list_remove(&i->file_link);
	spin_unlock(&i->file->lock);
	rb_remove(&ep->items, &i->node);
	flags = spin_lock_irqsave(&ep->lock);
	list_remove(&i->ready);
	spin_unlock_irqrestore(&ep->lock, flags);
	account_sub(ep->account, ACCOUNT_WATCHES, 1);
	kmem_cache_free(item_cache, i);
}

static unsigned int item_events(struct epoll_item *i)
{
	unsigned int events = i->event.events;

	return file_poll(i->file, NULL) & events & ~EPOLL_PRIVATE;
}

int epoll_add(struct epoll *ep, struct file *f, int fd, const struct epoll_event *event, bool check)
{
	struct epoll_item *i;
	struct epoll_table t = { .table = { epoll_queue, ~0u } };
	unsigned int mask;

	if (find_item(ep, f, fd))
		return -EEXIST;
	/* Nobody is exempt, as on Linux. */
	if (account_add(ep->account, ACCOUNT_WATCHES, 1) > READ_ONCE(account_limits[ACCOUNT_WATCHES])) {
		account_sub(ep->account, ACCOUNT_WATCHES, 1);
		return -ENOSPC;
	}
	i = kmem_cache_alloc(item_cache, ALLOC_ZERO);
	if (!i) {
		account_sub(ep->account, ACCOUNT_WATCHES, 1);
		return -ENOMEM;
	}
	i->ep = ep;
	i->file = f;
	i->fd = fd;
	i->event = *event;
	list_init(&i->ready);
	__atomic_fetch_or(&f->mode, FILE_EPOLL, __ATOMIC_RELAXED);
	spin_lock(&f->lock);
	list_add_tail(&f->epoll, &i->file_link);
	spin_unlock(&f->lock);
	rb_insert(&ep->items, &i->node, item_less);
	if (check && !epoll_graph_within_limits(f)) {
		remove_item(ep, i);
		return -EINVAL;
	}
	t.item = i;
	mask = file_poll(f, &t.table);
	if (t.error) {
		remove_item(ep, i);
		return t.error;
	}
	if (mask & event->events & ~EPOLL_PRIVATE)
		make_ready(i);
	return 0;
}

int epoll_modify(struct epoll *ep, struct file *f, int fd, const struct epoll_event *event)
{
	struct epoll_item *i = find_item(ep, f, fd);

	if (!i)
		return -ENOENT;
	if ((i->event.events | event->events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	i->event.data = event->data;
	WRITE_ONCE(i->event.events, event->events);
	/* Pairs with the test in make_ready: a wake-up after this sees the new events, one before is seen by this poll. */
	full_barrier();
	if (item_events(i))
		make_ready(i);
	return 0;
}

int epoll_delete(struct epoll *ep, struct file *f, int fd)
{
	struct epoll_item *i = find_item(ep, f, fd);

	if (!i)
		return -ENOENT;
	remove_item(ep, i);
	return 0;
}

/* The next item of the ready list that this round has not seen; null if there is none. */
static struct epoll_item *next_ready(struct epoll *ep)
{
	struct epoll_item *i = NULL;
	unsigned long flags = spin_lock_irqsave(&ep->lock);

	if (!list_empty(&ep->ready)) {
		i = list_first(&ep->ready, struct epoll_item, ready);
		if (i->round == ep->round)
			i = NULL;
		else
			list_remove(&i->ready);
	}
	spin_unlock_irqrestore(&ep->lock, flags);
	return i;
}

static void put_back(struct epoll *ep, struct epoll_item *i, bool first)
{
	unsigned long flags = spin_lock_irqsave(&ep->lock);

	if (list_empty(&i->ready)) {
		if (first)
			list_add_head(&ep->ready, &i->ready);
		else
			list_add_tail(&ep->ready, &i->ready);
	}
	spin_unlock_irqrestore(&ep->lock, flags);
}

/* A scan takes items off the list that it may put back: until its end an empty list means nothing. */
static void scan_begin(struct epoll *ep)
{
	ep->round++;
	WRITE_ONCE(ep->scans, ep->scans + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Another sleeper may have use for what is left. */
static void scan_end(struct epoll *ep)
{
	store_release(&ep->scans, ep->scans + 1);
	mutex_unlock(&ep->mutex);
	if (!list_empty(&ep->ready))
		wait_queue_wake(&ep->wait, 1, 0);
}

/* Without the mutex: may there be something? */
static bool any_ready(struct epoll *ep)
{
	uint64_t before = load_acquire(&ep->scans);

	if (READ_ONCE(ep->ready.next) != &ep->ready)
		return true;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return (before & 1) || READ_ONCE(ep->scans) != before;
}

/* Gives what is ready to user memory: number of events, or -EFAULT if not even one could be stored. */
static long send_events(struct epoll *ep, uintptr_t user, int max)
{
	struct epoll_item *i;
	long n = 0;

	mutex_lock(&ep->mutex);
	scan_begin(ep);
	while (n < max && (i = next_ready(ep))) {
		struct epoll_event event = { item_events(i), i->event.data };

		i->round = ep->round;
		if (!event.events)
			continue;
		if (copy_to_user(user + (uintptr_t)n * sizeof(event), &event, sizeof(event))) {
			i->round = 0;
			put_back(ep, i, true);
			if (!n)
				n = -EFAULT;
			break;
		}
		n++;
		if (i->event.events & EPOLLONESHOT)
			WRITE_ONCE(i->event.events, i->event.events & EPOLL_PRIVATE);
		else if (!(i->event.events & EPOLLET))
			put_back(ep, i, false);
	}
	scan_end(ep);
	return n;
}

long epoll_collect(struct epoll *ep, uintptr_t user, int max, uint64_t deadline)
{
	for (;;) {
		int error = 0;
		long n = 0;

		if (any_ready(ep))
			n = send_events(ep, user, max);
		if (n || !deadline)
			return n;
		error = wait_event_exclusive(&ep->wait, any_ready(ep), WAIT_INTERRUPTIBLE, deadline);
		if (error) {
			if (any_ready(ep))
				wait_queue_wake(&ep->wait, 1, 0);
			return error == -ETIMEDOUT ? 0 : error;
		}
	}
}

static unsigned int epoll_poll(struct file *f, struct poll_table *table)
{
	struct epoll *ep = f->private;
	struct epoll_item *i;
	unsigned int mask = 0;

	poll_wait(table, f, &ep->poll_wait);
	if (!any_ready(ep))
		return 0;
	mutex_lock(&ep->mutex);
	scan_begin(ep);
	while (!mask && (i = next_ready(ep))) {
		i->round = ep->round;
		if (!item_events(i))
			continue;
		i->round = 0;
		put_back(ep, i, true);
		mask = POLL_IN_SET;
	}
	scan_end(ep);
	return mask;
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->private;
	struct rb_node *n;

	mutex_lock(&epoll_graph_mutex);
	mutex_lock(&ep->mutex);
	while ((n = rb_first(&ep->items)))
		remove_item(ep, rb_entry(n, struct epoll_item, node));
	mutex_unlock(&ep->mutex);
	mutex_unlock(&epoll_graph_mutex);
	account_put(ep->account);
	kfree(ep);
}

void epoll_release_file(struct file *f)
{
	mutex_lock(&epoll_graph_mutex);
	while (!list_empty(&f->epoll)) {
		struct epoll_item *i = list_first(&f->epoll, struct epoll_item, file_link);
		struct epoll *ep = i->ep;

		mutex_lock(&ep->mutex);
		remove_item(ep, i);
		mutex_unlock(&ep->mutex);
	}
	mutex_unlock(&epoll_graph_mutex);
	/* An epoll that took its item off just now may not have left the lock yet. */
	spin_lock(&f->lock);
	spin_unlock(&f->lock);
}

static int epoll_describe(struct file *f, char *buf, size_t size)
{
	struct epoll *ep = f->private;
	size_t used = 0;

	buf[0] = 0;
	mutex_lock(&ep->mutex);
	for (struct rb_node *n = rb_first(&ep->items); n && used < size; n = rb_next(n)) {
		struct epoll_item *i = rb_entry(n, struct epoll_item, node);

		used += (size_t)snprintf(buf + used, size - used,
					 "tfd: %8d events: %8x data: %16llx  pos:%lli ino:%llx sdev:%llx\n", i->fd,
					 i->event.events, (unsigned long long)i->event.data,
					 (long long)i->file->pos, (unsigned long long)i->file->inode->ino,
					 (unsigned long long)i->file->inode->super->dev);
	}
	mutex_unlock(&ep->mutex);
	return (int)used;
}

const struct file_ops epoll_ops = {
	.poll = epoll_poll,
	.release = epoll_release,
	.describe = epoll_describe,
};

int epoll_init(void)
{
	/* A twenty-fifth of memory for one user. */
	account_limits[ACCOUNT_WATCHES] = page_total() / 25 * PAGE_SIZE / sizeof(struct epoll_item);
	item_cache = kmem_cache_create("epoll_item", sizeof(struct epoll_item), 64);
	return item_cache ? 0 : -ENOMEM;
}

void epoll_exit(void)
{
	if (item_cache)
		kmem_cache_destroy(item_cache);
}
