/*
 * Objects of one size from pages, with a magazine per CPU, and kmalloc for any size on top.
 */
#pragma once

#include "core/mem/page.h"

struct kmem_cache;

/* `align` a power of two or 0. The name must stay. Null when memory is out. May sleep. */
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align);
/* All objects must be free again; leaks are reported in the log. May sleep. */
void kmem_cache_destroy(struct kmem_cache *c);
void *kmem_cache_alloc(struct kmem_cache *c, unsigned int flags);
void kmem_cache_free(struct kmem_cache *c, void *object);

/* Any size; above a few pages contiguous pages. kmalloc(0) gives a unique pointer that may be freed. Null when memory is out. */
void *kmalloc(size_t size, unsigned int flags);
static inline void *kzalloc(size_t size, unsigned int flags) { return kmalloc(size, flags | ALLOC_ZERO); }
/* Null if count * size overflows. */
void *kmalloc_array(size_t count, size_t size, unsigned int flags);
/* Null is allowed. Any context. */
void kfree(const void *p);
char *kstrdup(const char *s, unsigned int flags);
void *kmemdup(const void *p, size_t size, unsigned int flags);
/* Bytes usable at p. */
size_t kmalloc_size(const void *p);

/* Calls fn for each cache: figures for /proc/slabinfo and the leak tests. */
struct slab_stats { const char *name; size_t size; uint64_t used, total, pages; };
void slab_for_each(void (*fn)(const struct slab_stats *s, void *arg), void *arg);
/* Pages held by slabs. */
uint64_t slab_pages(void);
/* Gives back the free objects that CPUs keep at hand, and slabs that are empty then. Nothing while a cache comes or goes. May sleep. */
void slab_drain(void);
void slab_start(void);
