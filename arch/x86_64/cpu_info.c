/*
 * x86_64: the text of /proc/cpuinfo for one CPU, in Linux's format, and the strings and masks of the auxiliary vector.
 */
#include "core/arch/cpu.h"
#include "core/arch/platform.h"
#include "core/arch/topology.h"

#include <stdarg.h>

#include <arch/percpu.h>
#include <arch/x86.h>

#include "arch/x86_64/platform/platform.h"
#include "core/lib/string.h"
#include "core/module/export.h"

struct flag_name {
	uint8_t word, bit;		/* word: 0 leaf 1 edx, 1 ecx, 2 ext 1 edx, 3 ext 1 ecx, 4 leaf 7 ebx, 5 ecx, 6 ext 7 edx, 7 leaf 13/1 eax */
	const char *name;
};

static const struct flag_name flag_names[] = {
	{ 0, 0, "fpu" }, { 0, 1, "vme" }, { 0, 2, "de" }, { 0, 3, "pse" }, { 0, 4, "tsc" }, { 0, 5, "msr" },
	{ 0, 6, "pae" }, { 0, 7, "mce" }, { 0, 8, "cx8" }, { 0, 9, "apic" }, { 0, 11, "sep" }, { 0, 12, "mtrr" },
	{ 0, 13, "pge" }, { 0, 14, "mca" }, { 0, 15, "cmov" }, { 0, 16, "pat" }, { 0, 17, "pse36" },
	{ 0, 19, "clflush" }, { 0, 23, "mmx" }, { 0, 24, "fxsr" }, { 0, 25, "sse" }, { 0, 26, "sse2" },
	{ 0, 28, "ht" }, { 2, 11, "syscall" }, { 2, 20, "nx" }, { 2, 22, "mmxext" }, { 2, 25, "fxsr_opt" },
	{ 2, 26, "pdpe1gb" }, { 2, 27, "rdtscp" }, { 2, 29, "lm" }, { 6, 8, "constant_tsc" }, { 6, 8, "nonstop_tsc" },
	{ 1, 0, "pni" }, { 1, 1, "pclmulqdq" }, { 1, 9, "ssse3" }, { 1, 12, "fma" }, { 1, 13, "cx16" },
	{ 1, 19, "sse4_1" }, { 1, 20, "sse4_2" }, { 1, 21, "x2apic" }, { 1, 22, "movbe" }, { 1, 23, "popcnt" },
	{ 1, 24, "tsc_deadline_timer" }, { 1, 25, "aes" }, { 1, 26, "xsave" }, { 1, 28, "avx" }, { 1, 29, "f16c" },
	{ 1, 30, "rdrand" }, { 1, 31, "hypervisor" }, { 3, 0, "lahf_lm" }, { 3, 5, "abm" }, { 3, 6, "sse4a" },
	{ 3, 8, "3dnowprefetch" }, { 4, 0, "fsgsbase" }, { 4, 3, "bmi1" }, { 4, 5, "avx2" }, { 4, 7, "smep" },
	{ 4, 8, "bmi2" }, { 4, 9, "erms" }, { 4, 16, "avx512f" }, { 4, 17, "avx512dq" }, { 4, 18, "rdseed" },
	{ 4, 19, "adx" }, { 4, 20, "smap" }, { 4, 23, "clflushopt" }, { 4, 24, "clwb" }, { 4, 28, "avx512cd" },
	{ 4, 29, "sha_ni" }, { 4, 30, "avx512bw" }, { 4, 31, "avx512vl" }, { 7, 0, "xsaveopt" }, { 7, 1, "xsavec" },
	{ 7, 2, "xgetbv1" }, { 5, 2, "umip" }, { 5, 9, "vaes" }, { 5, 22, "rdpid" },
};

struct text {
	char *buf;
	size_t size, used;
};

static void __printf(2, 3) text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->used < t->size ? t->buf + t->used : NULL, t->used < t->size ? t->size - t->used : 0, fmt, ap);
	va_end(ap);
	t->used += n > 0 ? (size_t)n : 0;
}

static void add_flags(struct text *t)
{
	const struct cpu_features *f = &cpu_features;
	uint32_t words[8] = { 0 };
	struct cpuid r = cpuid_read(1, 0);

	words[0] = r.edx;
	words[1] = r.ecx;
	if (f->max_ext_leaf >= 0x80000001) {
		r = cpuid_read(0x80000001, 0);
		words[2] = r.edx;
		words[3] = r.ecx;
	}
	if (f->max_leaf >= 7) {
		r = cpuid_read(7, 0);
		words[4] = r.ebx;
		words[5] = r.ecx;
	}
	if (f->max_ext_leaf >= 0x80000007)
		words[6] = cpuid_read(0x80000007, 0).edx;
	if (f->xsave)
		words[7] = cpuid_read(13, 1).eax;
	text_add(t, "flags\t\t:");
	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (words[flag_names[i].word] >> flag_names[i].bit & 1)
			text_add(t, " %s", flag_names[i].name);
	text_add(t, "\n");
}

/* The size of the last cache, and where the CPU lies among the others. */
static void add_place(struct text *t, unsigned int cpu, unsigned int apic_id)
{
	unsigned int threads = 0, cores = 0;
	struct cpu_topology me, other;
	struct cpu_cache cache;
	uint64_t size = 0;

	for (unsigned int i = 0; arch_cpu_cache(i, &cache); i++)
		size = (uint64_t)cache.line * cache.ways * cache.partitions * cache.sets;
	if (size)
		text_add(t, "cache size\t: %lu KB\n", (unsigned long)(size / 1024));
	arch_cpu_topology(cpu, &me);
	for (unsigned int i = 0; i < cpu_count; i++) {
		arch_cpu_topology(i, &other);
		if (other.package != me.package)
			continue;
		threads++;
		cores += other.thread == 0;
	}
	text_add(t, "physical id\t: %u\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n", me.package, threads, me.core,
		 MAX(cores, 1u));
	text_add(t, "apicid\t\t: %u\ninitial apicid\t: %u\n", apic_id, apic_id);
}

int arch_cpu_describe(unsigned int cpu, char *buf, size_t size)
{
	const struct cpu_features *f = &cpu_features;
	struct text t = { buf, size, 0 };
	const struct cpu *c = cpu < cpu_count ? cpus[cpu] : NULL;
	uint64_t khz = clock_source_hz() / 1000;
	const char *brand = f->brand;

	while (*brand == ' ')
		brand++;
	text_add(&t, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\n", cpu,
		 f->vendor, f->family, f->model, *brand ? brand : "unknown");
	text_add(&t, "stepping\t: %u\ncpu MHz\t\t: %lu.%03lu\n", f->stepping, (unsigned long)(khz / 1000),
		 (unsigned long)(khz % 1000));
	add_place(&t, cpu, c ? c->hw_id : 0);
	text_add(&t, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n", f->max_leaf);
	add_flags(&t);
	text_add(&t, "bugs\t\t:\nbogomips\t: %lu.%02lu\nclflush size\t: 64\ncache_alignment\t: 64\n",
		 (unsigned long)(khz / 500), (unsigned long)(khz / 5 % 100));
	text_add(&t, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n", f->phys_bits, f->virt_bits);
	return (int)MIN(t.used, size ? size - 1 : 0);
}
KAPI(arch_cpu_describe);

unsigned long arch_hwcap(void)
{
	return cpu_features.hwcap;
}
KAPI(arch_hwcap);

unsigned long arch_hwcap2(void)
{
	return cpu_features.fsgsbase ? 2 : 0;	/* HWCAP2_FSGSBASE */
}
KAPI(arch_hwcap2);

const char *arch_machine(void)
{
	return "x86_64";
}
KAPI(arch_machine);
