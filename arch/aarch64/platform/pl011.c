/*
 * aarch64: the PL011 serial line before any driver: polled, every wait bounded. It is the one that /chosen names as its output,
 * else the first of the tree. The boot loader has set its speed.
 */
#include "platform.h"

#include <arch/percpu.h>
#include <arch/pl011.h>

#include "core/lib/string.h"
#include "core/module/export.h"

#define REG_DATA  (0x00 / 4)
#define REG_FLAGS (0x18 / 4)
#define FLAG_TX_FULL 0x20u
#define SPINS 200000u

static uint64_t phys;
static volatile uint32_t *mmio;

/* Does /chosen name this node? By its path, maybe followed by ":" and a speed. */
static bool chosen_names(const struct fdt_node *uart)
{
	struct fdt_node n = { 0 };
	uint32_t length;
	const char *path, *last;

	while (fdt_next(&n)) {
		if (n.depth != 1 || strcmp(n.name, "chosen"))
			continue;
		path = fdt_property(&n, "stdout-path", &length);
		if (!path || !length || path[length - 1])
			return false;
		last = strrchr(path, '/');
		length = (uint32_t)strlen(uart->name);
		return last && !strncmp(last + 1, uart->name, length) && (!last[1 + length] || last[1 + length] == ':');
	}
	return false;
}

void pl011_find(void)
{
	struct fdt_node n = { 0 };
	uint64_t address, size;

	while (fdt_next(&n)) {
		if (!fdt_compatible(&n, "arm,pl011") || !fdt_available(&n) || !fdt_reg(&n, 0, &address, &size))
			continue;
		if (!phys)
			phys = address;
		if (chosen_names(&n)) {
			phys = address;
			break;
		}
	}
	if (!phys || phys >= KERNEL_DIRECT_SIZE)
		return;
	mmu_early_map(phys, phys + PAGE_SIZE, true);
	mmio = phys_to_virt(phys);
}

uint64_t pl011_phys(void)
{
	return mmio ? ALIGN_DOWN(phys, PAGE_SIZE) : 0;
}

void pl011_move(uintptr_t va)
{
	if (mmio)
		mmio = (volatile uint32_t *)(va + (phys & PAGE_MASK));
}

static void put(uint32_t c)
{
	for (unsigned int i = 0; i < SPINS && (mmio[REG_FLAGS] & FLAG_TX_FULL); i++)
		arch_cpu_relax();
	mmio[REG_DATA] = c;
}

void pl011_write(const char *text, size_t len)
{
	if (!mmio)
		return;
	for (; len--; text++) {
		if (*text == '\n')
			put('\r');
		put((uint8_t)*text);
	}
}

bool pl011_describe(unsigned int index, struct pl011_line *out)
{
	/* The early line comes first, then the others. */
	for (unsigned int pass = 0; pass < 2; pass++) {
		struct fdt_node n = { 0 };
		uint64_t size;
		bool edge;

		while (fdt_next(&n)) {
			if (!fdt_compatible(&n, "arm,pl011") || !fdt_available(&n) || !fdt_reg(&n, 0, &out->phys, &size))
				continue;
			out->early = out->phys == phys;
			if (out->early != (pass == 0) || index--)
				continue;
			out->irq = fdt_interrupt(&n, 0, &edge);
			return true;
		}
	}
	return false;
}
KAPI(pl011_describe);
