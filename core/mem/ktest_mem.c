/*
 * In-kernel tests of the allocators and of memory objects: nothing is lost, nothing is given out twice.
 */
#include <asm/errno.h>

#include "core/debug/ktest.h"
#include "core/lib/string.h"
#include "core/mem/memobj.h"
#include "core/mem/page_table.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/sched/sched.h"
#include "core/sync/rcu.h"

#define COUNT 200

KTEST(pages_come_back)
{
	static struct page *pages[COUNT];
	uint64_t before;

	rcu_barrier();
	page_drain();
	before = page_free_count();
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < COUNT; i++) {
			pages[i] = page_alloc(i % 4, i & 1 ? ALLOC_ZERO : 0);
			ktest_check(pages[i] != NULL);
			if (pages[i])
				memset(page_address(pages[i]), (int)i, PAGE_SIZE << (i % 4));
		}
		for (unsigned int i = 0; i < COUNT; i++)
			if (pages[i]) {
				ktest_check(*(unsigned char *)page_address(pages[i]) == (unsigned char)i);
				page_free(pages[i], i % 4);
			}
	}
	rcu_barrier();
	page_drain();
	ktest_check(page_free_count() + 16 >= before);
	ktest_check(page_alloc(PAGE_ORDER_MAX + 1, 0) == NULL);
}

KTEST(kmalloc_gives_distinct_memory)
{
	static unsigned char *p[COUNT];
	static const size_t sizes[] = { 0, 1, 16, 17, 100, 192, 500, 1025, 4000, 9000, 40000 };

	for (unsigned int i = 0; i < COUNT; i++) {
		size_t n = sizes[i % ARRAY_SIZE(sizes)];

		p[i] = kmalloc(n, i & 1 ? ALLOC_ZERO : 0);
		ktest_check(p[i] != NULL);
		ktest_check(!p[i] || kmalloc_size(p[i]) >= n);
		if (p[i])
			memset(p[i], (int)i, n);
	}
	for (unsigned int i = 0; i < COUNT; i++) {
		size_t n = sizes[i % ARRAY_SIZE(sizes)];

		ktest_check(n == 0 || (p[i][0] == (unsigned char)i && p[i][n - 1] == (unsigned char)i));
		kfree(p[i]);
	}
	kfree(NULL);
	ktest_check(kmalloc_array(SIZE_MAX, 2, 0) == NULL);
}

static void cache_stats(const struct slab_stats *s, void *arg)
{
	struct slab_stats *found = arg;

	if (!strcmp(s->name, "ktest"))
		*found = *s;
}

/* Objects that were freed on several CPUs keep no slab for ever. */
KTEST(slabs_are_given_back_when_asked_for)
{
	static void *p[COUNT];
	struct kmem_cache *c = kmem_cache_create("ktest", 5000, 0);
	struct slab_stats s = { 0 };

	ktest_check(c != NULL);
	if (!c)
		return;
	for (unsigned int i = 0; i < COUNT; i++)
		p[i] = kmem_cache_alloc(c, 0);
	slab_for_each(cache_stats, &s);
	ktest_check(s.used == COUNT && s.pages >= COUNT);
	for (unsigned int i = 1; i < COUNT; i++) {
		kmem_cache_free(c, p[i]);
		if (i % 16 == 0)
			sched_yield();
	}
	slab_for_each(cache_stats, &s);
	ktest_check(s.used == 1 && s.total > s.used);
	page_drain();
	slab_for_each(cache_stats, &s);
	ktest_check(s.used == 1 && s.pages == 8);
	kmem_cache_free(c, p[0]);
	kmem_cache_destroy(c);
}

KTEST(vmalloc_is_mapped_and_unmapped)
{
	unsigned char *p = vmalloc(5 * PAGE_SIZE + 1, ALLOC_ZERO);
	bool ok;

	ktest_check(p != NULL);
	if (!p)
		return;
	p[0] = 1;
	p[5 * PAGE_SIZE] = 2;
	ktest_check(p[3 * PAGE_SIZE] == 0);
	kernel_phys((uintptr_t)p - 1, &ok);
	ktest_check(!ok);		/* the guard page */
	vfree(p);
	kernel_phys((uintptr_t)p, &ok);
	ktest_check(!ok);
	vfree(NULL);
}

/* Where memory ends: what a loader put across it is there whole, and the part that is no RAM cannot be written. */
KTEST(mem_loaded_files_are_mapped_where_no_ram_is)
{
	uint64_t top = page_map_count << PAGE_SHIFT;
	bool ok[4];

	if (phys_has_page(top) || top > KERNEL_DIRECT_SIZE - 4 * PAGE_SIZE)
		return;
	for (unsigned int i = 0; i < 4; i++)
		kernel_phys(KERNEL_DIRECT_BASE + top + i * PAGE_SIZE, &ok[i]);
	if (ok[0] || ok[1] || ok[2] || ok[3])
		return;			/* firmware's tables follow */
	kernel_map_loaded(top - 10, 2 * PAGE_SIZE + 11);
	for (unsigned int i = 0; i < 4; i++)
		kernel_phys(KERNEL_DIRECT_BASE + top + i * PAGE_SIZE, &ok[i]);
	ktest_check(ok[0] && ok[1] && ok[2] && !ok[3]);
	ktest_check(kernel_phys(KERNEL_DIRECT_BASE + top + PAGE_SIZE, &ok[0]) == top + PAGE_SIZE);
	ktest_check(!kernel_may_write(KERNEL_DIRECT_BASE + top));
	ktest_check(kernel_may_write(KERNEL_DIRECT_BASE + top - PAGE_SIZE));
	kernel_unmap(KERNEL_DIRECT_BASE + top, 3 * PAGE_SIZE);
}

KTEST(memobj_keeps_what_was_written)
{
	struct memobj *o = memobj_create_anonymous(100 * PAGE_SIZE);
	char text[100], back[100];
	struct page *page;

	ktest_check(o != NULL);
	if (!o)
		return;
	memset(text, 'x', sizeof(text));
	ktest_check(memobj_write(o, 3 * PAGE_SIZE - 50, text, sizeof(text)) == 0);
	ktest_check(memobj_read(o, 3 * PAGE_SIZE - 50, back, sizeof(back)) == 0);
	ktest_check(!memcmp(text, back, sizeof(text)));
	ktest_check(o->pages == 2);
	ktest_check(memobj_next_page(o, 0) == 2 && memobj_next_page(o, 4) == UINT64_MAX);
	ktest_check(memobj_page(o, 100, &page) == -EFAULT);
	memobj_resize(o, 3 * PAGE_SIZE - 20);
	ktest_check(o->pages == 1);
	memobj_resize(o, 100 * PAGE_SIZE);
	ktest_check(memobj_read(o, 3 * PAGE_SIZE - 20, back, 40) == 0);
	ktest_check(back[0] == 0 && back[39] == 0);
	memobj_put(o);
}

/* What a module may not write it cannot write by the direct map either; pages given back can be written. */
KTEST(mem_module_area_has_no_writable_alias)
{
	char *p = module_area_alloc(2 * PAGE_SIZE);
	uint64_t phys[2];
	bool ok;

	ktest_check(p);
	if (!p)
		return;
	for (unsigned int i = 0; i < 2; i++)
		phys[i] = kernel_phys((uintptr_t)p + i * PAGE_SIZE, &ok);
	module_area_protect(p, PAGE_SIZE, MMU_READ | MMU_EXEC);
	ktest_check(!kernel_may_write((uintptr_t)p) && kernel_may_write((uintptr_t)p + PAGE_SIZE));
	ktest_check(kernel_may_write((uintptr_t)phys_to_virt(phys[0])) == !arch_table_may_split());
	ktest_check(kernel_may_write((uintptr_t)phys_to_virt(phys[1])));
	ktest_check(*(volatile char *)phys_to_virt(phys[0]) == *(volatile char *)p);
	module_area_free(p);
	ktest_check(kernel_may_write((uintptr_t)phys_to_virt(phys[0])));
}
