/*
 * The terminal emulator: a grid of cells that an ECMA-48 stream changes, and displays that show it.
 *
 * struct screen is the emulator's state (screen.c the grid, escape.c the stream); render.c brings it to the display; vt.c makes a terminal of it. All
 * state is guarded by screen.lock, interrupts off; functions here want it held unless stated.
 */
#pragma once

#include "core/lib/types.h"
#include "core/sync/spinlock.h"
#include "modules/tty/tty.h"

#define SCREEN_COLS_MAX 512u
#define SCREEN_ROWS_MAX 256u
#define ESCAPE_PARAMS   16u

#define CELL_BOLD      0x1u
#define CELL_UNDERLINE 0x2u
#define CELL_REVERSE   0x4u
#define CELL_CURSOR    0x8u		/* only in what is given to displays */

struct cell {
	uint16_t ch;			/* Unicode, 0xfffd what does not fit */
	uint8_t colors;			/* foreground | background << 4 */
	uint8_t flags;			/* CELL_* */
};

/* What shows the grid. draw: cells side by side from column x of row y; may be called in every context, never twice at once. */
struct display {
	const char *name;
	unsigned int cols, rows;
	unsigned int width, height;	/* pixels, 0: none */
	void (*draw)(struct display *d, unsigned int x, unsigned int y, const struct cell *cells, unsigned int n);
};

/* Cursor, attributes and what else ESC 7 saves. */
struct screen_cursor {
	unsigned int x, y;
	struct cell pen;		/* ch unused */
	uint8_t charset[2];		/* 'B' or '0' */
	uint8_t shift;			/* which of them is used */
	bool wrap_next;			/* stands behind the last column */
	bool origin;
};

enum escape_state {
	ESCAPE_GROUND, ESCAPE_START, ESCAPE_CSI, ESCAPE_IGNORE, ESCAPE_STRING, ESCAPE_STRING_END, ESCAPE_HASH,
	ESCAPE_CHARSET0, ESCAPE_CHARSET1, ESCAPE_PERCENT, ESCAPE_OSC, ESCAPE_PALETTE,
};

struct screen {
	struct spinlock lock;
	struct tty *tty;
	struct display *display;
	unsigned int cols, rows;
	struct cell *cells[2];		/* main and alternate grid */
	struct cell *row[SCREEN_ROWS_MAX];	/* of the grid in use */
	struct cell *row_other[SCREEN_ROWS_MAX];
	struct cell *history;		/* a ring of lines that left at the top, or null */
	unsigned int history_lines, history_next, history_count;
	unsigned int view;		/* lines that the display looks back */
	bool alternate;
	struct screen_cursor cursor, saved, saved_alternate;
	unsigned int top, bottom;	/* scrolling region, bottom excluded */
	unsigned long tabs[SCREEN_COLS_MAX / 64];
	bool autowrap, insert, newline, show_cursor, reverse;
	bool cursor_keys, keypad;	/* application modes, for the keyboard */
	uint16_t last;			/* for REP */

	enum escape_state state;
	unsigned int param[ESCAPE_PARAMS], param_count;
	char private;			/* '?', '>', '!' ... after CSI */
	unsigned int palette_left;
	bool utf8;
	uint32_t utf8_char;
	unsigned int utf8_left, utf8_min;

	unsigned int dirty;		/* something is to be shown; atomic */
};

/* screen.c */
/* `history`: how many lines are kept. -ENOMEM. May sleep. */
int screen_setup(struct screen *s, struct display *d, unsigned int history);
/* What screen_setup took. No lock. May sleep. */
void screen_free(struct screen *s);
void screen_reset(struct screen *s);
void screen_put(struct screen *s, uint16_t ch);
void screen_linefeed(struct screen *s);
void screen_reverse_linefeed(struct screen *s);
void screen_move(struct screen *s, int x, int y);	/* clamped to the grid */
void screen_move_origin(struct screen *s, int x, int y);	/* counted from the region in origin mode */
void screen_tab(struct screen *s, int count);		/* negative: back */
void screen_erase(struct screen *s, unsigned int x0, unsigned int y0, unsigned int x1, unsigned int y1);
void screen_erase_display(struct screen *s, unsigned int how);
void screen_erase_line(struct screen *s, unsigned int how);
void screen_scroll_up(struct screen *s, unsigned int top, unsigned int n);
void screen_scroll_down(struct screen *s, unsigned int top, unsigned int n);
void screen_insert_chars(struct screen *s, unsigned int n);
void screen_delete_chars(struct screen *s, unsigned int n);
void screen_save(struct screen *s);
void screen_restore(struct screen *s);
void screen_use_alternate(struct screen *s, bool on, bool clear);
void screen_fill_test(struct screen *s);

/* history.c: lines that scrolled away. */
/* The row at the top is about to leave. */
void history_keep(struct screen *s);
void history_clear(struct screen *s);
/* What the display shows in row y. */
const struct cell *history_row(const struct screen *s, unsigned int y);
/* Looks back by `lines` more, or forward if negative. */
void history_scroll(struct screen *s, int lines);

/* escape.c: the stream. */
void screen_feed(struct screen *s, const uint8_t *text, size_t n);
/* Text of the log: only line feeds have a meaning. */
void screen_feed_log(struct screen *s, const char *text, size_t n);
/* sgr.c: CSI m */
void screen_attributes(struct screen *s);

/* render.c: no lock held. Shows what changed; `force`: in a panic, over whoever is at it. */
void render_screen(bool force);
/* Shows it soon, from a thread. Any context but under run-queue and timer locks. */
void render_soon(const struct screen *s);
/* The display may hold anything: all is drawn the next time. */
void render_forget(void);
/* Waits until nobody draws what was shown before. May sleep. */
void render_wait_turn(void);
/* Wakes the thread: another terminal is wanted or shown. Any context. */
void render_wake(void);
int render_start(struct display *d);

/* vt.c: the drivers of displays offer one while they start; the last wins. */
void vt_offer_display(struct display *d);
/* framebuffer.c: offers the boot loader's. */
void framebuffer_start(void);

/* Colours as 0xrrggbb. */
extern const uint32_t screen_palette[16];
/* Colours of a cell on a display, 0-15, attributes resolved. */
void cell_colors(const struct cell *c, unsigned int *front, unsigned int *back);
