/*
 * Slab caches: objects of one size cut from blocks of pages, with a magazine of free objects for each CPU.
 *
 * A block ("slab") keeps its free objects in a list through the objects; its first page holds the place of the first and the count in
 * use; further pages of it know their distance to the first. A slab is on `partial` while it has free and used objects,
 * on no list while full; empty ones beyond one are given back. A magazine holds fewer of larger objects. What magazines hold keeps
 * slabs from being empty: slab_drain() empties them when memory runs out. The links are hidden by a secret, and looked at before they
 * are followed: memory that is written to after it was freed gives a panic, not an object of the writer's choice.
 *
 * Locking: cache->lock with interrupts off guards the slabs; a magazine is guarded by interrupts off on its CPU.
 */
#include "internal.h"

#include "core/arch/cpu.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/harden.h"
#include "core/module/export.h"
#include "core/sched/call.h"
#include "core/sched/cpu.h"
#include "core/sync/mutex.h"

#define MAGAZINE_SIZE 30
#define MAGAZINE_BYTES (4 * PAGE_SIZE)	/* of objects in one magazine, unless that were fewer than MAGAZINE_LEAST */
#define MAGAZINE_LEAST 4
#define SLAB_TAIL 0x8000	/* page flag: not the first page; link.prev is the distance */
#define SLAB_NONE 0xffffu	/* page.slab_free: a slab has no more than 32 KiB */

struct magazine {
	unsigned int count;
	void *objects[MAGAZINE_SIZE];
};

struct kmem_cache {
	struct magazine *magazines[CPU_MAX];
	unsigned int size;		/* with alignment */
	unsigned int order;
	unsigned int per_slab;
	unsigned int magazine_size;	/* objects of a full magazine */
	struct spinlock lock;
	struct list partial;
	uint64_t slabs;
	uint64_t used;			/* objects out of slabs, those in magazines included */
	unsigned int empty;		/* empty slabs on the list */
	const char *name;
	struct list link;
	struct magazine first;		/* the boot CPU's */
};

static struct mutex caches_lock = MUTEX_INIT(caches_lock);
static struct list caches = LIST_INIT(caches);
static struct kmem_cache cache_of_caches;
static uint64_t total_pages;

static void cache_init(struct kmem_cache *c, const char *name, size_t size, size_t align)
{
	align = MAX(align, sizeof(void *));
	c->name = name;
	c->size = (unsigned int)ALIGN_UP(MAX(size, sizeof(void *)), align);
	spin_init(&c->lock);
	list_init(&c->partial);
	c->order = 0;
	while (c->order < 3 && (PAGE_SIZE << c->order) / c->size < 8)
		c->order++;
	c->per_slab = (unsigned int)((PAGE_SIZE << c->order) / c->size);
	c->magazine_size = (unsigned int)MIN(MAX(MAGAZINE_BYTES / c->size, (size_t)MAGAZINE_LEAST), (size_t)MAGAZINE_SIZE);
	c->magazines[0] = &c->first;
}

static struct page *slab_of(const void *object)
{
	struct page *p = virt_to_page(object);

	if (p->flags & SLAB_TAIL)
		p -= (uintptr_t)p->link.prev;
	return p;
}

static void set_link(void **object, void *next)
{
	*object = (void *)harden_link(object, (uintptr_t)next);
}

/* The object behind this one on its slab's list. */
static void *link_of(const struct kmem_cache *c, struct page *p, void **object)
{
	uintptr_t next = harden_link(object, (uintptr_t)*object);

	if (unlikely(next && next - (uintptr_t)page_address(p) >= PAGE_SIZE << c->order))
		panic("slab: the link of free object %p of cache %s was written to", (void *)object, c->name);
	return (void *)next;
}

static void **first_free(const struct page *p)
{
	return p->slab_free == SLAB_NONE ? NULL : (void **)((char *)page_address(p) + p->slab_free);
}

static void set_first_free(struct page *p, const void *object)
{
	p->slab_free = object ? (unsigned short)((const char *)object - (const char *)page_address(p)) : SLAB_NONE;
}

/* A new slab with all objects free. Called without the lock. */
static struct page *slab_create(struct kmem_cache *c, unsigned int flags)
{
	struct page *p = page_alloc(c->order, flags & (ALLOC_ATOMIC | ALLOC_TRY));
	char *base;

	if (!p)
		return NULL;
	for (unsigned int i = 0; i < 1u << c->order; i++) {
		p[i].kind = PAGE_SLAB;
		p[i].cache = c;
		p[i].flags = i ? SLAB_TAIL : 0;
		p[i].link.prev = (struct list *)(uintptr_t)i;
	}
	base = page_address(p);
	p->slab_used = 0;
	set_first_free(p, NULL);
	for (unsigned int i = c->per_slab; i-- > 0;) {
		void **object = (void **)(base + (size_t)i * c->size);

		if (unlikely(harden & HARDEN_SLAB))
			harden_object_fill(object, c->size);
		set_link(object, first_free(p));
		set_first_free(p, object);
	}
	__atomic_fetch_add(&total_pages, 1ull << c->order, __ATOMIC_RELAXED);
	return p;
}

static void slab_destroy(struct kmem_cache *c, struct page *p)
{
	for (unsigned int i = 0; i < 1u << c->order; i++) {
		p[i].kind = PAGE_KERNEL;
		p[i].flags = 0;
	}
	__atomic_fetch_sub(&total_pages, 1ull << c->order, __ATOMIC_RELAXED);
	page_free(p, c->order);
}

/* Takes one object from a partial slab; null if there is none. Lock held. */
static void *take_object(struct kmem_cache *c)
{
	struct page *p;
	void **object;

	if (list_empty(&c->partial))
		return NULL;
	p = list_first(&c->partial, struct page, link);
	if (p->slab_used == 0)
		c->empty--;
	object = first_free(p);
	set_first_free(p, link_of(c, p, object));
	if (++p->slab_used == c->per_slab)
		list_remove(&p->link);
	c->used++;
	return object;
}

/* Gives one object back to its slab. Lock held. Returns the slab if it is empty now; its place on the list is the caller's to see to. */
static struct page *put_object(struct kmem_cache *c, void *object)
{
	struct page *p = slab_of(object);

	void **first = first_free(p);

	if (unlikely(object == (void *)first))
		panic("slab: object %p of cache %s is freed twice", object, c->name);
	set_link(object, first);
	set_first_free(p, object);
	c->used--;
	if (p->slab_used-- == c->per_slab)
		list_add_head(&c->partial, &p->link);
	return p->slab_used ? NULL : p;
}

/* The same. Returns a slab to destroy, or null. */
static struct page *return_object(struct kmem_cache *c, void *object)
{
	struct page *p = put_object(c, object);

	if (!p)
		return NULL;
	if (c->empty >= 1) {
		list_remove(&p->link);
		c->slabs--;
		return p;
	}
	c->empty++;
	list_remove(&p->link);
	list_add_tail(&c->partial, &p->link);
	return NULL;
}

static void *allocate_slow(struct kmem_cache *c, unsigned int flags)
{
	unsigned long irq = spin_lock_irqsave(&c->lock);
	void *object = take_object(c);
	struct page *p;

	if (object) {
		struct magazine *m = c->magazines[arch_cpu_id()];

		/* Fill half of the magazine while the lock is held. */
		while (m && m->count < c->magazine_size / 2) {
			void *more = take_object(c);

			if (!more)
				break;
			m->objects[m->count++] = more;
		}
		spin_unlock_irqrestore(&c->lock, irq);
		return object;
	}
	spin_unlock_irqrestore(&c->lock, irq);
	p = slab_create(c, flags);
	if (!p)
		return NULL;
	irq = spin_lock_irqsave(&c->lock);
	list_add_head(&c->partial, &p->link);
	c->slabs++;
	c->empty++;
	object = take_object(c);
	spin_unlock_irqrestore(&c->lock, irq);
	return object;
}

void *kmem_cache_alloc(struct kmem_cache *c, unsigned int flags)
{
	unsigned long irq = arch_irq_save();
	struct magazine *m = c->magazines[arch_cpu_id()];
	void *object = NULL;

	if (likely(m && m->count))
		object = m->objects[--m->count];
	arch_irq_restore(irq);
	if (unlikely(!object))
		object = allocate_slow(c, flags);
	flags |= harden;
	if (unlikely(flags & HARDEN_SLAB) && object)
		harden_object_take(c, object, c->size);
	if (object && (flags & ALLOC_ZERO))
		memset(object, 0, c->size);
	return object;
}
KAPI(kmem_cache_alloc);

/* The magazine is full or absent: gives back half of it and the object. */
static void free_slow(struct kmem_cache *c, void *object)
{
	struct page *dead[MAGAZINE_SIZE];
	unsigned int dead_count = 0;
	unsigned long irq = spin_lock_irqsave(&c->lock);
	struct magazine *m = c->magazines[arch_cpu_id()];
	struct page *p = return_object(c, object);

	if (p)
		dead[dead_count++] = p;
	while (m && m->count > c->magazine_size / 2) {
		p = return_object(c, m->objects[--m->count]);
		if (p)
			dead[dead_count++] = p;
	}
	spin_unlock_irqrestore(&c->lock, irq);
	while (dead_count)
		slab_destroy(c, dead[--dead_count]);
}

/* Gives a CPU other than the first its magazine, when it first frees something and memory allows. */
static void magazine_create(struct kmem_cache *c)
{
	unsigned int cpu = arch_cpu_id();
	struct magazine *m, *expected = NULL;

	if (in_atomic())
		return;
	m = kmalloc(sizeof(*m), ALLOC_ZERO | ALLOC_ATOMIC);
	if (m && !__atomic_compare_exchange_n(&c->magazines[cpu], &expected, m, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE))
		kfree(m);
}

void kmem_cache_free(struct kmem_cache *c, void *object)
{
	unsigned long irq;
	struct magazine *m;

	if (unlikely(harden & HARDEN_SLAB))
		harden_object_free(c, object, c->size);
	else if (unlikely(harden & HARDEN_INIT_FREE))
		memset(object, 0, c->size);
	irq = arch_irq_save();
	m = c->magazines[arch_cpu_id()];
	if (likely(m && m->count < c->magazine_size)) {
		m->objects[m->count++] = object;
		arch_irq_restore(irq);
		return;
	}
	arch_irq_restore(irq);
	if (!m)
		magazine_create(c);
	free_slow(c, object);
}
KAPI(kmem_cache_free);

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	struct kmem_cache *c = kmem_cache_alloc(&cache_of_caches, ALLOC_ZERO);

	if (!c)
		return NULL;
	cache_init(c, name, size, align);
	mutex_lock(&caches_lock);
	list_add_tail(&caches, &c->link);
	mutex_unlock(&caches_lock);
	return c;
}
KAPI(kmem_cache_create);

/* Empties all magazines; nobody uses the cache any more. */
static void drain(struct kmem_cache *c)
{
	for (unsigned int i = 0; i < CPU_MAX; i++) {
		struct magazine *m = c->magazines[i];

		while (m && m->count) {
			unsigned long irq = spin_lock_irqsave(&c->lock);
			struct page *p = return_object(c, m->objects[--m->count]);

			spin_unlock_irqrestore(&c->lock, irq);
			if (p)
				slab_destroy(c, p);
		}
		if (m && m != &c->first)
			kfree(m);
		c->magazines[i] = NULL;
	}
}

void kmem_cache_destroy(struct kmem_cache *c)
{
	if (!c)
		return;
	mutex_lock(&caches_lock);
	list_remove(&c->link);
	mutex_unlock(&caches_lock);
	drain(c);
	if (c->used) {
		log_err("slab: cache %s destroyed with %llu objects in use: they are lost", c->name,
			(unsigned long long)c->used);
		return;
	}
	while (!list_empty(&c->partial)) {
		struct page *p = list_first(&c->partial, struct page, link);

		list_remove(&p->link);
		slab_destroy(c, p);
	}
	kmem_cache_free(&cache_of_caches, c);
}
KAPI(kmem_cache_destroy);

/* Empties the magazines of this CPU. Interrupts off; the list of caches stands still. */
static void drain_cpu(void *arg)
{
	struct kmem_cache *c;

	list_for_each(c, &caches, link) {
		struct magazine *m = c->magazines[arch_cpu_id()];

		if (!m || !m->count)
			continue;
		spin_lock_raw(&c->lock);
		while (m->count)
			if (put_object(c, m->objects[--m->count]))
				c->empty++;
		spin_unlock_raw(&c->lock);
	}
}

static void destroy_empty(struct kmem_cache *c)
{
	struct list dead = LIST_INIT(dead);
	unsigned long irq = spin_lock_irqsave(&c->lock);
	struct page *p, *next;

	list_for_each_safe(p, next, &c->partial, link)
		if (p->slab_used == 0) {
			list_remove(&p->link);
			list_add_tail(&dead, &p->link);
			c->slabs--;
			c->empty--;
		}
	spin_unlock_irqrestore(&c->lock, irq);
	list_for_each_safe(p, next, &dead, link)
		slab_destroy(c, p);
}

void slab_drain(void)
{
	struct kmem_cache *c;

	if (!mutex_trylock(&caches_lock))	/* held, too, where memory is asked for */
		return;
	cpu_call_each(&cpus_online, drain_cpu, NULL);
	list_for_each(c, &caches, link)
		destroy_empty(c);
	mutex_unlock(&caches_lock);
}

static void stats_of(struct kmem_cache *c, struct slab_stats *s)
{
	unsigned long irq = spin_lock_irqsave(&c->lock);
	uint64_t spare = 0;

	for (unsigned int i = 0; i < cpu_count; i++)
		if (c->magazines[i])
			spare += READ_ONCE(c->magazines[i]->count);
	s->name = c->name;
	s->size = c->size;
	s->used = c->used - MIN(spare, c->used);
	s->total = c->slabs * c->per_slab;
	s->pages = c->slabs << c->order;
	spin_unlock_irqrestore(&c->lock, irq);
}

void slab_for_each(void (*fn)(const struct slab_stats *s, void *arg), void *arg)
{
	struct kmem_cache *c;
	struct slab_stats s;

	mutex_lock(&caches_lock);
	list_for_each(c, &caches, link) {
		stats_of(c, &s);
		fn(&s, arg);
	}
	mutex_unlock(&caches_lock);
}
KAPI(slab_for_each);

uint64_t slab_pages(void) { return READ_ONCE(total_pages); }
KAPI(slab_pages);

/* As kmem_cache_create, before threads can sleep. */
struct kmem_cache *slab_cache_new(const char *name, size_t size)
{
	struct kmem_cache *c = kmem_cache_alloc(&cache_of_caches, ALLOC_ZERO);

	if (!c)
		return NULL;
	cache_init(c, name, size, size % 64 == 0 ? 64 : 16);
	list_add_tail(&caches, &c->link);
	return c;
}

struct kmem_cache *slab_cache_of(const void *object)
{
	return slab_of(object)->cache;
}

void *slab_object_of(const void *inside)
{
	const struct page *p = slab_of(inside);
	char *base = page_address(p);
	size_t at = (size_t)((const char *)inside - base);

	return base + at / p->cache->size * p->cache->size;
}

size_t slab_object_size(const struct kmem_cache *c) { return c->size; }

const char *slab_cache_name(const struct kmem_cache *c) { return c->name; }

void slab_start(void)
{
	cache_init(&cache_of_caches, "kmem_cache", sizeof(struct kmem_cache), 64);
	list_add_tail(&caches, &cache_of_caches.link);
	kmalloc_start();
}
