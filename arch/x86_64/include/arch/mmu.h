/*
 * x86_64: layout of the address space and entries of page tables; inline part of core/arch/mmu.h. Four levels.
 *
 * Bit 9 marks entries without a page reference, bit 10 (with bit 0 clear) entries that only the kernel's books know:
 * PROT_NONE.
 */
#pragma once

#include "core/lib/types.h"

struct arch_mmu {
	uint64_t root;			/* physical address of the top table */
	uint64_t tables;		/* pages of tables below it; the core counts */
};

#define USER_END           0x00007ffffffff000ul
#define KERNEL_HALF_BASE   0xffff800000000000ul
#define BOOT_TABLE_LIMIT   (1ul << 32)			/* other CPUs load the top table in 32-bit mode */
#define KERNEL_DIRECT_BASE direct_map_base		/* kaslr.c chooses it */
#define KERNEL_DIRECT_SIZE 0x0000100000000000ul
#define DIRECT_AREA_BASE   0xffff888000000000ul		/* the direct map lies in this area, and here with nokaslr */
#define DIRECT_AREA_SIZE   0x0000400000000000ul
#define VMAP_BASE          0xffffc90000000000ul
#define VMAP_END           0xffffca0000000000ul
#define KERNEL_IMAGE_BASE  0xffffffff80000000ul
#define MODULE_AREA_BASE   0xffffffffc0000000ul
#define MODULE_AREA_END    0xfffffffffe000000ul

#define PTE_PRESENT  0x001ul
#define PTE_WRITE    0x002ul
#define PTE_USER     0x004ul
#define PTE_PWT      0x008ul		/* with the PAT that the port sets: write combining */
#define PTE_PCD      0x010ul		/* with PTE_PWT: uncached */
#define PTE_ACCESSED 0x020ul
#define PTE_DIRTY    0x040ul
#define PTE_LARGE    0x080ul		/* in upper levels */
#define PTE_GLOBAL   0x100ul
#define PTE_SPECIAL  0x200ul
#define PTE_NONE     0x400ul
#define PTE_NX       (1ul << 63)
#define PTE_PHYS     0x000ffffffffff000ul

extern uintptr_t direct_map_base;	/* constant from before the first C function at its final address */
extern uint64_t pte_nx_mask;		/* PTE_NX, or 0 if the CPU has no such bit */

static inline uint64_t arch_pte_flags(unsigned int prot)
{
	uint64_t e;

	e = prot & MMU_NONE ? PTE_NONE : PTE_PRESENT | PTE_ACCESSED;
	if (prot & MMU_WRITE)
		e |= PTE_WRITE;
	if (prot & MMU_USER)
		e |= PTE_USER;
	if (!(prot & MMU_EXEC))
		e |= pte_nx_mask;
	if (prot & MMU_DEVICE)
		e |= PTE_PCD | PTE_PWT;
	else if (prot & MMU_WRITE_COMBINE)
		e |= PTE_PWT;
	if (prot & MMU_SPECIAL)
		e |= PTE_SPECIAL;
	if (prot & MMU_GLOBAL)
		e |= PTE_GLOBAL;
	if (prot & MMU_DIRTY)
		e |= PTE_DIRTY;
	return e;
}

static inline uint64_t arch_pte_make(uint64_t phys, unsigned int prot) { return phys | arch_pte_flags(prot); }
static inline bool arch_pte_present(uint64_t e) { return (e & (PTE_PRESENT | PTE_NONE)) != 0; }
static inline uint64_t arch_pte_phys(uint64_t e) { return e & PTE_PHYS; }
/* True only if a write by this entry would go through. */
static inline bool arch_pte_writable(uint64_t e)
{
	return (e & (PTE_PRESENT | PTE_WRITE)) == (PTE_PRESENT | PTE_WRITE);
}
static inline bool arch_pte_user(uint64_t e)
{
	return (e & (PTE_PRESENT | PTE_USER)) == (PTE_PRESENT | PTE_USER);
}
static inline bool arch_pte_exec(uint64_t e) { return (e & PTE_PRESENT) && !(e & PTE_NX); }
static inline bool arch_pte_dirty(uint64_t e) { return (e & PTE_DIRTY) != 0; }
static inline bool arch_pte_young(uint64_t e) { return (e & PTE_ACCESSED) != 0; }
static inline bool arch_pte_special(uint64_t e) { return (e & PTE_SPECIAL) != 0; }
static inline uint64_t arch_pte_wrprotect(uint64_t e) { return e & ~PTE_WRITE; }
static inline uint64_t arch_pte_mkwrite(uint64_t e) { return e | PTE_WRITE | PTE_DIRTY; }
static inline uint64_t arch_pte_mkclean(uint64_t e) { return e & ~PTE_DIRTY; }
static inline uint64_t arch_pte_mkold(uint64_t e) { return e & ~PTE_ACCESSED; }
static inline uint64_t arch_pte_mkspecial(uint64_t e) { return e | PTE_SPECIAL; }

/* New protection for the same page; caching, history and the special mark stay. */
static inline uint64_t arch_pte_prot(uint64_t e, unsigned int prot)
{
	uint64_t keep = PTE_PHYS | PTE_PWT | PTE_PCD | PTE_ACCESSED | PTE_DIRTY | PTE_SPECIAL | PTE_GLOBAL;

	return (e & keep) | arch_pte_flags(prot);
}

extern uint64_t pte_global_mask;	/* PTE_GLOBAL, or 0 if the CPU has no such bit */

static inline uint64_t arch_pte_kernel(unsigned int prot)
{
	return arch_pte_flags(prot) & ~(PTE_GLOBAL & ~pte_global_mask);
}
static inline uint64_t arch_pte_block(uint64_t flags) { return flags | PTE_LARGE; }
static inline bool arch_table_present(uint64_t e) { return (e & PTE_PRESENT) != 0; }
static inline bool arch_table_block(uint64_t e) { return (e & PTE_LARGE) != 0; }
static inline uint64_t arch_table_make(uint64_t phys, bool user)
{
	return phys | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | (user ? PTE_USER : 0);
}
static inline void arch_table_publish(void) { }	/* stores are seen in order */
bool arch_table_has_1g(void);

/* Translations that agree may stand beside each other in the TLB (SDM vol. 3, 4.10.2.3). */
static inline bool arch_table_may_split(void) { return true; }
