/*
 * The regions of an address space against a model that knows each page: map (fixed or not), unmap, protection, flags, with memory that
 * runs out now and then. Order, joining, offsets, counts and references hold after each step.
 */
// sources: core/mem/region.c core/mem/map.c core/lib/rbtree.c
// timeout: 120
#include <string.h>

#include "host.h"

#include "core/mem/internal.h"

#include <asm/errno.h>

#define BASE 0x10000000ul
#define SPAN 96u		/* pages of the arena */
#define TOP (BASE + SPAN * 4096ul)
#define COMPARE(cond)                                                           \
	do {                                                                    \
		if (cond) {                                                     \
			printf("%s (line %d)\n", #cond, __LINE__);              \
			wrong++;                                                \
		}                                                               \
	} while (0)
#define STEPS 40000

struct model {
	bool mapped;
	unsigned int flags;
	struct memobj *object;
	uint64_t offset;
};

static struct model model[SPAN];
static struct aspace space;
static struct memobj objects[2];
static unsigned int seed = 3, wrong;
static int fail_after = -1;	/* so many allocations succeed; negative: all */
static int64_t committed, live;

struct kmem_cache { size_t size; };
static struct kmem_cache only_cache;

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	(void)name;
	(void)align;
	only_cache.size = size;
	return &only_cache;
}

void *kmem_cache_alloc(struct kmem_cache *c, unsigned int flags)
{
	(void)flags;
	if (fail_after == 0)
		return NULL;
	if (fail_after > 0)
		fail_after--;
	live++;
	return calloc(1, c->size);
}

void kmem_cache_free(struct kmem_cache *c, void *object) { (void)c; live--; free(object); }
void might_sleep(void) { }
void mutex_init(struct mutex *m) { memset(m, 0, sizeof(*m)); }
void mutex_lock_slow(struct mutex *m) { (void)m; panic("mutex is taken"); }
void mutex_unlock_slow(struct mutex *m) { (void)m; }
void rwlock_read_lock(struct rwlock *l) { (void)l; }
void rwlock_read_unlock(struct rwlock *l) { (void)l; }
int rwlock_write_lock_killable(struct rwlock *l) { (void)l; return 0; }
void rwlock_write_unlock(struct rwlock *l) { (void)l; }
void memobj_put(struct memobj *o) { refcount_put(&o->refs); }
bool commit_charge(uint64_t pages) { committed += (int64_t)pages; return true; }
void commit_release(uint64_t pages) { committed -= (int64_t)pages; }
int aspace_populate(struct aspace *as, uintptr_t start, size_t length, enum populate_mode how) { (void)as; (void)start; (void)length; (void)how; return 0; }
unsigned int region_mmu_prot(const struct region *r) { return r->flags & REGION_PROT; }
uint64_t *page_table_entry(struct arch_mmu *mmu, uintptr_t va, bool create) { (void)mmu; (void)va; (void)create; return NULL; }
uintptr_t page_table_next(struct arch_mmu *mmu, uintptr_t va, uintptr_t end) { (void)mmu; (void)va; return end; }
void page_table_free_empty(struct arch_mmu *mmu, uintptr_t start, uintptr_t end) { (void)mmu; (void)start; (void)end; }
void gather_start(struct gather *g, struct aspace *as) { g->as = as; }
void gather_add(struct gather *g, uintptr_t va, struct page *p) { (void)g; (void)va; (void)p; }
void gather_flush(struct gather *g) { (void)g; }

void zap_range(struct aspace *as, struct region *r, uintptr_t start, uintptr_t end, bool keep_private)
{
	(void)as;
	(void)keep_private;
	COMPARE(start < r->start || end > r->end || start >= end);
}

static unsigned int page_of(uintptr_t va) { return (unsigned int)((va - BASE) >> 12); }

/* What can be seen of a region's flags from outside. */
static unsigned int visible(unsigned int flags) { return flags & ~REGION_ACCOUNTED; }

static void compare_region(const struct region *r, const struct region *before)
{
	COMPARE(r->start >= r->end || r->aspace != &space);
	COMPARE(before && before->end > r->start);
	/* Alike neighbours are one, but for the splits of a failure. */
	COMPARE(before && before->end == r->start && before->flags == r->flags && before->object == r->object &&
		 (!r->object || before->offset + (before->end - before->start) == r->offset));
	for (uintptr_t va = r->start; va < r->end; va += 4096) {
		const struct model *m = &model[page_of(va)];

		COMPARE(!m->mapped || m->flags != visible(r->flags) || m->object != r->object);
		COMPARE(m->object && m->offset != r->offset + (va - r->start));
		COMPARE(region_find(&space, va, false) != r);
	}
}

/* The figures by which room is found. */
static uintptr_t gap_below_node(const struct rb_node *n)
{
	const struct region *r, *prev;
	uintptr_t gap, left, right;

	if (!n)
		return 0;
	r = rb_entry(n, struct region, node);
	prev = r->link.prev == &space.region_list ? NULL : list_entry(r->link.prev, struct region, link);
	gap = r->start - (prev ? prev->end : 0);
	left = gap_below_node(n->left);
	right = gap_below_node(n->right);
	gap = MAX(gap, MAX(left, right));
	gap = MIN(gap, 1ul << 36);
	COMPARE(r->gap_max != gap);
	return gap;
}

static void compare(void)
{
	uint64_t pages = 0, expected = 0, locked = 0, accounted = 0, on_objects = 0, refs = 0, joined = 0;
	struct region *r, *before = NULL;
	unsigned int count = 0;

	list_for_each(r, &space.region_list, link) {
		compare_region(r, before);
		pages += (r->end - r->start) >> 12;
		locked += r->flags & REGION_LOCKED ? (r->end - r->start) >> 12 : 0;
		accounted += r->flags & REGION_ACCOUNTED ? (r->end - r->start) >> 12 : 0;
		on_objects += r->object != NULL;
		count++;
		before = r;
	}
	for (unsigned int i = 0; i < SPAN; i++)
		expected += model[i].mapped;
	for (int i = 0; i < 2; i++) {
		refs += (uint64_t)objects[i].refs.value - 1;
		list_for_each(r, &objects[i].regions, object_link)
			joined++;
	}
	COMPARE(pages != expected || pages != space.mapped_pages || count != space.region_count || (int64_t)count != live);
	COMPARE(locked != space.locked_pages || accounted != space.accounted_pages || (int64_t)accounted != committed);
	COMPARE(on_objects != refs || on_objects != joined);
	gap_below_node(space.regions.top);
}

static uintptr_t highest_gap(unsigned int pages)
{
	for (unsigned int top = SPAN; top >= pages; top--) {
		unsigned int free = 0;

		while (free < pages && !model[top - 1 - free].mapped)
			free++;
		if (free == pages)
			return BASE + (top - pages) * 4096ul;
	}
	return 0;
}

static void set_pages(uintptr_t at, unsigned int pages, const struct map_request *q)
{
	for (unsigned int i = 0; i < pages; i++)
		model[page_of(at) + i] = (struct model){ true, q->flags, q->object, q->offset + i * 4096ul };
}

/* After -ENOMEM of a replacing map, what was there may be gone; nothing else may have changed. */
static void forget_unmapped(uintptr_t at, unsigned int pages)
{
	for (unsigned int i = 0; i < pages; i++)
		if (!region_find(&space, at + i * 4096ul, false))
			model[page_of(at) + i].mapped = false;
}

static void step_map(unsigned int first, unsigned int pages)
{
	static const unsigned int kinds[] = {
		REGION_READ | REGION_MAY_WRITE, REGION_READ | REGION_WRITE | REGION_MAY_WRITE,
		REGION_READ | REGION_SHARED, REGION_READ,
		REGION_READ | REGION_WRITE | REGION_MAY_WRITE | REGION_LOCKED,
		REGION_READ | REGION_MAY_WRITE | REGION_NOEXEC,
	};
	struct map_request q = { .length = pages * 4096ul, .limit = UINT64_MAX,
				 .flags = kinds[rand_r(&seed) % ARRAY_SIZE(kinds)] };
	unsigned int mode = rand_r(&seed) % 3;
	uintptr_t out = 0, expected;
	int error;

	if (rand_r(&seed) & 1) {
		q.object = &objects[rand_r(&seed) & 1];
		q.offset = (rand_r(&seed) & 1 ? first : rand_r(&seed) % 8) * 4096ul;
	}
	q.fixed = mode == 0;
	q.fixed_noreplace = mode == 1;
	q.addr = mode < 2 ? BASE + first * 4096ul : 0;
	expected = mode < 2 ? q.addr : highest_gap(pages);
	if (mode == 1)
		for (unsigned int i = 0; i < pages; i++)
			if (model[first + i].mapped)
				expected = 0;
	if (mode == 2 && !expected)
		return;		/* it would go below the arena */
	error = aspace_map(&space, &q, &out);
	if (!error) {
		COMPARE(out != expected);
		set_pages(out, pages, &q);
	} else if (error == -ENOMEM && mode == 0) {
		forget_unmapped(q.addr, pages);
	} else {
		COMPARE(error == -EEXIST ? expected != 0 || mode != 1 : error != -ENOMEM);
	}
}

static void step_unmap(unsigned int first, unsigned int pages)
{
	int error = aspace_unmap(&space, BASE + first * 4096ul, pages * 4096ul);

	COMPARE(error && error != -ENOMEM);
	for (unsigned int i = 0; !error && i < pages; i++)
		model[first + i].mapped = false;
}

static bool any_changed(unsigned int first, unsigned int pages)
{
	for (unsigned int i = first; i < first + pages; i++) {
		const struct region *r = model[i].mapped ? region_find(&space, BASE + i * 4096ul, false) : NULL;

		if (r && visible(r->flags) != model[i].flags)
			return true;
	}
	return false;
}

/* What lies before the first obstacle is changed all the same. */
static void step_protect(unsigned int first, unsigned int pages)
{
	unsigned int prot = rand_r(&seed) & REGION_PROT, good = 0;
	bool out_of_memory = fail_after >= 0;
	int expected = 0, error;

	for (; good < pages && !expected; good += !expected) {
		const struct model *m = &model[first + good];

		if (!m->mapped)
			expected = -ENOMEM;
		else if ((prot & REGION_WRITE) && !(m->flags & REGION_MAY_WRITE))
			expected = -EACCES;
		else if ((prot & REGION_EXEC) && (m->flags & REGION_NOEXEC))
			expected = -EACCES;
	}
	error = aspace_protect(&space, BASE + first * 4096ul, pages * 4096ul, prot, false);
	COMPARE(error != expected && !(error == -ENOMEM && out_of_memory));
	if (error == -ENOMEM && out_of_memory && !any_changed(first, good))
		return;
	for (unsigned int i = 0; i < good; i++)
		model[first + i].flags = (model[first + i].flags & ~REGION_PROT) | prot;
}

static void step_flags(unsigned int first, unsigned int pages)
{
	unsigned int set = rand_r(&seed) & 1 ? REGION_DONTFORK : REGION_LOCKED, clear = rand_r(&seed) & 1 ? REGION_LOCKED : 0;
	bool out_of_memory = fail_after >= 0, hole = false;
	int error;

	clear &= ~set;
	error = aspace_change_flags(&space, BASE + first * 4096ul, pages * 4096ul, set, clear);
	for (unsigned int i = 0; i < pages; i++)
		hole |= !model[first + i].mapped;
	COMPARE(error && error != -ENOMEM);
	COMPARE(!error && hole);
	if (error && out_of_memory && !any_changed(first, pages))
		return;		/* a split failed */
	for (unsigned int i = 0; i < pages; i++)
		if (model[first + i].mapped)
			model[first + i].flags = (model[first + i].flags & ~clear) | set;
}

static void arguments(void)
{
	struct map_request q = { .length = 0, .limit = UINT64_MAX };
	uintptr_t out;

	CHECK(aspace_map(&space, &q, &out) == -EINVAL);
	q.length = 100;
	CHECK(aspace_map(&space, &q, &out) == -EINVAL);
	q.length = SIZE_MAX & ~4095ul;
	CHECK(aspace_map(&space, &q, &out) == -ENOMEM);
	q = (struct map_request){ .addr = BASE + 1, .length = 4096, .fixed = true, .limit = UINT64_MAX };
	CHECK(aspace_map(&space, &q, &out) == -EINVAL);
	q = (struct map_request){ .addr = USER_END, .length = 4096, .fixed = true, .limit = UINT64_MAX };
	CHECK(aspace_map(&space, &q, &out) == -ENOMEM);
	q = (struct map_request){ .length = 8192, .flags = REGION_READ, .limit = 4096 };
	CHECK(aspace_map(&space, &q, &out) == -ENOMEM);
	CHECK(aspace_unmap(&space, BASE + 1, 4096) == -EINVAL && aspace_unmap(&space, BASE, 0) == -EINVAL);
	CHECK(aspace_unmap(&space, USER_END, 4096) == -EINVAL && aspace_unmap(&space, BASE, 4096) == 0);
	CHECK(aspace_protect(&space, BASE, 4096, REGION_READ, false) == -ENOMEM && aspace_protect(&space, BASE, 0, 0, false) == 0);
	CHECK(space.region_count == 0 && live == 0);
}

int main(void)
{
	list_init(&space.region_list);
	for (int i = 0; i < 2; i++) {
		list_init(&objects[i].regions);
		refcount_init(&objects[i].refs, 1);
		mutex_init(&objects[i].regions_lock);
	}
	space.mmap_base = TOP;
	space.locked_limit = UINT64_MAX / 2;
	space.data_limit = UINT64_MAX;
	region_start();
	arguments();
	for (int n = 0; n < STEPS; n++) {
		unsigned int first = rand_r(&seed) % SPAN, pages = 1 + rand_r(&seed) % (rand_r(&seed) % 4 ? 6 : 40), kind = rand_r(&seed) % 4;

		pages = MIN(pages, SPAN - first);
		fail_after = rand_r(&seed) % 12 ? -1 : (int)(rand_r(&seed) % 3);
		if (kind == 0)
			step_map(first, pages);
		else if (kind == 1)
			step_unmap(first, pages);
		else if (kind == 2)
			step_protect(first, pages);
		else
			step_flags(first, pages);
		fail_after = -1;
		region_merge(&space, BASE, TOP);	/* splits of a step that failed may be left */
		compare();
		if (wrong) {
			printf("step %d of kind %u, pages %u and %u more\n", n, kind, first, pages - 1);
			break;
		}
	}
	CHECK(wrong == 0);
	CHECK(aspace_unmap(&space, BASE, SPAN * 4096ul) == 0);
	memset(model, 0, sizeof(model));
	compare();
	CHECK(wrong == 0 && live == 0 && committed == 0);
	return check_done();
}
