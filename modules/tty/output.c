/*
 * The output side: OPOST, the queue that drivers take from, flow control, write(2).
 *
 * Whatever appears on a terminal, from writers and from echo, goes through the one queue under tty->lock: that is what keeps it in order. A
 * writer's bytes leave TTY_OUT_RESERVE free, so that echo seldom has to be dropped. A stopped terminal keeps its
 * queue; echo still goes in.
 */
#include "internal.h"

#include <linux/tty.h>

#define CHUNK 512u
#define EXPANSION_MAX 8u		/* a tab */

unsigned int tty_output_room(const struct tty *t)
{
	return t->out_limit - (unsigned int)tty_output_pending(t);
}

void tty_output_raw_locked(struct tty *t, uint8_t c)
{
	if (!tty_output_room(t))
		return;
	t->out[t->out_head++ & t->out_mask] = c;
}

static void put_tab(struct tty *t)
{
	unsigned int spaces = 8 - (t->column & 7);

	t->column += spaces;
	if ((t->termios.c_oflag & TABDLY) != XTABS) {
		tty_output_raw_locked(t, '\t');
		return;
	}
	while (spaces--)
		tty_output_raw_locked(t, ' ');
}

static void put_processed(struct tty *t, uint8_t c)
{
	switch (c) {
	case '\n':
		if (tty_flag_o(t, ONLRET))
			t->column = 0;
		if (tty_flag_o(t, ONLCR)) {
			t->column = 0;
			tty_output_raw_locked(t, '\r');
		}
		break;
	case '\r':
		if (tty_flag_o(t, ONOCR) && t->column == 0)
			return;
		if (tty_flag_o(t, OCRNL)) {
			c = '\n';
			if (tty_flag_o(t, ONLRET))
				t->column = 0;
			break;
		}
		t->column = 0;
		break;
	case '\t':
		put_tab(t);
		return;
	case '\b':
		if (t->column > 0)
			t->column--;
		break;
	default:
		if (c < 0x20 || c == 0x7f)
			break;
		if (tty_flag_o(t, OLCUC) && c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (!tty_flag_i(t, IUTF8) || (c & 0xc0) != 0x80)
			t->column++;
		break;
	}
	tty_output_raw_locked(t, c);
}

void tty_output_char_locked(struct tty *t, uint8_t c)
{
	if (tty_flag_o(t, OPOST)) {
		if (tty_output_room(t) >= EXPANSION_MAX)
			put_processed(t, c);
	} else {
		tty_output_raw_locked(t, c);
	}
}

size_t tty_output_process_locked(struct tty *t, const uint8_t *buf, size_t n, unsigned int reserve)
{
	size_t i;

	for (i = 0; i < n && tty_output_room(t) >= reserve + EXPANSION_MAX; i++)
		tty_output_char_locked(t, buf[i]);
	return i;
}

void tty_output_start_locked(struct tty *t)
{
	if (!t->stopped && tty_output_pending(t) && t->ops->start)
		t->ops->start(t);
}

size_t tty_output_take(struct tty *t, uint8_t *buf, size_t n)
{
	size_t pending = tty_output_pending(t), left;

	if (t->stopped)
		return 0;
	n = MIN(n, pending);
	for (size_t i = 0; i < n; i++)
		buf[i] = t->out[t->out_tail++ & t->out_mask];
	left = pending - n;
	full_barrier();		/* the room is seen, or the writer who looks for it is */
	if (n && left < t->out_limit / 2 && wait_queue_active(&t->write_wait))
		poll_wake(&t->write_wait, POLL_OUT_SET);
	return n;
}

void tty_output_flush_locked(struct tty *t)
{
	t->out_tail = t->out_head;
	if (t->ops->flush)
		t->ops->flush(t);
	tty_packet_locked(t, TIOCPKT_FLUSHWRITE);
	poll_wake(&t->write_wait, POLL_OUT_SET);
}

void tty_stop_locked(struct tty *t)
{
	if (t->stopped)
		return;
	t->stopped = true;
	tty_packet_locked(t, TIOCPKT_STOP);
}

void tty_go_locked(struct tty *t)
{
	if (!t->stopped)
		return;
	t->stopped = false;
	tty_packet_locked(t, TIOCPKT_START);
	tty_output_start_locked(t);
	poll_wake(&t->write_wait, POLL_OUT_SET);
}

void tty_packet_locked(struct tty *t, uint8_t status)
{
	static const uint8_t opposite[] = {
		[TIOCPKT_STOP] = TIOCPKT_START, [TIOCPKT_START] = TIOCPKT_STOP,
		[TIOCPKT_NOSTOP] = TIOCPKT_DOSTOP, [TIOCPKT_DOSTOP] = TIOCPKT_NOSTOP,
	};

	if (!t->packet)
		return;
	if (status < ARRAY_SIZE(opposite))
		t->packet_status &= (uint8_t)~opposite[status];
	t->packet_status |= status;
	poll_wake(t->master_wait, POLL_IN_SET | EPOLLPRI);
}

/* A stopped pty takes nothing: its queue is the other side's input already. */
static bool held(const struct tty *t) { return t->stopped && t->master_wait; }

bool tty_writable(const struct tty *t)
{
	if (READ_ONCE(t->closing))
		return true;
	return !held(t) && tty_output_room(t) >= TTY_OUT_RESERVE + t->out_limit / 8;
}

static int wait_result(int error)
{
	return error == -EINTR ? -ERESTARTSYS : error;
}

/* Puts a piece into the queue, waiting for room. *done counts what went in. */
static long write_chunk(struct tty_file *tf, const uint8_t *buf, size_t n, bool nonblock, long *done)
{
	struct tty *t = tf->tty;

	for (;;) {
		unsigned long flags = spin_lock_irqsave(&t->lock);
		size_t used;
		int error;

		if (tty_file_dead(tf) || t->closing) {
			spin_unlock_irqrestore(&t->lock, flags);
			return -EIO;
		}
		used = held(t) ? 0 : tty_output_process_locked(t, buf, n, TTY_OUT_RESERVE);
		tty_output_start_locked(t);
		spin_unlock_irqrestore(&t->lock, flags);
		*done += (long)used;
		buf += used;
		n -= used;
		if (!n)
			return 0;
		if (used)
			continue;	/* a device that takes at once has made room */
		if (nonblock)
			return -EAGAIN;
		error = wait_event(&t->write_wait, tty_writable(t) || tty_file_dead(tf), WAIT_INTERRUPTIBLE,
				   TIME_NEVER);
		if (error)
			return wait_result(error);
	}
}

long tty_write_bytes(struct tty_file *tf, struct io_iter *from, bool nonblock)
{
	struct tty *t = tf->tty;
	uint8_t chunk[CHUNK];
	long done = 0, error = 0;

	if (!mutex_trylock(&t->write_mutex)) {
		if (nonblock)
			return -EAGAIN;
		error = wait_event(&t->write_wait, mutex_trylock(&t->write_mutex), WAIT_INTERRUPTIBLE, TIME_NEVER);
		if (error)
			return wait_result((int)error);
	}
	while (from->count && !error) {
		size_t n = io_iter_read(from, chunk, MIN(from->count, (size_t)CHUNK));

		if (!n) {
			error = -EFAULT;
			break;
		}
		error = write_chunk(tf, chunk, n, nonblock, &done);
		if (!error && signal_pending() && from->count)
			error = -ERESTARTSYS;
	}
	mutex_unlock(&t->write_mutex);
	full_barrier();		/* the free mutex is seen, or who waits for it is */
	if (wait_queue_active(&t->write_wait))
		poll_wake(&t->write_wait, POLL_OUT_SET);
	return done ? done : error;
}

/* A pty has given its bytes away when they are in the queue. */
static bool drained(struct tty *t)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	bool empty = t->master_wait || (!tty_output_pending(t) && !(t->ops->busy && t->ops->busy(t)));

	spin_unlock_irqrestore(&t->lock, flags);
	return empty;
}

/* The last bytes leave a device without telling: looked at every few milliseconds. */
int tty_drain(struct tty *t)
{
	while (!drained(t)) {
		int error = wait_event(&t->write_wait, drained(t), WAIT_INTERRUPTIBLE,
				       clock_monotonic() + 5 * NSEC_PER_MSEC);

		if (error && error != -ETIMEDOUT)
			return wait_result(error);
	}
	return 0;
}
