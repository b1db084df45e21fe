/*
 * aarch64: the start by UEFI firmware. The image is a PE file; boot.S calls efi_start() while the firmware is in charge. It finds the
 * device tree, the command line and the memory map, moves the image to a multiple of 2 MiB and leaves the firmware. What it learnt
 * goes into `handover`, in the moved image's data, which the ordinary start reads later.
 *
 * Until then this code runs where the firmware put it, under the firmware's tables, without a current thread: no canaries, no
 * pointers in initialised data, nothing of the kernel but its string functions.
 */
#include "platform.h"

#include <arch/percpu.h>
#include <arch/sysreg.h>

#include "core/boot/boot.h"
#include "core/lib/string.h"
#include "core/time/clock.h"

#define EARLY __attribute__((no_stack_protector))
#define RANGES_MAX 256u
#define ALIGNMENT (2ul << 20)
#define MAP_ROOM  65536ul

enum { EFI_LOADER_CODE = 1, EFI_LOADER_DATA, EFI_BOOT_CODE, EFI_BOOT_DATA, EFI_CONVENTIONAL = 7, EFI_ACPI_RECLAIM = 9 };

struct efi_guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};

struct efi_descriptor {
	uint32_t type, pad;
	uint64_t phys, virt, pages, attributes;
};

struct efi_boot_services {
	uint8_t head[24];
	void *raise_tpl, *restore_tpl;
	uint64_t (*allocate_pages)(uint32_t how, uint32_t type, uint64_t pages, uint64_t *address);
	void *free_pages;
	uint64_t (*get_memory_map)(uint64_t *size, void *map, uint64_t *key, uint64_t *stride, uint32_t *version);
	void *allocate_pool, *free_pool, *events[6], *protocols[3];
	uint64_t (*handle_protocol)(void *handle, const struct efi_guid *guid, void **interface);
	void *reserved[9];
	uint64_t (*exit_boot_services)(void *handle, uint64_t key);
};
_Static_assert(offsetof(struct efi_boot_services, handle_protocol) == 152, "UEFI 2.10, 4.4");
_Static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 232, "UEFI 2.10, 4.4");

struct efi_time {
	uint16_t year;
	uint8_t month, day, hour, minute, second, pad1;
	uint32_t nanosecond;
	int16_t zone;			/* minutes; 0x7ff: local time, which is taken for UTC */
	uint8_t daylight, pad2;
};

struct efi_runtime_services {
	uint8_t head[24];
	uint64_t (*get_time)(struct efi_time *time, void *capabilities);
};

struct efi_text_output {
	void *reset;
	uint64_t (*output_string)(struct efi_text_output *self, const uint16_t *text);
};

struct efi_system_table {
	uint8_t head[24];
	void *vendor, *revision, *console_in[3];
	struct efi_text_output *console_out;
	void *console_error[2];
	const struct efi_runtime_services *runtime;
	struct efi_boot_services *boot;
	uint64_t table_count;
	struct { struct efi_guid guid; void *table; } *tables;
};
_Static_assert(offsetof(struct efi_system_table, boot) == 96, "UEFI 2.10, 4.3");

struct efi_loaded_image {
	uint32_t revision;
	void *parent, *system_table, *device, *path, *reserved;
	uint32_t options_size;
	const uint16_t *options;
};
_Static_assert(offsetof(struct efi_loaded_image, options) == 56, "UEFI 2.10, 9.1");

struct handover {
	uint32_t valid, count;
	struct efi_time time;		/* when the counter was at `counter`; year 0: not known */
	uint64_t counter;
	uint64_t rsdp;			/* 0: no ACPI */
	struct { uint64_t start, end; uint32_t kind; } ranges[RANGES_MAX];
	char cmdline[BOOT_CMDLINE_SIZE];
};
/* In .data: .bss is cleared after it was filled. */
static struct handover handover __section(".data.efi_handover") = { .valid = 0 };

extern char image_head[], kernel_end[], kernel_file_end[];

uint64_t efi_start(void *handle, struct efi_system_table *system, char *image, uint64_t *moved);

static EARLY uint64_t find_table(const struct efi_system_table *system,
				 const struct efi_guid *wanted)
{
	for (uint64_t i = 0; i < system->table_count; i++)
		if (!memcmp(&system->tables[i].guid, wanted, sizeof(*wanted)))
			return (uintptr_t)system->tables[i].table;
	return 0;
}

static EARLY uint64_t find_tree(const struct efi_system_table *system)
{
	const struct efi_guid wanted = {
		0xb1b621d5, 0xf19c, 0x41a5, { 0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0 }
	};

	return find_table(system, &wanted);
}

static EARLY uint64_t find_rsdp(const struct efi_system_table *system)
{
	const struct efi_guid wanted = {
		0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 }
	};

	return find_table(system, &wanted);
}

/* The firmware's screen is the last chance to be heard. */
static EARLY void say(const struct efi_system_table *system, const uint16_t *text)
{
	struct efi_text_output *out = system->console_out;

	if (out)
		out->output_string(out, text);
}

/* The load options are the command line, in UCS-2. */
static EARLY void read_options(void *handle, const struct efi_system_table *system, struct handover *h)
{
	const struct efi_guid wanted = { 0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } };
	void *found = NULL;
	const struct efi_loaded_image *image;
	uint32_t n = 0;

	if (system->boot->handle_protocol(handle, &wanted, &found) || !found)
		return;
	image = found;
	for (uint32_t i = 0; image->options && i < image->options_size / 2 && image->options[i] && n + 1 < sizeof(h->cmdline); i++)
		h->cmdline[n++] = image->options[i] < 0x80 ? (char)image->options[i] : '?';
	h->cmdline[n] = '\0';
}

static EARLY void add_range(struct handover *h, const struct efi_descriptor *d)
{
	uint64_t end = d->phys + (d->pages << 12);
	uint32_t kind = BOOT_RESERVED;

	if ((d->type >= EFI_LOADER_CODE && d->type <= EFI_BOOT_DATA) || d->type == EFI_CONVENTIONAL)
		kind = BOOT_RAM;
	else if (d->type == EFI_ACPI_RECLAIM)
		kind = BOOT_ACPI_RECLAIM;
	else
		return;
	if (h->count && h->ranges[h->count - 1].end == d->phys && h->ranges[h->count - 1].kind == kind) {
		h->ranges[h->count - 1].end = end;
	} else if (h->count < RANGES_MAX) {
		h->ranges[h->count].start = d->phys;
		h->ranges[h->count].end = end;
		h->ranges[h->count++].kind = kind;
	}
}

/* The map that is valid at the end is the one whose key the firmware accepts. */
static EARLY bool leave(void *handle, const struct efi_system_table *system, struct handover *h, char *map)
{
	for (unsigned int tries = 0; tries < 4; tries++) {
		uint64_t size = MAP_ROOM, key = 0, stride = 0;
		uint32_t version;

		if (system->boot->get_memory_map(&size, map, &key, &stride, &version) || stride < sizeof(struct efi_descriptor))
			return false;
		h->count = 0;
		for (uint64_t at = 0; at + stride <= size; at += stride)
			add_range(h, (const struct efi_descriptor *)(map + at));
		if (!system->boot->exit_boot_services(handle, key))
			return true;
	}
	return false;
}

/* Returns the device tree's address, or 0 with the firmware still in charge; *moved: where the image is now. */
EARLY uint64_t efi_start(void *handle, struct efi_system_table *system, char *image, uint64_t *moved)
{
	uint64_t size = (uint64_t)(kernel_end - image_head), place = 0, map = 0, tree = find_tree(system);
	struct handover *h;

	if (!tree) {
		say(system, u"Mortise: the boot loader gave no device tree (boot by GRUB).\r\n");
		return 0;
	}
	if (system->boot->allocate_pages(0, EFI_LOADER_DATA, (size + ALIGNMENT) >> 12, &place) ||
	    system->boot->allocate_pages(0, EFI_LOADER_DATA, MAP_ROOM >> 12, &map)) {
		say(system, u"Mortise: the firmware gives no memory.\r\n");
		return 0;
	}
	place = ALIGN_UP(place, ALIGNMENT);
	memcpy((void *)place, image, (size_t)(kernel_file_end - image_head));
	h = (struct handover *)(place + (uint64_t)((char *)&handover - image_head));
	read_options(handle, system, h);
	if (system->runtime->get_time(&h->time, NULL))
		h->time.year = 0;
	h->counter = sysreg_read("cntvct_el0");
	h->rsdp = find_rsdp(system);
	h->valid = 1;
	*moved = place;
	return leave(handle, system, h, (char *)map) ? tree : 0;
}

bool efi_read_handover(void)
{
	const struct handover *h = &handover;

	if (!h->valid)
		return false;
	for (uint32_t i = 0; i < h->count; i++) {
		uint64_t end = MIN(h->ranges[i].end, KERNEL_DIRECT_SIZE);

		if (h->ranges[i].start >= end)
			continue;
		boot_add_range(h->ranges[i].start, end, h->ranges[i].kind);
		mmu_early_map(h->ranges[i].start, end, false);
	}
	str_copy(boot_info.cmdline, h->cmdline, sizeof(boot_info.cmdline));
	return true;
}

uint64_t efi_acpi_tables(void)
{
	return handover.valid ? handover.rsdp : 0;
}

/* Days since 1970 of a date of the Gregorian calendar, which repeats itself after 400 years. */
static int64_t days_of(unsigned int year, unsigned int month, unsigned int day)
{
	unsigned int y = month <= 2 ? year - 1 : year, m = (month + 9) % 12;

	return (int64_t)(y / 400) * 146097 + y % 400 * 365 + y % 400 / 4 - y % 400 / 100 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

int64_t efi_wall_clock(void)
{
	const struct efi_time *t = &handover.time;
	int64_t seconds;

	if (!handover.valid || t->year < 1970 || t->year > 9999 || !t->month || t->month > 12 || !t->day || t->day > 31)
		return 0;
	seconds = ((days_of(t->year, t->month, t->day) * 24 + t->hour) * 60 + t->minute) * 60 + t->second;
	if (t->zone != 0x7ff)
		seconds -= t->zone * 60;
	seconds += (int64_t)((sysreg_read("cntvct_el0") - handover.counter) / timer_hz());
	return seconds * (int64_t)NSEC_PER_SEC;
}
