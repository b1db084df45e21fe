/*
 * What the allocators do beyond their task, as the command line asks: docs/security.md has the words.
 */
#pragma once

#include "core/mem/page.h"

struct kmem_cache;

#define HARDEN_INIT_ALLOC ALLOC_ZERO	/* everything allocated is cleared */
#define HARDEN_INIT_FREE  0x100u	/* everything freed is cleared */
#define HARDEN_SLAB       0x200u	/* free slab objects are filled and marked, and looked at again */
#define HARDEN_USERCOPY   0x400u	/* copies to and from user space stay in one object */

/* The bits above. Constant after harden_start(). */
extern unsigned int harden;
/* Reads the command line and draws the secret of the marks. Boot, before the first page is allocated. */
void harden_start(void);

/* The link to `next` as it is written at `slot` of a free object, and back. */
extern uintptr_t harden_secret;
static inline uintptr_t harden_link(const void *slot, uintptr_t next)
{
	return next ^ harden_secret ^ __builtin_bswap64((uintptr_t)slot);
}

/* An object of `size` bytes becomes free, or is taken: HARDEN_SLAB. Panics if it was free already, or was written to meanwhile. */
void harden_object_free(const struct kmem_cache *c, void *object, size_t size);
void harden_object_fill(void *object, size_t size);
void harden_object_take(const struct kmem_cache *c, void *object, size_t size);

/*
 * Panics unless the n bytes of the kernel's memory lie in one object that may be copied to or from user space: not across the end of
 * a slab object or of a page of a file, in free memory, tables, text, or below the caller's frame. Any context.
 */
void harden_check_copy(const void *kernel, size_t n);
