/*
 * x86_64, private to the port: what each CPU has besides struct cpu, the features found at boot, and functions that the
 * port's files call in one another.
 */
#pragma once

#include "core/arch/cpu.h"
#include "core/arch/mmu.h"
#include "core/lib/bits.h"
#include "core/lib/types.h"
#include "core/sched/cpu.h"

struct trap_frame;

/* One interrupt stack table entry each. */
enum ist_stack { IST_DOUBLE_FAULT, IST_NMI, IST_MACHINE_CHECK, IST_DEBUG, IST_COUNT };
#define IST_STACK_SIZE 8192ul

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} __packed;

#define GDT_ENTRIES 16
#define GDT_TSS     8
#define GDT_CPU     15			/* its limit tells user space the CPU's number */

/* The page before struct cpu: all that the entry code reads and writes of a CPU's data on the user's tables. */
struct cpu_lead {
	uint64_t user_stack, scratch;	/* offsets.inc */
	uintptr_t entry_stack;		/* top */
};

struct cpu_arch {
	/* Each in a page of its own, but for the boot CPU's first ones; the second pointer is where the CPU has it, read-only. */
	uint64_t *gdt;
	const uint64_t *gdt_used;
	struct tss *tss;
	const struct tss *tss_used;
	struct tss *switched;		/* gets the stack of each thread; with PTI not what the CPU uses */
	uintptr_t entry_stack;		/* of PAGE_SIZE: lowest address; with PTI only */
	uint64_t root;			/* the page table loaded */
	struct thread *fpu_owner;	/* whose state the FPU registers hold, if it agrees (fpu_cpu) */
	uintptr_t ist[IST_COUNT];	/* stacks of IST_STACK_SIZE: lowest addresses */
	bool started;			/* an application processor reached C code */
	bool debug_active;		/* debug registers are loaded */
};

struct cpu_features {
	bool nx, smep, smap, umip, fsgsbase, pge, page_1g, xsave, xsaveopt, x2apic, apic, tsc_deadline, tsc_invariant,
		rdrand, rdseed, rdtscp, pat, machine_check, debug_extensions, sysenter, xsaves, arch_capabilities;
	uint32_t family, model, stepping;
	uint32_t max_leaf, max_ext_leaf;
	uint32_t hwcap;
	unsigned int phys_bits, virt_bits;
	char vendor[13];
	char brand[49];
};
extern struct cpu_features cpu_features;

extern struct cpu boot_cpu;
extern struct cpu_arch boot_cpu_arch;

static inline struct cpu_arch *cpu_arch_of(const struct cpu *c) { return c->arch; }
static inline struct cpu_lead *cpu_lead_of(struct cpu *c) { return (void *)((char *)c - ARCH_CPU_LEAD); }
static inline struct cpu_arch *cpu_arch_self(void) { return cpu_arch_of(arch_cpu_self()); }

/* cpu.c: finds the features; loads this CPU's tables and control registers. */
void cpu_detect(void);
void cpu_load_tables(struct cpu *c);
/*
 * Descriptor tables, and interrupt stacks with a guard page below each. May sleep; -ENOMEM, with nothing allocated. The boot CPU,
 * which needs them before there is an allocator, changes to such ones later.
 */
int cpu_alloc_tables(struct cpu_arch *a);
void cpu_free_tables(struct cpu_arch *a);
void cpu_change_boot_tables(void);
/* From here on nothing writes to the tables of the CPUs. All are started. */
void cpu_protect_tables(void);
/* cpu_state.c: sets this CPU's control registers and the MSRs of system calls. Interrupts off. */
void cpu_enable_features(void);
/* True once a panic stops the CPUs: the next NMI does not return. */
bool cpu_stopping(void);

/* fpu.c */
void fpu_cpu_start(void);		/* control registers, XCR0 */
void fpu_boot(void);			/* sizes; before any thread */
int fpu_start(void);			/* allocator works */
int fpu_alloc(struct thread *t);
void fpu_free(struct thread *t);
void fpu_switch(struct thread *prev, struct thread *next);
void fpu_copy(struct thread *to, struct thread *from);

/* trap.c */
void trap_boot(void);			/* fills the interrupt table */
void trap_cpu_start(void);		/* loads it */
void trap_protect_table(void);
uintptr_t extable_find(uintptr_t pc);

/*
 * pti.c: page-table isolation. pti_boot() decides by the command line and the processor, and patches the entry code, whose text
 * is still writable; the others need not be called without it. pti_map() adds pages that the kernel has mapped to what user tables
 * map, and panics if memory is out: at boot only, before the first user program.
 */
extern bool pti_on;
void pti_boot(void);
void pti_start(void);
void pti_map(uintptr_t va, size_t size);
void pti_map_cpu(struct cpu *c);

/* mmu.c */
void mmu_boot(void);			/* final kernel tables */
uint64_t mmu_image_phys(const char *symbol);	/* where a place of the kernel image is loaded */
/* Patches the SMAP instructions in; the text is still writable. */
void smap_patch(void);
/* Takes out what the command line's mitigations=off asks to. When smap_patch() is called. */
void mitigation_patch(void);

/* bootinfo.c */
void bootinfo_read_multiboot2(uint32_t info);
void bootinfo_read_pvh(uint32_t info);
void smp_reserve_trampoline(void);

/* Vectors. Lines of the I/O APIC get 0x30..0xdf. */
#define VECTOR_LINE_FIRST 0x30
#define VECTOR_LINE_LAST  0xdf
#define VECTOR_TIMER      0xec
#define VECTOR_RESCHED    0xed
#define VECTOR_CALL       0xee
#define VECTOR_ERROR      0xfe
#define VECTOR_SPURIOUS   0xff
