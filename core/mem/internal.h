/*
 * Private to core/mem: what its files need of each other.
 */
#pragma once

#include "core/mem/aspace.h"
#include "core/mem/slab.h"

/* slab.c for kmalloc.c */
#define KMALLOC_CACHES 13
struct kmem_cache *slab_cache_of(const void *object);
size_t slab_object_size(const struct kmem_cache *c);
const char *slab_cache_name(const struct kmem_cache *c);
/* Where the slab object begins that holds the address. */
void *slab_object_of(const void *inside);
struct kmem_cache *slab_cache_new(const char *name, size_t size);
void kmalloc_start(void);

/* memobj_tree.c: a sparse array of pages. memobj.lock held, except where said. */
struct page *memobj_tree_get(const struct memobj *o, uint64_t index);
/* -ENOMEM. Replaces nothing: the place is empty. */
int memobj_tree_put(struct memobj *o, uint64_t index, struct page *p);
struct page *memobj_tree_remove(struct memobj *o, uint64_t index);
/* First index >= from that holds a page; UINT64_MAX if none. */
uint64_t memobj_tree_next(const struct memobj *o, uint64_t from);
/* Frees all nodes; all pages are gone. */
void memobj_tree_free(struct memobj *o);
void memobj_tree_start(void);

/*
 * Entries that were cleared and wait for the flush of the TLBs before their pages are released.
 * Used between gather_start and gather_finish; pt_lock may be held.
 */
#define GATHER_PAGES 64
struct gather {
	struct aspace *as;
	uintptr_t start, end;		/* range to flush; empty if start >= end */
	unsigned int count;
	struct page *pages[GATHER_PAGES];
};
void gather_start(struct gather *g, struct aspace *as);
void gather_add(struct gather *g, uintptr_t va, struct page *p);	/* p may be null: only flush */
void gather_flush(struct gather *g);

/* map.c: may `pages` more of memory with these flags be mapped under RLIMIT_AS (`limit`, bytes) and RLIMIT_DATA? The lock is held. */
bool aspace_may_grow_locked(struct aspace *as, unsigned int flags, uint64_t pages, uint64_t limit);
/* ... under RLIMIT_MEMLOCK? */
static inline bool aspace_may_lock_locked(const struct aspace *as, unsigned int flags, uint64_t pages)
{
	return !(flags & REGION_LOCKED) || (as->locked_pages + pages) << PAGE_SHIFT <= READ_ONCE(as->locked_limit);
}

/* Does RLIMIT_DATA count it? */
static inline bool region_is_data(unsigned int flags)
{
	return (flags & (REGION_WRITE | REGION_SHARED | REGION_GROWSDOWN)) == REGION_WRITE;
}

/* region.c: aspace.lock held for writing, except region_find. */
struct region *region_create(uintptr_t start, uintptr_t end, unsigned int flags);
void region_insert(struct aspace *as, struct region *r);
/*
 * Makes a neighbour of [at, at + q->length) take the mapping in, where nothing is mapped, if one is alike.
 * Returns how many are: 1: done, and the charge has gone over to it; 0: a region of its own is needed;
 * 2: such a one, and region_merge() after it.
 */
unsigned int region_extend(struct aspace *as, const struct map_request *q, uintptr_t at, unsigned int flags);
/* Takes the region out and frees it with its references; its pages are unmapped already. */
void region_destroy(struct aspace *as, struct region *r);
/* All of them, for an address space that nobody uses any more; `unmap` gives back a region's pages first. */
void region_destroy_all(struct aspace *as, void (*unmap)(struct aspace *as, struct region *r));
/* Cuts `r` at `at`; r keeps the lower part, *upper is the rest. -ENOMEM. */
int region_split(struct aspace *as, struct region *r, uintptr_t at, struct region **upper);
/* Joins neighbours that are alike around [start, end). */
void region_merge(struct aspace *as, uintptr_t start, uintptr_t end);
/* Moves an edge: under the object's regions_lock. */
void region_set_range(struct region *r, uintptr_t start, uintptr_t end);
/* Splits so that [start, end) begins and ends at region edges; `unmapping`: the caller removes what lies between. -ENOMEM, also for too many. */
int region_isolate(struct aspace *as, uintptr_t start, uintptr_t end, bool unmapping);
#define REGIONS_MAX 65530		/* of one address space, as Linux's vm.max_map_count */
/* Highest free range of `length` below `top` and at or above `bottom`; 0 if none. */
uintptr_t region_find_gap(struct aspace *as, size_t length, uintptr_t bottom, uintptr_t top);
void region_start(void);

/* zap.c: clears entries of a region part. regions may be changed meanwhile by nobody. */
void zap_range(struct aspace *as, struct region *r, uintptr_t start, uintptr_t end, bool keep_private);
unsigned int region_mmu_prot(const struct region *r);

/* fault.c */
enum fault_result fault_locked(struct aspace *as, struct region *r, uintptr_t addr, enum fault_kind kind);

/* map.c: aspace.lock held for writing. */
int unmap_locked(struct aspace *as, uintptr_t start, uintptr_t end);
int map_locked(struct aspace *as, const struct map_request *q, uintptr_t *out);

/* account.c */
bool commit_charge(uint64_t pages);
void commit_release(uint64_t pages);
