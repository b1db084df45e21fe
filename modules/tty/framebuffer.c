/*
 * A linear framebuffer as the boot loader set it up: any address, pitch and order of colours, 15 to 32 bits a pixel, written only. On dense screens each
 * dot of the font becomes four.
 */
#include "internal.h"
#include "font.h"
#include "screen.h"

#include "core/boot/boot.h"
#include "core/mem/vmap.h"

static struct {
	struct display display;
	volatile uint8_t *base;
	unsigned int pitch, bytes, scale;
	uint32_t color[16];		/* as the screen has them */
} fb;

const uint8_t *font_glyph(uint16_t character)
{
	unsigned int low = 0, high = font_map_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (font_map[middle].character < character)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < font_map_count && font_map[low].character == character)
		return font_glyphs[font_map[low].glyph];
	return character == 0xfffd ? font_glyphs[0] : font_glyph(0xfffd);
}

static void put_pixel(volatile uint8_t *at, uint32_t v)
{
	switch (fb.bytes) {
	case 4:
		*(volatile uint32_t *)at = v;
		break;
	case 3:
		at[0] = (uint8_t)v;
		at[1] = (uint8_t)(v >> 8);
		at[2] = (uint8_t)(v >> 16);
		break;
	default:
		*(volatile uint16_t *)at = (uint16_t)v;
		break;
	}
}

/* The usual case: two pixels a store, a glyph's row is four. */
static void draw_wide(volatile uint8_t *at, const uint8_t *glyph, bool underline, uint32_t front, uint32_t back)
{
	const uint64_t pair[4] = {
		(uint64_t)back << 32 | back, (uint64_t)front << 32 | back,
		(uint64_t)back << 32 | front, (uint64_t)front << 32 | front,
	};

	for (unsigned int y = 0; y < FONT_HEIGHT; y++, at += fb.pitch) {
		uint8_t bits = underline && y == FONT_HEIGHT - 2 ? 0xff : glyph[y];
		volatile uint64_t *to = (volatile uint64_t *)at;

		to[0] = pair[bits >> 6];
		to[1] = pair[bits >> 4 & 3];
		to[2] = pair[bits >> 2 & 3];
		to[3] = pair[bits & 3];
	}
}

static void draw_any(volatile uint8_t *at, const uint8_t *glyph, bool underline, uint32_t front, uint32_t back)
{
	for (unsigned int y = 0; y < FONT_HEIGHT * fb.scale; y++, at += fb.pitch) {
		unsigned int row = y / fb.scale;
		uint8_t bits = underline && row == FONT_HEIGHT - 2 ? 0xff : glyph[row];

		for (unsigned int x = 0; x < FONT_WIDTH * fb.scale; x++)
			put_pixel(at + (size_t)x * fb.bytes, bits & (0x80u >> (x / fb.scale)) ? front : back);
	}
}

static void fb_draw(struct display *d, unsigned int x, unsigned int y, const struct cell *cells, unsigned int n)
{
	volatile uint8_t *at = fb.base + (size_t)y * FONT_HEIGHT * fb.scale * fb.pitch +
			       (size_t)x * FONT_WIDTH * fb.scale * fb.bytes;
	bool wide = fb.bytes == 4 && fb.scale == 1 && fb.pitch % 8 == 0 && (uintptr_t)fb.base % 8 == 0;

	(void)d;
	for (; n--; cells++, at += FONT_WIDTH * fb.scale * fb.bytes) {
		const uint8_t *glyph = font_glyph(cells->ch);
		unsigned int front, back;

		cell_colors(cells, &front, &back);
		(wide ? draw_wide : draw_any)(at, glyph, cells->flags & CELL_UNDERLINE, fb.color[front],
					      fb.color[back]);
	}
}

static uint32_t channel(uint32_t value, unsigned int shift, unsigned int bits)
{
	return bits >= 8 ? value << (shift + bits - 8) : value >> (8 - bits) << shift;
}

static bool usable(const struct boot_framebuffer *b)
{
	if (b->type != 1 || !b->phys || !b->width || !b->height || b->width > 16384 || b->height > 16384)
		return false;
	if (b->bpp < 15 || b->bpp > 32 || b->pitch < b->width * DIV_UP(b->bpp, 8u) || b->pitch > 1u << 20)
		return false;
	return b->red_bits <= 10 && b->green_bits <= 10 && b->blue_bits <= 10 && b->red_bits && b->green_bits &&
	       b->blue_bits && b->red_shift + b->red_bits <= b->bpp && b->green_shift + b->green_bits <= b->bpp &&
	       b->blue_shift + b->blue_bits <= b->bpp;
}

void framebuffer_start(void)
{
	const struct boot_framebuffer *b = &boot_info.framebuffer;

	if (b->type == 1 && !usable(b))
		log_warn("framebuffer: %ux%u of %u bits cannot be used", b->width, b->height, b->bpp);
	if (!usable(b))
		return;
	fb.base = device_map(b->phys, (size_t)b->pitch * b->height, MMU_READ | MMU_WRITE | MMU_WRITE_COMBINE);
	if (!fb.base)
		return;
	fb.pitch = b->pitch;
	fb.bytes = DIV_UP(b->bpp, 8u);
	fb.scale = b->width >= 2560 && b->height >= 1440 ? 2 : 1;
	for (unsigned int i = 0; i < 16; i++) {
		uint32_t c = screen_palette[i];

		fb.color[i] = channel(c >> 16 & 255, b->red_shift, b->red_bits) |
			      channel(c >> 8 & 255, b->green_shift, b->green_bits) |
			      channel(c & 255, b->blue_shift, b->blue_bits);
	}
	for (unsigned int y = 0; y < b->height; y++)
		for (unsigned int x = 0; x < b->width; x++)
			put_pixel(fb.base + (size_t)y * fb.pitch + (size_t)x * fb.bytes, fb.color[0]);
	fb.display = (struct display){
		.name = "framebuffer", .cols = b->width / (FONT_WIDTH * fb.scale),
		.rows = b->height / (FONT_HEIGHT * fb.scale), .width = b->width, .height = b->height, .draw = fb_draw,
	};
	if (fb.display.cols && fb.display.rows)
		vt_offer_display(&fb.display);
}
