/*
 * What messages consist of: a head and parts of at most a page each, so that a long message needs no contiguous memory. A message
 * belongs to one thread or one queue at a time.
 */
#include "modules/mqueue/internal.h"

struct mqueue_part {
	struct mqueue_part *next;
	char data[];
};

#define HEAD_ROOM (PAGE_SIZE - sizeof(struct mqueue_message))
#define PART_ROOM (PAGE_SIZE - sizeof(struct mqueue_part))

void mqueue_message_free(struct mqueue_message *m)
{
	struct mqueue_part *p = m ? m->rest : NULL;

	while (p) {
		struct mqueue_part *next = p->next;

		kfree(p);
		p = next;
	}
	kfree(m);
}

/* Adds parts until all of the message has come. */
static int load_rest(struct mqueue_message *m, uintptr_t text, size_t left)
{
	struct mqueue_part **end = &m->rest;

	while (left) {
		size_t n = MIN(left, PART_ROOM);
		struct mqueue_part *p = kmalloc(sizeof(*p) + n, MQUEUE_ALLOC);

		if (!p)
			return -ENOMEM;
		p->next = NULL;
		*end = p;
		end = &p->next;
		if (copy_from_user(p->data, text, n))
			return -EFAULT;
		text += n;
		left -= n;
	}
	return 0;
}

int mqueue_message_load(uintptr_t text, size_t size, uint32_t priority, struct mqueue_message **out)
{
	size_t n = MIN(size, HEAD_ROOM);
	struct mqueue_message *m = kmalloc(sizeof(*m) + n, MQUEUE_ALLOC);
	int error;

	if (!m)
		return -ENOMEM;
	m->priority = priority;
	m->size = size;
	m->rest = NULL;
	error = copy_from_user(m->data, text, n) ? -EFAULT : load_rest(m, text + n, size - n);
	if (error)
		mqueue_message_free(m);
	else
		*out = m;
	return error;
}

int mqueue_message_store(const struct mqueue_message *m, uintptr_t text)
{
	size_t n = MIN(m->size, HEAD_ROOM), left = m->size - n;

	if (copy_to_user(text, m->data, n))
		return -EFAULT;
	for (const struct mqueue_part *p = m->rest; p; p = p->next) {
		text += n;
		n = MIN(left, PART_ROOM);
		if (copy_to_user(text, p->data, n))
			return -EFAULT;
		left -= n;
	}
	return 0;
}
