/*
 * Physical pages: a buddy allocator over all RAM with caches per CPU, and one struct page for each page frame.
 */
#pragma once

#include "core/arch/mmu.h"
#include "core/lib/list.h"
#include "core/lib/types.h"

#define PAGE_ORDER_MAX 10		/* largest block: 4 MiB */

enum page_kind { PAGE_RESERVED, PAGE_FREE, PAGE_KERNEL, PAGE_SLAB, PAGE_ANON, PAGE_OBJECT, PAGE_TABLE };

struct memobj;
struct kmem_cache;

struct page {
	union {
		unsigned int refs;	/* users; 0: free or never counted; from PAGE_REFS_MANY on it is never freed */
		struct {		/* PAGE_SLAB, in the first page of a slab */
			unsigned short slab_used, slab_free;	/* objects; place of the first free one, SLAB_NONE: none */
		};
	};
	unsigned char kind;		/* enum page_kind */
	unsigned char order;		/* of a free or allocated block, in its first page */
	unsigned short flags;		/* PAGE_DIRTY, PAGE_AHEAD */
	union {
		struct list link;	/* free list, slab lists */
		struct {
			struct memobj *object;	/* PAGE_OBJECT */
			uint64_t index;		/* its page number in the object */
		};
	};
	struct kmem_cache *cache;	/* PAGE_SLAB */
};

_Static_assert(sizeof(struct page) == 32, "there is one for each page of memory");

#define PAGE_DIRTY 0x1
#define PAGE_AHEAD 0x2		/* PAGE_OBJECT: taken in advance, and in use by nobody yet */

/* Allocation flags. */
#define ALLOC_ZERO   0x1u		/* cleared */
#define ALLOC_ATOMIC 0x2u		/* must not sleep; may use the reserve */
#define ALLOC_USER   0x4u		/* for a user page: leaves the reserve alone */
#define ALLOC_TRY    0x8u		/* only what is at hand: reclaims nothing */

extern struct page *page_map;		/* indexed by page frame number */
extern uint64_t page_map_count;

static inline struct page *phys_to_page(uint64_t phys) { return &page_map[phys >> PAGE_SHIFT]; }
static inline uint64_t page_to_phys(const struct page *p) { return (uint64_t)(p - page_map) << PAGE_SHIFT; }
static inline void *page_address(const struct page *p) { return phys_to_virt(page_to_phys(p)); }
static inline struct page *virt_to_page(const void *p) { return phys_to_page(virt_to_phys(p)); }
static inline bool phys_has_page(uint64_t phys) { return (phys >> PAGE_SHIFT) < page_map_count; }

/* 2^order pages with refs 1, kind PAGE_KERNEL. Null when memory is out. Sleeps only to reclaim, unless ALLOC_ATOMIC or ALLOC_TRY. Any context with these. */
struct page *page_alloc(unsigned int order, unsigned int flags);
/* Frees a block whose references the caller owns all. Any context. */
void page_free(struct page *p, unsigned int order);

/* More references than can be counted keep the page for ever: nobody can make a count come round to 0. */
#define PAGE_REFS_MANY 0x80000000u
void page_refs_saturate(struct page *p);
static inline void page_get(struct page *p)
{
	if (unlikely((int)__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED) < 0))	/* PAGE_REFS_MANY */
		page_refs_saturate(p);
}
/* Frees a single page when the last reference goes. */
void page_put(struct page *p);

/* Single zeroed or raw kernel pages by address. */
void *page_alloc_kernel(unsigned int flags);
void page_free_kernel(void *p);

/* The page of zeroes that is mapped for reads of untouched anonymous memory. Never freed. */
extern struct page *page_zero;

/* Figures in pages. */
uint64_t page_total(void);
uint64_t page_free_count(void);
/* What pages serve for, in pages; looks at every page there is. `mapped`: of the objects' pages those that a program has mapped. */
struct page_counts {
	uint64_t anonymous, object, mapped, table;
};
void page_count(struct page_counts *out);
/*
 * Gives back what is kept at hand for speed: stacks, slab objects and single pages of every CPU. Those that are free then may join to
 * larger blocks. An allocation that may sleep does it before it takes page_out_of_memory(). May sleep; interrupts on.
 */
void page_drain(void);

/* Called when an allocation is about to fail; frees something and returns pages freed (0: nothing to be had). Set by the personality. */
extern bool (*page_out_of_memory)(void);

/* Boot: RAM [start, end) joins the allocator. page_map exists and covers it. */
void page_add_range(uint64_t start, uint64_t end);
void page_start(void);
struct cpu;
void page_cpu_start(struct cpu *cpu);
