/*
 * x86_64: how fast the TSC and the APIC timer count. The CPU's own word (CPUID 15h) is taken if it gives one; else they are
 * compared for a few ms with a clock of known frequency: the ACPI timer, the HPET, or the old interval timer, whichever moves.
 * Two windows must agree. Every loop has a bound in cycles or in reads, since each of these clocks may be dead.
 *
 * Context: boot, one CPU, interrupts off.
 */
#include "platform.h"

#include <arch/percpu.h>
#include <arch/port.h>
#include <arch/x86.h>

#include "core/arch/cpu.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/mem/vmap.h"
#include "core/time/clock.h"

#define PM_TIMER_HZ 3579545u
#define PIT_HZ      1193182u
#define WINDOW_US   2000u
#define READS_MAX   1000000u		/* about 1 s of port reads */
#define FALLBACK_HZ 2000000000ull

/* A clock to compare with: reads a counter that grows modulo mask + 1. */
struct reference {
	const char *name;
	uint64_t hz;
	uint32_t mask;
	uint32_t (*read)(void);
};

struct sample {
	uint64_t tsc;
	uint32_t apic, ref;
};

static uint64_t source_hz;
static volatile uint32_t *hpet, *pm_mmio;

uint64_t clock_source_hz(void)
{
	return source_hz;
}

void clock_source_set_hz(uint64_t hz)
{
	source_hz = hz;
}

static uint32_t pm_read(void)
{
	return pm_mmio ? *pm_mmio : port_in32((uint16_t)acpi_info.pm_timer_port);
}

static uint32_t hpet_read(void)
{
	return hpet[0xf0 / 4];
}

/* Channel 2 counts down from 0xffff; its gate is in port 0x61. */
static uint32_t pit_read(void)
{
	uint8_t low, high;

	port_out8(0x43, 0x80);
	low = port_in8(0x42);
	high = port_in8(0x42);
	return 0xffffu - (low | (uint32_t)high << 8);
}

static void pit_start(void)
{
	port_out8(0x61, (uint8_t)((port_in8(0x61) & ~2u) | 1));
	port_out8(0x43, 0xb0);
	port_out8(0x42, 0xff);
	port_out8(0x42, 0xff);
}

static void take(const struct reference *r, struct sample *s)
{
	s->ref = r->read();
	s->tsc = arch_cycles();
	s->apic = apic_timer_count();
}

/* One window. False if the reference does not move, or jumps. */
static bool measure(const struct reference *r, struct calibration *out)
{
	uint32_t want = (uint32_t)(r->hz * WINDOW_US / 1000000), passed = 0, start;
	struct sample a, b;

	/* Begins on a change, so that the first count is whole. */
	start = r->read();
	for (unsigned int i = 0; r->read() == start; i++)
		if (i == 10000)
			return false;
	take(r, &a);
	for (unsigned int i = 0; passed < want; i++) {
		if (i == READS_MAX)
			return false;
		passed = (r->read() - a.ref) & r->mask;
	}
	take(r, &b);
	passed = (b.ref - a.ref) & r->mask;
	if (passed < want || passed > want * 50)
		return false;
	out->tsc_hz = (b.tsc - a.tsc) * r->hz / passed;
	out->apic_hz = (uint64_t)(b.apic - a.apic) * r->hz / passed;
	return out->tsc_hz > 1000000;
}

static bool agree(uint64_t a, uint64_t b)
{
	uint64_t diff = a > b ? a - b : b - a;

	return diff <= MAX(a, b) / 100;
}

/* The best of several windows: the first two that agree; on a busy host, the last. */
static bool compare(const struct reference *r, struct calibration *out)
{
	struct calibration last, now;

	if (!measure(r, &last))
		return false;
	for (unsigned int tries = 0; tries < 5; tries++) {
		if (!measure(r, &now))
			return false;
		if (agree(now.tsc_hz, last.tsc_hz) && agree(now.apic_hz, last.apic_hz)) {
			out->tsc_hz = (now.tsc_hz + last.tsc_hz) / 2;
			out->apic_hz = (now.apic_hz + last.apic_hz) / 2;
			return true;
		}
		last = now;
	}
	log_warn("calibration by the %s is unsteady", r->name);
	*out = last;
	return true;
}

static bool by_pm_timer(struct calibration *out)
{
	struct reference r = { "ACPI timer", PM_TIMER_HZ, acpi_info.pm_timer_32 ? ~0u : 0xffffff, pm_read };

	if (acpi_info.pm_timer_mmio)
		pm_mmio = device_map(acpi_info.pm_timer_mmio, 4, MMU_READ | MMU_WRITE | MMU_DEVICE);
	if (!pm_mmio && !acpi_info.pm_timer_port)
		return false;
	return compare(&r, out);
}

static bool by_hpet(struct calibration *out)
{
	struct reference r = { "HPET", 0, ~0u, hpet_read };
	uint32_t period;
	bool ok;

	if (!acpi_info.hpet_address)
		return false;
	hpet = device_map(acpi_info.hpet_address, 0x400, MMU_READ | MMU_WRITE | MMU_DEVICE);
	if (!hpet)
		return false;
	period = hpet[1];		/* fs a count */
	ok = period > 100000 && period <= 100000000;
	if (ok) {
		r.hz = 1000000000000000ull / period;
		hpet[0x10 / 4] |= 1;
		ok = compare(&r, out);
	}
	device_unmap((void *)hpet, 0x400);
	hpet = NULL;
	return ok;
}

static bool by_pit(struct calibration *out)
{
	struct reference r = { "interval timer", PIT_HZ, 0xffff, pit_read };

	pit_start();
	return compare(&r, out);
}

/* Leaf 15h: TSC = crystal * ebx / eax, and the APIC timer counts the crystal. */
static bool by_cpuid(struct calibration *out)
{
	struct cpuid r;

	if (cpu_features.max_leaf < 0x15)
		return false;
	r = cpuid_read(0x15, 0);
	if (!r.eax || !r.ebx || !r.ecx)
		return false;
	out->tsc_hz = (uint64_t)r.ecx * r.ebx / r.eax;
	out->apic_hz = r.ecx / 16;
	return out->tsc_hz > 1000000;
}

void calibrate(struct calibration *out)
{
	struct calibration measured = { 0, 0 }, told = { 0, 0 };
	const char *name = "ACPI timer";
	bool have, have_told = by_cpuid(&told);

	apic_timer_count_start();
	have = by_pm_timer(&measured);
	if (!have) {
		name = "HPET";
		have = by_hpet(&measured);
	}
	if (!have) {
		name = "interval timer";
		have = by_pit(&measured);
	}
	if (have_told && have && !agree(told.tsc_hz, measured.tsc_hz)) {
		log_warn("clock: the CPU says %lu kHz, the %s %lu kHz", (unsigned long)(told.tsc_hz / 1000), name,
			 (unsigned long)(measured.tsc_hz / 1000));
		have_told = false;
	}
	*out = measured;
	if (have_told) {
		out->tsc_hz = told.tsc_hz;
		if (!have)
			out->apic_hz = told.apic_hz;
		name = "CPUID";
	} else if (!have) {
		name = "guess";
		out->tsc_hz = FALLBACK_HZ;
		out->apic_hz = 1000000000 / 16;
		log_warn("clock: nothing to calibrate by; time will be wrong");
	}
	log_info("clock: TSC %lu kHz, event %lu kHz, by %s", (unsigned long)(out->tsc_hz / 1000),
		 (unsigned long)(out->apic_hz / 1000), name);
}
