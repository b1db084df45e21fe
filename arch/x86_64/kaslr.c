/*
 * x86_64: gives the kernel image and the direct map their addresses.
 *
 * The image is linked at KERNEL_IMAGE_BASE and keeps the places of its absolute addresses (tools/relocs.lua). Before the first
 * instruction at a final address, boot_relocate() chooses a slide of a multiple of 2 MiB, adds it to all of them, and maps the image
 * there; only virtual addresses change. The direct map gets a multiple of 1 GiB in its area. The word nokaslr of the command line
 * makes the slide 0 and puts the direct map at the beginning.
 *
 * This runs on the identity mapping, before the image is relocated: everything of it, constants included, lies in .boot, and it calls
 * nothing outside of this file (tools/relocs.lua checks it). Addresses of the image are used as numbers only. One CPU, no interrupts.
 */
#include "core/arch/mmu.h"

#include <arch/mmu.h>

#include "arch/x86_64/boot.h"
#include "core/module/export.h"

#define BOOT_TEXT __attribute__((section(".boot.text"), no_stack_protector, noinline))
#define SLIDE_STEP (2ul << 20)
#define IMAGE_WINDOW (1ul << 30)	/* modules lie above it */
#define BOOT_PD_ENTRIES 512u
#define BOOT_PD_FLAGS 0x83ul			/* present, write, large */
#define BOOT_TABLE_FLAGS 0x03ul			/* present, write */
#define DIRECT_STEP (1ul << 30)
#define EARLY_TABLES 4u				/* second-level tables of the early direct map: 1 GiB each */
/* Places of the direct map below one entry of the top table: the early part does not cross into the next. */
#define DIRECT_PLACES (512u - EARLY_TABLES)
#define CMDLINE_SCAN 4096u
#define TAG_CMDLINE 1u
#define TAG_END 0u

extern const uint32_t kernel_relocs_start[], kernel_relocs_end[];
extern char kernel_image_start[], kernel_end[];
extern uint64_t boot_pd_high[BOOT_PD_ENTRIES], boot_pml4[], boot_pdpt_direct[], boot_pd[];

uintptr_t direct_map_base __attribute__((section(".data.ro_after_init"))) = DIRECT_AREA_BASE;
KAPI(direct_map_base);

static const char nokaslr_word[] __attribute__((section(".boot.rodata"))) = "nokaslr";

#define PHYS_OF(symbol) ((uintptr_t)(symbol) - KERNEL_IMAGE_BASE)

/* Whether the text has the word nokaslr before a "--". Bounded by `limit`. */
BOOT_TEXT static bool has_nokaslr(const char *text, uint32_t limit)
{
	uint32_t i = 0;

	while (i < limit && text[i]) {
		uint32_t n = 0;

		while (n < sizeof(nokaslr_word) - 1 && i + n < limit && text[i + n] == nokaslr_word[n])
			n++;
		if (n == sizeof(nokaslr_word) - 1 && (i + n == limit || (unsigned char)text[i + n] <= ' '))
			return true;
		if (text[i] == '-' && i + 2 < limit && text[i + 1] == '-' && text[i + 2] == ' ')
			return false;
		while (i < limit && (unsigned char)text[i] > ' ')
			i++;
		while (i < limit && text[i] && (unsigned char)text[i] <= ' ')
			i++;
	}
	return false;
}

/* The multiboot2 information: its size, a reserved word, then tags of type, size and data on 8 bytes. */
BOOT_TEXT static bool multiboot2_forbids(uintptr_t info)
{
	uint32_t total = *(const uint32_t *)info, at = 8;

	while (at <= total && total - at >= 8) {
		const uint32_t *tag = (const uint32_t *)(info + at);

		if (tag[0] == TAG_END || tag[1] < 8 || tag[1] > total - at)
			break;
		if (tag[0] == TAG_CMDLINE)
			return has_nokaslr((const char *)(tag + 2), MIN(tag[1] - 8, CMDLINE_SCAN));
		at += ALIGN_UP(tag[1], 8u);
	}
	return false;
}

/* The PVH start information: the address of the command line is its fourth quadword. */
BOOT_TEXT static bool pvh_forbids(uintptr_t info)
{
	uint64_t cmdline = ((const uint64_t *)info)[3];

	return cmdline && cmdline < (4ul << 30) - CMDLINE_SCAN && has_nokaslr((const char *)cmdline, CMDLINE_SCAN);
}

BOOT_TEXT static void cpuid_at(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	__asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(0));
}

/* RDRAND where it is, mixed with the cycle counter: on old machines that is all there is. */
BOOT_TEXT static uint32_t random_bits(void)
{
	uint32_t a, b, c, d, low, high;
	uint64_t v = 0;
	bool ok = false;

	cpuid_at(1, &a, &b, &c, &d);
	for (unsigned int i = 0; i < 16 && !ok && (c & 1u << 30); i++)
		__asm__ volatile("rdrand %0" : "=r"(v), "=@ccc"(ok));
	if (d & 1u << 4) {
		__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
		v ^= ((uint64_t)high << 32 | low) * 0x9e3779b97f4a7c15;
	}
	return (uint32_t)(v >> 32) ^ (uint32_t)v;
}

/* The early tables of the direct map, and its place for everybody. */
BOOT_TEXT static void place_direct_map(bool fixed)
{
	const uint32_t top = (DIRECT_AREA_SIZE - KERNEL_DIRECT_SIZE) >> 39;
	uint64_t *pml4 = (uint64_t *)PHYS_OF(boot_pml4), *pdpt = (uint64_t *)PHYS_OF(boot_pdpt_direct);
	uint64_t slot = 0, place = 0;

	if (!fixed) {
		slot = (uint64_t)random_bits() * top >> 32;
		place = (uint64_t)random_bits() * DIRECT_PLACES >> 32;
	}
	for (uint64_t i = 0; i < EARLY_TABLES; i++)
		pdpt[place + i] = (PHYS_OF(boot_pd) + i * PAGE_SIZE) | BOOT_TABLE_FLAGS;
	pml4[(DIRECT_AREA_BASE >> 39 & 511) + slot] = PHYS_OF(boot_pdpt_direct) | BOOT_TABLE_FLAGS;
	*(uintptr_t *)PHYS_OF(&direct_map_base) = DIRECT_AREA_BASE + (slot << 39) + place * DIRECT_STEP;
}

BOOT_TEXT uint64_t boot_relocate(unsigned int loader, uint32_t info)
{
	const uint32_t *place = (const uint32_t *)PHYS_OF(kernel_relocs_start);
	const uint32_t *end = (const uint32_t *)PHYS_OF(kernel_relocs_end);
	uint64_t *pd = (uint64_t *)PHYS_OF(boot_pd_high);
	uint64_t slots = (IMAGE_WINDOW - ALIGN_UP(PHYS_OF(kernel_end), SLIDE_STEP)) / SLIDE_STEP;
	uint64_t slide = 0;
	bool fixed = (loader == LOADER_MULTIBOOT2 && multiboot2_forbids(info)) ||
		     (loader == LOADER_PVH && pvh_forbids(info));

	place_direct_map(fixed);
	if (!fixed)
		slide = (random_bits() * slots >> 32) * SLIDE_STEP;
	/* All addresses lie in the window, so that neither their upper halves nor their signs change. */
	for (; slide && place < end; place++)
		*(uint32_t *)(PHYS_OF(kernel_image_start) + *place) += (uint32_t)slide;
	for (uint64_t i = slide / SLIDE_STEP; i < BOOT_PD_ENTRIES; i++)
		pd[i] = (i * SLIDE_STEP - slide) | BOOT_PD_FLAGS;
	return slide;
}
