/*
 * x86_64: reads what the boot loader left behind into boot_info. Two formats: multiboot2 tags and the start-of-day structure
 * of PVH. Everything lies below 4 GiB, where the early direct map reaches; every length is checked against what
 * is left before it is used. Damaged parts are left out.
 */
#include <arch/percpu.h>

#include "core/arch/mmu.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"

#define EARLY_LIMIT (1ull << 32)

/* [phys, phys + size) if the early direct map covers it, else null. */
static const void *early_memory(uint64_t phys, uint64_t size)
{
	if (!phys || phys >= EARLY_LIMIT || size > EARLY_LIMIT - phys)
		return NULL;
	return phys_to_virt(phys);
}

static void copy_string(char *dst, size_t size, const char *src, size_t max)
{
	size_t len = strnlen(src, max);

	if (len >= size) {
		log_warn("boot loader: text cut after %zu bytes", size - 1);
		len = size - 1;
	}
	memcpy(dst, src, len);
	dst[len] = '\0';
}

/* E820 types, which multiboot2 and PVH use alike. */
static void add_range(uint64_t start, uint64_t size, uint32_t type)
{
	static const uint8_t kinds[] = {
		[1] = BOOT_RAM, [2] = BOOT_RESERVED, [3] = BOOT_ACPI_RECLAIM, [4] = BOOT_ACPI_NVS, [5] = BOOT_BAD,
	};
	uint64_t end;

	if (!size)
		return;
	if (__builtin_add_overflow(start, size, &end))
		end = UINT64_MAX & ~PAGE_MASK;
	boot_add_range(start, end, type && type < ARRAY_SIZE(kinds) ? kinds[type] : BOOT_RESERVED);
}

struct mb2_tag {
	uint32_t type, size;
};

enum {
	TAG_END, TAG_CMDLINE, TAG_LOADER, TAG_MODULE, TAG_BASIC_MEMORY, TAG_MMAP = 6, TAG_FRAMEBUFFER = 8,
	TAG_RSDP_OLD = 14, TAG_RSDP_NEW = 15,
};

struct mb2_module {
	struct mb2_tag tag;
	uint32_t start, end;
};

struct mb2_mmap {
	struct mb2_tag tag;
	uint32_t entry_size, entry_version;
};

struct mb2_mmap_entry {
	uint64_t start, size;
	uint32_t type, reserved;
};

struct mb2_framebuffer {
	struct mb2_tag tag;
	uint64_t phys;
	uint32_t pitch, width, height;
	uint8_t bpp, type;
	uint16_t reserved;
	uint8_t colors[6];		/* type 1: position and size of red, green, blue */
} __packed;

static bool read_mmap(const struct mb2_mmap *m)
{
	uint32_t step = m->entry_size;

	if (m->tag.size < sizeof(*m) || step < sizeof(struct mb2_mmap_entry) || step > 4096)
		return false;
	for (uint32_t at = sizeof(*m); m->tag.size - at >= step; at += step) {
		const struct mb2_mmap_entry *e = (const void *)((const char *)m + at);

		add_range(e->start, e->size, e->type);
	}
	return true;
}

static void read_framebuffer(const struct mb2_framebuffer *t)
{
	struct boot_framebuffer *f = &boot_info.framebuffer;

	if (t->tag.size < offsetof(struct mb2_framebuffer, colors) || !t->phys || !t->width || !t->height)
		return;
	if (t->type == 1) {
		if (t->tag.size < sizeof(*t) || (t->bpp != 32 && t->bpp != 24 && t->bpp != 16 && t->bpp != 15) ||
		    t->width > 65536 || t->height > 65536 || t->pitch < t->width * ((t->bpp + 7u) / 8))
			return;
		f->red_shift = t->colors[0];
		f->red_bits = t->colors[1];
		f->green_shift = t->colors[2];
		f->green_bits = t->colors[3];
		f->blue_shift = t->colors[4];
		f->blue_bits = t->colors[5];
	} else if (t->type != 2) {
		return;
	}
	f->phys = t->phys;
	f->pitch = t->pitch;
	f->width = t->width;
	f->height = t->height;
	f->bpp = t->bpp;
	f->type = t->type;
}

/* The loader's copy of the RSDP; its own address is as good as the original's. */
static void read_rsdp(const struct mb2_tag *t, uint64_t phys)
{
	if (t->size >= sizeof(*t) + 20 && (t->type == TAG_RSDP_NEW || !boot_info.acpi_rsdp))
		boot_info.acpi_rsdp = phys + sizeof(*t);
}

static void read_tag(const struct mb2_tag *t, uint64_t phys, bool *have_map, uint64_t *basic_end)
{
	const char *text = (const char *)(t + 1);
	const struct mb2_module *module = (const void *)t;

	switch (t->type) {
	case TAG_CMDLINE:
		copy_string(boot_info.cmdline, sizeof(boot_info.cmdline), text, t->size - sizeof(*t));
		break;
	case TAG_LOADER:
		copy_string(boot_info.loader, sizeof(boot_info.loader), text, t->size - sizeof(*t));
		break;
	case TAG_MODULE:
		if (t->size >= sizeof(*module) && module->end > module->start)
			boot_add_archive(module->start, module->end - module->start);
		break;
	case TAG_BASIC_MEMORY:
		if (t->size >= sizeof(*t) + 8)
			*basic_end = 0x100000 + ((uint64_t)((const uint32_t *)text)[1] << 10);
		break;
	case TAG_MMAP:
		*have_map |= read_mmap((const void *)t);
		break;
	case TAG_FRAMEBUFFER:
		read_framebuffer((const void *)t);
		break;
	case TAG_RSDP_OLD:
	case TAG_RSDP_NEW:
		read_rsdp(t, phys);
	}
}

void bootinfo_read_multiboot2(uint32_t info)
{
	const uint32_t *head = early_memory(info, 8);
	uint64_t basic_end = 0;
	bool have_map = false;
	uint32_t size;

	if (!head || (info & 7) || head[0] < 16 || !early_memory(info, head[0]))
		panic("multiboot2: no information at %#x", info);
	size = head[0];
	for (uint32_t at = 8; size - at >= sizeof(struct mb2_tag);) {
		const struct mb2_tag *t = (const void *)((const char *)head + at);
		uint32_t step;

		if (t->type == TAG_END)
			break;
		if (t->size < sizeof(*t) || t->size > size - at) {
			log_warn("multiboot2: tag %u of %u bytes does not fit; the rest is ignored", t->type, t->size);
			break;
		}
		read_tag(t, info + at, &have_map, &basic_end);
		step = ALIGN_UP(t->size, 8u);
		if (step < t->size || step > size - at)
			break;
		at += step;
	}
	if (!have_map) {
		if (!basic_end)
			panic("multiboot2: no memory map");
		add_range(0, 0x9f000, 1);
		add_range(0x100000, basic_end - 0x100000, 1);
	}
	/* The RSDP's copy lies in there. */
	boot_reserve(ALIGN_DOWN((uint64_t)info, PAGE_SIZE), ALIGN_UP((uint64_t)info + size, PAGE_SIZE));
}

struct pvh_start {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp;
	uint64_t memmap;		/* version 1 */
	uint32_t memmap_count, reserved;
};
#define PVH_MAGIC 0x336ec578u

struct pvh_module {
	uint64_t phys, size, cmdline, reserved;
};

struct pvh_range {
	uint64_t start, size;
	uint32_t type, reserved;
};

void bootinfo_read_pvh(uint32_t info)
{
	const struct pvh_start *s = early_memory(info, sizeof(*s));
	const struct pvh_module *m;
	const struct pvh_range *r;
	const char *text;

	if (!s || s->magic != PVH_MAGIC)
		panic("PVH: no start information at %#x", info);
	str_copy(boot_info.loader, "PVH", sizeof(boot_info.loader));
	boot_info.acpi_rsdp = s->rsdp;
	text = early_memory(s->cmdline, 1);
	if (text)
		copy_string(boot_info.cmdline, sizeof(boot_info.cmdline), text,
			    MIN((uint64_t)BOOT_CMDLINE_SIZE, EARLY_LIMIT - s->cmdline));
	r = s->version >= 1 && s->memmap_count <= 4096 ? early_memory(s->memmap, s->memmap_count * sizeof(*r)) : NULL;
	if (!r)
		panic("PVH: no memory map");
	for (uint32_t i = 0; i < s->memmap_count; i++)
		add_range(r[i].start, r[i].size, r[i].type);
	m = s->module_count <= 64 ? early_memory(s->modules, s->module_count * sizeof(*m)) : NULL;
	for (uint32_t i = 0; m && i < s->module_count; i++)
		boot_add_archive(m[i].phys, m[i].size);
}
