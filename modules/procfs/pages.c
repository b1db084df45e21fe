/*
 * What of a process's memory is there: smaps, smaps_rollup, pagemap.
 */
#include <linux/capability.h>

#include "modules/procfs/internal.h"

#define PSS_SHIFT 12		/* shares of a page are kept with so many more bits */

struct sums {
	unsigned long rss, anonymous, referenced;		/* pages */
	unsigned long shared_clean, shared_dirty, private_clean, private_dirty;
	uint64_t pss, pss_anonymous, pss_dirty;	/* bytes << PSS_SHIFT */
};

static void add_page(const struct page_view *v, void *arg)
{
	struct sums *s = arg;
	uint64_t share = v->special ? 0 : (PAGE_SIZE << PSS_SHIFT) / v->mappings;

	if (v->special)
		return;
	s->rss++;
	s->anonymous += v->anonymous;
	s->referenced += v->young;
	s->pss += share;
	s->pss_anonymous += v->anonymous ? share : 0;
	s->pss_dirty += v->dirty ? share : 0;
	if (v->mappings > 1)
		*(v->dirty ? &s->shared_dirty : &s->shared_clean) += 1;
	else
		*(v->dirty ? &s->private_dirty : &s->private_clean) += 1;
}

static unsigned long kib(unsigned long pages)
{
	return pages * (PAGE_SIZE / 1024);
}

static unsigned long pss_kib(uint64_t pss)
{
	return (unsigned long)(pss >> (PSS_SHIFT + 10));
}

/* The lines of smaps, and those that only the sum of all has. Files lie in memory and count as shared memory, as in meminfo. */
static void show_sums(struct text_out *t, const struct sums *s, unsigned long locked, bool rollup)
{
	static const char *const absent[] = { "LazyFree", "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb",
					      "Private_Hugetlb", "Swap", "SwapPss" };
	const struct { const char *name; unsigned long kib; bool rollup; } lines[] = {
		{ "Rss", kib(s->rss), false }, { "Pss", pss_kib(s->pss), false }, { "Pss_Dirty", pss_kib(s->pss_dirty), false },
		{ "Pss_Anon", pss_kib(s->pss_anonymous), true }, { "Pss_File", 0, true },
		{ "Pss_Shmem", pss_kib(s->pss - s->pss_anonymous), true },
		{ "Shared_Clean", kib(s->shared_clean), false }, { "Shared_Dirty", kib(s->shared_dirty), false },
		{ "Private_Clean", kib(s->private_clean), false }, { "Private_Dirty", kib(s->private_dirty), false },
		{ "Referenced", kib(s->referenced), false }, { "Anonymous", kib(s->anonymous), false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++)
		if (!lines[i].rollup || rollup)
			text_printf(t, "%s:%*s%8lu kB\n", lines[i].name, (int)(15 - strlen(lines[i].name)), "", lines[i].kib);
	for (unsigned int i = 0; i < ARRAY_SIZE(absent); i++)
		text_printf(t, "%s:%*s%8u kB\n", absent[i], (int)(15 - strlen(absent[i])), "", 0u);
	text_printf(t, "Locked:         %8lu kB\n", locked);
}

static void smaps_block(struct text_out *t, struct aspace *as, const struct region_copy *r, const char *path)
{
	struct sums s = { 0 };

	aspace_each_page(as, r->start, r->end, add_page, &s);
	proc_show_region(t, as, r, path);
	text_printf(t, "Size:           %8lu kB\nKernelPageSize: %8u kB\nMMUPageSize:    %8u kB\n",
		    (r->end - r->start) / 1024, 4u, 4u);
	show_sums(t, &s, r->flags & REGION_LOCKED ? kib(s.rss) : 0, false);
	text_printf(t, "THPeligible:    %8u\n", 0u);
	text_printf(t, "VmFlags:%s%s%s%s%s%s\n", r->flags & REGION_READ ? " rd" : "", r->flags & REGION_WRITE ? " wr" : "",
		    r->flags & REGION_EXEC ? " ex" : "", r->flags & REGION_SHARED ? " sh" : "",
		    r->flags & REGION_GROWSDOWN ? " gd" : "", r->flags & REGION_LOCKED ? " lo" : "");
}

int proc_show_smaps(struct text_out *t, void *arg)
{
	return proc_each_region(arg, t, smaps_block);
}

/* The node of all pages is 0; a policy of the mapping's own is told by its mode (modules/linux/mempolicy.c keeps three bits of it). */
static void numa_line(struct text_out *t, struct aspace *as, const struct region_copy *r, const char *path)
{
	static const char *const modes[8] = { "default", "prefer:0", "bind:0", "interleave:0", "local", "prefer (many):0", "default", "default" };
	struct sums s = { 0 };
	bool none;

	aspace_each_page(as, r->start, r->end, add_page, &s);
	none = !s.rss;
	text_printf(t, "%08lx %s", r->start, modes[(r->flags & REGION_POLICY) >> REGION_POLICY_SHIFT & 7]);
	if (r->file) {
		text_printf(t, " file=");
		text_add_path(t, path);
	} else if (r->flags & REGION_STACK) {
		text_printf(t, " stack");
	} else if (r->label && !strcmp(r->label, "[heap]")) {
		text_printf(t, " heap");
	}
	if (s.anonymous)
		text_printf(t, " anon=%lu", s.anonymous);
	if (s.shared_dirty + s.private_dirty)
		text_printf(t, " dirty=%lu", s.shared_dirty + s.private_dirty);
	if (s.rss != s.anonymous)
		text_printf(t, " mapped=%lu", s.rss);
	if (!none)
		text_printf(t, " N0=%lu kernelpagesize_kB=%lu", s.rss, PAGE_SIZE / 1024);
	text_printf(t, "\n");
}

int proc_show_numa_maps(struct text_out *t, void *arg)
{
	return proc_each_region(arg, t, numa_line);
}

/* From the first mapped address to the last. */
static void bounds(struct aspace *as, uintptr_t *start, uintptr_t *end)
{
	struct region *r;

	*start = *end = 0;
	rwlock_read_lock(&as->lock);
	for (r = region_find(as, 0, true); r; r = region_next(as, r)) {
		if (!*end)
			*start = r->start;
		*end = r->end;
	}
	rwlock_read_unlock(&as->lock);
}

int proc_show_smaps_rollup(struct text_out *t, void *arg)
{
	struct proc_memory *m = arg;
	struct aspace *as = m->as;
	struct sums s = { 0 };
	uintptr_t start, end;
	char range[80];

	if (!as || !aspace_use(as))
		return -ESRCH;
	aspace_each_page(as, 0, USER_END, add_page, &s);
	bounds(as, &start, &end);
	snprintf(range, sizeof(range), "%08lx-%08lx ---p 00000000 00:00 0", start, end);
	text_printf(t, "%-73s[rollup]\n", range);
	show_sums(t, &s, kib(as->locked_pages), true);
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
	struct proc_memory *m;
	int error = proc_memory_open(proc_target_of(inode), &m);

	if (!error)
		f->private = m;
	return error;
}

static long pagemap_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct aspace *as = ((struct proc_memory *)f->private)->as;
	struct chunk c;
	long total = 0;

	(void)io_flags;
	if (!as || !aspace_use(as))
		return 0;
	if ((*pos | (int64_t)to->count) & 7) {
		aspace_put(as);
		return -EINVAL;
	}
	c.frames = service(authority)->capable(CAP_SYS_ADMIN);
	while (to->count && *pos < (int64_t)(USER_END >> PAGE_SHIFT << 3)) {
		size_t n = MIN(to->count >> 3, (size_t)CHUNK), got;

		n = MIN(n, (size_t)((USER_END >> PAGE_SHIFT) - ((uint64_t)*pos >> 3)));
		c.start = (uintptr_t)*pos >> 3 << PAGE_SHIFT;
		memset(c.entries, 0, n << 3);
		aspace_each_page(as, c.start, c.start + (n << PAGE_SHIFT), put_entry, &c);
		got = io_iter_write(to, c.entries, n << 3);
		*pos += (int64_t)got;
		total += (long)got;
		if (got < n << 3) {
			total = total ? total : -EFAULT;
			break;
		}
	}
	aspace_put(as);
	return total;
}

const struct file_ops proc_pagemap_ops = {
	.open = pagemap_open, .release = proc_memory_file_release, .read = pagemap_read, .seek = proc_memory_seek,
};
