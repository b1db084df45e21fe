/*
 * Kernel virtual memory outside the direct map.
 *
 * Where each arena begins is chosen at boot (nokaslr: at its lowest address). Areas are kept in a tree
 * by address; a search for room goes on where the last one ended and wraps once. Each area is preceded by an
 * unmapped guard page, which for kernel stacks turns an overflow into a fault. Freed stacks are kept for reuse; beyond a few
 * they are given back bit by bit by the RCU thread, because freeing waits for other CPUs' TLBs. All of them can be reused until
 * then: otherwise threads that come and go faster than that would use memory up.
 *
 * Locking: each arena's mutex; the stack cache has a spinlock with interrupts off.
 */
#include "core/mem/vmap.h"

#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/random.h"
#include "core/lib/rbtree.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/mem/slab.h"
#include "core/module/export.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"

struct area {
	struct rb_node node;
	uintptr_t start;		/* first mapped byte; the guard page is below */
	size_t size;
	bool stack;
};

#define KVMALLOC_BLOCK_MAX (64 * PAGE_SIZE)
#define DRIFT_MAX (16ul << 20)	/* of addresses between the areas, so many may be looked at before it begins anew */

struct arena {
	struct mutex lock;
	struct rb_root areas;
	uintptr_t base, end;
	uintptr_t next;			/* where to look first */
	size_t used;			/* sizes of the areas with their guard pages */
};

static struct arena vmap_arena = { MUTEX_INIT(vmap_arena.lock), { NULL }, VMAP_BASE, VMAP_END, VMAP_BASE, 0 };
static struct arena module_arena = {
	MUTEX_INIT(module_arena.lock), { NULL }, MODULE_AREA_BASE, MODULE_AREA_END, MODULE_AREA_BASE, 0,
};

#define STACK_CACHE_MAX  32		/* kept for good */
#define STACK_TRIM_BATCH 16		/* given back in one go: other callbacks wait meanwhile */
static struct {
	struct spinlock lock;
	void *first;			/* chained through their first word */
	unsigned int count;
	bool trimming;			/* `trim` is queued or runs */
	struct rcu_head trim;
} stack_cache = { .lock = SPINLOCK_INIT(stack_cache.lock) };

/* Lets the arena begin anywhere in its first half, in pages. */
static void choose_base(struct arena *ar)
{
	uint64_t pages = (ar->end - ar->base) / 2 >> PAGE_SHIFT;

	ar->base += random_u64() % pages << PAGE_SHIFT;
	ar->next = ar->base;
}

void vmap_start(void)
{
	if (cmdline_value("nokaslr"))
		return;
	choose_base(&vmap_arena);
	choose_base(&module_arena);
}

static bool area_below(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct area, node)->start < rb_entry(b, struct area, node)->start;
}

/* The first area that ends above `addr`. */
static struct area *area_above(const struct arena *ar, uintptr_t addr)
{
	struct rb_node *n = ar->areas.top;
	struct area *found = NULL;

	while (n) {
		struct area *a = rb_entry(n, struct area, node);

		if (a->start + a->size > addr) {
			found = a;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

/* A gap of `need` bytes in [from, to); 0 if there is none. */
static uintptr_t find_gap(const struct arena *ar, uintptr_t from, uintptr_t to, size_t need)
{
	struct area *a = area_above(ar, from);

	while (from + need <= to) {
		struct rb_node *n;

		if (!a || a->start - PAGE_SIZE >= from + need)
			return from;
		from = a->start + a->size;
		n = rb_next(&a->node);
		a = n ? rb_entry(n, struct area, node) : NULL;
	}
	return 0;
}

/* Reserves addresses for `size` bytes behind a guard page. Null when out. */
static struct area *area_create(struct arena *ar, size_t size)
{
	struct area *a = kzalloc(sizeof(*a), 0);
	uintptr_t gap;

	if (!a)
		return NULL;
	a->size = ALIGN_UP(size, PAGE_SIZE);
	mutex_lock(&ar->lock);
	/* Page tables stay, so what is given out and back over and over must not wander through all addresses. */
	if (ar->next - ar->base > DRIFT_MAX + 4 * ar->used)
		ar->next = ar->base;
	gap = find_gap(ar, ar->next, ar->end, a->size + PAGE_SIZE);
	if (!gap)
		gap = find_gap(ar, ar->base, ar->end, a->size + PAGE_SIZE);
	if (gap) {
		a->start = gap + PAGE_SIZE;
		ar->next = a->start + a->size;
		ar->used += a->size + PAGE_SIZE;
		rb_insert(&ar->areas, &a->node, area_below);
	}
	mutex_unlock(&ar->lock);
	if (gap)
		return a;
	kfree(a);
	return NULL;
}

static void area_destroy(struct arena *ar, struct area *a)
{
	mutex_lock(&ar->lock);
	rb_remove(&ar->areas, &a->node);
	ar->used -= a->size + PAGE_SIZE;
	mutex_unlock(&ar->lock);
	kfree(a);
}

static struct area *area_find(struct arena *ar, uintptr_t start)
{
	struct area *a;

	mutex_lock(&ar->lock);
	a = area_above(ar, start);
	mutex_unlock(&ar->lock);
	kassert(a && a->start == start);
	return a;
}

/* Unmaps the first `mapped` bytes of an area and frees their pages. */
static void area_unmap(struct area *a, size_t mapped)
{
	uint64_t chunk[64];

	for (size_t at = 0; at < mapped;) {
		unsigned int n = 0;
		size_t from = at;

		for (; at < mapped && n < ARRAY_SIZE(chunk); at += PAGE_SIZE) {
			bool ok;

			chunk[n++] = kernel_phys(a->start + at, &ok);
			kassert(ok);
		}
		kernel_unmap(a->start + from, at - from);
		while (n)
			page_free(phys_to_page(chunk[--n]), 0);
	}
}

static int area_map(struct area *a, unsigned int flags)
{
	for (size_t at = 0; at < a->size; at += PAGE_SIZE) {
		struct page *p = page_alloc(0, flags);

		if (!p || kernel_map(a->start + at, page_to_phys(p), PAGE_SIZE, MMU_READ | MMU_WRITE)) {
			if (p)
				page_free(p, 0);
			area_unmap(a, at);
			return -1;
		}
	}
	return 0;
}

static void *arena_alloc(struct arena *ar, size_t size, unsigned int flags, bool stack)
{
	struct area *a;

	if (size == 0 || size > ar->end - ar->base)
		return NULL;
	a = area_create(ar, size);
	if (!a)
		return NULL;
	a->stack = stack;
	if (area_map(a, flags)) {
		area_destroy(ar, a);
		return NULL;
	}
	return (void *)a->start;
}

static void arena_free(struct arena *ar, void *p)
{
	struct area *a = area_find(ar, (uintptr_t)p);

	area_unmap(a, a->size);
	area_destroy(ar, a);
}

void *vmalloc(size_t size, unsigned int flags)
{
	might_sleep();
	return arena_alloc(&vmap_arena, size, flags, false);
}
KAPI(vmalloc);

void vfree(void *p)
{
	if (p)
		arena_free(&vmap_arena, p);
}
KAPI(vfree);

uint64_t vmap_used(void)
{
	return READ_ONCE(vmap_arena.used);
}
KAPI(vmap_used);

void *kvmalloc(size_t size, unsigned int flags)
{
	void *p;

	if (size <= 2 * PAGE_SIZE)
		return kmalloc(size, flags);
	/* Unmapping an area interrupts every CPU. */
	p = size <= KVMALLOC_BLOCK_MAX ? kmalloc(size, flags | ALLOC_TRY) : NULL;
	return p ? p : vmalloc(size, flags);
}
KAPI(kvmalloc);

void kvfree(void *p)
{
	if ((uintptr_t)p >= VMAP_BASE && (uintptr_t)p < VMAP_END)
		vfree(p);
	else
		kfree(p);
}
KAPI(kvfree);

void *device_map(uint64_t phys, size_t size, unsigned int prot)
{
	uint64_t offset = phys & PAGE_MASK;
	struct area *a = area_create(&vmap_arena, size + offset);

	if (!a)
		return NULL;
	if (kernel_map(a->start, phys - offset, a->size, prot)) {
		kernel_unmap(a->start, a->size);
		area_destroy(&vmap_arena, a);
		return NULL;
	}
	return (void *)(a->start + offset);
}
KAPI(device_map);

void device_unmap(void *p, size_t size)
{
	struct area *a = area_find(&vmap_arena, ALIGN_DOWN((uintptr_t)p, PAGE_SIZE));

	(void)size;
	kernel_unmap(a->start, a->size);
	area_destroy(&vmap_arena, a);
}
KAPI(device_unmap);

/* A stack of the cache, if it has more than `keep`. */
static void *take_stack(unsigned int keep)
{
	unsigned long irq = spin_lock_irqsave(&stack_cache.lock);
	void *stack = stack_cache.count > keep ? stack_cache.first : NULL;

	if (stack) {
		stack_cache.first = *(void **)stack;
		stack_cache.count--;
	}
	spin_unlock_irqrestore(&stack_cache.lock, irq);
	return stack;
}

uintptr_t kernel_stack_alloc(void)
{
	void *stack = take_stack(0);

	if (!stack)
		stack = arena_alloc(&vmap_arena, KERNEL_STACK_SIZE, 0, true);
	return (uintptr_t)stack;
}

uintptr_t guarded_stack_alloc(size_t size)
{
	return (uintptr_t)arena_alloc(&vmap_arena, size, 0, true);
}

static void trim_stacks(struct rcu_head *head)
{
	unsigned long irq;
	bool more;

	for (unsigned int i = 0; i < STACK_TRIM_BATCH; i++)
		vfree(take_stack(STACK_CACHE_MAX));
	irq = spin_lock_irqsave(&stack_cache.lock);
	more = stack_cache.count > STACK_CACHE_MAX;
	stack_cache.trimming = more;
	spin_unlock_irqrestore(&stack_cache.lock, irq);
	if (more)
		rcu_call(head, trim_stacks);
}

void kernel_stack_free(uintptr_t base)
{
	unsigned long irq = spin_lock_irqsave(&stack_cache.lock);
	bool trim;

	*(void **)base = stack_cache.first;
	stack_cache.first = (void *)base;
	trim = ++stack_cache.count > STACK_CACHE_MAX && !stack_cache.trimming;
	stack_cache.trimming |= trim;
	spin_unlock_irqrestore(&stack_cache.lock, irq);
	if (trim)
		rcu_call(&stack_cache.trim, trim_stacks);
}

void kernel_stack_drain(void)
{
	void *stack;

	while ((stack = take_stack(0)))
		vfree(stack);
}

bool kernel_stack_guard(uintptr_t va)
{
	struct area *a;

	if (va < VMAP_BASE || va >= VMAP_END)
		return false;
	a = area_above(&vmap_arena, va);	/* without the lock: for reports only */
	return a && a->stack && va < a->start && va >= a->start - PAGE_SIZE;
}

void *module_area_alloc(size_t size)
{
	return arena_alloc(&module_arena, size, ALLOC_ZERO, false);
}

/* The same in the direct map. A page that cannot be protected there for want of memory is told of. */
static void protect_alias(uintptr_t va, size_t size, unsigned int prot)
{
	bool ok, failed = false;

	if (!arch_table_may_split())
		return;
	mutex_lock(&module_arena.lock);
	for (size_t at = 0; at < size; at += PAGE_SIZE) {
		uint64_t phys = kernel_phys(va + at, &ok);

		failed |= ok && kernel_direct_protect(phys, prot);
	}
	mutex_unlock(&module_arena.lock);
	if (failed)
		log_warn("no memory to protect a module in the direct map");
	arch_tlb_flush_kernel(KERNEL_DIRECT_BASE, KERNEL_DIRECT_SIZE);
}

void module_area_free(void *p)
{
	struct area *a;

	if (!p)
		return;
	a = area_find(&module_arena, (uintptr_t)p);
	protect_alias(a->start, a->size, MMU_READ | MMU_WRITE);
	arena_free(&module_arena, p);
}

void module_area_protect(void *p, size_t size, unsigned int prot)
{
	kernel_protect((uintptr_t)p, ALIGN_UP(size, PAGE_SIZE), prot);
	if (!(prot & MMU_WRITE))
		protect_alias((uintptr_t)p, ALIGN_UP(size, PAGE_SIZE), MMU_READ);
	if (prot & MMU_EXEC)
		arch_icache_sync((uintptr_t)p, size);
}
