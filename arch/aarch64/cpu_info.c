/*
 * aarch64: the text of /proc/cpuinfo for one CPU, in Linux's format, and the strings and masks of the auxiliary vector.
 */
#include "core/arch/cpu.h"
#include "core/arch/platform.h"

#include <arch/percpu.h>

#include "arch/aarch64/platform/platform.h"
#include "core/lib/string.h"
#include "core/module/export.h"

/* By their bits in AT_HWCAP and AT_HWCAP2. */
static const char *const names[] = {
	"fp", "asimd", "evtstrm", "aes", "pmull", "sha1", "sha2", "crc32", "atomics", "fphp", "asimdhp", "cpuid", "asimdrdm",
	"jscvt", "fcma", "lrcpc", "dcpop", "sha3", "sm3", "sm4", "asimddp", "sha512", "sve", "asimdfhm", "dit", "uscat",
	"ilrcpc", "flagm", "ssbs", "sb", "paca", "pacg",
};
static const char *const names2[] = {
	"dcpodp", "sve2", "sveaes", "svepmull", "svebitperm", "svesha3", "svesm4", "flagm2", "frint", "svei8mm", "svef32mm",
	"svef64mm", "svebf16", "i8mm", "bf16", "dgh", "rng", "bti",
};

static size_t add_names(char *buf, size_t size, unsigned long bits, const char *const *list, size_t count)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (bits >> i & 1)
			used += (size_t)snprintf(used < size ? buf + used : NULL, used < size ? size - used : 0, " %s", list[i]);
	return used;
}

int arch_cpu_describe(unsigned int cpu, char *buf, size_t size)
{
	const struct cpu_features *f = &cpu_features;
	uint64_t hz = timer_hz() * 2;
	char flags[400];
	size_t used = add_names(flags, sizeof(flags), f->hwcap, names, ARRAY_SIZE(names));
	int n;

	flags[MIN(used, sizeof(flags) - 1)] = '\0';
	if (used < sizeof(flags))
		add_names(flags + used, sizeof(flags) - used, f->hwcap2, names2, ARRAY_SIZE(names2));
	n = snprintf(buf, size, "processor\t: %u\nBogoMIPS\t: %lu.%02lu\nFeatures\t:%s\nCPU implementer\t: 0x%02lx\n"
		     "CPU architecture: 8\nCPU variant\t: 0x%lx\nCPU part\t: 0x%03lx\nCPU revision\t: %lu\n\n", cpu,
		     (unsigned long)(hz / 1000000), (unsigned long)(hz / 10000 % 100), flags, f->midr >> 24 & 0xff,
		     f->midr >> 20 & 15, f->midr >> 4 & 0xfff, f->midr & 15);
	return (int)MIN((size_t)MAX(n, 0), size ? size - 1 : 0);
}
KAPI(arch_cpu_describe);

unsigned long arch_hwcap(void)
{
	return cpu_features.hwcap;
}
KAPI(arch_hwcap);

unsigned long arch_hwcap2(void)
{
	return cpu_features.hwcap2;
}
KAPI(arch_hwcap2);

const char *arch_machine(void)
{
	return "aarch64";
}
KAPI(arch_machine);
