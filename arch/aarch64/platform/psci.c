/*
 * aarch64: the firmware's power interface (Arm DEN 0022), by HVC or SMC as the device tree says, and leaving the machine.
 * Nothing here allocates or sleeps once psci_start() has run, so that a panic may come here.
 */
#include "platform.h"

#include <arch/percpu.h>

#include "core/arch/cpu.h"
#include "core/arch/platform.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/module/export.h"

#define PSCI_VERSION    0x84000000u
#define PSCI_CPU_ON     0xc4000003u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define NOT_SUPPORTED   (-1l)

static enum { CONDUIT_NONE, CONDUIT_HVC, CONDUIT_SMC } conduit;

static long call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	switch (conduit) {
	case CONDUIT_HVC:
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory", "x4", "x5", "x6",
				 "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17");
		break;
	case CONDUIT_SMC:
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory", "x4", "x5", "x6",
				 "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17");
		break;
	default:
		return NOT_SUPPORTED;
	}
	return (long)x0;
}

void psci_start(void)
{
	static const char *const names[] = { "arm,psci-1.0", "arm,psci-0.2" };
	struct fdt_node n;
	uint32_t length;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !conduit; i++) {
		const char *method = fdt_find(names[i], &n) ? fdt_property(&n, "method", &length) : NULL;

		if (method && length == 4)
			conduit = !memcmp(method, "hvc", 4) ? CONDUIT_HVC : !memcmp(method, "smc", 4) ? CONDUIT_SMC :
										     CONDUIT_NONE;
	}
	if (!conduit) {
		log_warn("psci: not there: one CPU, no power-off");
		return;
	}
	length = (uint32_t)call(PSCI_VERSION, 0, 0, 0);
	log_info("psci: version %u.%u by %s", length >> 16, length & 0xffff, conduit == CONDUIT_HVC ? "HVC" : "SMC");
}

long psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context)
{
	return call(PSCI_CPU_ON, mpidr, entry, context);
}

void arch_power_off(void)
{
	arch_irq_disable();
	call(PSCI_SYSTEM_OFF, 0, 0, 0);
	arch_irq_enable();
}
KAPI(arch_power_off);

void arch_power_restart(void)
{
	arch_irq_disable();
	call(PSCI_SYSTEM_RESET, 0, 0, 0);
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

/*
 * An emulator that serves semihosting ends by it with a status; without one the instruction is a halt that raises an undefined instruction,
 * so the command line must ask for it.
 */
void arch_debug_exit(unsigned int status)
{
	const char *v = cmdline_value("debugexit");
	uint64_t block[2] = { 0x20026, status * 2 + 1 };	/* ADP_Stopped_ApplicationExit; odd, as elsewhere */

	if (v && strcmp(v, "0") != 0) {
		register uint64_t x0 __asm__("x0") = 0x18;	/* SYS_EXIT */
		register uint64_t x1 __asm__("x1") = (uintptr_t)block;

		__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	}
}
KAPI(arch_debug_exit);
