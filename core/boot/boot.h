/*
 * What the boot loader handed over, in one form for all ports, and the start-up sequence.
 */
#pragma once

#include "core/lib/types.h"

enum boot_memory_kind { BOOT_RAM, BOOT_RESERVED, BOOT_ACPI_RECLAIM, BOOT_ACPI_NVS, BOOT_BAD };

#define BOOT_RANGES_MAX  1024
#define BOOT_ARCHIVES_MAX 16
#define BOOT_CMDLINE_SIZE 4096

struct boot_range {
	uint64_t start, end;
	enum boot_memory_kind kind;
};

struct boot_framebuffer {
	uint64_t phys;
	uint32_t pitch, width, height;
	uint8_t bpp, type;		/* type: 1 RGB, 2 EGA text, 0 none */
	uint8_t red_shift, red_bits, green_shift, green_bits, blue_shift, blue_bits;
};

struct boot_archive {
	uint64_t phys;
	uint64_t size;
};

struct boot_info {
	char cmdline[BOOT_CMDLINE_SIZE];
	struct boot_range ranges[BOOT_RANGES_MAX];	/* sorted, not overlapping once boot_ranges_normalise ran */
	unsigned int range_count;
	struct boot_archive archives[BOOT_ARCHIVES_MAX];	/* initrds, in order */
	unsigned int archive_count;
	struct boot_framebuffer framebuffer;
	uint64_t acpi_rsdp;		/* physical, 0: unknown */
	uint64_t device_tree;		/* physical, 0: none */
	char loader[64];
};
extern struct boot_info boot_info;

/* uname -v: what the sources were, by git, and the date of that commit; at most 64 characters. */
extern const char build_version[];

/* Records a range; later ones of a worse kind win where they overlap. False if the table is full (reported). */
bool boot_add_range(uint64_t start, uint64_t end, enum boot_memory_kind kind);
/* Marks memory that the kernel image, archives and tables occupy. */
void boot_reserve(uint64_t start, uint64_t end);
/*
 * Notes an initrd and reserves its memory. It is mapped later whatever the memory map calls its pages. One that does not
 * fit (addresses that no memory has, too many) is left out, with a warning.
 */
void boot_add_archive(uint64_t phys, uint64_t size);
/* Takes zeroed pages from RAM before the page allocator exists. Panics when there are none. Physical address, below `limit` if not 0. */
uint64_t boot_alloc(size_t size, uint64_t limit);
/* Hands all RAM that is not reserved or taken to the page allocator; boot_alloc ends here. */
void boot_release_ranges(void);

/*
 * The port calls this on the boot CPU, with boot_info filled, its own early mappings made (the direct map covers all
 * RAM), and the boot stack in use. Does not return.
 *
 * Sequence: log, command line, page allocator, slab, vmap, arch_boot_platform() (interrupts, clock), scheduler, then in the first
 * kernel thread: other CPUs, RCU, tests, modules, init.
 */
void boot_main(void) __noreturn;

/* Port: traps, per-CPU block of the boot CPU; memory allocation works not yet. Called first by boot_main. */
void arch_boot_early(void);
/* Port: interrupt controllers, clock source and timers. The allocators work. */
void arch_boot_platform(void);
/* Port: everything that may sleep, in the first thread (devices that need no module). */
void arch_boot_late(void);

/* Command line. Value of the last `name=value`, or null; "" for a bare name. */
const char *cmdline_value(const char *name);
/* Calls fn for the value of each such word in order (console= may come several times). */
void cmdline_for_each(const char *name, void (*fn)(const char *value, void *arg), void *arg);
/* Calls fn for each word that nobody of the core took: for init's arguments and environment. name=value words have an '='. */
void cmdline_for_each_unknown(void (*fn)(const char *word, void *arg), void *arg);
/* The value of `module.param` words for a module, as "param=value ..." in buf. */
void cmdline_module_params(const char *module, char *buf, size_t size);

/* Files of the initrds, later archives winning. Data of plain archives stay where they are for ever. */
struct page;
struct initrd_entry {
	const char *name;		/* without leading "./" or "/" */
	size_t name_len;
	uint32_t mode, uid, gid, nlink, mtime, ino;
	uint32_t dev_major, dev_minor, rdev_major, rdev_minor;
	const void *data;
	size_t size;
	/*
	 * Of a compressed archive: a regular file's contents, and `data` is null (of links it is the text). Who puts
	 * null into a place has taken that page, with its reference.
	 */
	struct page **pages;
};
/* Calls fn for each entry of all archives in order; stops at its first error and returns it. */
int initrd_for_each(int (*fn)(const struct initrd_entry *e, void *arg), void *arg);
/* The last regular file of that name in a plain archive. */
bool initrd_find(const char *name, struct initrd_entry *out);
/*
 * Finds out what the archives are made of, and unpacks what is compressed (decoders are modules of the plain ones).
 * Damage is logged, and the rest of that archive is left out. Once, in the first thread, before modules are loaded.
 */
void initrd_unpack(void);
/* What was unpacked is in its files: frees the rest of it, and the memory of the compressed archives. Once. */
void initrd_release_unpacked(void);
/* The format of an archive for which there was no decoder; null: there is none. */
const char *initrd_not_decoded(void);

/* Starts init: set by the personality's module; called in the first thread when all modules are loaded. Returns only on failure. */
extern void (*boot_start_init)(void);

/* Port: leave the machine. Returns only if that is impossible. */
void arch_power_off(void);
void arch_power_restart(void);
void arch_power_halt(void) __noreturn;
