/*
 * aarch64: the boot CPU from the first C function to running drivers of the platform.
 *
 * boot_start() runs on the early page tables, with SP_EL0 at boot_thread. It only reads what the loader left and notes what memory is
 * taken. arch_boot_early() makes the final tables. The stack canary is set before any function that will return after the change has
 * checked it; so the functions here have none.
 */
#include "core/boot/boot.h"

#include <arch/percpu.h>
#include <arch/sysreg.h>

#include "arch/aarch64/platform/platform.h"
#include "core/arch/cpu.h"
#include "core/arch/platform.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/module/export.h"
#include "core/sched/cpu.h"
#include "core/sched/thread.h"
#include "core/time/clock.h"

extern char kernel_image_start[], kernel_end[], boot_stack[];

/* What `current` is until the scheduler adopts the boot CPU's thread. */
struct thread boot_thread;

void boot_start(uint64_t device_tree, uint64_t image) __noreturn;

__attribute__((no_stack_protector)) void boot_start(uint64_t device_tree, uint64_t image)
{
	kernel_image_phys = image;
	cpus[0] = &boot_cpu;
	boot_cpu.thread = &boot_thread;
	boot_thread.stack_base = (uintptr_t)boot_stack;
	boot_cpu.user_stack = (uintptr_t)boot_cpu_arch.overflow_stack + OVERFLOW_STACK_SIZE;
	trap_cpu_start();
	boot_reserve(image, image + (uint64_t)(kernel_end - kernel_image_start));
	bootinfo_read(device_tree);
	boot_main();
}

__attribute__((no_stack_protector)) void arch_boot_early(void)
{
	unsigned long canary = 0;

	cpu_detect();
	cpu_enable_features();
	mmu_boot();
	arch_random(&canary);
	boot_thread.arch.canary = canary & ~0xfful;
}

void arch_boot_platform(void)
{
	int64_t wall;

	kernel_map_allocator_ready();
	if (fpu_start())
		panic("no memory for the FP states");
	log_info("CPU implementer %#lx part %#lx revision r%lup%lu", cpu_features.midr >> 24 & 0xff,
		 cpu_features.midr >> 4 & 0xfff, cpu_features.midr >> 20 & 15, cpu_features.midr & 15);
	psci_start();
	timer_start();
	wall = rtc_read();
	if (!wall)
		log_warn("no real-time clock: the wall clock starts at 1970");
	clock_start(timer_hz(), wall);
	gic_start();
	gic_cpu_start();
	timer_cpu_enable();
}

void arch_boot_late(void)
{
	trap_protect_table();
}

/* RNDRRS would be reseeded entropy; RNDR's output counts as much. It may fail for a moment. */
unsigned int arch_random(uint64_t *out)
{
	uint64_t v = 0;
	unsigned int ok = 0;

	for (unsigned int i = 0; i < 16 && !ok && cpu_features.rndr; i++)
		__asm__ volatile("mrs %0, s3_3_c2_c4_0\n\tcset %w1, ne" : "=r"(v), "=r"(ok) : : "cc");
	/* The counter's low bits differ from boot to boot, but nobody can say by how much. */
	*out = v ^ sysreg_read("cntvct_el0") * 0x9e3779b97f4a7c15;
	return ok ? 64 : 0;
}
KAPI(arch_random);

void arch_early_write(const char *text, size_t len)
{
	pl011_write(text, len);
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
