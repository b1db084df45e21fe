/* Slab caches and kmalloc over a small memory: objects are aligned, disjoint and keep their bytes; memory comes back; its end is an answer. */
// sources: core/mem/slab.c core/mem/kmalloc.c core/mem/page.c core/mem/harden.c core/lib/bits.c
#include <string.h>

#include "host.h"

#include "core/boot/boot.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/sched/call.h"
#include "core/sync/mutex.h"

#define PAGES 2048
#define HELD 3000

struct boot_info boot_info;
static uint64_t taken;
static int complaints;
const char kernel_image_start[1], kernel_text_end[1];

void log_printf(int level, const char *fmt, ...) { complaints++; (void)level; (void)fmt; }
void might_sleep(void) { }
const char *cmdline_value(const char *name) { (void)name; return NULL; }
unsigned int arch_random(uint64_t *out) { *out = 0x123456789abcdef; return 64; }
void kernel_stack_drain(void) { }
void cpu_call_each(const struct cpu_set *mask, void (*fn)(void *), void *arg) { (void)mask; fn(arg); }
void mutex_lock_slow(struct mutex *m) { (void)m; panic("mutex is taken"); }
void mutex_unlock_slow(struct mutex *m) { (void)m; }

uint64_t boot_alloc(size_t size, uint64_t limit)
{
	uint64_t at = taken;

	(void)limit;
	taken += (size + 4095) & ~4095ul;
	return at;
}

void boot_release_ranges(void)
{
	page_add_range(taken, (uint64_t)PAGES << 12);
}

struct held {
	unsigned char *p;
	size_t size;
	unsigned char mark;
};

static struct held held[HELD];
static unsigned int seed = 11, wrong;

static bool filled(const struct held *h)
{
	for (size_t i = 0; i < h->size; i++)
		if (h->p[i] != h->mark)
			return false;
	return true;
}

static void release(struct held *h)
{
	wrong += !filled(h);
	kfree(h->p);
	h->p = NULL;
}

/* Random sizes; every byte of every object is its own, so overlaps show as changed marks. */
static void churn(void)
{
	for (int n = 0; n < 60000; n++) {
		struct held *h = &held[rand_r(&seed) % HELD];
		unsigned int flags = rand_r(&seed) & 1 ? ALLOC_ZERO : 0;

		if (h->p) {
			release(h);
			continue;
		}
		h->size = rand_r(&seed) % 16 ? rand_r(&seed) % 700 : rand_r(&seed) % 20000;
		h->p = kmalloc(h->size, flags);
		if (!h->p)
			continue;
		for (size_t i = 0; flags && i < h->size; i++)
			wrong += h->p[i] != 0;
		wrong += (uintptr_t)h->p % 16 != 0 || kmalloc_size(h->p) < h->size;
		h->mark = (unsigned char)rand_r(&seed);
		memset(h->p, h->mark, h->size);
	}
	for (int i = 0; i < HELD; i++)
		if (held[i].p)
			release(&held[i]);
	CHECK(wrong == 0);
}

/* All memory as objects of one size, then none: what is left missing are the spare slabs and magazines, which are bounded. */
static void exhaust(void)
{
	uint64_t before = page_free_count();
	void **chain = NULL, *p;
	uint64_t count = 0;

	while ((p = kmalloc(512, ALLOC_ATOMIC))) {
		*(void **)p = chain;
		chain = p;
		count++;
	}
	CHECK(count > before * 7 && page_free_count() == 0);
	CHECK(!kmalloc(512, ALLOC_ATOMIC) && !kmalloc(100000, ALLOC_ATOMIC));
	while (chain) {
		p = chain;
		chain = *chain;
		kfree(p);
	}
	page_drain();
	CHECK(page_free_count() >= before);
}

static void caches(void)
{
	struct kmem_cache *odd = kmem_cache_create("odd", 72, 64), *c = kmem_cache_create("test", 200, 0);
	void *objects[100], *lost;
	int aligned = 0, before = complaints;

	CHECK(odd && c);
	for (int i = 0; i < 100; i++) {
		objects[i] = kmem_cache_alloc(odd, ALLOC_ZERO);
		aligned += (uintptr_t)objects[i] % 64 == 0;
	}
	CHECK(aligned == 100);
	for (int i = 0; i < 100; i++)
		kmem_cache_free(odd, objects[i]);
	kmem_cache_destroy(odd);
	CHECK(complaints == before);
	lost = kmem_cache_alloc(c, 0);
	CHECK(lost);
	kmem_cache_destroy(c);
	CHECK(complaints == before + 1);
	kmem_cache_destroy(NULL);
}

static void limits(void)
{
	char *s;

	CHECK(!kmalloc_array(SIZE_MAX / 8, 16, 0));
	CHECK(!kmalloc_array((size_t)1 << 33, (size_t)1 << 33, 0));
	CHECK(!kmalloc(SIZE_MAX, 0) && !kmalloc((size_t)1 << 40, 0));
	s = kmalloc(0, 0);
	CHECK(s);
	kfree(s);
	kfree(NULL);
	s = kstrdup("mortise", 0);
	CHECK(s && !strcmp(s, "mortise"));
	kfree(s);
	s = kmemdup("a\0b", 4, 0);
	CHECK(s && !memcmp(s, "a\0b", 4));
	kfree(s);
}

static void count_used(const struct slab_stats *s, void *arg)
{
	wrong += s->used > s->total || (s->total && !s->pages);
	(*(unsigned int *)arg)++;
}

int main(void)
{
	unsigned int seen = 0;

	host_memory = aligned_alloc(1 << 22, (size_t)PAGES << 12);
	memset(host_memory, 0, (size_t)PAGES << 12);
	boot_info.ranges[0] = (struct boot_range){ 0, (uint64_t)PAGES << 12, BOOT_RAM };
	boot_info.range_count = 1;
	host_cpu.online = true;
	page_start();
	slab_start();
	limits();
	churn();
	caches();
	page_drain();
	exhaust();
	churn();
	slab_for_each(count_used, &seen);
	CHECK(seen == 14 && wrong == 0);
	return check_done();
}
