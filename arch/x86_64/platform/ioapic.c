/*
 * x86_64: I/O APICs. A line is an ISA interrupt (0-15, moved as the MADT says) or a global system interrupt. Each line in use has
 * a vector of its own and goes to the boot CPU. Without a MADT the one I/O APIC at its standard address is tried.
 *
 * Locking: `lock`, interrupts off, for the indirect registers and the vector table.
 */
#include "platform.h"

#include <asm/errno.h>

#include <arch/percpu.h>

#include "core/debug/log.h"
#include "core/mem/vmap.h"
#include "core/sync/spinlock.h"
#include "core/trap/irq.h"

#define IOAPIC_DEFAULT 0xfec00000ul
#define REG_VERSION 1u
#define REG_ENTRY(n) (0x10u + 2 * (n))
#define ENTRY_LOW    0x02000u
#define ENTRY_LEVEL  0x08000u
#define ENTRY_MASKED 0x10000u

struct ioapic {
	volatile uint32_t *mmio;
	uint32_t gsi_base, count;
};

static struct ioapic ioapics[ACPI_IOAPIC_MAX];
static unsigned int ioapic_count;
static struct spinlock lock = SPINLOCK_INIT(lock);

#define VECTORS (VECTOR_LINE_LAST - VECTOR_LINE_FIRST + 1)
static int16_t line_of[VECTORS];	/* + 1; 0: free */

static uint32_t reg_read(const struct ioapic *io, uint32_t reg)
{
	io->mmio[0] = reg;
	return io->mmio[4];
}

static void reg_write(const struct ioapic *io, uint32_t reg, uint32_t v)
{
	io->mmio[0] = reg;
	io->mmio[4] = v;
}

static void add(uint64_t phys, uint32_t gsi_base)
{
	struct ioapic *io = &ioapics[ioapic_count];
	uint32_t version;

	io->mmio = device_map(phys, 0x20, MMU_READ | MMU_WRITE | MMU_DEVICE);
	if (!io->mmio)
		return;
	version = reg_read(io, REG_VERSION);
	if (version == ~0u || !version) {
		device_unmap((void *)io->mmio, 0x20);
		log_warn("ioapic: nothing answers at %#lx", phys);
		return;
	}
	io->gsi_base = gsi_base;
	io->count = (version >> 16 & 0xff) + 1;
	for (uint32_t i = 0; i < io->count; i++)
		reg_write(io, REG_ENTRY(i), ENTRY_MASKED);
	ioapic_count++;
}

void ioapic_start(void)
{
	if (!apic_present())
		return;
	for (unsigned int i = 0; i < acpi_info.ioapic_count; i++)
		add(acpi_info.ioapics[i].address, acpi_info.ioapics[i].gsi_base);
	if (!acpi_info.ioapic_count)
		add(IOAPIC_DEFAULT, 0);
}

/* Where a line really goes, and how it signals. */
static const struct ioapic *find(unsigned int line, uint32_t *pin, uint32_t *mode)
{
	uint32_t gsi = line;

	*mode = line < 16 ? 0 : ENTRY_LOW | ENTRY_LEVEL;
	for (unsigned int i = 0; i < acpi_info.override_count; i++) {
		const struct acpi_override *o = &acpi_info.overrides[i];

		if (o->irq != line)
			continue;
		gsi = o->gsi;
		*mode = (o->active_low ? ENTRY_LOW : 0) | (o->level ? ENTRY_LEVEL : 0);
		break;
	}
	for (unsigned int i = 0; i < ioapic_count; i++) {
		const struct ioapic *io = &ioapics[i];

		if (gsi >= io->gsi_base && gsi - io->gsi_base < io->count) {
			*pin = gsi - io->gsi_base;
			return io;
		}
	}
	return NULL;
}

static int vector_of(unsigned int line)
{
	int free = -1;

	for (int i = 0; i < VECTORS; i++) {
		if (line_of[i] == (int)line + 1)
			return i;
		if (free < 0 && !line_of[i])
			free = i;
	}
	if (free >= 0)
		line_of[free] = (int16_t)(line + 1);
	return free;
}

int arch_irq_line_enable(unsigned int line)
{
	const struct ioapic *io;
	uint32_t pin, mode;
	unsigned long flags;
	int vector;

	if (line > 0x7ffe)
		return -EINVAL;
	io = find(line, &pin, &mode);
	if (!io)
		return -EINVAL;
	flags = spin_lock_irqsave(&lock);
	vector = vector_of(line);
	if (vector >= 0) {
		reg_write(io, REG_ENTRY(pin) + 1, boot_cpu.hw_id << 24);
		reg_write(io, REG_ENTRY(pin), mode | (uint32_t)(vector + VECTOR_LINE_FIRST));
	}
	spin_unlock_irqrestore(&lock, flags);
	return vector < 0 ? -EBUSY : 0;
}

/* The vector stays the line's: an interrupt may be under way. */
void arch_irq_line_disable(unsigned int line)
{
	uint32_t pin, mode;
	const struct ioapic *io = find(line, &pin, &mode);
	unsigned long flags;

	if (!io)
		return;
	flags = spin_lock_irqsave(&lock);
	reg_write(io, REG_ENTRY(pin), reg_read(io, REG_ENTRY(pin)) | ENTRY_MASKED);
	spin_unlock_irqrestore(&lock, flags);
}

int ioapic_line_of_vector(unsigned int vector)
{
	if (vector < VECTOR_LINE_FIRST || vector > VECTOR_LINE_LAST)
		return -1;
	return READ_ONCE(line_of[vector - VECTOR_LINE_FIRST]) - 1;
}
