/*
 * The console's font: made at build time by font.gen.lua.
 */
#pragma once

#include "core/lib/types.h"

#define FONT_WIDTH  8u
#define FONT_HEIGHT 16u

struct font_entry {
	uint16_t character;
	uint16_t glyph;
};

extern const uint8_t font_glyphs[][FONT_HEIGHT];
extern const struct font_entry font_map[];	/* sorted by character */
extern const unsigned int font_map_count;

/* The glyph of a character, or the one that stands for unknown ones. */
const uint8_t *font_glyph(uint16_t character);
