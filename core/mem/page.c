/*
 * The page allocator: buddy lists over all RAM, with a small stack of single pages for each CPU before them.
 *
 * Invariants: a free block of order n starts at a multiple of 2^n pages and is PAGE_FREE with that order in its first page only;
 * two free buddies of one order never stay apart. Pages in a CPU's stack are PAGE_KERNEL with refs 0.
 * What CPUs keep at hand, here and in slabs, is given back before an allocation fails.
 * A reserve is kept back for ALLOC_ATOMIC; user pages stop earlier than kernel ones.
 *
 * Locking: zone.lock with interrupts off; a CPU's stack by interrupts off alone.
 */
#include "core/mem/page.h"

#include "core/arch/cpu.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/harden.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/module/export.h"
#include "core/sched/call.h"
#include "core/sched/cpu.h"
#include "core/sync/mutex.h"
#include "core/sync/spinlock.h"

#define CACHE_SIZE  64
#define CACHE_BATCH 32

struct page_cache {
	unsigned int count;
	struct page *pages[CACHE_SIZE];
};

static struct {
	struct spinlock lock;
	struct list free[PAGE_ORDER_MAX + 1];
	uint64_t free_count;
	uint64_t total;
	uint64_t reserve;
} zone = { .lock = SPINLOCK_INIT(zone.lock) };

struct page *page_map;
KAPI(page_map);
uint64_t page_map_count;
KAPI(page_map_count);
struct page *page_zero;
KAPI(page_zero);
bool (*page_out_of_memory)(void);
KAPI(page_out_of_memory);

static struct page_cache boot_cache;

uint64_t page_total(void) { return zone.total; }
KAPI(page_total);

uint64_t page_free_count(void)
{
	uint64_t n = READ_ONCE(zone.free_count);
	unsigned int i;

	for_each_online_cpu(i)
		n += READ_ONCE(((struct page_cache *)cpus[i]->page_cache)->count);
	return n;
}
KAPI(page_free_count);

/* Without a lock: pages that change meanwhile count as what they were or as what they are. */
void page_count(struct page_counts *out)
{
	*out = (struct page_counts){ 0 };
	for (uint64_t i = 0; i < page_map_count; i++) {
		const struct page *p = &page_map[i];

		switch (READ_ONCE(p->kind)) {
		case PAGE_ANON:
			out->anonymous++;
			break;
		case PAGE_OBJECT:
			out->object++;
			out->mapped += READ_ONCE(p->refs) > 1;
			break;
		case PAGE_TABLE:
			out->table++;
			break;
		}
	}
}
KAPI(page_count);

static uint64_t pfn_of(const struct page *p) { return (uint64_t)(p - page_map); }

static void insert_block(struct page *p, unsigned int order)
{
	p->kind = PAGE_FREE;
	p->order = (unsigned char)order;
	list_add_head(&zone.free[order], &p->link);
}

/* Joins the block with its buddies as far as possible. zone.lock held. */
static void free_block(struct page *p, unsigned int order)
{
	zone.free_count += 1ull << order;
	while (order < PAGE_ORDER_MAX) {
		uint64_t buddy_pfn = pfn_of(p) ^ (1ull << order);
		struct page *buddy = &page_map[buddy_pfn];

		if (buddy_pfn + (1ull << order) > page_map_count || buddy->kind != PAGE_FREE ||
		    buddy->order != order)
			break;
		list_remove(&buddy->link);
		buddy->kind = PAGE_KERNEL;
		if (buddy < p)
			p = buddy;
		order++;
	}
	insert_block(p, order);
}

/* zone.lock held. Null if no block is large enough. */
static struct page *take_block(unsigned int order)
{
	for (unsigned int o = order; o <= PAGE_ORDER_MAX; o++) {
		struct page *p;

		if (list_empty(&zone.free[o]))
			continue;
		p = list_first(&zone.free[o], struct page, link);
		list_remove(&p->link);
		while (o > order) {
			o--;
			insert_block(p + (1ull << o), o);
		}
		p->kind = PAGE_KERNEL;
		p->order = (unsigned char)order;
		zone.free_count -= 1ull << order;
		return p;
	}
	return NULL;
}

static struct page_cache *cache_self(void) { return arch_cpu_self()->page_cache; }

/* Refills this CPU's stack. Interrupts off. */
static void cache_refill(struct page_cache *c)
{
	spin_lock_raw(&zone.lock);
	while (c->count < CACHE_BATCH) {
		struct page *p;

		if (zone.free_count <= zone.reserve)
			break;
		p = take_block(0);
		if (!p)
			break;
		c->pages[c->count++] = p;
	}
	spin_unlock_raw(&zone.lock);
}

static struct page *allocate_single(unsigned int flags)
{
	unsigned long irq = arch_irq_save();
	struct page_cache *c = cache_self();
	struct page *p = NULL;

	if (unlikely(!c->count)) {
		arch_preempt_add(1);
		cache_refill(c);
		if (!c->count && (flags & ALLOC_ATOMIC)) {
			spin_lock_raw(&zone.lock);
			p = take_block(0);
			spin_unlock_raw(&zone.lock);
		}
		arch_preempt_add(-1);
	}
	if (likely(c->count))
		p = c->pages[--c->count];
	arch_irq_restore(irq);
	return p;
}

static struct page *allocate_block(unsigned int order, unsigned int flags)
{
	unsigned long irq = spin_lock_irqsave(&zone.lock);
	uint64_t keep = (flags & ALLOC_ATOMIC) ? 0 : zone.reserve;
	struct page *p = zone.free_count >= keep + (1ull << order) ? take_block(order) : NULL;

	spin_unlock_irqrestore(&zone.lock, irq);
	return p;
}

/* Gives this CPU's stack back. Interrupts off. */
static void drain_cpu(void *arg)
{
	struct page_cache *c = cache_self();

	arch_preempt_add(1);
	spin_lock_raw(&zone.lock);
	while (c->count)
		free_block(c->pages[--c->count], 0);
	spin_unlock_raw(&zone.lock);
	arch_preempt_add(-1);
}

void page_drain(void)
{
	might_sleep();
	kernel_stack_drain();
	slab_drain();
	cpu_call_each(&cpus_online, drain_cpu, NULL);
}
KAPI(page_drain);

struct page *page_alloc(unsigned int order, unsigned int flags)
{
	bool drained = false;
	struct page *p;

	if (unlikely(order > PAGE_ORDER_MAX))
		return NULL;
	for (;;) {
		p = order == 0 ? allocate_single(flags) : allocate_block(order, flags);
		if (likely(p))
			break;
		if ((flags & (ALLOC_ATOMIC | ALLOC_TRY)) || in_atomic() || !page_out_of_memory)
			return NULL;
		if (!drained) {
			drained = true;
			page_drain();
			continue;
		}
		/* Only user memory and small kernel needs are worth a victim. */
		if (order > 3 || !page_out_of_memory())
			return NULL;
	}
	p->refs = 1;
	p->kind = PAGE_KERNEL;
	p->order = (unsigned char)order;
	p->flags = 0;
	if ((flags | harden) & ALLOC_ZERO)
		memset(page_address(p), 0, PAGE_SIZE << order);
	return p;
}
KAPI(page_alloc);

void page_free(struct page *p, unsigned int order)
{
	unsigned long irq;

	p->refs = 0;
	p->kind = PAGE_KERNEL;
#ifdef CONFIG_DEBUG
	memset(page_address(p), 0x6c, PAGE_SIZE << order);
#endif
	if (unlikely(harden & HARDEN_INIT_FREE))
		memset(page_address(p), 0, PAGE_SIZE << order);
	irq = arch_irq_save();
	if (order == 0) {
		struct page_cache *c = cache_self();

		if (likely(c->count < CACHE_SIZE)) {
			c->pages[c->count++] = p;
			arch_irq_restore(irq);
			return;
		}
		arch_preempt_add(1);
		spin_lock_raw(&zone.lock);
		while (c->count > CACHE_SIZE - CACHE_BATCH)
			free_block(c->pages[--c->count], 0);
	} else {
		arch_preempt_add(1);
		spin_lock_raw(&zone.lock);
	}
	free_block(p, order);
	spin_unlock_raw(&zone.lock);
	arch_preempt_add(-1);
	arch_irq_restore(irq);
}
KAPI(page_free);

/* Halfway between what counts as many and what a count below 0 would be. */
void page_refs_saturate(struct page *p)
{
	WRITE_ONCE(p->refs, PAGE_REFS_MANY + PAGE_REFS_MANY / 2);
}
KAPI(page_refs_saturate);

static void put_saturated(struct page *p, unsigned int now)
{
	if (now >= UINT32_MAX - 0xffff)
		panic("page %llx released too often (kind %u)", (unsigned long long)page_to_phys(p), p->kind);
	page_refs_saturate(p);
}

void page_put(struct page *p)
{
	unsigned int now = __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL);

	if (now == 0)
		page_free(p, 0);
	else if (unlikely((int)now < 0))
		put_saturated(p, now);
}
KAPI(page_put);

void *page_alloc_kernel(unsigned int flags)
{
	struct page *p = page_alloc(0, flags);

	return p ? page_address(p) : NULL;
}
KAPI(page_alloc_kernel);

void page_free_kernel(void *p)
{
	if (p)
		page_free(virt_to_page(p), 0);
}
KAPI(page_free_kernel);

void page_add_range(uint64_t start, uint64_t end)
{
	unsigned long irq;

	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	irq = spin_lock_irqsave(&zone.lock);
	while (start < end) {
		uint64_t pfn = start >> PAGE_SHIFT, left = (end - start) >> PAGE_SHIFT;
		unsigned int order = pfn ? bit_lowest(pfn) : PAGE_ORDER_MAX;

		order = MIN(order, (unsigned int)PAGE_ORDER_MAX);
		order = MIN(order, bit_highest(left));
		zone.total += 1ull << order;
		free_block(&page_map[pfn], order);
		start += PAGE_SIZE << order;
	}
	spin_unlock_irqrestore(&zone.lock, irq);
}

void page_cpu_start(struct cpu *cpu)
{
	if (!cpu->page_cache)
		cpu->page_cache = page_alloc_kernel(ALLOC_ZERO);
	if (!cpu->page_cache)
		panic("no memory for a page cache of CPU %u", cpu->id);
}

void page_start(void)
{
	uint64_t top = 0;

	for (unsigned int o = 0; o <= PAGE_ORDER_MAX; o++)
		list_init(&zone.free[o]);
	for (unsigned int i = 0; i < boot_info.range_count; i++)
		if (boot_info.ranges[i].kind == BOOT_RAM)
			top = MAX(top, boot_info.ranges[i].end);
	page_map_count = top >> PAGE_SHIFT;
	page_map = phys_to_virt(boot_alloc(page_map_count * sizeof(struct page), 0));
	arch_cpu_self()->page_cache = &boot_cache;
	boot_release_ranges();
	zone.reserve = MIN(zone.total / 64, 1024ull);
	page_zero = page_alloc(0, ALLOC_ZERO);
	kassert(page_zero);
	log_info("memory: %llu MiB in %llu pages", (unsigned long long)(zone.total >> 8),
		 (unsigned long long)zone.total);
}
