/*
 * aarch64: layout of the address space and entries of page tables; inline part of core/arch/mmu.h. 4 KiB pages, 48-bit addresses,
 * four levels. User space is translated by TTBR0, the kernel's part by TTBR1.
 *
 * The accessed flag is always set. Dirtiness is kept in a bit for software, since not all CPUs have one: an entry that can be written
 * counts as dirty, and the bit keeps that when it is write-protected. Bit 58 (with bit 0 clear) marks entries that
 * only the kernel's books know: PROT_NONE.
 */
#pragma once

#include "core/lib/types.h"

struct arch_mmu {
	uint64_t root;			/* physical address of the top table */
	uint64_t tables;		/* pages of tables below it; the core counts */
};

#define USER_END           0x0001000000000000ul
#define KERNEL_HALF_BASE   0xffff000000000000ul
#define BOOT_TABLE_LIMIT   KERNEL_DIRECT_SIZE
#define KERNEL_DIRECT_BASE 0xffff000000000000ul
#define KERNEL_DIRECT_SIZE 0x0000008000000000ul		/* what the early tables can map, too */
#define VMAP_BASE          0xffff900000000000ul
#define VMAP_END           0xffff910000000000ul
#define EARLY_UART_BASE    0xffff980000000000ul
#define KERNEL_IMAGE_BASE  0xffffffffa0000000ul
#define MODULE_AREA_BASE   0xffffffff9a000000ul		/* branches (128 MiB) reach all of it and of the kernel */
#define MODULE_AREA_END    0xffffffff9ff00000ul

#define PTE_VALID    0x001ul
#define PTE_TABLE    0x003ul		/* in upper levels; the same bits as a page */
#define PTE_PAGE     0x003ul
#define PTE_BLOCK    0x001ul
#define PTE_ATTR(n)  ((uint64_t)(n) << 2)	/* index into MAIR_EL1 */
#define PTE_ATTR_MASK PTE_ATTR(7)
#define PTE_USER     0x040ul
#define PTE_RDONLY   0x080ul
#define PTE_SHARED   0x300ul		/* inner shareable */
#define PTE_ACCESSED 0x400ul
#define PTE_NG       0x800ul		/* not global */
#define PTE_GP       (1ul << 50)	/* guarded: branch targets are checked */
#define PTE_PXN      (1ul << 53)
#define PTE_UXN      (1ul << 54)
#define PTE_DIRTY    (1ul << 55)	/* for software, as the next two */
#define PTE_SPECIAL  (1ul << 56)
#define PTE_NONE     (1ul << 58)
#define PTE_PHYS     0x0000fffffffff000ul

/* Indices into MAIR_EL1, see sysreg.h. */
#define ATTR_NORMAL  0
#define ATTR_DEVICE  1
#define ATTR_COMBINE 2

static inline uint64_t arch_pte_flags(unsigned int prot)
{
	uint64_t e;

	e = prot & MMU_NONE ? PTE_NONE : PTE_PAGE;
	e |= PTE_ACCESSED | PTE_SHARED;
	if (!(prot & MMU_WRITE))
		e |= PTE_RDONLY;
	if (prot & MMU_USER)
		e |= PTE_USER | PTE_NG | PTE_PXN | (prot & MMU_EXEC ? 0 : PTE_UXN);
	else
		e |= PTE_UXN | (prot & MMU_EXEC ? 0 : PTE_PXN);
	if (prot & MMU_DEVICE)
		e |= PTE_ATTR(ATTR_DEVICE);
	else if (prot & MMU_WRITE_COMBINE)
		e |= PTE_ATTR(ATTR_COMBINE);
	if (prot & MMU_SPECIAL)
		e |= PTE_SPECIAL;
	if (prot & MMU_DIRTY)
		e |= PTE_DIRTY;
	return e;
}

/* Makes what was written to a page of RAM visible to instruction fetch, where the caches do not do that themselves. */
void mmu_sync_exec(uint64_t phys);

static inline uint64_t arch_pte_make(uint64_t phys, unsigned int prot)
{
	if ((prot & (MMU_EXEC | MMU_USER | MMU_DEVICE)) == (MMU_EXEC | MMU_USER))
		mmu_sync_exec(phys);
	return phys | arch_pte_flags(prot);
}
static inline bool arch_pte_present(uint64_t e) { return (e & (PTE_VALID | PTE_NONE)) != 0; }
static inline uint64_t arch_pte_phys(uint64_t e) { return e & PTE_PHYS; }
/* True only if a write by this entry would go through. */
static inline bool arch_pte_writable(uint64_t e) { return (e & (PTE_VALID | PTE_RDONLY)) == PTE_VALID; }
static inline bool arch_pte_user(uint64_t e) { return (e & (PTE_VALID | PTE_USER)) == (PTE_VALID | PTE_USER); }
static inline bool arch_pte_exec(uint64_t e) { return (e & PTE_VALID) && !(e & PTE_UXN); }
static inline bool arch_pte_dirty(uint64_t e) { return (e & PTE_DIRTY) || arch_pte_writable(e); }
static inline bool arch_pte_young(uint64_t e) { return (e & PTE_ACCESSED) != 0; }
static inline bool arch_pte_special(uint64_t e) { return (e & PTE_SPECIAL) != 0; }
static inline uint64_t arch_pte_keep_dirty(uint64_t e) { return arch_pte_writable(e) ? e | PTE_DIRTY : e; }
static inline uint64_t arch_pte_wrprotect(uint64_t e) { return arch_pte_keep_dirty(e) | PTE_RDONLY; }
static inline uint64_t arch_pte_mkwrite(uint64_t e) { return (e & ~PTE_RDONLY) | PTE_DIRTY; }
/* Without write access, so that the next write comes by a fault and marks it. */
static inline uint64_t arch_pte_mkclean(uint64_t e) { return (e & ~PTE_DIRTY) | PTE_RDONLY; }
/* No CPU sets the flag again: it stays. */
static inline uint64_t arch_pte_mkold(uint64_t e) { return e; }
static inline uint64_t arch_pte_mkspecial(uint64_t e) { return e | PTE_SPECIAL; }

/* New protection for the same page; caching, history and the special mark stay. */
static inline uint64_t arch_pte_prot(uint64_t e, unsigned int prot)
{
	uint64_t keep = PTE_PHYS | PTE_ATTR_MASK | PTE_DIRTY | PTE_SPECIAL;

	if ((prot & (MMU_EXEC | MMU_USER)) == (MMU_EXEC | MMU_USER) && (e & PTE_ATTR_MASK) == PTE_ATTR(ATTR_NORMAL))
		mmu_sync_exec(e & PTE_PHYS);
	return (arch_pte_keep_dirty(e) & keep) | arch_pte_flags(prot);
}

extern uint64_t pte_guarded_mask;	/* PTE_GP, or 0 if the CPU checks no branch targets */

static inline uint64_t arch_pte_kernel(unsigned int prot)
{
	return arch_pte_flags(prot) | (prot & MMU_EXEC ? pte_guarded_mask : 0);
}
static inline uint64_t arch_pte_block(uint64_t flags) { return (flags & ~PTE_PAGE) | PTE_BLOCK; }
static inline bool arch_table_present(uint64_t e) { return (e & PTE_VALID) != 0; }
static inline bool arch_table_block(uint64_t e) { return (e & PTE_TABLE) == PTE_BLOCK; }
static inline uint64_t arch_table_make(uint64_t phys, bool user)
{
	(void)user;
	return phys | PTE_TABLE;
}
static inline void arch_table_publish(void) { __asm__ volatile("dsb ishst\n\tisb" : : : "memory"); }
static inline bool arch_table_has_1g(void) { return true; }

/* Not without taking the entry out first (DDI 0487, D8.16.1), and other CPUs use the direct map. */
static inline bool arch_table_may_split(void) { return false; }
