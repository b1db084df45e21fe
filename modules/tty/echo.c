/*
 * Echo: how input shows on the output, and how erased input is taken back from it. tty->lock is held everywhere.
 */
#include "internal.h"

#define LINE_MASK (TTY_READ_SIZE - 1)

static bool is_control(uint8_t c) { return c < 0x20 || c == 0x7f; }

/* Second byte and later of a character. */
static bool is_continuation(const struct tty *t, uint8_t c)
{
	return tty_flag_i(t, IUTF8) && (c & 0xc0) == 0x80;
}

void tty_echo_locked(struct tty *t, uint8_t c)
{
	if (tty_flag_l(t, ECHOCTL) && is_control(c) && c != '\t') {
		tty_output_char_locked(t, '^');
		tty_output_char_locked(t, c ^ 0x40);
	} else {
		tty_output_char_locked(t, c);
	}
}

void tty_echo_finish_erasing_locked(struct tty *t)
{
	if (!t->line.erasing)
		return;
	tty_output_raw_locked(t, '/');
	t->column++;
	t->line.erasing = false;
}

/* The column after the line under way up to its head, as its echo went. */
static unsigned int line_column(const struct tty *t)
{
	unsigned int column = t->line.start_column;

	for (uint32_t at = t->line.ready; at != t->line.head; at++) {
		uint8_t c = t->line.data[at & LINE_MASK];

		if (c == '\t')
			column = (column | 7) + 1;
		else if (is_control(c))
			column += tty_flag_l(t, ECHOCTL) ? 2 : 0;
		else if (!is_continuation(t, c))
			column++;
	}
	return column;
}

static void erase_cell(struct tty *t)
{
	tty_output_raw_locked(t, '\b');
	tty_output_raw_locked(t, ' ');
	tty_output_raw_locked(t, '\b');
	if (t->column > 0)
		t->column--;
}

/* The character at the head was taken out of the buffer: takes it off the screen. */
static void erase_shown(struct tty *t, uint8_t c)
{
	if (c == '\t') {
		unsigned int column = line_column(t), back;

		back = t->column > column ? MIN(t->column - column, 8u) : 0;
		for (; back; back--) {
			tty_output_raw_locked(t, '\b');
			t->column--;
		}
		return;
	}
	if (is_control(c)) {
		if (!tty_flag_l(t, ECHOCTL))
			return;
		erase_cell(t);
	}
	erase_cell(t);
}

/* Takes one character off the head; false at the line's begin. *first: its first byte. */
static bool take_back(struct tty *t, uint8_t *first)
{
	struct tty_line *l = &t->line;
	uint32_t at = l->head;

	while (at != l->ready) {
		*first = l->data[--at & LINE_MASK];
		if (!is_continuation(t, *first)) {
			l->head = at;
			return true;
		}
	}
	return false;		/* nothing, or only the rest of a character */
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
}

/* How an erased character shows. */
static void show_erased(struct tty *t, uint8_t c, uint8_t how, bool word_or_kill)
{
	if (!tty_flag_l(t, ECHO))
		return;
	if (tty_flag_l(t, ECHOPRT)) {
		if (!t->line.erasing) {
			tty_output_raw_locked(t, '\\');
			t->column++;
			t->line.erasing = true;
		}
		tty_echo_locked(t, c);
	} else if (!word_or_kill && !tty_flag_l(t, ECHOE)) {
		tty_echo_locked(t, how);
	} else {
		erase_shown(t, c);
	}
}

void tty_echo_erase_locked(struct tty *t, uint8_t how)
{
	struct tty_line *l = &t->line;
	bool kill = tty_is_cc(t, VKILL, how), word = !kill && !tty_is_cc(t, VERASE, how), seen = false;
	uint8_t c;

	if (l->head == l->ready)
		return;
	if (kill && tty_flag_l(t, ECHO) && !(tty_flag_l(t, ECHOK) && tty_flag_l(t, ECHOKE) && tty_flag_l(t, ECHOE))) {
		l->head = l->ready;
		tty_echo_finish_erasing_locked(t);
		tty_echo_locked(t, how);
		if (tty_flag_l(t, ECHOK))
			tty_output_char_locked(t, '\n');
		return;
	}
	if (kill && !tty_flag_l(t, ECHO)) {
		l->head = l->ready;
		return;
	}
	for (;;) {
		uint32_t before = l->head;

		if (!take_back(t, &c))
			break;
		if (word) {
			if (is_word(c)) {
				seen = true;
			} else if (seen) {
				l->head = before;
				break;
			}
		}
		show_erased(t, c, how, kill || word);
		if (!kill && !word)
			break;
	}
	if (l->head == l->ready)
		tty_echo_finish_erasing_locked(t);
}
