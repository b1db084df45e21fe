/*
 * Memory objects: looking pages up, filling missing ones, dropping and resizing.
 *
 * A fill runs without locks on a page nobody else sees; insertion rechecks size, limit and that nobody was quicker. Dropping takes the pages
 * out of the tree first and then out of all mappings, so that a fault in between finds a fresh page and nothing stale stays.
 *
 * Locking: see the header. regions_lock, then each mapping's pt_lock, then o->lock.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/module/export.h"

static uint64_t next_id;

void memobj_init(struct memobj *o, const struct memobj_ops *ops, uint64_t size)
{
	memset(o, 0, sizeof(*o));
	refcount_init(&o->refs, 1);
	o->ops = ops;
	o->size = size;
	o->id = __atomic_add_fetch(&next_id, 1, __ATOMIC_RELAXED);
	spin_init(&o->lock);
	mutex_init(&o->regions_lock);
	list_init(&o->regions);
}
KAPI(memobj_init);

static void release_anonymous(struct memobj *o)
{
	commit_release(DIV_UP(o->size, PAGE_SIZE));
	kfree(o);
}

static const struct memobj_ops anonymous_ops = { .release = release_anonymous };

struct memobj *memobj_create_anonymous(uint64_t size)
{
	struct memobj *o;

	if (!commit_charge(DIV_UP(size, PAGE_SIZE)))
		return NULL;
	o = kmalloc(sizeof(*o), 0);
	if (o)
		memobj_init(o, &anonymous_ops, size);
	else
		commit_release(DIV_UP(size, PAGE_SIZE));
	return o;
}
KAPI(memobj_create_anonymous);

/* Takes the pages [first, last) out of the tree and releases its references. */
static void remove_pages(struct memobj *o, uint64_t first, uint64_t last)
{
	uint64_t index = first;

	for (;;) {
		struct page *p = NULL;

		spin_lock(&o->lock);
		index = memobj_tree_next(o, index);
		if (index < last)
			p = memobj_tree_remove(o, index);
		spin_unlock(&o->lock);
		if (!p)
			return;
		page_put(p);
		index++;
	}
}

void memobj_put(struct memobj *o)
{
	if (!refcount_put(&o->refs))
		return;
	remove_pages(o, 0, UINT64_MAX);
	memobj_tree_free(o);
	o->ops->release(o);
}
KAPI(memobj_put);

struct page *memobj_lookup(struct memobj *o, uint64_t index)
{
	struct page *p;

	spin_lock(&o->lock);
	p = memobj_tree_get(o, index);
	if (p)
		page_get(p);
	spin_unlock(&o->lock);
	return p;
}
KAPI(memobj_lookup);

uint64_t memobj_next_page(struct memobj *o, uint64_t index)
{
	uint64_t found;

	spin_lock(&o->lock);
	found = memobj_tree_next(o, index);
	spin_unlock(&o->lock);
	return found;
}
KAPI(memobj_next_page);

/* Puts a filled page into the tree unless somebody was quicker; *p becomes the page that is there, with a reference. */
static int insert_page(struct memobj *o, uint64_t index, struct page **p)
{
	struct page *there;
	int error = 0;

	spin_lock(&o->lock);
	there = memobj_tree_get(o, index);
	if (there) {
		page_get(there);
	} else if (o->page_limit && o->pages >= o->page_limit) {
		error = -ENOSPC;
	} else {
		(*p)->kind = PAGE_OBJECT;
		error = memobj_tree_put(o, index, *p);
		if (!error)
			page_get(*p);
	}
	spin_unlock(&o->lock);
	if (there || error) {
		page_put(*p);
		*p = there;
	}
	return error;
}

int memobj_give(struct memobj *o, uint64_t index, struct page *page)
{
	int error = insert_page(o, index, &page);

	if (!error)
		page_put(page);		/* the tree has one of its own */
	return error;
}
KAPI(memobj_give);

/* As memobj_page, without the bound by size; `flags`: of a page that is made. */
static int page_at_flags(struct memobj *o, uint64_t index, unsigned short flags, struct page **out)
{
	struct page *p = memobj_lookup(o, index);
	int error;

	if (p) {
		/* Not mapped yet, so nobody else changes its flags. */
		if (unlikely(p->flags & PAGE_AHEAD))
			WRITE_ONCE(p->flags, p->flags & ~PAGE_AHEAD);
	} else {
		p = page_alloc(0, ALLOC_ZERO | ALLOC_USER);
		if (!p)
			return -ENOMEM;
		error = o->ops->fill ? o->ops->fill(o, index, p) : 0;
		if (error) {
			page_put(p);
			return error;
		}
		p->flags |= flags;
		error = insert_page(o, index, &p);
		if (error)
			return error;
	}
	*out = p;
	return 0;
}

static int page_at(struct memobj *o, uint64_t index, struct page **out)
{
	return page_at_flags(o, index, 0, out);
}

int memobj_page(struct memobj *o, uint64_t index, struct page **out)
{
	if (index >= DIV_UP(READ_ONCE(o->size), PAGE_SIZE))
		return -EFAULT;
	return page_at(o, index, out);
}
KAPI(memobj_page);

int memobj_page_beyond(struct memobj *o, uint64_t index, struct page **out)
{
	return page_at(o, index, out);
}
KAPI(memobj_page_beyond);

int memobj_take_ahead(struct memobj *o, uint64_t index)
{
	struct page *p;
	int error = page_at_flags(o, index, PAGE_AHEAD, &p);

	if (error)
		return error;
	error = (p->flags & PAGE_AHEAD) != 0;
	page_put(p);
	return error;
}
KAPI(memobj_take_ahead);

void memobj_drop_ahead(struct memobj *o, uint64_t first, uint64_t last)
{
	for (; first < last; first++) {
		struct page *p = memobj_lookup(o, first);
		bool ahead = p && (p->flags & PAGE_AHEAD);

		if (p)
			page_put(p);
		if (ahead)
			memobj_drop(o, first, first + 1, true);
	}
}
KAPI(memobj_drop_ahead);

void memobj_drop(struct memobj *o, uint64_t first, uint64_t last, bool keep_private)
{
	struct region *r;

	mutex_lock(&o->regions_lock);
	remove_pages(o, first, last);
	list_for_each(r, &o->regions, object_link) {
		uint64_t base = r->offset >> PAGE_SHIFT;
		uint64_t pages = (r->end - r->start) >> PAGE_SHIFT;
		uint64_t from = MAX(first, base), to = MIN(last, base + pages);

		if (from < to)
			zap_range(r->aspace, r, r->start + ((from - base) << PAGE_SHIFT),
				  r->start + ((to - base) << PAGE_SHIFT), keep_private);
	}
	mutex_unlock(&o->regions_lock);
}
KAPI(memobj_drop);

void memobj_resize(struct memobj *o, uint64_t size)
{
	uint64_t old = READ_ONCE(o->size);

	WRITE_ONCE(o->size, size);
	if (size >= old)
		return;
	full_barrier();		/* faults that still insert beyond are removed below; later ones see the size */
	if (size & PAGE_MASK) {
		struct page *p = memobj_lookup(o, size >> PAGE_SHIFT);

		if (p) {
			memset((char *)page_address(p) + (size & PAGE_MASK), 0, PAGE_SIZE - (size & PAGE_MASK));
			page_put(p);
		}
	}
	memobj_drop(o, DIV_UP(size, PAGE_SIZE), UINT64_MAX, false);
}
KAPI(memobj_resize);

int memobj_read(struct memobj *o, uint64_t offset, void *dst, size_t n)
{
	char *d = dst;

	while (n) {
		size_t in_page = offset & PAGE_MASK;
		size_t part = MIN(n, PAGE_SIZE - in_page);
		struct page *p;
		int error = page_at(o, offset >> PAGE_SHIFT, &p);

		if (error)
			return error;
		memcpy(d, (char *)page_address(p) + in_page, part);
		page_put(p);
		d += part;
		offset += part;
		n -= part;
	}
	return 0;
}
KAPI(memobj_read);

int memobj_write(struct memobj *o, uint64_t offset, const void *src, size_t n)
{
	const char *s = src;

	while (n) {
		size_t in_page = offset & PAGE_MASK;
		size_t part = MIN(n, PAGE_SIZE - in_page);
		struct page *p;
		int error = page_at(o, offset >> PAGE_SHIFT, &p);

		if (error)
			return error;
		memcpy((char *)page_address(p) + in_page, s, part);
		page_put(p);
		s += part;
		offset += part;
		n -= part;
	}
	return 0;
}
KAPI(memobj_write);
