/* The memory map of the start-up: overlapping reports in any order end up sorted and disjoint, the worse kind winning. */
// sources: core/boot/ranges.c
#include <string.h>

#include "host.h"

#include "core/boot/boot.h"

#define PAGES 64

static unsigned char released[PAGES];
static int complaints;

void log_printf(int level, const char *fmt, ...) { (void)level; (void)fmt; complaints++; }

void page_add_range(uint64_t start, uint64_t end)
{
	for (uint64_t p = start >> 12; p < end >> 12 && p < PAGES; p++)
		released[p]++;
}

static void random_maps(void)
{
	unsigned int seed = 9, wrong = 0;

	for (int round = 0; round < 3000; round++) {
		int model[PAGES];

		memset(model, -1, sizeof(model));
		boot_info.range_count = 0;
		for (int n = rand_r(&seed) % 20; n; n--) {
			unsigned int a = rand_r(&seed) % PAGES, b = rand_r(&seed) % PAGES, kind = rand_r(&seed) % 5;

			if (a > b) {
				unsigned int swap = a;

				a = b;
				b = swap;
			}
			if (!boot_add_range((uint64_t)a << 12, (uint64_t)b << 12, (enum boot_memory_kind)kind))
				wrong++;
			for (unsigned int p = a; p < b; p++)
				if (model[p] < (int)kind)
					model[p] = (int)kind;
		}
		for (unsigned int i = 0; i < boot_info.range_count; i++) {
			struct boot_range *r = &boot_info.ranges[i];

			wrong += r->start >= r->end;
			wrong += i && boot_info.ranges[i - 1].end > r->start;
			for (uint64_t p = r->start >> 12; p < r->end >> 12; p++) {
				wrong += model[p] != (int)r->kind;
				model[p] = -2;
			}
		}
		for (int p = 0; p < PAGES; p++)
			wrong += model[p] >= 0;
	}
	CHECK(wrong == 0);
}

static void allocation(void)
{
	uint64_t a, b;

	host_memory = calloc(PAGES, 4096);
	memset(released, 0, sizeof(released));
	boot_info.range_count = 0;
	boot_add_range(0, PAGES << 12, BOOT_RAM);
	boot_add_range(20 << 12, 24 << 12, BOOT_RESERVED);
	boot_reserve(40 << 12, 44 << 12);
	a = boot_alloc(8192, 0);
	b = boot_alloc(4096, 30 << 12);
	CHECK(a == (PAGES - 2) << 12);
	CHECK(b == 29 << 12);
	boot_release_ranges();
	for (uint64_t p = 0; p < PAGES; p++) {
		bool kept = p == 0 || (p >= 20 && p < 24) || (p >= 40 && p < 44) || p >= PAGES - 2 || p == 29;

		if (released[p] != !kept) {
			printf("# page %d released %d times\n", (int)p, released[p]);
			CHECK(!"a page is lost or given out twice");
		}
	}
	free(host_memory);
}

/* What a loader says of archives is believed only where memory can be. */
static void archives(void)
{
	unsigned int before = boot_info.archive_count;

	boot_add_archive(0x5000, 0);
	CHECK(boot_info.archive_count == before && !complaints);
	boot_add_archive(UINT64_MAX - 100, 200);
	boot_add_archive(0x5000, UINT64_MAX);
	CHECK(boot_info.archive_count == before && complaints == 2);
	for (unsigned int i = before; i <= BOOT_ARCHIVES_MAX; i++)
		boot_add_archive(0x5000, 100);
	CHECK(boot_info.archive_count == BOOT_ARCHIVES_MAX && complaints == 3);
}

int main(void)
{
	random_maps();
	allocation();
	archives();
	return check_done();
}
