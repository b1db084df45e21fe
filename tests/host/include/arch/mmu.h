/* Page tables of the build machine's port: none; the direct map is an array that host_memory points to. */
#pragma once

#include <stdint.h>

#define USER_END           0x00007ffffffff000ul
#define MODULE_AREA_BASE   0xffffffffc0000000ul
#define MODULE_AREA_END    0xfffffffff0000000ul
#define VMAP_BASE          0xffffc90000000000ul
#define VMAP_END           0xffffe90000000000ul
#define KERNEL_DIRECT_BASE ((uintptr_t)host_memory)
#define KERNEL_DIRECT_SIZE 0x0000100000000000ul
#define KERNEL_HALF_BASE 0x1000ul

extern char *host_memory;

struct arch_mmu {
	int unused;
};

static inline uint64_t arch_pte_make(uint64_t phys, unsigned int prot) { return phys | (prot & 0xfff) | 1; }
static inline bool arch_pte_present(uint64_t e) { return e & 1; }
static inline uint64_t arch_pte_phys(uint64_t e) { return e & ~0xffful; }
static inline bool arch_pte_writable(uint64_t e) { return e & 2; }
static inline bool arch_pte_special(uint64_t e) { return e & 0x40; }
static inline uint64_t arch_pte_prot(uint64_t e, unsigned int prot) { return (e & ~0xffful) | (prot & 0xfff) | 1; }
