/*
 * read(2) and poll of terminals.
 *
 * A line, or the bytes that VMIN and VTIME ask for, is taken out under tty->lock into a buffer of the kernel and copied to the reader
 * afterwards: readers beside each other get whole lines.
 */
#include "internal.h"

#define LINE_MASK (TTY_READ_SIZE - 1)
#define SMALL 256u
#define TENTH (NSEC_PER_SEC / 10)

static bool have_line(const struct tty *t) { return t->line.ready != t->line.tail; }

static uint32_t raw_count(const struct tty *t) { return t->line.head - t->line.tail; }

/* Up to n bytes of the next line. *end: an end of file stood there, or the line did. */
static size_t take_line(struct tty *t, uint8_t *buf, size_t n, bool *end)
{
	struct tty_line *l = &t->line;
	size_t taken = 0;

	*end = false;
	while (l->tail != l->ready) {
		uint32_t at = l->tail & LINE_MASK;
		bool last = bitmap_test(l->ends, at), eof = last && !l->data[at];

		if (taken == n && !eof)
			break;
		l->tail++;
		if (last)
			bitmap_clear(l->ends, at);
		if (!eof)
			buf[taken++] = l->data[at];
		if (last) {
			*end = true;
			break;
		}
	}
	return taken;
}

static size_t take_raw(struct tty *t, uint8_t *buf, size_t n)
{
	struct tty_line *l = &t->line;
	size_t taken = 0;

	while (taken < n && l->tail != l->head) {
		bitmap_clear(l->ends, l->tail & LINE_MASK);
		buf[taken++] = l->data[l->tail++ & LINE_MASK];
	}
	l->ready = l->head;
	return taken;
}

/* The line is gone: nothing will come any more. */
static bool ended(const struct tty_file *tf)
{
	return tty_file_dead(tf) || READ_ONCE(tf->tty->closing);
}


static int wait_result(int error)
{
	return error == -EINTR ? -ERESTARTSYS : error;
}

/* Canonical mode. Bytes taken, or an error; 0: end of file. -ENODATA: the mode was changed meanwhile. */
static long read_canonical(struct tty_file *tf, uint8_t *buf, size_t n, bool nonblock)
{
	struct tty *t = tf->tty;

	for (;;) {
		unsigned long flags = spin_lock_irqsave(&t->lock);
		bool canonical = tty_canonical(t), line = have_line(t), end;
		size_t taken = canonical && line ? take_line(t, buf, n, &end) : 0;
		int error;

		spin_unlock_irqrestore(&t->lock, flags);
		if (!canonical)
			return -ENODATA;
		if (line)
			return (long)taken;
		if (ended(tf))
			return t->closing ? -EIO : 0;
		error = nonblock ? -EAGAIN : 0;
		if (!error)
			error = wait_result(wait_event(&t->read_wait, have_line(t) || ended(tf) || !tty_canonical(t),
						       WAIT_INTERRUPTIBLE, TIME_NEVER));
		if (error)
			return error;
	}
}

/* Raw mode: see termios(3) on MIN and TIME. Results as above. */
static long read_raw(struct tty_file *tf, uint8_t *buf, size_t n, bool nonblock)
{
	struct tty *t = tf->tty;
	uint64_t start = clock_monotonic();

	for (;;) {
		unsigned long flags = spin_lock_irqsave(&t->lock);
		unsigned int min = t->termios.c_cc[VMIN], time = t->termios.c_cc[VTIME];
		uint32_t count = raw_count(t), want = (uint32_t)MIN((size_t)MAX(min, 1u), n);
		uint64_t deadline = TIME_NEVER;
		size_t taken = 0;
		bool raw = !tty_canonical(t);
		int error;

		if (raw && (count >= want || (count && nonblock)))
			taken = take_raw(t, buf, n);
		spin_unlock_irqrestore(&t->lock, flags);
		if (!raw)
			return -ENODATA;
		if (taken)
			return (long)taken;
		if (ended(tf))
			return t->closing ? -EIO : 0;
		if (!min && !time)
			return 0;
		error = nonblock ? -EAGAIN : 0;
		if (error)
			return error;
		if (time && !min)
			deadline = start + time * TENTH;
		else if (time && count)
			deadline = clock_monotonic() + time * TENTH;
		error = wait_event(&t->read_wait, raw_count(t) > count || ended(tf) || tty_canonical(t),
				   WAIT_INTERRUPTIBLE, deadline);
		if (!error)
			continue;
		flags = spin_lock_irqsave(&t->lock);
		/* Time is over, or a signal: what is there is what it gets. */
		if (!tty_canonical(t))
			taken = take_raw(t, buf, n);
		spin_unlock_irqrestore(&t->lock, flags);
		if (taken || error == -ETIMEDOUT)
			return (long)taken;
		return wait_result(error);
	}
}

long tty_read_bytes(struct tty_file *tf, struct io_iter *to, bool nonblock)
{
	struct tty *t = tf->tty;
	uint8_t small[SMALL], *buf = small;
	size_t n = MIN(to->count, (size_t)TTY_READ_SIZE);
	long result;

	if (tty_file_dead(tf))
		return 0;
	if (!tf->console) {
		result = tty_check_change(t, SIGTTIN);
		if (result)
			return result;
	}
	if (!n)
		return 0;
	if (n > SMALL) {
		buf = kmalloc(n, 0);
		if (!buf)
			return -ENOMEM;
	}
	do {
		if (tty_canonical(t))
			result = read_canonical(tf, buf, n, nonblock);
		else
			result = read_raw(tf, buf, n, nonblock);
	} while (result == -ENODATA);
	if (result > 0) {
		tty_input_resume(t);
		if (io_iter_write(to, buf, (size_t)result) != (size_t)result)
			result = -EFAULT;
	}
	if (buf != small)
		kfree(buf);
	return result;
}

unsigned int tty_poll_file(struct file *f, struct poll_table *table)
{
	struct tty_file *tf = tty_file_of(f);
	struct tty *t = tf->tty;
	unsigned int events = 0;
	unsigned long flags;

	if (tty_file_dead(tf))
		return POLL_IN_SET | POLL_OUT_SET | EPOLLERR | EPOLLHUP;
	poll_wait(table, f, &t->read_wait);
	poll_wait(table, f, &t->write_wait);
	flags = spin_lock_irqsave(&t->lock);
	if (tty_canonical(t)) {
		if (have_line(t))
			events |= POLL_IN_SET;
	} else {
		unsigned int need = t->termios.c_cc[VTIME] ? 1 : MAX(t->termios.c_cc[VMIN], 1);

		if (raw_count(t) >= need)
			events |= POLL_IN_SET;
	}
	if (t->closing)
		events |= POLL_IN_SET | EPOLLHUP;
	if (tty_writable(t))
		events |= POLL_OUT_SET;
	spin_unlock_irqrestore(&t->lock, flags);
	return events;
}
