/*
 * kmalloc: a slab cache for each common size, whole pages above. The page's kind tells which it was.
 */
#include "internal.h"

#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/module/export.h"

#define KMALLOC_MAX_SLAB 8192

static const unsigned short sizes[KMALLOC_CACHES] = {
	16, 32, 64, 96, 128, 192, 256, 512, 768, 1024, 2048, 4096, 8192,
};
static const char *const names[KMALLOC_CACHES] = {
	"kmalloc-16", "kmalloc-32", "kmalloc-64", "kmalloc-96", "kmalloc-128", "kmalloc-192", "kmalloc-256",
	"kmalloc-512", "kmalloc-768", "kmalloc-1k", "kmalloc-2k", "kmalloc-4k", "kmalloc-8k",
};
static struct kmem_cache *caches[KMALLOC_CACHES];
/* Cache of a size up to 1024 by its 16-byte step. */
static unsigned char small_index[1024 / 16 + 1];

void kmalloc_start(void)
{
	unsigned int k = 0;

	for (unsigned int i = 0; i < KMALLOC_CACHES; i++) {
		caches[i] = slab_cache_new(names[i], sizes[i]);
		kassert(caches[i]);
	}
	for (unsigned int step = 0; step <= 1024 / 16; step++) {
		while (sizes[k] < step * 16)
			k++;
		small_index[step] = (unsigned char)k;
	}
}

static struct kmem_cache *cache_for(size_t size)
{
	if (likely(size <= 1024))
		return caches[small_index[(size + 15) / 16]];
	return caches[size <= 2048 ? 10 : size <= 4096 ? 11 : 12];
}

static unsigned int order_for(size_t size)
{
	unsigned int order = 0;

	while (order <= PAGE_ORDER_MAX && (PAGE_SIZE << order) < size)
		order++;
	return order;
}

void *kmalloc(size_t size, unsigned int flags)
{
	struct page *p;

	if (likely(size <= KMALLOC_MAX_SLAB))
		return kmem_cache_alloc(cache_for(size), flags);
	p = page_alloc(order_for(size), flags);
	return p ? page_address(p) : NULL;
}
KAPI(kmalloc);

void *kmalloc_array(size_t count, size_t size, unsigned int flags)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return kmalloc(bytes, flags);
}
KAPI(kmalloc_array);

void kfree(const void *p)
{
	struct page *page;

	if (!p)
		return;
	page = virt_to_page(p);
	if (likely(page->kind == PAGE_SLAB))
		kmem_cache_free(slab_cache_of(p), (void *)p);
	else
		page_free(page, page->order);
}
KAPI(kfree);

size_t kmalloc_size(const void *p)
{
	struct page *page = virt_to_page(p);

	return page->kind == PAGE_SLAB ? slab_object_size(slab_cache_of(p)) : PAGE_SIZE << page->order;
}
KAPI(kmalloc_size);

char *kstrdup(const char *s, unsigned int flags)
{
	return kmemdup(s, strlen(s) + 1, flags);
}
KAPI(kstrdup);

void *kmemdup(const void *p, size_t size, unsigned int flags)
{
	void *copy = kmalloc(size, flags);

	if (copy)
		memcpy(copy, p, size);
	return copy;
}
KAPI(kmemdup);
