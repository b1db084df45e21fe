/*
 * Contract of a port: page tables and the TLB. All ports have 4 KiB pages and 512 entries in a leaf table (2 MiB).
 * <arch/mmu.h> defines struct arch_mmu, the layout of the address space, and the inline accessors of an entry:
 *   USER_END                       first address above user space; the page that begins there is never mapped
 *   KERNEL_DIRECT_BASE             virtual address of physical 0 in the direct map
 *   MODULE_AREA_BASE, MODULE_AREA_END, VMAP_BASE, VMAP_END
 *   arch_pte_make(phys, prot)      prot: PROT bits below
 *   arch_pte_present(e), arch_pte_phys(e), arch_pte_writable(e), arch_pte_user(e), arch_pte_dirty(e), arch_pte_young(e)
 *   arch_pte_wrprotect(e), arch_pte_mkwrite(e) (also sets dirty), arch_pte_mkclean(e), arch_pte_mkold(e), arch_pte_prot(e, prot) (new protection, same page)
 *   arch_pte_kernel(prot)          the bits of an entry of the kernel's own; arch_pte_block(bits): the same for a larger page
 *   arch_table_present(e), arch_table_block(e)    does an upper entry lead anywhere; does it map memory itself
 *   arch_table_make(phys, user)    an upper entry that leads to a table
 *   arch_table_publish()           what was written to tables is seen by walks from here on
 *   arch_table_has_1g()            third-level entries may map memory
 *   arch_table_may_split()         a large page in use may be replaced by a table that maps the same
 *   KERNEL_HALF_BASE               the lowest address of the kernel's part
 *   BOOT_TABLE_LIMIT               tables made at boot lie below this physical address
 *   arch_pte_special(e)            made with MMU_SPECIAL (a software bit): no page reference behind it (device memory, zero page)
 */
#pragma once

#include "core/lib/types.h"

struct cpu_set;

#define MMU_READ    0x01u
#define MMU_WRITE   0x02u
#define MMU_EXEC    0x04u
#define MMU_USER    0x08u
#define MMU_DEVICE  0x10u	/* uncached */
#define MMU_WRITE_COMBINE 0x20u
#define MMU_SPECIAL 0x40u	/* no struct page reference behind it */
#define MMU_GLOBAL  0x80u
#define MMU_DIRTY   0x100u
#define MMU_NONE    0x200u	/* present for the kernel's books, no access for user space (PROT_NONE) */

#include <arch/mmu.h>

/* Address of byte 0 of the physical page in the direct map, and back. */
static inline void *phys_to_virt(uint64_t phys) { return (void *)(KERNEL_DIRECT_BASE + phys); }
static inline uint64_t virt_to_phys(const void *p) { return (uint64_t)(uintptr_t)p - KERNEL_DIRECT_BASE; }

/* Order of the block that a top table of user space is, or begins: the rest is the port's own. Constant. */
unsigned int arch_mmu_root_order(void);
/* A new block of that kind, all zero: puts the port's part in. */
void arch_mmu_prepare(uint64_t *table);
/* A lower-half entry of a top table leads to a new table. Any number of CPUs may say so at once. */
void arch_mmu_root_changed(uint64_t *entry);
/* Loads tables on this CPU; null: only the kernel's. Preemption off. */
void arch_mmu_load(struct arch_mmu *mmu);

/* Drops translations of [start, end) in all CPUs of the mask that have these tables loaded. Waits. Interrupts may be off only if the mask is this CPU. */
void arch_tlb_flush_range(struct arch_mmu *mmu, const struct cpu_set *mask, uintptr_t start, uintptr_t end);
void arch_tlb_flush_all(struct arch_mmu *mmu, const struct cpu_set *mask);
/* One page on this CPU only. */
void arch_tlb_flush_local(uintptr_t va);

/* Leaf tables were taken out of user tables: all CPUs that have these loaded forget where they were. Waits; interrupts on. */
void arch_tlb_flush_tables(struct arch_mmu *mmu);
/* Drops translations of kernel addresses on all CPUs. Waits; interrupts on. */
void arch_tlb_flush_kernel(uintptr_t va, size_t size);

/* How far the kernel image runs from where it is linked, in bytes. 0: there, or the port chooses no place. */
uintptr_t arch_kernel_slide(void);
/* After writing instructions at [va, va+size): makes them visible to instruction fetch on all CPUs. */
void arch_icache_sync(uintptr_t va, size_t size);
