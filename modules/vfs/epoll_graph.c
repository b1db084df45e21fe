/*
 * The graph of epolls that watch epolls: what may be added to it.
 *
 * It has no loop, no chain of more than EPOLL_NESTS edges, and from each other file not more ways up
 * to the epolls that nobody watches than Linux allows: a wake-up takes every way. Walks mark what they
 * have seen with the number of the check, so each epoll is looked at once in each direction.
 *
 * Whoever adds below an epoll that is watched, or adds an epoll, holds epoll_graph_mutex from the
 * check to the end. Others need not: an epoll that a check has seen carries its number, and
 * epoll_graph_concerns() says so under ep->mutex.
 *
 * Locking: epoll_graph_mutex, which also keeps the lists of who watches an epoll, and every file that
 * an item names. Then ep->mutex, outer before inner; a file's own list needs file->lock.
 */
#include "modules/vfs/epoll.h"

struct mutex epoll_graph_mutex = MUTEX_INIT(epoll_graph_mutex);
static uint64_t check_number;	/* written under the mutex */

/* Ways by the number of epolls above the lowest; of the first kind there may be any number. */
static const unsigned int ways_allowed[EPOLL_NESTS + 1] = { 0, 500, 100, 50, 10 };

bool epoll_graph_concerns(const struct epoll *ep)
{
	return !list_empty(&ep->file->epoll) || ep->check == READ_ONCE(check_number);
}

void epoll_graph_lock(void)
{
	mutex_lock(&epoll_graph_mutex);
	WRITE_ONCE(check_number, check_number + 1);
}

void epoll_graph_unlock(void)
{
	WRITE_ONCE(check_number, check_number + 1);
	mutex_unlock(&epoll_graph_mutex);
}

/* Edges down from `ep`; more than EPOLL_NESTS if `to` is there, or the chain that `depth` counts is too long. */
static unsigned int depth_below(struct epoll *ep, const struct epoll *to, unsigned int depth)
{
	unsigned int result = 0;

	if (ep == to || depth > EPOLL_NESTS)
		return EPOLL_NESTS + 1;
	if (ep->check == check_number)
		return ep->depth;
	mutex_lock(&ep->mutex);
	ep->check = check_number;
	for (struct rb_node *n = rb_first(&ep->items); n && result <= EPOLL_NESTS; n = rb_next(n)) {
		struct epoll *next = file_epoll(rb_entry(n, struct epoll_item, node)->file);

		if (next)
			result = MAX(result, depth_below(next, to, depth + 1) + 1);
	}
	ep->depth = result;
	mutex_unlock(&ep->mutex);
	return result;
}

/* Edges up from `ep`. No loop is there yet, and no chain that is too long. */
static unsigned int height_above(struct epoll *ep)
{
	struct epoll_item *i;
	unsigned int result = 0;

	if (ep->check == check_number)
		return ep->depth;
	list_for_each(i, &ep->file->epoll, file_link)
		result = MAX(result, height_above(i->ep) + 1);
	ep->check = check_number;
	ep->depth = result;
	return result;
}

bool epoll_graph_may_nest(struct epoll *outer, struct epoll *inner)
{
	unsigned int depth = depth_below(inner, outer, 0);

	return depth <= EPOLL_NESTS && depth + 1 + height_above(outer) <= EPOLL_NESTS;
}

/* Counts the ways up from those on the list; false as soon as there are too many. */
static bool count_ways(const struct list *watchers, unsigned int depth, unsigned int *ways)
{
	struct epoll_item *i;

	if (depth > EPOLL_NESTS)
		return false;
	list_for_each(i, watchers, file_link) {
		const struct list *above = &i->ep->file->epoll;

		if (!list_empty(above)) {
			if (!count_ways(above, depth + 1, ways))
				return false;
		} else if (depth && ++ways[depth] > ways_allowed[depth]) {
			return false;
		}
	}
	return true;
}

/* Each file once in a check: its first item carries the number. */
static bool file_within_limits(struct file *f)
{
	unsigned int ways[EPOLL_NESTS + 1] = { 0 };
	bool ok = true;

	spin_lock(&f->lock);
	if (!list_empty(&f->epoll)) {
		struct epoll_item *first = list_first(&f->epoll, struct epoll_item, file_link);

		if (first->check != check_number) {
			first->check = check_number;
			ok = count_ways(&f->epoll, 0, ways);
		}
	}
	spin_unlock(&f->lock);
	return ok;
}

/* The files below `ep`. It is not the one that the caller has locked. */
static bool below_within_limits(struct epoll *ep)
{
	bool ok = true;

	if (ep->check == check_number)
		return true;
	mutex_lock(&ep->mutex);
	ep->check = check_number;
	for (struct rb_node *n = rb_first(&ep->items); n && ok; n = rb_next(n)) {
		struct file *f = rb_entry(n, struct epoll_item, node)->file;
		struct epoll *next = file_epoll(f);

		ok = next ? below_within_limits(next) : file_within_limits(f);
	}
	mutex_unlock(&ep->mutex);
	return ok;
}

bool epoll_graph_within_limits(struct file *added)
{
	struct epoll *inner = file_epoll(added);

	WRITE_ONCE(check_number, check_number + 1);
	return inner ? below_within_limits(inner) : file_within_limits(added);
}
