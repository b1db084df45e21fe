/*
 * x86_64: the local APIC of each CPU, through memory (xAPIC) or model-specific registers (x2APIC): interrupts between CPUs and
 * the clock event. x2APIC is used if the firmware turned it on or the CPU has it; all CPUs use the same mode.
 *
 * Context: interrupts off or on; the two writes of an xAPIC command are made with interrupts off. A machine without APIC
 * runs with one CPU; then nothing here touches the hardware.
 */
#include "platform.h"

#include <arch/percpu.h>
#include <arch/port.h>
#include <arch/x86.h>

#include "core/arch/cpu.h"
#include "core/arch/platform.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/mem/vmap.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"

#define REG_ID       0x020u
#define REG_TPR      0x080u
#define REG_EOI      0x0b0u
#define REG_SPURIOUS 0x0f0u
#define REG_ERROR    0x280u
#define REG_ICR_LOW  0x300u
#define REG_ICR_HIGH 0x310u
#define REG_LVT_TIMER 0x320u
#define REG_LVT_LINT0 0x350u
#define REG_LVT_LINT1 0x360u
#define REG_LVT_ERROR 0x370u
#define REG_COUNT    0x380u
#define REG_CURRENT  0x390u
#define REG_DIVIDE   0x3e0u

#define LVT_MASKED   0x10000u
#define LVT_NMI      0x00400u
#define LVT_DEADLINE 0x40000u
#define DIVIDE_16    0x3u
#define TIMER_DIVISOR 16u

#define BASE_X2APIC (1ul << 10)
#define BASE_ENABLE (1ul << 11)
#define BASE_ADDRESS 0x000ffffffffff000ul

#define ICR_NMI     0x0400u
#define ICR_INIT    0x0500u
#define ICR_STARTUP 0x0600u
#define ICR_ASSERT  0x4000u
#define ICR_BUSY    0x1000u

static bool present, x2;
static volatile uint32_t *mmio;
static bool use_deadline;
static uint64_t ticks_per_ns_32;	/* timer ticks (or TSC cycles) a ns, times 2^32 */

static uint32_t apic_read(unsigned int reg)
{
	return x2 ? (uint32_t)msr_read(MSR_X2APIC + (reg >> 4)) : mmio[reg / 4];
}

static void apic_write(unsigned int reg, uint32_t v)
{
	if (x2)
		msr_write(MSR_X2APIC + (reg >> 4), v);
	else
		mmio[reg / 4] = v;
}

bool apic_present(void)
{
	return present;
}

void apic_start(void)
{
	uint64_t base;

	if (!cpu_features.apic) {
		log_warn("apic: the CPU has none");
		return;
	}
	base = msr_read(MSR_APIC_BASE);
	present = true;
	x2 = (base & BASE_X2APIC) || cpu_features.x2apic;
	if (!x2) {
		uint64_t phys = base & BASE_ADDRESS;

		if (!phys)
			phys = acpi_info.lapic_address ? acpi_info.lapic_address : 0xfee00000;
		mmio = device_map(phys, PAGE_SIZE, MMU_READ | MMU_WRITE | MMU_DEVICE);
		if (!mmio)
			panic("no memory to map the local APIC");
	}
	/* Enabled here, because reading the id in x2APIC mode needs it. */
	if (!(base & BASE_ENABLE))
		msr_write(MSR_APIC_BASE, base | BASE_ENABLE);
	if (x2)
		msr_write(MSR_APIC_BASE, base | BASE_ENABLE | BASE_X2APIC);
	/* The old interrupt controllers: remapped out of the way of exceptions, all masked. */
	port_out8(0x20, 0x11);
	port_out8(0xa0, 0x11);
	port_out8(0x21, 0x20);
	port_out8(0xa1, 0x28);
	port_out8(0x21, 4);
	port_out8(0xa1, 2);
	port_out8(0x21, 1);
	port_out8(0xa1, 1);
	port_out8(0x21, 0xff);
	port_out8(0xa1, 0xff);
}

void apic_cpu_start(void)
{
	if (!present)
		return;
	if (x2 && !(msr_read(MSR_APIC_BASE) & BASE_X2APIC)) {
		uint64_t base = msr_read(MSR_APIC_BASE) | BASE_ENABLE;

		msr_write(MSR_APIC_BASE, base);
		msr_write(MSR_APIC_BASE, base | BASE_X2APIC);
	}
	apic_write(REG_TPR, 0);
	apic_write(REG_LVT_LINT0, LVT_MASKED);
	apic_write(REG_LVT_LINT1, LVT_NMI);
	apic_write(REG_LVT_ERROR, VECTOR_ERROR);
	apic_write(REG_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
	apic_write(REG_ERROR, 0);
	apic_write(REG_DIVIDE, DIVIDE_16);
	apic_write(REG_LVT_TIMER, use_deadline ? LVT_DEADLINE | VECTOR_TIMER : VECTOR_TIMER);
	apic_write(REG_EOI, 0);
	if (use_deadline)
		__asm__ volatile("mfence" : : : "memory");	/* the mode is in force before a deadline is written */
}

uint32_t apic_id(void)
{
	if (!present)
		return 0;
	return x2 ? apic_read(REG_ID) : apic_read(REG_ID) >> 24;
}

void apic_eoi(void)
{
	apic_write(REG_EOI, 0);
}

void apic_error(void)
{
	apic_write(REG_ERROR, 0);
	log_warn("apic: error status %#x", apic_read(REG_ERROR));
}

static void command(uint32_t id, uint32_t v)
{
	unsigned long flags;

	if (!present)
		return;
	if (x2) {
		/* Unlike a store to memory, this write orders nothing before it. */
		__asm__ volatile("mfence\n\tlfence" : : : "memory");
		msr_write(MSR_X2APIC + (REG_ICR_LOW >> 4), (uint64_t)id << 32 | v);
		return;
	}
	flags = arch_irq_save();
	for (unsigned int i = 0; i < 1000000 && (mmio[REG_ICR_LOW / 4] & ICR_BUSY); i++)
		arch_cpu_relax();
	mmio[REG_ICR_HIGH / 4] = id << 24;
	mmio[REG_ICR_LOW / 4] = v;
	arch_irq_restore(flags);
}

void apic_send(uint32_t id, uint8_t vector)
{
	command(id, ICR_ASSERT | vector);
}

void apic_send_nmi(uint32_t id)
{
	command(id, ICR_ASSERT | ICR_NMI);
}

void apic_send_init(uint32_t id)
{
	command(id, ICR_ASSERT | ICR_INIT);
}

void apic_send_startup(uint32_t id, uint8_t page)
{
	command(id, ICR_ASSERT | ICR_STARTUP | page);
}

void apic_timer_count_start(void)
{
	if (!present)
		return;
	apic_write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(REG_DIVIDE, DIVIDE_16);
	apic_write(REG_COUNT, ~0u);
}

uint32_t apic_timer_count(void)
{
	return present ? ~0u - apic_read(REG_CURRENT) : 0;
}

void apic_timer_set_hz(uint64_t hz)
{
	if (!present)
		return;
	apic_write(REG_COUNT, 0);
	use_deadline = cpu_features.tsc_deadline && cpu_features.tsc_invariant;
	if (use_deadline)
		hz = clock_source_hz();
	if (!hz)
		panic("the local APIC's timer does not count");
	ticks_per_ns_32 = (hz / NSEC_PER_SEC << 32) + (hz % NSEC_PER_SEC << 32) / NSEC_PER_SEC;
	apic_cpu_start();
}

/* At most 4 s ahead: the counter ends, and the core programs the event again when it comes too early. */
void arch_timer_program(uint64_t deadline)
{
	uint64_t now, ticks;

	if (unlikely(!present))
		return;
	if (deadline == TIME_NEVER) {
		if (use_deadline)
			msr_write(MSR_TSC_DEADLINE, 0);
		else
			apic_write(REG_COUNT, 0);
		return;
	}
	now = clock_monotonic();
	ticks = deadline > now ? MIN(deadline - now, 4 * NSEC_PER_SEC) : 0;
	ticks = (uint64_t)(((unsigned __int128)ticks * ticks_per_ns_32) >> 32) + 1;
	if (use_deadline)
		msr_write(MSR_TSC_DEADLINE, cycles_raw() + ticks);
	else
		apic_write(REG_COUNT, (uint32_t)MIN(ticks, 0xffffffffull));
}
