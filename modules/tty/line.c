/*
 * The input side of the line discipline: what each byte does. Special characters act, the others go into the line buffer.
 *
 * The buffer is a ring. In canonical mode `ready` is where the line under way begins: readers take up to there, a line at a time; a bit in `ends` marks
 * the last byte of each line. End of file is such a byte, a 0 that readers swallow. In raw mode readers take up to `head`. A
 * byte of room is kept for the end of a line that is as long as can be.
 *
 * Everything runs in the input thread with tty->lock held. A signal is returned to the caller, who sends it without the lock.
 */
#include "internal.h"

#define LINE_MASK (TTY_READ_SIZE - 1)

static uint32_t used(const struct tty_line *l) { return l->head - l->tail; }

bool tty_line_room_locked(const struct tty *t)
{
	const struct tty_line *l = &t->line;

	if (used(l) < TTY_READ_SIZE - 1)
		return true;
	/* An endless line must be taken in to see its end; what does not fit is dropped. */
	return tty_canonical(t) && l->ready == l->tail;
}

static void store(struct tty *t, uint8_t c)
{
	struct tty_line *l = &t->line;

	if (used(l) >= TTY_READ_SIZE - 1) {
		if (tty_flag_i(t, IMAXBEL)) {
			tty_output_char_locked(t, '\a');
			tty_output_start_locked(t);
		}
		return;
	}
	bitmap_clear(l->ends, l->head & LINE_MASK);
	l->data[l->head++ & LINE_MASK] = c;
	if (!tty_canonical(t)) {
		l->ready = l->head;
		poll_wake(&t->read_wait, POLL_IN_SET);
	}
}

/* PARMRK spells a real 0xff twice. */
static void store_marked(struct tty *t, uint8_t c)
{
	if (tty_flag_i(t, PARMRK) && c == 0xff)
		store(t, c);
	store(t, c);
}

/* Ends the line under way; the byte of room for it is always there. */
static void store_end(struct tty *t, uint8_t c)
{
	struct tty_line *l = &t->line;

	if (used(l) >= TTY_READ_SIZE)
		return;
	bitmap_set(l->ends, l->head & LINE_MASK);
	l->data[l->head++ & LINE_MASK] = c;
	l->ready = l->head;
	poll_wake(&t->read_wait, POLL_IN_SET);
}

void tty_line_flush_locked(struct tty *t)
{
	struct tty_line *l = &t->line;

	l->head = l->tail = l->ready = 0;
	l->quote = l->erasing = false;
	memset(l->ends, 0, sizeof(l->ends));
	tty_packet_locked(t, TIOCPKT_FLUSHREAD);
}

void tty_line_mode_locked(struct tty *t, tcflag_t old_lflag)
{
	struct tty_line *l = &t->line;

	if (!((old_lflag ^ t->termios.c_lflag) & (ICANON | EXTPROC)))
		return;
	memset(l->ends, 0, sizeof(l->ends));
	l->ready = l->head;
	l->quote = l->erasing = false;
	/* What came in raw is one line without an end, to be read at once. */
	if (tty_canonical(t) && l->head != l->tail)
		bitmap_set(l->ends, (l->head - 1) & LINE_MASK);
	if (l->head != l->tail)
		poll_wake(&t->read_wait, POLL_IN_SET);
}

size_t tty_line_available_locked(const struct tty *t)
{
	const struct tty_line *l = &t->line;
	size_t n = l->ready - l->tail;

	if (!tty_canonical(t))
		return l->head - l->tail;
	for (uint32_t at = l->tail; at != l->ready; at++)
		if (bitmap_test(l->ends, at & LINE_MASK) && !l->data[at & LINE_MASK])
			n--;
	return n;
}

static void echo_input(struct tty *t, uint8_t c)
{
	if (!tty_flag_l(t, ECHO))
		return;
	tty_echo_finish_erasing_locked(t);
	if (c == '\n') {
		tty_output_char_locked(t, c);
		return;
	}
	if (t->line.ready == t->line.head)
		t->line.start_column = t->column;
	tty_echo_locked(t, c);
}

static void receive_error(struct tty *t, enum tty_flag flag, uint8_t c, int *signal)
{
	if (flag == TTY_BREAK) {
		if (tty_flag_i(t, IGNBRK))
			return;
		if (tty_flag_i(t, BRKINT)) {
			*signal = SIGINT;
			return;
		}
		if (tty_flag_i(t, PARMRK)) {
			store(t, 0xff);
			store(t, 0);
		}
		store(t, 0);
		return;
	}
	if (flag == TTY_OVERRUN) {
		store_marked(t, c);
		return;
	}
	if (!tty_flag_i(t, INPCK)) {
		store_marked(t, c);
	} else if (tty_flag_i(t, IGNPAR)) {
		return;
	} else if (tty_flag_i(t, PARMRK)) {
		store(t, 0xff);
		store(t, 0);
		store(t, c);
	} else {
		store(t, 0);
	}
}

static int signal_of(const struct tty *t, uint8_t c)
{
	if (tty_is_cc(t, VINTR, c))
		return SIGINT;
	if (tty_is_cc(t, VQUIT, c))
		return SIGQUIT;
	return tty_is_cc(t, VSUSP, c) ? SIGTSTP : 0;
}

/* Signal characters drop what is queued both ways, unless NOFLSH. */
static void signal_flush(struct tty *t)
{
	if (tty_flag_l(t, NOFLSH))
		return;
	tty_output_flush_locked(t);
	tty_line_flush_locked(t);
}

/* Flow control. True if the character is used up. */
static bool receive_flow(struct tty *t, uint8_t c)
{
	if (tty_is_cc(t, VSTART, c)) {
		tty_go_locked(t);
		return true;
	}
	if (tty_is_cc(t, VSTOP, c)) {
		tty_stop_locked(t);
		return true;
	}
	return false;
}

/* Canonical mode's characters. True if the character is used up. */
static bool receive_canonical(struct tty *t, uint8_t c)
{
	bool extended = tty_flag_l(t, IEXTEN);

	if (tty_is_cc(t, VERASE, c) || tty_is_cc(t, VKILL, c) || (extended && tty_is_cc(t, VWERASE, c))) {
		tty_echo_erase_locked(t, c);
		return true;
	}
	if (extended && tty_is_cc(t, VLNEXT, c)) {
		t->line.quote = true;
		if (tty_flag_l(t, ECHO)) {
			tty_echo_finish_erasing_locked(t);
			if (tty_flag_l(t, ECHOCTL)) {
				tty_output_raw_locked(t, '^');
				tty_output_raw_locked(t, '\b');
			}
		}
		return true;
	}
	if (extended && tty_flag_l(t, ECHO) && tty_is_cc(t, VREPRINT, c)) {
		tty_echo_finish_erasing_locked(t);
		tty_echo_locked(t, c);
		tty_output_char_locked(t, '\n');
		t->line.start_column = t->column;
		for (uint32_t at = t->line.ready; at != t->line.head; at++)
			tty_echo_locked(t, t->line.data[at & LINE_MASK]);
		return true;
	}
	if (c == '\n') {
		if (tty_flag_l(t, ECHO) || tty_flag_l(t, ECHONL)) {
			tty_echo_finish_erasing_locked(t);
			tty_output_char_locked(t, '\n');
		}
		store_end(t, '\n');
		return true;
	}
	if (tty_is_cc(t, VEOF, c)) {
		store_end(t, 0);
		return true;
	}
	if (tty_is_cc(t, VEOL, c) || (extended && tty_is_cc(t, VEOL2, c))) {
		echo_input(t, c);
		if (tty_flag_i(t, PARMRK) && c == 0xff)
			store(t, c);
		store_end(t, c);
		return true;
	}
	return false;
}

int tty_line_receive_locked(struct tty *t, uint8_t c, enum tty_flag flag)
{
	int signal = 0;

	if (unlikely(flag != TTY_NORMAL)) {
		receive_error(t, flag, c, &signal);
		if (signal)
			signal_flush(t);
		return signal;
	}
	/* Somebody else does the processing, unless the byte is to be changed first. */
	if (tty_flag_l(t, EXTPROC) && !tty_flag_i(t, ISTRIP) && !(tty_flag_i(t, IUCLC) && tty_flag_l(t, IEXTEN))) {
		store(t, c);
		return 0;
	}
	if (tty_flag_i(t, ISTRIP))
		c &= 0x7f;
	if (tty_flag_i(t, IUCLC) && tty_flag_l(t, IEXTEN) && c >= 'A' && c <= 'Z')
		c = (uint8_t)(c - 'A' + 'a');
	if (t->line.quote) {
		t->line.quote = false;
		echo_input(t, c);
		store_marked(t, c);
		return 0;
	}
	if (tty_flag_i(t, IXON)) {
		if (receive_flow(t, c))
			return 0;
		if (t->stopped && tty_flag_i(t, IXANY) && !(tty_flag_l(t, ISIG) && signal_of(t, c)))
			tty_go_locked(t);
	}
	if (tty_flag_l(t, ISIG)) {
		signal = signal_of(t, c);
		if (signal) {
			signal_flush(t);
			if (tty_flag_i(t, IXON))
				tty_go_locked(t);
			if (tty_flag_l(t, ECHO))
				tty_echo_locked(t, c);
			return signal;
		}
	}
	if (c == '\r') {
		if (tty_flag_i(t, IGNCR))
			return 0;
		if (tty_flag_i(t, ICRNL))
			c = '\n';
	} else if (c == '\n' && tty_flag_i(t, INLCR)) {
		c = '\r';
	}
	if (tty_canonical(t) && receive_canonical(t, c))
		return 0;
	echo_input(t, c);
	store_marked(t, c);
	return 0;
}
