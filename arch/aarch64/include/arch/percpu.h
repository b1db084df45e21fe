/*
 * aarch64, private to the port: what each CPU has besides struct cpu, the features found at boot, and functions that the
 * port's files call in one another.
 */
#pragma once

#include "core/arch/cpu.h"
#include "core/arch/mmu.h"
#include "core/lib/bits.h"
#include "core/lib/types.h"
#include "core/sched/cpu.h"

struct trap_frame;

#define OVERFLOW_STACK_SIZE 4096ul

struct cpu_arch {
	uint64_t root;			/* the user page table loaded; 0: none */
	struct thread *fpu_owner;	/* whose state the FP registers hold, if it agrees (fpu_cpu) */
	uint64_t mpidr;
	void *redistributor;		/* GICv3: this CPU's registers */
	uint8_t gic_target;		/* GICv2: this CPU's bit */
	bool started;			/* a secondary CPU reached C code */
	uint8_t overflow_stack[OVERFLOW_STACK_SIZE] __aligned(16);
};

struct cpu_features {
	bool pan, bti, pauth, pauth_generic, lse, rndr, csv2;
	unsigned long hwcap, hwcap2;
	uint64_t midr;
};
extern struct cpu_features cpu_features;
/* For assembly: nonzero if the CPU has PAN; the single atomic instructions. */
extern uint32_t cpu_has_pan, cpu_has_lse;

extern struct cpu boot_cpu;
extern struct cpu_arch boot_cpu_arch;
extern struct thread boot_thread;

static inline struct cpu_arch *cpu_arch_of(const struct cpu *c) { return c->arch; }
static inline struct cpu_arch *cpu_arch_self(void) { return cpu_arch_of(arch_cpu_self()); }

/* cpu.c: finds the features. cpu_state.c: sets this CPU's control registers. Interrupts off. */
void cpu_detect(void);
void cpu_enable_features(void);
/* True once a panic stops the CPUs. */
bool cpu_stopping(void);

/* fpu.c */
int fpu_start(void);			/* allocator works */
int fpu_alloc(struct thread *t);
void fpu_free(struct thread *t);
void fpu_switch(struct thread *prev, struct thread *next);
void fpu_copy(struct thread *to, struct thread *from);

/* thread.c: new keys for the user's pointers, for the calling thread. */
void thread_new_keys(void);

/* trap.c */
void trap_cpu_start(void);		/* loads the vectors */
void trap_protect_table(void);
uintptr_t extable_find(uintptr_t pc);

/* mmu.c */
extern uint64_t kernel_image_phys;	/* physical address of KERNEL_IMAGE_BASE */
/* Maps memory into the early direct map; before mmu_boot. */
void mmu_early_map(uint64_t start, uint64_t end, bool device);
void mmu_boot(void);			/* final kernel tables */
void mmu_cpu_start(void);		/* this CPU uses the kernel's tables alone */
static inline uint64_t image_to_phys(const void *p) { return (uintptr_t)p - KERNEL_IMAGE_BASE + kernel_image_phys; }

/* bootinfo.c */
void bootinfo_read(uint64_t device_tree);

/* Software-generated interrupts, and their lines. */
#define SGI_RESCHED 0
#define SGI_CALL    1
#define SGI_STOP    2
