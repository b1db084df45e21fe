/*
 * x86_64: leaving the machine. Each way is tried in turn, with time for it to work; the last resort for a restart is a
 * triple fault. The ACPI values were read at boot; nothing here allocates or sleeps, so that a panic may come here.
 */
#include "platform.h"

#include <arch/port.h>
#include <arch/x86.h>

#include "core/arch/cpu.h"
#include "core/arch/platform.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/module/export.h"
#include "core/time/clock.h"

#define SLP_EN (1u << 13)
#define SCI_EN 1u

/* Reading port 0x80 takes about 1 us whatever the clock does. */
static void wait_ms(unsigned int ms)
{
	for (unsigned int i = 0; i < ms * 1000; i++)
		port_in8(0x80);
}

static void acpi_mode_on(const struct acpi_info *a)
{
	if (!a->smi_command || !a->acpi_enable || (port_in16((uint16_t)a->pm1a_cnt) & SCI_EN))
		return;
	port_out8((uint16_t)a->smi_command, a->acpi_enable);
	for (unsigned int i = 0; i < 300 && !(port_in16((uint16_t)a->pm1a_cnt) & SCI_EN); i++)
		wait_ms(1);
}

static void pm1_sleep(uint32_t port, uint8_t type)
{
	uint16_t v = (uint16_t)(port_in16((uint16_t)port) & ~0x3c00u);

	port_out16((uint16_t)port, (uint16_t)(v | (type & 7u) << 10 | SLP_EN));
}

void arch_power_off(void)
{
	const struct acpi_info *a = &acpi_info;

	arch_irq_disable();
	if (a->has_s5 && a->hw_reduced) {
		uint8_t v = (uint8_t)((a->s5_a & 7u) << 2 | 0x20);

		if (a->sleep_mmio)
			*(volatile uint8_t *)a->sleep_mmio = v;
		else if (a->sleep_port)
			port_out8((uint16_t)a->sleep_port, v);
		wait_ms(200);
	} else if (a->has_s5 && a->pm1a_cnt) {
		acpi_mode_on(a);
		pm1_sleep(a->pm1a_cnt, a->s5_a);
		if (a->pm1b_cnt)
			pm1_sleep(a->pm1b_cnt, a->s5_b);
		wait_ms(500);
	}
	/* Emulators without tables. */
	if (cpuid_read(1, 0).ecx >> 31) {
		port_out16(0x604, 0x2000);
		port_out16(0xb004, 0x2000);
		wait_ms(100);
	}
	arch_irq_enable();
}
KAPI(arch_power_off);

static void reset_acpi(const struct acpi_info *a)
{
	if (a->reset_space == 1 && a->reset_address && a->reset_address < 0x10000)
		port_out8((uint16_t)a->reset_address, a->reset_value);
	else if (a->reset_space == 0 && a->reset_mmio)
		*(volatile uint8_t *)a->reset_mmio = a->reset_value;
	else
		return;
	wait_ms(50);
}

void arch_power_restart(void)
{
	struct { uint16_t limit; uint64_t base; } __packed none = { 0, 0 };

	arch_irq_disable();
	reset_acpi(&acpi_info);
	port_out8(0xcf9, 0x02);
	wait_ms(1);
	port_out8(0xcf9, 0x06);
	wait_ms(50);
	for (unsigned int i = 0; i < 100 && (port_in8(0x64) & 2); i++)
		wait_ms(1);
	port_out8(0x64, 0xfe);
	wait_ms(50);
	__asm__ volatile("lidt %0\n\tint3" : : "m"(none));
}
KAPI(arch_power_restart);

void arch_power_halt(void)
{
	log_panic_mode();
	log_notice("halted");
	arch_cpu_stop_others();
	arch_cpu_halt();
}
KAPI(arch_power_halt);

void arch_debug_exit(unsigned int status)
{
	const char *v = cmdline_value("debugexit");

	/* The port belongs to other devices on real machines. */
	if (v && strcmp(v, "0") != 0)
		port_out8(0xf4, (uint8_t)status);
}
KAPI(arch_debug_exit);
