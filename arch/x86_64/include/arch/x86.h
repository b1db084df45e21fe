/*
 * x86_64, private to the port: instructions that C has no words for, and the numbers they take.
 */
#pragma once

#include "core/lib/types.h"

#define MSR_APIC_BASE      0x1bu
#define MSR_SYSENTER_CS    0x174u
#define MSR_ARCH_CAPABILITIES 0x10au
#define MSR_PAT            0x277u
#define MSR_TSC_DEADLINE   0x6e0u
#define MSR_X2APIC         0x800u
#define MSR_XSS            0xda0u
#define ARCH_CAP_RDCL_NO   1ull
#define MSR_EFER           0xc0000080u
#define MSR_STAR           0xc0000081u
#define MSR_LSTAR          0xc0000082u
#define MSR_CSTAR          0xc0000083u
#define MSR_FMASK          0xc0000084u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX        0xc0000103u

#define EFER_SCE 0x001ul
#define EFER_LME 0x100ul
#define EFER_LMA 0x400ul
#define EFER_NXE 0x800ul

#define CR0_PE 0x00000001ul
#define CR0_MP 0x00000002ul
#define CR0_EM 0x00000004ul
#define CR0_TS 0x00000008ul
#define CR0_ET 0x00000010ul
#define CR0_NE 0x00000020ul
#define CR0_WP 0x00010000ul
#define CR0_AM 0x00040000ul
#define CR0_PG 0x80000000ul

#define CR4_DE         0x000008ul
#define CR4_PAE        0x000020ul
#define CR4_MCE        0x000040ul
#define CR4_PGE        0x000080ul
#define CR4_OSFXSR     0x000200ul
#define CR4_OSXMMEXCPT 0x000400ul
#define CR4_UMIP       0x000800ul
#define CR4_LA57       0x001000ul
#define CR4_FSGSBASE   0x010000ul
#define CR4_OSXSAVE    0x040000ul
#define CR4_SMEP       0x100000ul
#define CR4_SMAP       0x200000ul

#define FLAGS_CF   0x000001ul
#define FLAGS_TF   0x000100ul
#define FLAGS_IF   0x000200ul
#define FLAGS_DF   0x000400ul
#define FLAGS_IOPL 0x003000ul
#define FLAGS_NT   0x004000ul
#define FLAGS_RF   0x010000ul
#define FLAGS_AC   0x040000ul
#define FLAGS_ID   0x200000ul

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid_read(uint32_t leaf, uint32_t sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(sub));
	return r;
}

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

/* Text for inline assembly: an instruction that may fault, and where to go on then. */
#define EX_TABLE(fault, fixup) \
	"\t.pushsection __ex_table, \"a\"\n\t.balign 8\n\t.quad " fault ", " fixup "\n\t.popsection\n"

static inline void msr_write(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

#define X86_REGISTER(name, reg)                                                                    \
	static inline unsigned long name##_read(void)                                              \
	{                                                                                          \
		unsigned long v;                                                                   \
		__asm__ volatile("mov %%" reg ", %0" : "=r"(v) : : "memory");                      \
		return v;                                                                          \
	}                                                                                          \
	static inline void name##_write(unsigned long v)                                           \
	{                                                                                          \
		__asm__ volatile("mov %0, %%" reg : : "r"(v) : "memory");                          \
	}

X86_REGISTER(cr0, "cr0")
X86_REGISTER(cr2, "cr2")
X86_REGISTER(cr3, "cr3")
X86_REGISTER(cr4, "cr4")
X86_REGISTER(dr0, "db0")
X86_REGISTER(dr1, "db1")
X86_REGISTER(dr2, "db2")
X86_REGISTER(dr3, "db3")
X86_REGISTER(dr6, "db6")
X86_REGISTER(dr7, "db7")

static inline void tlb_invalidate(uintptr_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline uint64_t cycles_raw(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}
