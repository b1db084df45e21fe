/*
 * What messages consist of: parts of at most a page, so that a long message needs no contiguous memory.
 */
#include "modules/sysvipc/msg.h"

#define HEAD_ROOM (PAGE_SIZE - sizeof(struct msg))
#define PART_ROOM (PAGE_SIZE - sizeof(struct msg_part))

/* Walks a message's bytes: the next piece, up to `left` bytes long. */
struct walk {
	char *data;
	size_t room;
	struct msg_part *next;
};

static struct walk walk_begin(const struct msg *m)
{
	return (struct walk){ (char *)m->data, HEAD_ROOM, m->rest };
}

static void walk_on(struct walk *w)
{
	w->data = w->next->data;
	w->room = PART_ROOM;
	w->next = w->next->next;
}

void msg_free(struct msg *m)
{
	struct msg_part *p = m ? m->rest : NULL;

	while (p) {
		struct msg_part *next = p->next;

		kfree(p);
		p = next;
	}
	if (m && m->account) {
		account_sub(m->account, ACCOUNT_IPC_BYTES, m->charged);
		account_put(m->account);
	}
	kfree(m);
}

/* Charges the caller's user for the message. False: he has as many as he may have. */
static bool charge(struct msg *m, size_t size)
{
	m->charged = sizeof(*m) + size;
	m->account = account_find();
	if (m->account && !account_charge(m->account, ACCOUNT_IPC_BYTES, m->charged)) {
		account_put(m->account);
		m->account = NULL;
	}
	return m->account;
}

struct msg *msg_alloc(size_t size)
{
	struct msg *m = kmalloc(sizeof(*m) + MIN(size, HEAD_ROOM), IPC_ALLOC);
	struct msg_part **end;

	if (!m)
		return NULL;
	if (!charge(m, size)) {
		kfree(m);
		return NULL;
	}
	m->size = size;
	m->rest = NULL;
	size -= MIN(size, HEAD_ROOM);
	for (end = &m->rest; size; end = &(*end)->next) {
		size_t n = MIN(size, PART_ROOM);

		*end = kmalloc(sizeof(**end) + n, IPC_ALLOC);
		if (!*end) {
			msg_free(m);
			return NULL;
		}
		(*end)->next = NULL;
		size -= n;
	}
	return m;
}

int msg_load(uintptr_t text, size_t size, struct msg **out)
{
	struct msg *m = msg_alloc(size);
	struct walk w;

	if (!m)
		return -ENOMEM;
	for (w = walk_begin(m); size; walk_on(&w)) {
		size_t n = MIN(size, w.room);

		if (copy_from_user(w.data, text, n)) {
			msg_free(m);
			return -EFAULT;
		}
		text += n;
		size -= n;
		if (!size)
			break;
	}
	*out = m;
	return 0;
}

int msg_store(const struct msg *m, uintptr_t text, size_t n)
{
	struct walk w = walk_begin(m);

	while (n) {
		size_t piece = MIN(n, w.room);

		if (copy_to_user(text, w.data, piece))
			return -EFAULT;
		text += piece;
		n -= piece;
		if (n)
			walk_on(&w);
	}
	return 0;
}

/* Both have the same cuts. */
void msg_copy(struct msg *to, const struct msg *from)
{
	struct walk a = walk_begin(to), b = walk_begin(from);
	size_t n = from->size;

	to->type = from->type;
	to->size = n;
	while (n) {
		size_t piece = MIN(n, a.room);

		memcpy(a.data, b.data, piece);
		n -= piece;
		if (n) {
			walk_on(&a);
			walk_on(&b);
		}
	}
}
