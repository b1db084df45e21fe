/*
 * Messages: memory, what they cost their sender, copies.
 *
 * Small data stands in the message, larger in pages. The sender is charged until the message is freed and may have send_limit bytes
 * under way; it sleeps on write_wait, and is woken when three quarters are free again, so that a slow reader does not
 * cost a switch for every message.
 */
#include "modules/unix/internal.h"

#define INLINE_MAX     (2048u - (unsigned int)sizeof(struct unix_message))
#define OVERHEAD       640u		/* charged beside the data, about what a message takes */

static inline bool has_room(const struct unix_socket *s)
{
	return READ_ONCE(s->sent_charge) < READ_ONCE(s->send_limit) && unix_user_has_room(s);
}

/* Waits until the sender may have one more message under way. */
static int wait_for_room(struct unix_socket *s, uint64_t deadline)
{
	int error;

	for (;;) {
		error = unix_take_error(s);
		if (error)
			return error;
		if (READ_ONCE(s->shutdown) & SHUT_SEND)
			return -EPIPE;
		if (likely(has_room(s)))
			return 0;
		if (!deadline)
			return -EAGAIN;
		error = wait_event(&s->write_wait,
				   has_room(s) || READ_ONCE(s->error) || (READ_ONCE(s->shutdown) & SHUT_SEND),
				   WAIT_INTERRUPTIBLE, deadline);
		if (error)
			return unix_wait_error(error, deadline);
	}
}

static void free_memory(struct unix_message *m)
{
	for (unsigned int i = 0; i < m->pages; i++)
		page_put(m->page[i]);
	kfree(m);
}

static struct unix_message *alloc_memory(size_t n)
{
	unsigned int pages = n > INLINE_MAX ? (unsigned int)DIV_UP(n, PAGE_SIZE) : 0;
	struct unix_message *m = kmalloc(sizeof(*m) + (pages ? pages * sizeof(struct page *) : n), 0);

	if (!m)
		return NULL;
	m->files = NULL;
	m->cred.pid = 0;
	m->offset = 0;
	m->length = (uint32_t)n;
	for (m->pages = 0; m->pages < pages; m->pages++) {
		m->page[m->pages] = page_alloc(0, ALLOC_USER);
		if (!m->page[m->pages]) {
			free_memory(m);
			return NULL;
		}
	}
	return m;
}

static bool fill(struct unix_message *m, struct io_iter *from)
{
	size_t left = m->length;

	if (!m->pages)
		return io_iter_read(from, m->data, left) == left;
	for (unsigned int i = 0; i < m->pages; i++) {
		size_t n = MIN(left, PAGE_SIZE);

		if (io_iter_read(from, page_address(m->page[i]), n) != n)
			return false;
		left -= n;
	}
	return true;
}

int unix_message_make(struct unix_socket *s, struct io_iter *from, size_t n, uint64_t deadline,
		      struct unix_message **out)
{
	struct unix_message *m;
	int error = wait_for_room(s, deadline);

	if (error)
		return error;
	/* Streams have cut theirs already. */
	if (n > UNIX_LEAST_MESSAGE && account_is_full(s->account, ACCOUNT_SOCKET_BYTES) && !account_privileged())
		return -ENOBUFS;
	m = alloc_memory(n);
	if (!m)
		return -ENOBUFS;
	if (!fill(m, from)) {
		free_memory(m);
		return -EFAULT;
	}
	list_init(&m->link);
	m->charge = OVERHEAD + (uint32_t)n;
	account_add(s->account, ACCOUNT_SOCKET_BYTES, m->charge);
	unix_socket_get(s);
	m->sender = s;
	__atomic_add_fetch(&s->sent_charge, m->charge, __ATOMIC_RELAXED);
	*out = m;
	return 0;
}

void unix_message_free(struct unix_message *m)
{
	struct unix_socket *s = m->sender;
	struct unix_files *files = m->files ? unix_flight_leave(m) : NULL;

	account_sub(s->account, ACCOUNT_SOCKET_BYTES, m->charge);
	__atomic_sub_fetch(&s->sent_charge, m->charge, __ATOMIC_SEQ_CST);
	if (wait_queue_active(&s->write_wait) && unix_writable(s))
		poll_wake(&s->write_wait, POLL_OUT_SET);
	if (unlikely(!list_empty(&s->async.files)) && unix_writable(s))
		file_async_notify(&s->async, FILE_WRITE, POLL_OUT_SET);
	free_memory(m);
	if (files)
		unix_files_drop(files);
	unix_socket_put(s);
}

void unix_messages_free(struct list *messages)
{
	while (!list_empty(messages)) {
		struct unix_message *m = list_first(messages, struct unix_message, link);

		list_remove(&m->link);
		unix_message_free(m);
	}
}

size_t unix_message_copy(const struct unix_message *m, size_t offset, struct io_iter *to, size_t n)
{
	size_t done = 0;

	if (!m->pages)
		return io_iter_write(to, m->data + offset, n);
	while (done < n) {
		size_t at = offset + done, part = MIN(n - done, PAGE_SIZE - (at & PAGE_MASK));
		size_t copied = io_iter_write(to, (char *)page_address(m->page[at >> PAGE_SHIFT]) + (at & PAGE_MASK), part);

		done += copied;
		if (copied < part)
			break;
	}
	return done;
}
