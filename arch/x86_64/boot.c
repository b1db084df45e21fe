/*
 * x86_64: the boot CPU from the first C function to running drivers of the platform.
 *
 * boot_start() runs on the early page tables, with %gs at boot_cpu. It only reads what the loader left and notes what memory is
 * taken. arch_boot_early() makes the final tables. The stack canary is set before any function that will return after the change has
 * checked it; so the functions here have none.
 */
#include "core/boot/boot.h"

#include <arch/percpu.h>
#include <arch/x86.h>

#include "arch/x86_64/boot.h"
#include "arch/x86_64/platform/platform.h"
#include "core/arch/cpu.h"
#include "core/arch/platform.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/module/export.h"
#include "core/sched/cpu.h"
#include "core/time/clock.h"

extern char kernel_phys_start[], kernel_end[], boot_stack_top[];

__attribute__((no_stack_protector)) void boot_start(unsigned int loader, uint32_t info)
{
	cpus[0] = &boot_cpu;
	boot_cpu.kernel_stack = (uintptr_t)boot_stack_top;
	switch (loader) {
	case LOADER_MULTIBOOT2:
		bootinfo_read_multiboot2(info);
		break;
	case LOADER_PVH:
		bootinfo_read_pvh(info);
		break;
	default:
		panic("started by an unknown boot loader");
	}
	boot_add_range(0, PAGE_SIZE, BOOT_RESERVED);	/* a null pointer of firmware's */
	boot_reserve((uintptr_t)kernel_phys_start, mmu_image_phys(kernel_end));
	boot_main();
}

__attribute__((no_stack_protector)) void arch_boot_early(void)
{
	unsigned long canary = 0;

	cpu_detect();
	smap_patch();
	mitigation_patch();
	pti_boot();
	trap_boot();
	cpu_load_tables(&boot_cpu);
	trap_cpu_start();
	cpu_enable_features();
	fpu_boot();
	smp_reserve_trampoline();
	mmu_boot();
	arch_random(&canary);
	boot_cpu.stack_canary = canary & ~0xfful;
}

void arch_boot_platform(void)
{
	struct calibration c;
	int64_t wall;

	kernel_map_allocator_ready();
	pti_start();
	cpu_change_boot_tables();
	pti_map_cpu(&boot_cpu);
	if (fpu_start())
		panic("no memory for the FPU states");
	log_info("%s%sCPU %s family %u model %u", cpu_features.brand, *cpu_features.brand ? ": " : "", cpu_features.vendor,
		 cpu_features.family, cpu_features.model);
	acpi_start();
	apic_start();
	boot_cpu.hw_id = apic_id();
	apic_cpu_start();
	ioapic_start();
	calibrate(&c);
	clock_source_set_hz(c.tsc_hz);
	apic_timer_set_hz(c.apic_hz);
	wall = rtc_read();
	if (!wall)
		log_warn("no real-time clock: the wall clock starts at 1970");
	clock_start(c.tsc_hz, wall);
}

void arch_boot_late(void)
{
	trap_protect_table();
	cpu_protect_tables();
}

/* RDSEED is entropy itself; RDRAND's output counts as much. Both may fail for a moment. */
unsigned int arch_random(uint64_t *out)
{
	uint64_t v = 0;
	bool ok = false;

	for (unsigned int i = 0; i < 16 && !ok; i++) {
		if (cpu_features.rdseed)
			__asm__ volatile("rdseed %0" : "=r"(v), "=@ccc"(ok));
		if (!ok && cpu_features.rdrand)
			__asm__ volatile("rdrand %0" : "=r"(v), "=@ccc"(ok));
		if (!cpu_features.rdseed && !cpu_features.rdrand)
			break;
	}
	/* The counter's low bits differ from boot to boot, but nobody can say by how much. */
	*out = v ^ cycles_raw() * 0x9e3779b97f4a7c15;
	return ok ? 64 : 0;
}
KAPI(arch_random);

void arch_early_write(const char *text, size_t len)
{
	serial_write(text, len);
}
KAPI(arch_early_write);

extern const char vdso_image_start[] __attribute__((weak)), vdso_image_end[] __attribute__((weak));

const void *arch_vdso_image(size_t *size)
{
	const char *start = vdso_image_start;

	*size = start ? (size_t)(vdso_image_end - vdso_image_start) : 0;
	return start;
}
KAPI(arch_vdso_image);
