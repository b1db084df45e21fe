/*
 * The stream that drives the grid: ECMA-48 and what VT102 and Linux's console add to it. Bytes that make no sense are dropped; numbers are bounded where
 * they are read. screen.lock is held.
 */
#include "internal.h"
#include "screen.h"

#include "core/lib/bits.h"

#define PARAM_MAX 9999u
#define REPLACEMENT 0xfffd

/* VT100's line drawing, from '`' to '~'. */
static const uint16_t drawing[] = {
	0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0x00b0, 0x00b1, 0x2424, 0x240b, 0x2518, 0x2510, 0x250c, 0x2514, 0x253c,
	0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c, 0x2524, 0x2534, 0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0x00a3,
	0x00b7,
};

static void reply(struct screen *s, const char *text)
{
	for (; *text; text++)
		tty_input_push(s->tty, (uint8_t)*text, TTY_NORMAL);
	tty_input_done(s->tty);
}

/* Parameter i, or `otherwise` if it is missing or 0. */
static unsigned int param(const struct screen *s, unsigned int i, unsigned int otherwise)
{
	return i < s->param_count && s->param[i] ? s->param[i] : otherwise;
}

static void status_report(struct screen *s)
{
	char text[32];
	unsigned int y = s->cursor.y - (s->cursor.origin ? s->top : 0);

	if (s->private)
		return;
	if (s->param[0] == 5) {
		reply(s, "\033[0n");
	} else if (s->param[0] == 6) {
		snprintf(text, sizeof(text), "\033[%u;%uR", y + 1, s->cursor.x + 1);
		reply(s, text);
	}
}

static void set_private_mode(struct screen *s, unsigned int mode, bool on)
{
	switch (mode) {
	case 1:
		s->cursor_keys = on;
		break;
	case 5:
		s->reverse = on;
		WRITE_ONCE(s->dirty, 1);
		break;
	case 6:
		s->cursor.origin = on;
		screen_move_origin(s, 0, 0);
		break;
	case 7:
		s->autowrap = on;
		break;
	case 25:
		s->show_cursor = on;
		WRITE_ONCE(s->dirty, 1);
		break;
	case 66:
		s->keypad = on;
		break;
	case 47:
	case 1047:
		screen_use_alternate(s, on, mode == 1047);
		break;
	case 1048:
		if (on)
			screen_save(s);
		else
			screen_restore(s);
		break;
	case 1049:
		if (on) {
			s->saved_alternate = s->cursor;
			screen_use_alternate(s, true, true);
		} else if (s->alternate) {
			screen_use_alternate(s, false, false);
			s->cursor = s->saved_alternate;
		}
		break;
	default:
		break;
	}
}

static void set_modes(struct screen *s, bool on)
{
	for (unsigned int i = 0; i < s->param_count; i++) {
		if (s->private == '?')
			set_private_mode(s, s->param[i], on);
		else if (!s->private && s->param[i] == 4)
			s->insert = on;
		else if (!s->private && s->param[i] == 20)
			s->newline = on;
	}
}

static void set_region(struct screen *s)
{
	unsigned int top = param(s, 0, 1), bottom = MIN(param(s, 1, s->rows), s->rows);

	if (top >= bottom)
		return;
	s->top = top - 1;
	s->bottom = bottom;
	screen_move_origin(s, 0, 0);
}

/* Lines move only if the cursor is in the region. */
static void move_lines(struct screen *s, bool insert, unsigned int n)
{
	if (s->cursor.y < s->top || s->cursor.y >= s->bottom)
		return;
	if (insert)
		screen_scroll_down(s, s->cursor.y, n);
	else
		screen_scroll_up(s, s->cursor.y, n);
	screen_move(s, 0, (int)s->cursor.y);
}

static void vertical(struct screen *s, int by)
{
	int y = (int)s->cursor.y, target = y + by;

	/* The region's edges stop a cursor that is inside. */
	if (by < 0 && y >= (int)s->top)
		target = MAX(target, (int)s->top);
	if (by > 0 && y < (int)s->bottom)
		target = MIN(target, (int)s->bottom - 1);
	screen_move(s, (int)s->cursor.x, target);
}

static void clear_tabs(struct screen *s)
{
	if (s->param[0] == 0)
		bitmap_clear(s->tabs, s->cursor.x);
	else if (s->param[0] == 3)
		memset(s->tabs, 0, sizeof(s->tabs));
}

static void repeat(struct screen *s, unsigned int n)
{
	for (n = MIN(n, s->cols * s->rows); n && s->last; n--)
		screen_put(s, s->last);
}

static void soft_reset(struct screen *s)
{
	s->cursor.origin = s->insert = s->cursor_keys = s->keypad = false;
	s->autowrap = s->show_cursor = true;
	s->top = 0;
	s->bottom = s->rows;
	s->cursor.pen = (struct cell){ ' ', 7, 0 };
	s->cursor.charset[0] = 'B';
	s->cursor.shift = 0;
}

/* Cursor movements. False if it is none. */
static bool control_move(struct screen *s, uint8_t c)
{
	int n = (int)param(s, 0, 1), x = (int)s->cursor.x, y = (int)s->cursor.y;

	switch (c) {
	case 'A': vertical(s, -n); break;
	case 'B': case 'e': vertical(s, n); break;
	case 'C': case 'a': screen_move(s, x + n, y); break;
	case 'D': screen_move(s, x - n, y); break;
	case 'E': vertical(s, n); screen_move(s, 0, (int)s->cursor.y); break;
	case 'F': vertical(s, -n); screen_move(s, 0, (int)s->cursor.y); break;
	case 'G': case '`': screen_move(s, n - 1, y); break;
	case 'H': case 'f': screen_move_origin(s, (int)param(s, 1, 1) - 1, n - 1); break;
	case 'I': screen_tab(s, n); break;
	case 'Z': screen_tab(s, -n); break;
	case 'd': screen_move_origin(s, x, n - 1); break;
	case 's': screen_save(s); break;
	case 'u': screen_restore(s); break;
	default: return false;
	}
	return true;
}

static void control_sequence(struct screen *s, uint8_t c)
{
	unsigned int n = param(s, 0, 1);

	if (c == 'h' || c == 'l') {
		set_modes(s, c == 'h');
		return;
	}
	if (c == 'n') {
		status_report(s);
		return;
	}
	if (c == 'p' && s->private == '!') {
		soft_reset(s);
		return;
	}
	if (s->private || control_move(s, c))
		return;
	switch (c) {
	case '@': screen_insert_chars(s, n); break;
	case 'J': screen_erase_display(s, s->param[0]); break;
	case 'K': screen_erase_line(s, s->param[0]); break;
	case 'L': move_lines(s, true, n); break;
	case 'M': move_lines(s, false, n); break;
	case 'P': screen_delete_chars(s, n); break;
	case 'S': screen_scroll_up(s, s->top, n); break;
	case 'T': screen_scroll_down(s, s->top, n); break;
	case 'X':
		screen_erase(s, s->cursor.x, s->cursor.y, MIN(s->cursor.x + n, s->cols), s->cursor.y);
		break;
	case 'b': repeat(s, n); break;
	case 'c': if (!s->param[0]) reply(s, "\033[?6c"); break;
	case 'g': clear_tabs(s); break;
	case 'm': screen_attributes(s); break;
	case 'r': set_region(s); break;
	default: break;
	}
}

static void escape(struct screen *s, uint8_t c)
{
	s->state = ESCAPE_GROUND;
	switch (c) {
	case '[':
		s->state = ESCAPE_CSI;
		memset(s->param, 0, sizeof(s->param));
		s->param_count = 0;
		s->private = 0;
		break;
	case ']': s->state = ESCAPE_OSC; break;
	case 'P': case 'X': case '^': case '_': s->state = ESCAPE_STRING; break;
	case '(': s->state = ESCAPE_CHARSET0; break;
	case ')': s->state = ESCAPE_CHARSET1; break;
	case '#': s->state = ESCAPE_HASH; break;
	case '%': s->state = ESCAPE_PERCENT; break;
	case '7': screen_save(s); break;
	case '8': screen_restore(s); break;
	case 'D': screen_linefeed(s); break;
	case 'E': s->cursor.x = 0; screen_linefeed(s); break;
	case 'H': bitmap_set(s->tabs, s->cursor.x); break;
	case 'M': screen_reverse_linefeed(s); break;
	case 'Z': reply(s, "\033[?6c"); break;
	case 'c': screen_reset(s); screen_move(s, 0, 0); break;
	case '=': s->keypad = true; break;
	case '>': s->keypad = false; break;
	default: break;
	}
}

static void csi_byte(struct screen *s, uint8_t c)
{
	if (c >= '0' && c <= '9') {
		unsigned int *p = &s->param[MIN(MAX(s->param_count, 1u), ESCAPE_PARAMS) - 1];

		if (!s->param_count)
			s->param_count = 1;
		*p = MIN(*p * 10 + (c - '0'), PARAM_MAX);
	} else if (c == ';' || c == ':') {
		if (!s->param_count)
			s->param_count = 1;
		if (s->param_count < ESCAPE_PARAMS)
			s->param_count++;
	} else if (c >= 0x40 && c < 0x7f) {
		s->state = ESCAPE_GROUND;
		if (!s->param_count)
			s->param_count = 1;
		control_sequence(s, c);
	} else if (c >= 0x20 && c < 0x40) {
		s->private = (char)c;	/* '?', '>', or an intermediate byte: not one of ours */
	}
}

/* C0 controls work inside of sequences, too. False if it is none. */
static bool control(struct screen *s, uint8_t c)
{
	switch (c) {
	case '\b':
		if (s->cursor.x > 0 || s->cursor.wrap_next)
			screen_move(s, (int)s->cursor.x - 1, (int)s->cursor.y);
		return true;
	case '\t': screen_tab(s, 1); return true;
	case '\n': case '\v': case '\f':
		if (s->newline)
			s->cursor.x = 0;
		screen_linefeed(s);
		return true;
	case '\r': screen_move(s, 0, (int)s->cursor.y); return true;
	case 0x0e: s->cursor.shift = 1; return true;
	case 0x0f: s->cursor.shift = 0; return true;
	case 0x18: case 0x1a: s->state = ESCAPE_GROUND; return true;
	case 0x1b: s->state = ESCAPE_START; return true;
	default: return c < 0x20 || c == 0x7f;
	}
}

static void print(struct screen *s, uint32_t c)
{
	if (c >= 0x300 && c < 0x370)
		return;		/* combining marks */
	if (s->cursor.charset[s->cursor.shift] == '0' && c >= '`' && c <= '~')
		c = drawing[c - '`'];
	screen_put(s, c > 0xffff ? REPLACEMENT : (uint16_t)c);
}

/* True when *c is a whole character. */
static bool decode(struct screen *s, uint8_t byte, uint32_t *c)
{
	if (s->utf8_left && (byte & 0xc0) == 0x80) {
		s->utf8_char = s->utf8_char << 6 | (byte & 0x3f);
		if (--s->utf8_left)
			return false;
		*c = s->utf8_char;
		if (*c < s->utf8_min || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
			*c = REPLACEMENT;
		return true;
	}
	if (s->utf8_left) {
		s->utf8_left = 0;
		print(s, REPLACEMENT);
	}
	if (byte < 0x80) {
		*c = byte;
		return true;
	}
	if (byte >= 0xc2 && byte < 0xf5) {
		s->utf8_left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
		s->utf8_min = byte < 0xe0 ? 0x80 : byte < 0xf0 ? 0x800 : 0x10000;
		s->utf8_char = byte & (0x3fu >> s->utf8_left);
		return false;
	}
	*c = REPLACEMENT;
	return true;
}

static void ground(struct screen *s, uint8_t byte)
{
	uint32_t c = byte;

	if (s->utf8 && !decode(s, byte, &c))
		return;
	print(s, c);
}

/* Operating system commands: strings up to BEL or ST, and Linux's palette sequences without an end. */
static void osc_byte(struct screen *s, uint8_t c)
{
	if (c == 'R') {
		s->state = ESCAPE_GROUND;
	} else if (c == 'P') {
		s->state = ESCAPE_PALETTE;
		s->palette_left = 7;
	} else {
		s->state = c == '\a' ? ESCAPE_GROUND : ESCAPE_STRING;
	}
}

static void feed_byte(struct screen *s, uint8_t c)
{
	if (s->state == ESCAPE_STRING || s->state == ESCAPE_STRING_END) {
		if (c == '\a' || c == 0x18 || c == 0x1a || (s->state == ESCAPE_STRING_END && c == '\\'))
			s->state = ESCAPE_GROUND;
		else
			s->state = c == 0x1b ? ESCAPE_STRING_END : ESCAPE_STRING;
		return;
	}
	if (s->state == ESCAPE_OSC && c == '\a') {
		s->state = ESCAPE_GROUND;
		return;
	}
	if (control(s, c))
		return;
	switch (s->state) {
	case ESCAPE_START: escape(s, c); break;
	case ESCAPE_CSI: csi_byte(s, c); break;
	case ESCAPE_OSC: osc_byte(s, c); break;
	case ESCAPE_PALETTE:
		if (!--s->palette_left)
			s->state = ESCAPE_GROUND;
		break;
	case ESCAPE_CHARSET0: case ESCAPE_CHARSET1:
		s->cursor.charset[s->state == ESCAPE_CHARSET1] = c == '0' ? '0' : 'B';
		s->state = ESCAPE_GROUND;
		break;
	case ESCAPE_HASH:
		if (c == '8')
			screen_fill_test(s);
		s->state = ESCAPE_GROUND;
		break;
	case ESCAPE_PERCENT:
		s->utf8 = c == 'G' || c == '8' ? true : c == '@' ? false : s->utf8;
		s->state = ESCAPE_GROUND;
		break;
	default: ground(s, c); break;
	}
}

void screen_feed(struct screen *s, const uint8_t *text, size_t n)
{
	while (n--)
		feed_byte(s, *text++);
}

void screen_feed_log(struct screen *s, const char *text, size_t n)
{
	struct cell pen = s->cursor.pen;
	bool insert = s->insert;

	s->cursor.pen = (struct cell){ ' ', 7, 0 };
	s->insert = false;
	for (; n--; text++) {
		if (*text == '\n') {
			s->cursor.x = 0;
			screen_linefeed(s);
		} else if (*text == '\t') {
			screen_tab(s, 1);
		} else if ((uint8_t)*text >= 0x20) {
			screen_put(s, (uint8_t)*text < 0x7f ? (uint8_t)*text : '?');
		}
	}
	s->cursor.pen = pen;
	s->insert = insert;
}
