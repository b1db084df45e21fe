/*
 * The memory map during boot: ranges as the loader reported them, what is in use, and the first allocations.
 *
 * boot_info.ranges stays as reported (sorted and made disjoint by boot_add_range: a worse kind wins). Reservations lie in a table of
 * their own. boot_alloc takes from the top of the lowest fitting gap and reserves what it takes. Boot CPU only, no locks.
 */
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page.h"

#define RESERVED_MAX 256

static struct { uint64_t start, end; } reserved[RESERVED_MAX];
static unsigned int reserved_count;

struct boot_info boot_info;

static bool insert_range(unsigned int at, uint64_t start, uint64_t end, enum boot_memory_kind kind)
{
	struct boot_range *r = boot_info.ranges;

	if (boot_info.range_count >= BOOT_RANGES_MAX)
		return false;
	memmove(&r[at + 1], &r[at], (boot_info.range_count - at) * sizeof(*r));
	r[at] = (struct boot_range){ start, end, kind };
	boot_info.range_count++;
	return true;
}

static void remove_range(unsigned int at)
{
	struct boot_range *r = boot_info.ranges;

	boot_info.range_count--;
	memmove(&r[at], &r[at + 1], (boot_info.range_count - at) * sizeof(*r));
}

/* Higher is worse. RAM is the best. */
bool boot_add_range(uint64_t start, uint64_t end, enum boot_memory_kind kind)
{
	struct boot_range *r = boot_info.ranges;
	unsigned int i = 0;
	bool ok = true;

	while (start < end) {
		while (i < boot_info.range_count && r[i].end <= start)
			i++;
		if (i == boot_info.range_count || r[i].start >= end)
			return insert_range(i, start, end, kind) && ok;
		if (r[i].start > start) {
			/* The part before the next known range. */
			ok &= insert_range(i, start, r[i].start, kind);
			start = r[i++].end;
			continue;
		}
		if (r[i].kind >= kind) {
			start = r[i].end;		/* known as bad or worse already */
			continue;
		}
		/* Cut the better range: its lower part, ours, its upper part. */
		struct boot_range old = r[i];

		remove_range(i);
		if (old.start < start)
			ok &= insert_range(i++, old.start, start, old.kind);
		ok &= insert_range(i++, start, end < old.end ? end : old.end, kind);
		if (end < old.end)
			ok &= insert_range(i, end, old.end, old.kind);
		start = end < old.end ? end : old.end;
	}
	return ok;
}

void boot_reserve(uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	/* Page tables come one after the other, downwards. */
	if (reserved_count && reserved[reserved_count - 1].start == end && !(start & PAGE_MASK)) {
		reserved[reserved_count - 1].start = start;
		return;
	}
	if (reserved_count == RESERVED_MAX)
		panic("boot: too many reserved ranges");
	reserved[reserved_count].start = ALIGN_DOWN(start, PAGE_SIZE);
	reserved[reserved_count].end = ALIGN_UP(end, PAGE_SIZE);
	reserved_count++;
}

void boot_add_archive(uint64_t phys, uint64_t size)
{
	struct boot_info *b = &boot_info;

	if (!size)
		return;
	if (size > KERNEL_DIRECT_SIZE || phys > KERNEL_DIRECT_SIZE - size) {
		log_warn("boot: no memory can be at %#lx, where %#lx bytes of an initrd are said to be",
			 (unsigned long)phys, (unsigned long)size);
		return;
	}
	if (b->archive_count == BOOT_ARCHIVES_MAX) {
		log_warn("boot: more than %u initial archives; one is left out", BOOT_ARCHIVES_MAX);
		return;
	}
	b->archives[b->archive_count++] = (struct boot_archive){ phys, size };
	boot_reserve(ALIGN_DOWN(phys, PAGE_SIZE), ALIGN_UP(phys + size, PAGE_SIZE));
}

/* The reservation that meets [start, end) and ends last; null if none. */
static bool conflict(uint64_t start, uint64_t end, uint64_t *reserved_start, uint64_t *reserved_end)
{
	for (unsigned int i = 0; i < reserved_count; i++)
		if (reserved[i].start < end && start < reserved[i].end) {
			*reserved_start = reserved[i].start;
			*reserved_end = reserved[i].end;
			return true;
		}
	return false;
}

uint64_t boot_alloc(size_t size, uint64_t limit)
{
	size = ALIGN_UP(size, PAGE_SIZE);
	for (unsigned int i = boot_info.range_count; i-- > 0;) {
		const struct boot_range *r = &boot_info.ranges[i];
		uint64_t low = MAX(ALIGN_UP(r->start, PAGE_SIZE), (uint64_t)PAGE_SIZE);
		uint64_t high = ALIGN_DOWN(r->end, PAGE_SIZE), cs, ce;

		if (r->kind != BOOT_RAM)
			continue;
		if (limit && high > limit)
			high = limit;
		while (high >= low + size) {
			if (!conflict(high - size, high, &cs, &ce)) {
				boot_reserve(high - size, high);
				memset(phys_to_virt(high - size), 0, size);
				return high - size;
			}
			high = cs;
		}
	}
	panic("boot: no room for %zu bytes of early memory", size);
}

/* Hands the part [start, end) out, leaving reservations. */
static void release(uint64_t start, uint64_t end)
{
	while (start < end) {
		uint64_t cs, ce, stop = end;

		/* The lowest reservation in the rest. */
		for (unsigned int i = 0; i < reserved_count; i++)
			if (reserved[i].end > start && reserved[i].start < stop)
				stop = MAX(reserved[i].start, start);
		if (start < stop)
			page_add_range(start, stop);
		start = stop;
		if (start >= end || !conflict(start, start + PAGE_SIZE, &cs, &ce))
			continue;
		start = ce;
	}
}

void boot_release_ranges(void)
{
	for (unsigned int i = 0; i < boot_info.range_count; i++) {
		const struct boot_range *r = &boot_info.ranges[i];

		if (r->kind == BOOT_RAM)
			release(MAX(ALIGN_UP(r->start, PAGE_SIZE), (uint64_t)PAGE_SIZE), ALIGN_DOWN(r->end, PAGE_SIZE));
	}
}
