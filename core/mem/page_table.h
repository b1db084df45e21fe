/*
 * Page tables: walking, making and taking them apart, the same on all ports (four levels of 512 entries, 4 KiB pages); what an entry
 * looks like is the port's (core/arch/mmu.h).
 */
#pragma once

#include "core/arch/mmu.h"

#define TABLE_ENTRIES 512u
#define SIZE_2M (1ul << 21)
#define SIZE_1G (1ul << 30)

/* Tables of a new address space, with the port's part of the top one in place. -ENOMEM. */
int page_table_create(struct arch_mmu *mmu);
/* Frees the tables; all user pages are unmapped already. Not loaded on any CPU. */
void page_table_destroy(struct arch_mmu *mmu);
/*
 * The leaf entry of a user address; entries up to the next 2 MiB boundary follow it. Null if there is no table
 * (and `create` is false, or memory is out).
 */
uint64_t *page_table_entry(struct arch_mmu *mmu, uintptr_t va, bool create);
/* First address >= va and < end whose leaf table exists; `end` if none: skips holes quickly. */
uintptr_t page_table_next(struct arch_mmu *mmu, uintptr_t va, uintptr_t end);
/* Frees leaf tables that lie wholly in [start, end), whose entries are all empty. The TLB flush of the range comes after, by the caller. */
void page_table_free_empty(struct arch_mmu *mmu, uintptr_t start, uintptr_t end);

/* The kernel's top table, a physical address; 0 before kernel_map_boot(). */
uint64_t kernel_map_root(void);
/* The kernel's entry at `level` (1: leaf) for va. Null if there is no such table (and `create` is false), or memory is out. */
uint64_t *kernel_map_entry(uintptr_t va, unsigned int level, bool create);
/* Boot: makes the top table; tables come from boot memory until kernel_map_allocator_ready(). */
void kernel_map_boot(void);
void kernel_map_allocator_ready(void);
/* Boot: maps with the largest pages that fit. Neighbouring ranges may share a table. */
void kernel_map_range(uintptr_t va, uint64_t phys, uint64_t size, unsigned int prot);
/*
 * Boot: the direct map: RAM and what may be turned into it, [ro_start, ro_end) read-only, and the initrds.
 * Physical addresses.
 */
void kernel_map_memory(uint64_t ro_start, uint64_t ro_end);
/* Boot: what a loader put there, in the direct map, read-only where the memory map does not call it RAM. */
void kernel_map_loaded(uint64_t phys, uint64_t size);

/* Maps or unmaps pages of the kernel (vmap and module areas, device memory); allocates tables. -ENOMEM. */
int kernel_map(uintptr_t va, uint64_t phys, size_t size, unsigned int prot);
/* Unmaps and flushes on all CPUs. May wait for other CPUs: interrupts on. */
void kernel_unmap(uintptr_t va, size_t size);
/* Changes protection of ordinary memory and flushes on all CPUs. */
void kernel_protect(uintptr_t va, size_t size, unsigned int prot);
/* Physical address that a kernel address is mapped to; 0 with *ok false if it is not. */
uint64_t kernel_phys(uintptr_t va, bool *ok);
/* The entry that maps a kernel address, and its level (1: a page of 4 KiB); 0 if there is none. */
uint64_t kernel_leaf(uintptr_t va, unsigned int *level);
/* Is the kernel address mapped so that the kernel may write? */
bool kernel_may_write(uintptr_t va);
/*
 * Changes what the direct map allows with one page of RAM (MMU_READ with or without MMU_WRITE); large
 * pages are split. The caller keeps others from changing the same part, and flushes. -ENOMEM. On a port
 * that cannot split large pages in use (arch_table_may_split) nothing changes, and 0.
 */
int kernel_direct_protect(uint64_t phys, unsigned int prot);

/* Parts that both files use. */
static inline unsigned int table_index(uintptr_t va, unsigned int level)
{
	return va >> (12 + 9 * (level - 1)) & (TABLE_ENTRIES - 1);
}
static inline uint64_t *table_of(uint64_t e) { return phys_to_virt(arch_pte_phys(e)); }
/* The table below *e, made if it is missing. Null if memory is out. */
uint64_t *table_below(uint64_t *e, bool user);
