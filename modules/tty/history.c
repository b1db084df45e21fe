/*
 * Scrollback: a ring of the lines that left a grid at its top, and where in it the display looks.
 * The alternate grid has none. A view that looks back stays on its lines while new ones arrive,
 * until they are overwritten. screen.lock is held by all callers.
 */
#include "internal.h"
#include "screen.h"

static struct cell *line_at(const struct screen *s, unsigned int slot)
{
	return s->history + (size_t)slot * s->cols;
}

void history_keep(struct screen *s)
{
	if (!s->history || s->alternate)
		return;
	memcpy(line_at(s, s->history_next), s->row[0], s->cols * sizeof(struct cell));
	s->history_next = (s->history_next + 1) % s->history_lines;
	if (s->history_count < s->history_lines)
		s->history_count++;
	if (s->view)
		s->view = MIN(s->view + 1, s->history_count);
}

void history_clear(struct screen *s)
{
	s->history_count = s->view = 0;
}

const struct cell *history_row(const struct screen *s, unsigned int y)
{
	unsigned int view = MIN(s->view, s->history_count), back;

	if (y >= view)
		return s->row[y - view];
	back = view - y;	/* 1: the line that left last */
	return line_at(s, (s->history_next + s->history_lines - back) % s->history_lines);
}

void history_scroll(struct screen *s, int lines)
{
	int view = (int)s->view + lines;

	if (s->alternate)
		return;
	view = MAX(0, MIN(view, (int)s->history_count));
	if ((unsigned int)view == s->view)
		return;
	s->view = (unsigned int)view;
	WRITE_ONCE(s->dirty, 1);
}
