/*
 * aarch64, private to the port: the devices that the kernel itself needs, and the device tree that tells of them.
 */
#pragma once

#include "core/lib/bits.h"
#include "core/lib/types.h"

struct trap_frame;
struct cpu;

/* fdt.c: the flattened device tree. A node is the offset of its first token; 0: none. Nothing is changed. */
struct fdt_node {
	uint32_t offset;		/* behind the node's name */
	unsigned int depth;		/* the root is 0 */
	const char *name;
	uint32_t parents[8];		/* offsets of the nodes above, by depth */
};
/* Takes a tree of at most `max` bytes into use. False if it is malformed. */
bool fdt_start(const void *blob, size_t max);
uint32_t fdt_size(void);
/* The next node in the order of the tree; starts with a zeroed node. False at the end. */
bool fdt_next(struct fdt_node *n);
/* The value of a property; null if the node has none. */
const void *fdt_property(const struct fdt_node *n, const char *name, uint32_t *length);
/* A property of one cell; `otherwise` if there is none. */
uint32_t fdt_cell(const struct fdt_node *n, const char *name, uint32_t otherwise);
bool fdt_compatible(const struct fdt_node *n, const char *name);
/* False if its status says that it is not to be used. */
bool fdt_available(const struct fdt_node *n);
/* Entry `index` of `reg` as a CPU sees it. False if there is none. */
bool fdt_reg(const struct fdt_node *n, unsigned int index, uint64_t *address, uint64_t *size);
/* Interrupt `index` of the node in the GIC's three cells, as an interrupt id; -1 if there is none. *edge: how it signals. */
int fdt_interrupt(const struct fdt_node *n, unsigned int index, bool *edge);
/* The first available node that is compatible. */
bool fdt_find(const char *compatible, struct fdt_node *n);
/* Calls fn for each reserved range of the tree. */
void fdt_reserved(void (*fn)(uint64_t start, uint64_t end));
static inline uint32_t be32(const void *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}
static inline uint64_t be64(const void *p) { return (uint64_t)be32(p) << 32 | be32((const char *)p + 4); }

/* pl011.c: the serial line before any driver. */
void pl011_find(void);			/* from the tree; mapped early */
uint64_t pl011_phys(void);		/* 0: none */
void pl011_move(uintptr_t va);
void pl011_write(const char *text, size_t len);

/* gic.c */
void gic_start(void);			/* boot CPU: finds and maps it */
void gic_cpu_start(void);		/* each CPU */
/* Takes the interrupt that is due and ends it: 1023 if there was none. */
unsigned int gic_acknowledge(void);
void gic_end(unsigned int id);
void gic_send(const struct cpu *c, unsigned int sgi);
/* For interrupts that each CPU has of its own. */
void gic_enable_private(unsigned int id);

/* timer.c */
void timer_start(void);			/* boot CPU: frequency, interrupt */
void timer_cpu_enable(void);
void timer_quiet(void);			/* the interrupt came: no more until the event is programmed */
unsigned int timer_line(void);
uint64_t timer_hz(void);

/* psci.c: calls of the firmware. */
void psci_start(void);
/* 0 or PSCI's error. */
long psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context);

/* pl031.c: ns since 1970; 0 if there is no clock. */
int64_t rtc_read(void);

/* efi.c: what the firmware's part of the start left; false if UEFI did not start us. */
bool efi_read_handover(void);
/* Where ACPI's RSDP is; 0: not known. */
uint64_t efi_acpi_tables(void);

/*
 * acpi.c: writes a device tree of what the tables say into memory from boot_alloc, and takes it
 * into use. False if they name no interrupt controller or no CPU.
 */
bool acpi_make_tree(uint64_t rsdp, uint64_t *where);

/* ns since 1970 by the firmware's clock; 0 if UEFI did not start us or has none. After timer_start. */
int64_t efi_wall_clock(void);
