/*
 * x86_64: text mode at 0xb8000, when the boot loader says so, or when it says nothing and the BIOS left mode 3 behind. Characters beyond ASCII are
 * looked up in code page 437.
 */
#include "modules/tty/arch/x86_64/pc.h"

#include <arch/port.h>

#include "core/boot/boot.h"
#include "core/mem/vmap.h"
#include "modules/tty/screen.h"

#define TEXT_PHYS 0xb8000u
#define TEXT_SIZE 0x8000u
#define BIOS_VIDEO_MODE 0x449u

static struct display ega;
static volatile uint16_t *text;

/* Upper half of code page 437. */
static const uint16_t cp437[128] = {
	0xc7, 0xfc, 0xe9, 0xe2, 0xe4, 0xe0, 0xe5, 0xe7, 0xea, 0xeb, 0xe8, 0xef, 0xee, 0xec, 0xc4, 0xc5,
	0xc9, 0xe6, 0xc6, 0xf4, 0xf6, 0xf2, 0xfb, 0xf9, 0xff, 0xd6, 0xdc, 0xa2, 0xa3, 0xa5, 0x20a7, 0x192,
	0xe1, 0xed, 0xf3, 0xfa, 0xf1, 0xd1, 0xaa, 0xba, 0xbf, 0x2310, 0xac, 0xbd, 0xbc, 0xa1, 0xab, 0xbb,
	0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510,
	0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567,
	0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
	0x3b1, 0xdf, 0x393, 0x3c0, 0x3a3, 0x3c3, 0xb5, 0x3c4, 0x3a6, 0x398, 0x3a9, 0x3b4, 0x221e, 0x3c6, 0x3b5, 0x2229,
	0x2261, 0xb1, 0x2265, 0x2264, 0x2320, 0x2321, 0xf7, 0x2248, 0xb0, 0x2219, 0xb7, 0x221a, 0x207f, 0xb2, 0x25a0, 0xa0,
};

static uint8_t code_of(uint16_t ch)
{
	if (ch < 0x80)
		return (uint8_t)ch;
	for (unsigned int i = 0; i < ARRAY_SIZE(cp437); i++)
		if (cp437[i] == ch)
			return (uint8_t)(0x80 + i);
	return '?';
}

static void ega_draw(struct display *d, unsigned int x, unsigned int y, const struct cell *cells, unsigned int n)
{
	/* The adapter counts blue as bit 0 and red as bit 2. */
	static const uint8_t color[16] = { 0, 4, 2, 6, 1, 5, 3, 7, 8, 12, 10, 14, 9, 13, 11, 15 };
	volatile uint16_t *at = text + (size_t)y * d->cols + x;

	for (; n--; cells++) {
		unsigned int front, back;

		cell_colors(cells, &front, &back);
		*at++ = (uint16_t)(code_of(cells->ch) | color[front] << 8 | color[back] << 12);
	}
}

/* The cursor is drawn by us, and bit 7 of an attribute shall mean brightness. */
static void set_mode(void)
{
	port_out8(0x3d4, 0x0a);
	port_out8(0x3d5, 0x20);
	port_in8(0x3da);
	port_out8(0x3c0, 0x30);
	port_out8(0x3c0, 0x04);
}

static bool bios_text_mode(void)
{
	volatile uint8_t *bios;
	uint8_t mode;

	if (strcmp(boot_info.loader, "PVH"))
		return false;
	bios = device_map(0, PAGE_SIZE, MMU_READ);
	if (!bios)
		return false;
	mode = bios[BIOS_VIDEO_MODE];
	device_unmap((void *)bios, PAGE_SIZE);
	return mode == 2 || mode == 3;
}

void pc_text_screen_start(void)
{
	const struct boot_framebuffer *b = &boot_info.framebuffer;
	bool told = b->type == 2;

	if (!told && (b->type != 0 || !bios_text_mode()))
		return;
	text = device_map(TEXT_PHYS, TEXT_SIZE, MMU_READ | MMU_WRITE | MMU_DEVICE);
	if (!text)
		return;
	ega = (struct display){
		.name = "text mode", .cols = told && b->width ? b->width : 80, .rows = told && b->height ? b->height : 25,
		.draw = ega_draw,
	};
	if (ega.cols > 132 || ega.rows > 60) {
		ega.cols = 80;
		ega.rows = 25;
	}
	set_mode();
	vt_offer_display(&ega);
}
