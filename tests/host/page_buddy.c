/* The page allocator over a small memory: blocks are aligned and disjoint, buddies join again, the end of memory is an answer. */
// sources: core/mem/page.c core/lib/bits.c
#include <string.h>

#include "host.h"

#include "core/boot/boot.h"
#include "core/mem/page.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/sched/call.h"
#include "core/sync/mutex.h"

#define PAGES 4096
#define HELD 400

struct boot_info boot_info;
static uint64_t taken;
unsigned int harden;
static int drained, victims;

void log_printf(int level, const char *fmt, ...) { (void)level; (void)fmt; }
void might_sleep(void) { }
void kernel_stack_drain(void) { }
void slab_drain(void) { drained++; }
void cpu_call_each(const struct cpu_set *mask, void (*fn)(void *), void *arg) { (void)mask; fn(arg); }

static bool no_victim(void)
{
	victims++;
	return false;
}

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

/* Memory is out but for single pages that this CPU keeps at hand. */
static void give_back_before_failing(void)
{
	struct page *all[64], *pair;

	for (int i = 0; i < 64; i++)
		all[i] = page_alloc(0, ALLOC_ATOMIC);
	while (page_alloc(0, ALLOC_ATOMIC))
		;
	for (int i = 0; i < 64; i++)
		page_free(all[i], 0);
	CHECK(page_free_count() == 64);
	CHECK(!page_alloc(1, ALLOC_ATOMIC) && !page_alloc(1, ALLOC_TRY));
	CHECK(!page_alloc(1, 0) && drained == 0);	/* nobody has said what to do about it */
	page_out_of_memory = no_victim;
	CHECK(!page_alloc(1, ALLOC_ATOMIC) && !page_alloc(1, ALLOC_TRY) && drained == 0);
	CHECK(!page_alloc(1, 0) && drained == 1 && victims == 1);	/* the reserve is kept */
	pair = page_alloc(1, ALLOC_ATOMIC);
	CHECK(pair && page_free_count() == 62);
	CHECK(!page_alloc(4, 0) && drained == 2 && victims == 1);	/* not worth a victim */
}

int main(void)
{
	static unsigned char owner[PAGES];
	static struct { struct page *p; unsigned int order; } held[HELD];
	unsigned int seed = 4, wrong = 0;
	uint64_t start, left;

	host_memory = aligned_alloc(1 << 22, (size_t)PAGES << 12);
	memset(host_memory, 0, (size_t)PAGES << 12);
	boot_info.ranges[0] = (struct boot_range){ 0, (uint64_t)PAGES << 12, BOOT_RAM };
	boot_info.range_count = 1;
	host_cpu.online = true;
	page_start();
	start = page_free_count();
	CHECK(page_total() == PAGES - (taken >> 12));
	for (int n = 0; n < 200000; n++) {
		unsigned int i = rand_r(&seed) % HELD, order = rand_r(&seed) % 5;

		if (held[i].p) {
			uint64_t pfn = page_to_phys(held[i].p) >> 12;

			for (uint64_t k = 0; k < 1ul << held[i].order; k++)
				wrong += owner[pfn + k]-- != 1;
			page_free(held[i].p, held[i].order);
			held[i].p = NULL;
			continue;
		}
		held[i].p = page_alloc(order, rand_r(&seed) & 1 ? ALLOC_ATOMIC : 0);
		held[i].order = order;
		if (held[i].p) {
			uint64_t pfn = page_to_phys(held[i].p) >> 12;

			wrong += pfn & ((1ul << order) - 1);
			wrong += pfn < taken >> 12 || pfn + (1ul << order) > PAGES;
			for (uint64_t k = 0; k < 1ul << order; k++)
				wrong += owner[pfn + k]++ != 0;
		}
	}
	CHECK(wrong == 0);
	for (unsigned int i = 0; i < HELD; i++)
		if (held[i].p)
			page_free(held[i].p, held[i].order);
	CHECK(page_free_count() == start);
	page_drain();
	CHECK(page_free_count() == start && drained == 1);
	drained = 0;
	left = 0;
	while (page_alloc(PAGE_ORDER_MAX, ALLOC_ATOMIC))
		left++;
	CHECK(left == start >> PAGE_ORDER_MAX);	/* buddies have joined again */
	give_back_before_failing();
	return check_done();
}
