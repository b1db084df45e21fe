/*
 * Memory objects: what can be mapped. An object is a sparse array of pages with an owner that supplies missing ones.
 * Shared anonymous memory and tmpfs files are objects whose missing pages are zeroes (or bytes of the initrd).
 *
 * Locking: `lock` (spin, irqs stay on) guards the page tree and size; `regions_lock` (sleeping) the list of regions that map it.
 * A page in the tree holds one reference of its own.
 */
#pragma once

#include "core/lib/list.h"
#include "core/lib/refcount.h"
#include "core/mem/page.h"
#include "core/sync/mutex.h"

struct memobj;
struct region;

struct memobj_ops {
	/*
	 * Fills a fresh page (all zeroes) that will become page `index`; may sleep. Null: leave zeroes.
	 */
	int (*fill)(struct memobj *o, uint64_t index, struct page *page);
	/* The last reference is gone: frees the object, whose pages are dropped already. */
	void (*release)(struct memobj *o);
	/*
	 * Device objects: physical address of byte offset `index` * PAGE_SIZE, mapped with extra MMU_ bits and without page references. Then no
	 * page is ever in the tree. Null for others.
	 */
	int (*device_page)(struct memobj *o, uint64_t index, uint64_t *phys, unsigned int *mmu_bits);
	/* A shared writable mapping is about to dirty the page (time stamps, seals). May be null. */
	void (*made_dirty)(struct memobj *o);
};

struct memobj {
	struct refcount refs;
	const struct memobj_ops *ops;
	uint64_t id;			/* never reused: the identity of shared futex keys */
	struct spinlock lock;
	void *tree;			/* radix tree of pages; memobj.c */
	unsigned int tree_height;
	uint64_t pages;			/* present in the tree */
	uint64_t size;			/* bytes; faults beyond it get SIGBUS */
	uint64_t page_limit;		/* most pages it may hold; 0: none */
	struct mutex regions_lock;
	struct list regions;
	uint64_t shared_writers;	/* regions that are shared and may be written (seals) */
	void *owner;
};

/* Initialises an embedded object with one reference. */
void memobj_init(struct memobj *o, const struct memobj_ops *ops, uint64_t size);
/* An object of zero pages of its own (shared anonymous memory). Null when out. */
struct memobj *memobj_create_anonymous(uint64_t size);
static inline void memobj_get(struct memobj *o) { refcount_get(&o->refs); }
void memobj_put(struct memobj *o);

/* Page `index` with a reference, filled if it was missing. -ENOMEM, -ENOSPC (page_limit), -EIO..., -EFAULT beyond size. May sleep. */
int memobj_page(struct memobj *o, uint64_t index, struct page **out);
/* The same for any index: a file grows by filling the page first and setting the size when the bytes are there. */
int memobj_page_beyond(struct memobj *o, uint64_t index, struct page **out);
/*
 * Takes a missing page in advance: it counts as the object's, and as one that nothing was put into (PAGE_AHEAD) until memobj_page or
 * memobj_page_beyond gives it to somebody. 1: taken; 0: it was there, and is as if it had been given; or an error. May sleep.
 */
int memobj_take_ahead(struct memobj *o, uint64_t index);
/* Drops those of the pages [first, last) that are PAGE_AHEAD still. May sleep. */
void memobj_drop_ahead(struct memobj *o, uint64_t first, uint64_t last);
/* Gives the object a page that it has not: its reference passes. -ENOSPC, -ENOMEM: it was released. May sleep. */
int memobj_give(struct memobj *o, uint64_t index, struct page *page);
/* The page if present, with a reference; null otherwise. Any thread context, does not sleep. */
struct page *memobj_lookup(struct memobj *o, uint64_t index);
/* First page number >= index that is present; UINT64_MAX if none. */
uint64_t memobj_next_page(struct memobj *o, uint64_t index);
/* Removes pages [first, last) from the tree and from all mappings (private copies stay if keep_private). May sleep. */
void memobj_drop(struct memobj *o, uint64_t first, uint64_t last, bool keep_private);
/* Sets the size; shrinking drops pages, zeroes the rest of the last one, and unmaps. May sleep. */
void memobj_resize(struct memobj *o, uint64_t size);
/* Reads and writes through the tree in the kernel: 0 or negative errno. No bound by size. May sleep. */
int memobj_read(struct memobj *o, uint64_t offset, void *dst, size_t n);
int memobj_write(struct memobj *o, uint64_t offset, const void *src, size_t n);
