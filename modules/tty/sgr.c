/*
 * Colours and attributes: CSI m, the palette, what a cell looks like.
 */
#include "internal.h"
#include "screen.h"

const uint32_t screen_palette[16] = {
	0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa,
	0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
};

void cell_colors(const struct cell *c, unsigned int *front, unsigned int *back)
{
	unsigned int f = c->colors & 15, b = c->colors >> 4;
	bool reverse = !(c->flags & CELL_REVERSE) != !(c->flags & CELL_CURSOR);

	if (c->flags & CELL_BOLD)
		f |= 8;
	*front = reverse ? b : f;
	*back = reverse ? f : b;
}

static void set_front(struct cell *pen, unsigned int color)
{
	pen->colors = (uint8_t)((pen->colors & 0xf0) | color);
}

static void set_back(struct cell *pen, unsigned int color)
{
	pen->colors = (uint8_t)((pen->colors & 0x0f) | color << 4);
}

static unsigned int nearest(int r, int g, int b)
{
	unsigned int best = 0;
	int least = 1 << 30;

	for (unsigned int i = 0; i < 16; i++) {
		int dr = r - (int)(screen_palette[i] >> 16), dg = g - (int)(screen_palette[i] >> 8 & 255),
		    db = b - (int)(screen_palette[i] & 255), d = dr * dr + dg * dg + db * db;

		if (d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}

static int level(unsigned int v) { return v ? (int)(55 + 40 * v) : 0; }

static unsigned int from_256(unsigned int n)
{
	if (n < 16)
		return n;
	if (n >= 232) {
		int v = (int)(8 + 10 * (n - 232));

		return nearest(v, v, v);
	}
	n -= 16;
	return nearest(level(n / 36), level(n / 6 % 6), level(n % 6));
}

/* 38;5;N and 38;2;R;G;B: the colour; *i goes to the last parameter used. -1 if it is malformed. */
static int extended(const struct screen *s, unsigned int *i)
{
	const unsigned int *p = &s->param[*i];
	unsigned int left = s->param_count - *i;

	if (left >= 3 && p[1] == 5) {
		*i += 2;
		return (int)from_256(MIN(p[2], 255u));
	}
	if (left >= 5 && p[1] == 2) {
		*i += 4;
		return (int)nearest((int)MIN(p[2], 255u), (int)MIN(p[3], 255u), (int)MIN(p[4], 255u));
	}
	*i = s->param_count;
	return -1;
}

static void set_one(struct screen *s, unsigned int *i)
{
	/* ECMA-48's order of colours: red is bit 0 there and here. */
	struct cell *pen = &s->cursor.pen;
	unsigned int n = s->param[*i];
	int color;

	switch (n) {
	case 0: *pen = (struct cell){ ' ', 7, 0 }; break;
	case 1: pen->flags |= CELL_BOLD; break;
	case 4: pen->flags |= CELL_UNDERLINE; break;
	case 7: pen->flags |= CELL_REVERSE; break;
	case 2: case 22: pen->flags &= (uint8_t)~CELL_BOLD; break;
	case 24: pen->flags &= (uint8_t)~CELL_UNDERLINE; break;
	case 27: pen->flags &= (uint8_t)~CELL_REVERSE; break;
	case 30 ... 37: set_front(pen, n - 30); break;
	case 39: set_front(pen, 7); break;
	case 40 ... 47: set_back(pen, n - 40); break;
	case 49: set_back(pen, 0); break;
	case 90 ... 97: set_front(pen, n - 90 + 8); break;
	case 100 ... 107: set_back(pen, n - 100 + 8); break;
	case 38: case 48:
		color = extended(s, i);
		if (color >= 0 && n == 38)
			set_front(pen, (unsigned int)color);
		else if (color >= 0)
			set_back(pen, (unsigned int)color);
		break;
	default: break;
	}
}

void screen_attributes(struct screen *s)
{
	for (unsigned int i = 0; i < s->param_count; i++)
		set_one(s, &i);
}
