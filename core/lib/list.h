/*
 * Doubly linked circular lists with the node inside the object. The caller locks. A node that is on no list and was
 * initialised, or was removed by list_remove, points to itself, so list_empty(node) tells whether it is queued.
 */
#pragma once

#include "core/lib/types.h"

struct list {
	struct list *prev;
	struct list *next;
};

#define LIST_INIT(name) { &(name), &(name) }

static inline void list_init(struct list *l)
{
	l->prev = l;
	l->next = l;
}

static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_insert_between(struct list *n, struct list *prev, struct list *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

static inline void list_add_head(struct list *l, struct list *n) { list_insert_between(n, l, l->next); }
static inline void list_add_tail(struct list *l, struct list *n) { list_insert_between(n, l->prev, l); }

static inline void list_remove(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

/* Moves everything on `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_splice_tail(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_first(l, type, member) list_entry((l)->next, type, member)
#define list_last(l, type, member) list_entry((l)->prev, type, member)
#define list_next(obj, member) list_entry((obj)->member.next, __typeof__(*(obj)), member)

#define list_for_each(obj, l, member)                                                              \
	for (obj = list_first(l, __typeof__(*obj), member); &obj->member != (l);                   \
	     obj = list_next(obj, member))

/* The body may remove or free `obj`. */
#define list_for_each_safe(obj, tmp, l, member)                                                    \
	for (obj = list_first(l, __typeof__(*obj), member), tmp = list_next(obj, member);          \
	     &obj->member != (l); obj = tmp, tmp = list_next(tmp, member))
