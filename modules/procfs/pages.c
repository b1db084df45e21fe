/*
 * What of a process's memory is there: smaps, smaps_rollup, pagemap.
 */
#include <linux/capability.h>

#include "modules/procfs/internal.h"

#define PSS_SHIFT 12		/* shares of a page are kept with so many more bits */

struct sums {
	unsigned long rss, anonymous, referenced;		/* pages */
	unsigned long shared_clean, shared_dirty, private_clean, private_dirty;
	uint64_t pss;			/* bytes << PSS_SHIFT */
};

static void add_page(const struct page_view *v, void *arg)
{
	struct sums *s = arg;

	if (v->special)
		return;
	s->rss++;
	s->anonymous += v->anonymous;
	s->referenced += v->young;
	s->pss += (PAGE_SIZE << PSS_SHIFT) / v->mappings;
	if (v->mappings > 1)
		*(v->dirty ? &s->shared_dirty : &s->shared_clean) += 1;
	else
		*(v->dirty ? &s->private_dirty : &s->private_clean) += 1;
}

static unsigned long kib(unsigned long pages)
{
	return pages * (PAGE_SIZE / 1024);
}

static void show_sums(struct text_out *t, const struct sums *s)
{
	text_printf(t, "Rss:            %8lu kB\nPss:            %8lu kB\n", kib(s->rss),
		    (unsigned long)(s->pss >> (PSS_SHIFT + 10)));
	text_printf(t, "Shared_Clean:   %8lu kB\nShared_Dirty:   %8lu kB\n", kib(s->shared_clean), kib(s->shared_dirty));
	text_printf(t, "Private_Clean:  %8lu kB\nPrivate_Dirty:  %8lu kB\n", kib(s->private_clean), kib(s->private_dirty));
	text_printf(t, "Referenced:     %8lu kB\nAnonymous:      %8lu kB\n", kib(s->referenced), kib(s->anonymous));
	text_printf(t, "Swap:           %8u kB\nSwapPss:        %8u kB\n", 0u, 0u);
}

static void smaps_block(struct text_out *t, struct aspace *as, const struct region_copy *r, const char *path)
{
	struct sums s = { 0 };

	aspace_each_page(as, r->start, r->end, add_page, &s);
	proc_show_region(t, as, r, path);
	text_printf(t, "Size:           %8lu kB\nKernelPageSize: %8u kB\nMMUPageSize:    %8u kB\n",
		    (r->end - r->start) / 1024, 4u, 4u);
	show_sums(t, &s);
	text_printf(t, "Locked:         %8lu kB\n", r->flags & REGION_LOCKED ? kib(s.rss) : 0);
	text_printf(t, "VmFlags:%s%s%s%s%s%s\n", r->flags & REGION_READ ? " rd" : "", r->flags & REGION_WRITE ? " wr" : "",
		    r->flags & REGION_EXEC ? " ex" : "", r->flags & REGION_SHARED ? " sh" : "",
		    r->flags & REGION_GROWSDOWN ? " gd" : "", r->flags & REGION_LOCKED ? " lo" : "");
}

int proc_show_smaps(struct text_out *t, void *arg)
{
	return proc_each_region(arg, t, smaps_block);
}

int proc_show_smaps_rollup(struct text_out *t, void *arg)
{
	struct aspace *as = proc_aspace(arg);
	struct sums s = { 0 };

	if (!as)
		return -ESRCH;
	aspace_each_page(as, 0, USER_END, add_page, &s);
	text_printf(t, "%08lx-%08lx ---p 00000000 00:00 0                                  [rollup]\n", 0ul, as->stack_start);
	show_sums(t, &s);
	text_printf(t, "Locked:         %8lu kB\n", kib(as->locked_pages));
	aspace_put(as);
	return 0;
}

/* ---- pagemap: eight bytes a page ---- */

#define PAGEMAP_PRESENT   (1ull << 63)
#define PAGEMAP_FILE      (1ull << 61)	/* of a file, or of shared memory */
#define PAGEMAP_EXCLUSIVE (1ull << 56)
#define CHUNK 64u

struct chunk {
	uintptr_t start;
	bool frames;			/* who asks may know where pages lie */
	uint64_t entries[CHUNK];
};

static void put_entry(const struct page_view *v, void *arg)
{
	struct chunk *c = arg;

	c->entries[(v->va - c->start) >> PAGE_SHIFT] = PAGEMAP_PRESENT | (c->frames ? v->phys >> PAGE_SHIFT : 0) |
		(v->anonymous || v->special ? 0 : PAGEMAP_FILE) | (v->mappings == 1 && !v->special ? PAGEMAP_EXCLUSIVE : 0);
}

static int pagemap_open(struct inode *inode, struct file *f)
{
	struct proc_target *who = proc_target_of(inode);

	if (process_may_inspect(who->process))
		return -EACCES;
	f->private = proc_aspace(who);
	return 0;
}

static void pagemap_release(struct file *f)
{
	if (f->private)
		aspace_put(f->private);
}

static long pagemap_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct aspace *as = f->private;
	struct chunk c;
	long total = 0;

	(void)io_flags;
	if ((*pos | (int64_t)to->count) & 7)
		return -EINVAL;
	c.frames = service(authority)->capable(CAP_SYS_ADMIN);
	while (as && to->count && *pos < (int64_t)(USER_END >> PAGE_SHIFT << 3)) {
		size_t n = MIN(to->count >> 3, (size_t)CHUNK), got;

		n = MIN(n, (size_t)((USER_END >> PAGE_SHIFT) - ((uint64_t)*pos >> 3)));
		c.start = (uintptr_t)*pos >> 3 << PAGE_SHIFT;
		memset(c.entries, 0, n << 3);
		aspace_each_page(as, c.start, c.start + (n << PAGE_SHIFT), put_entry, &c);
		got = io_iter_write(to, c.entries, n << 3);
		*pos += (int64_t)got;
		total += (long)got;
		if (got < n << 3)
			return total ? total : -EFAULT;
	}
	return total;
}

const struct file_ops proc_pagemap_ops = {
	.open = pagemap_open, .release = pagemap_release, .read = pagemap_read, .seek = proc_memory_seek,
};
