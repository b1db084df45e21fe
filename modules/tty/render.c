/*
 * From the grid that is shown to the display: what differs from what was drawn last is drawn. The
 * display is never read.
 *
 * Output wakes a thread that renders at most every FRAME_NS, so that a stream of text costs no drawing of what nobody sees. The log renders at once,
 * unless somebody is at it, who then finds `dirty` set and goes round again. `busy` is what keeps renderers apart; a panic does not ask for it.
 */
#include "internal.h"
#include "vt.h"

#include "core/mem/vmap.h"

#define FRAME_NS (16 * NSEC_PER_MSEC)
#define ROUNDS 4u

static struct cell *shown;		/* cols * rows */
static struct cell line[SCREEN_COLS_MAX];
static unsigned int busy, forget;
static struct wait_queue render_wait = WAIT_QUEUE_INIT(render_wait);

static bool lock_screen(struct screen *s, bool force, unsigned long *flags)
{
	if (!force) {
		*flags = spin_lock_irqsave(&s->lock);
		return true;
	}
	*flags = arch_irq_save();
	return spin_trylock(&s->lock);
}

/* A row as it shall look. */
static void copy_row(struct screen *s, unsigned int y, bool force)
{
	unsigned long flags;
	bool locked = lock_screen(s, force, &flags);
	const struct cell *row = history_row(s, y);

	for (unsigned int x = 0; x < s->cols; x++) {
		line[x] = row[x];
		if (s->reverse)
			line[x].flags ^= CELL_REVERSE;
	}
	if (s->show_cursor && !s->view && s->cursor.y == y)
		line[s->cursor.x].flags |= CELL_CURSOR;
	if (locked)
		spin_unlock_raw(&s->lock);
	arch_irq_restore(flags);
	if (locked)
		preempt_enable();
}

static bool same(const struct cell *a, const struct cell *b)
{
	return a->ch == b->ch && a->colors == b->colors && a->flags == b->flags;
}

static void draw_row(struct screen *s, unsigned int y)
{
	struct cell *old = shown + (size_t)y * s->cols;
	unsigned int x = 0, from;

	while (x < s->cols) {
		if (same(&line[x], &old[x])) {
			x++;
			continue;
		}
		from = x;
		while (x < s->cols && !same(&line[x], &old[x])) {
			old[x] = line[x];
			x++;
		}
		s->display->draw(s->display, from, y, line + from, x - from);
	}
}

void render_screen(bool force)
{
	struct screen *s;

	if (!shown || (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE) && !force))
		return;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		s = vt_screen_to_draw(force);
		if (!s || !__atomic_exchange_n(&s->dirty, 0, __ATOMIC_SEQ_CST))
			break;
		if (__atomic_exchange_n(&forget, 0, __ATOMIC_SEQ_CST))
			memset(shown, 0xff, (size_t)s->cols * s->rows * sizeof(struct cell));
		for (unsigned int y = 0; y < s->rows; y++) {
			copy_row(s, y, force);
			draw_row(s, y);
		}
	}
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

void render_forget(void)
{
	__atomic_store_n(&forget, 1, __ATOMIC_SEQ_CST);
}

void render_wake(void)
{
	full_barrier();		/* the thread sees what is wanted, or it is seen waiting */
	if (wait_queue_active(&render_wait))
		wait_wake_one(&render_wait);
}

void render_soon(const struct screen *s)
{
	full_barrier();		/* a switch to it sees what changed, or it is seen shown */
	if (READ_ONCE(s->dirty) && vt_draws(s))
		render_wake();
}

void render_wait_turn(void)
{
	while (__atomic_load_n(&busy, __ATOMIC_ACQUIRE))
		wait_event(&render_wait, !READ_ONCE(busy), WAIT_UNINTERRUPTIBLE,
			   clock_monotonic() + NSEC_PER_MSEC);
}

static void render_thread(void *arg)
{
	(void)arg;
	for (;;) {
		uint64_t next = clock_monotonic() + FRAME_NS;

		vt_switch_wanted();
		render_screen(false);
		wait_event(&render_wait, vt_switch_is_wanted(), WAIT_UNINTERRUPTIBLE, next);
		wait_event(&render_wait, vt_has_changes() || vt_switch_is_wanted(),
			   WAIT_UNINTERRUPTIBLE, TIME_NEVER);
	}
}

int render_start(struct display *d)
{
	size_t count = (size_t)MIN(d->cols, SCREEN_COLS_MAX) * MIN(d->rows, SCREEN_ROWS_MAX);
	struct cell *cells = kvmalloc(count * sizeof(struct cell), 0);

	if (!cells)
		return -ENOMEM;
	memset(cells, 0xff, count * sizeof(struct cell));
	shown = cells;
	return thread_start_kernel("tty-screen", render_thread, NULL);
}
