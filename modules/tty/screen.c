/*
 * The grid of the terminal emulator: characters, cursor, scrolling, erasing. Rows are reached through pointers, so that scrolling moves pointers and clears
 * one row. screen.lock is held by all callers.
 */
#include "internal.h"
#include "screen.h"

#include "core/lib/bits.h"
#include "core/mem/vmap.h"

static const struct cell blank_pen = { ' ', 7, 0 };

static struct cell blank_of(const struct screen *s)
{
	/* Erased cells take the background colour. */
	return (struct cell){ ' ', s->cursor.pen.colors, 0 };
}

static void fill(struct cell *at, unsigned int n, struct cell with)
{
	while (n--)
		*at++ = with;
}

static void changed(struct screen *s) { WRITE_ONCE(s->dirty, 1); }

void screen_free(struct screen *s)
{
	for (unsigned int g = 0; g < 2; g++)
		kvfree(s->cells[g]);
	kvfree(s->history);
}

int screen_setup(struct screen *s, struct display *d, unsigned int history)
{
	size_t count;

	s->display = d;
	s->cols = MIN(d->cols, SCREEN_COLS_MAX);
	s->rows = MIN(d->rows, SCREEN_ROWS_MAX);
	count = (size_t)s->cols * s->rows;
	s->history_lines = history;
	if (history)
		s->history = kvmalloc((size_t)s->cols * history * sizeof(struct cell), 0);
	for (unsigned int g = 0; g < 2; g++)
		s->cells[g] = kvmalloc(count * sizeof(struct cell), 0);
	if (!s->cells[0] || !s->cells[1] || (history && !s->history)) {
		screen_free(s);
		return -ENOMEM;
	}
	for (unsigned int g = 0; g < 2; g++)
		fill(s->cells[g], (unsigned int)count, blank_pen);
	for (unsigned int y = 0; y < s->rows; y++) {
		s->row[y] = s->cells[0] + (size_t)y * s->cols;
		s->row_other[y] = s->cells[1] + (size_t)y * s->cols;
	}
	spin_init(&s->lock);
	screen_reset(s);
	return 0;
}

void screen_reset(struct screen *s)
{
	if (s->alternate)
		screen_use_alternate(s, false, false);
	s->cursor = (struct screen_cursor){ .pen = blank_pen, .charset = { 'B', '0' } };
	s->saved = s->saved_alternate = s->cursor;
	s->top = 0;
	s->bottom = s->rows;
	s->autowrap = s->show_cursor = s->utf8 = true;
	s->insert = s->newline = s->reverse = s->cursor_keys = s->keypad = false;
	for (unsigned int x = 0; x < SCREEN_COLS_MAX; x += 8)
		bitmap_set(s->tabs, x);
	screen_erase_display(s, 2);
}

void screen_move(struct screen *s, int x, int y)
{
	s->cursor.x = (unsigned int)MAX(0, MIN(x, (int)s->cols - 1));
	s->cursor.y = (unsigned int)MAX(0, MIN(y, (int)s->rows - 1));
	s->cursor.wrap_next = false;
	changed(s);
}

void screen_move_origin(struct screen *s, int x, int y)
{
	if (!s->cursor.origin) {
		screen_move(s, x, y);
		return;
	}
	y = MAX(0, MIN(y, (int)(s->bottom - s->top) - 1));
	screen_move(s, x, y + (int)s->top);
}

/* Rows [top, bottom) move up by n; empty ones come in below. */
void screen_scroll_up(struct screen *s, unsigned int top, unsigned int n)
{
	unsigned int height = s->bottom - top;
	struct cell *gone[SCREEN_ROWS_MAX / 16];

	n = MIN(n, height);
	while (n) {
		unsigned int step = MIN(n, (unsigned int)ARRAY_SIZE(gone));

		memcpy(gone, &s->row[top], step * sizeof(*gone));
		memmove(&s->row[top], &s->row[top + step], (height - step) * sizeof(*gone));
		memcpy(&s->row[s->bottom - step], gone, step * sizeof(*gone));
		for (unsigned int i = 0; i < step; i++)
			fill(gone[i], s->cols, blank_of(s));
		n -= step;
	}
	changed(s);
}

void screen_scroll_down(struct screen *s, unsigned int top, unsigned int n)
{
	unsigned int height = s->bottom - top;

	n = MIN(n, height);
	while (n--) {
		struct cell *gone = s->row[s->bottom - 1];

		memmove(&s->row[top + 1], &s->row[top], (height - 1) * sizeof(gone));
		s->row[top] = gone;
		fill(gone, s->cols, blank_of(s));
	}
	changed(s);
}

void screen_linefeed(struct screen *s)
{
	s->cursor.wrap_next = false;
	if (s->cursor.y + 1 == s->bottom) {
		if (s->top == 0)
			history_keep(s);
		screen_scroll_up(s, s->top, 1);
	} else if (s->cursor.y + 1 < s->rows) {
		s->cursor.y++;
	}
	changed(s);
}

void screen_reverse_linefeed(struct screen *s)
{
	s->cursor.wrap_next = false;
	if (s->cursor.y == s->top)
		screen_scroll_down(s, s->top, 1);
	else if (s->cursor.y > 0)
		s->cursor.y--;
	changed(s);
}

void screen_put(struct screen *s, uint16_t ch)
{
	struct cell *row;

	if (s->cursor.wrap_next) {
		s->cursor.x = 0;
		screen_linefeed(s);
	}
	if (s->insert)
		screen_insert_chars(s, 1);
	row = s->row[s->cursor.y];
	row[s->cursor.x] = s->cursor.pen;
	row[s->cursor.x].ch = ch;
	s->last = ch;
	if (s->cursor.x + 1 < s->cols)
		s->cursor.x++;
	else
		s->cursor.wrap_next = s->autowrap;
	changed(s);
}

void screen_tab(struct screen *s, int count)
{
	unsigned int x = s->cursor.x;

	for (; count > 0 && x + 1 < s->cols; count--)
		do
			x++;
		while (x + 1 < s->cols && !bitmap_test(s->tabs, x));
	for (; count < 0 && x > 0; count++)
		do
			x--;
		while (x > 0 && !bitmap_test(s->tabs, x));
	screen_move(s, (int)x, (int)s->cursor.y);
}

/* From (x0, y0) up to, not including, (x1, y1), in reading order. */
void screen_erase(struct screen *s, unsigned int x0, unsigned int y0, unsigned int x1, unsigned int y1)
{
	for (unsigned int y = y0; y <= y1 && y < s->rows; y++) {
		unsigned int from = y == y0 ? x0 : 0, to = y == y1 ? x1 : s->cols;

		if (to > from)
			fill(s->row[y] + from, to - from, blank_of(s));
	}
	changed(s);
}

void screen_erase_display(struct screen *s, unsigned int how)
{
	if (how == 0)
		screen_erase(s, s->cursor.x, s->cursor.y, 0, s->rows);
	else if (how == 1)
		screen_erase(s, 0, 0, s->cursor.x + 1, s->cursor.y);
	else if (how == 2 || how == 3)
		screen_erase(s, 0, 0, 0, s->rows);
	if (how == 3)
		history_clear(s);
	s->cursor.wrap_next = false;
}

void screen_erase_line(struct screen *s, unsigned int how)
{
	unsigned int y = s->cursor.y;

	if (how == 0)
		screen_erase(s, s->cursor.x, y, s->cols, y);
	else if (how == 1)
		screen_erase(s, 0, y, s->cursor.x + 1, y);
	else if (how == 2)
		screen_erase(s, 0, y, s->cols, y);
	s->cursor.wrap_next = false;
}

void screen_insert_chars(struct screen *s, unsigned int n)
{
	struct cell *at = s->row[s->cursor.y] + s->cursor.x;
	unsigned int left = s->cols - s->cursor.x;

	n = MIN(n, left);
	memmove(at + n, at, (left - n) * sizeof(*at));
	fill(at, n, blank_of(s));
	s->cursor.wrap_next = false;
	changed(s);
}

void screen_delete_chars(struct screen *s, unsigned int n)
{
	struct cell *at = s->row[s->cursor.y] + s->cursor.x;
	unsigned int left = s->cols - s->cursor.x;

	n = MIN(n, left);
	memmove(at, at + n, (left - n) * sizeof(*at));
	fill(at + left - n, n, blank_of(s));
	s->cursor.wrap_next = false;
	changed(s);
}

void screen_save(struct screen *s)
{
	s->saved = s->cursor;
}

void screen_restore(struct screen *s)
{
	s->cursor = s->saved;
	screen_move(s, (int)s->cursor.x, (int)s->cursor.y);
	s->cursor.wrap_next = s->saved.wrap_next;
}

void screen_use_alternate(struct screen *s, bool on, bool clear)
{
	if (on != s->alternate) {
		for (unsigned int y = 0; y < s->rows; y++) {
			struct cell *row = s->row[y];

			s->row[y] = s->row_other[y];
			s->row_other[y] = row;
		}
		s->alternate = on;
		s->view = 0;
	}
	if (on && clear)
		screen_erase(s, 0, 0, 0, s->rows);
	changed(s);
}

void screen_fill_test(struct screen *s)
{
	for (unsigned int y = 0; y < s->rows; y++)
		fill(s->row[y], s->cols, (struct cell){ 'E', 7, 0 });
	s->top = 0;
	s->bottom = s->rows;
	screen_move(s, 0, 0);
}
