/*
 * Contract of a port: page tables and the TLB. All ports have 4 KiB pages and 512 entries in a leaf table (2 MiB).
 * <arch/mmu.h> defines struct arch_mmu, the layout of the address space, and the inline accessors of an entry:
 *   USER_END                       first address above user space; the page that begins there is never mapped
 *   KERNEL_DIRECT_BASE             virtual address of physical 0 in the direct map
 *   MODULE_AREA_BASE, MODULE_AREA_END, VMAP_BASE, VMAP_END
 *   arch_pte_make(phys, prot)      prot: PROT bits below
 *   arch_pte_present(e), arch_pte_phys(e), arch_pte_writable(e), arch_pte_user(e), arch_pte_dirty(e), arch_pte_young(e)
 *   arch_pte_wrprotect(e), arch_pte_mkwrite(e) (also sets dirty), arch_pte_mkclean(e), arch_pte_mkold(e), arch_pte_prot(e, prot) (new protection, same page)
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

/* Page tables of a new address space, with the kernel's part in place. -ENOMEM. */
int arch_mmu_create(struct arch_mmu *mmu);
/* Frees the tables; all user pages are unmapped already. Not loaded on any CPU. */
void arch_mmu_destroy(struct arch_mmu *mmu);
/* Loads tables on this CPU; null: only the kernel's. Preemption off. */
void arch_mmu_load(struct arch_mmu *mmu);

/*
 * The leaf entry of a user address; entries up to the next 2 MiB boundary follow it. Null if there is no table
 * (and `create` is false, or memory is out).
 */
uint64_t *arch_mmu_entry(struct arch_mmu *mmu, uintptr_t va, bool create);
/* First address >= va and < end whose leaf table exists; `end` if none: skips holes quickly. */
uintptr_t arch_mmu_next(struct arch_mmu *mmu, uintptr_t va, uintptr_t end);
/* Frees leaf tables that lie wholly in [start, end), whose entries are all empty. The TLB flush of the range comes after, by the caller. */
void arch_mmu_free_tables(struct arch_mmu *mmu, uintptr_t start, uintptr_t end);

/* Drops translations of [start, end) in all CPUs of the mask that have these tables loaded. Waits. Interrupts may be off only if the mask is this CPU. */
void arch_tlb_flush_range(struct arch_mmu *mmu, const struct cpu_set *mask, uintptr_t start, uintptr_t end);
void arch_tlb_flush_all(struct arch_mmu *mmu, const struct cpu_set *mask);
/* One page on this CPU only. */
void arch_tlb_flush_local(uintptr_t va);

/* Maps or unmaps pages of the kernel (vmap and module areas, device memory); allocates tables. -ENOMEM. */
int arch_kernel_map(uintptr_t va, uint64_t phys, size_t size, unsigned int prot);
/* Unmaps and flushes on all CPUs. May wait for other CPUs: interrupts on. */
void arch_kernel_unmap(uintptr_t va, size_t size);
/* Changes protection and flushes on all CPUs. */
void arch_kernel_protect(uintptr_t va, size_t size, unsigned int prot);
/* Physical address that a kernel address is mapped to; 0 with *ok false if it is not. */
uint64_t arch_kernel_phys(uintptr_t va, bool *ok);
/* How far the kernel image runs from where it is linked, in bytes. 0: there, or the port chooses no place. */
uintptr_t arch_kernel_slide(void);
/* After writing instructions at [va, va+size): makes them visible to instruction fetch on all CPUs. */
void arch_icache_sync(uintptr_t va, size_t size);
