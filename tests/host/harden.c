/* What the allocators and the copies look at, provoked: each case ends in a panic that names it, and only that. */
// sources: core/mem/slab.c core/mem/kmalloc.c core/mem/page.c core/mem/harden.c core/lib/bits.c
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#include "core/boot/boot.h"
#include "core/mem/harden.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/sched/call.h"
#include "core/sync/mutex.h"

#define PAGES 2048

struct boot_info boot_info;
static uint64_t taken;
static const char *words = "";
const char kernel_image_start[1], kernel_text_end[1];

void log_printf(int level, const char *fmt, ...) { (void)level; (void)fmt; }
void might_sleep(void) { }
void kernel_stack_drain(void) { }
void cpu_call_each(const struct cpu_set *mask, void (*fn)(void *), void *arg) { (void)mask; fn(arg); }
void mutex_lock_slow(struct mutex *m) { (void)m; panic("mutex is taken"); }
void mutex_unlock_slow(struct mutex *m) { (void)m; }
const char *cmdline_value(const char *name) { return strstr(words, name) ? "1" : NULL; }
unsigned int arch_random(uint64_t *out) { *out = 0x123456789abcdef; return 64; }
void boot_release_ranges(void) { page_add_range(taken, (uint64_t)PAGES << 12); }

uint64_t boot_alloc(size_t size, uint64_t limit)
{
	uint64_t at = taken;

	(void)limit;
	taken += (size + 4095) & ~4095ul;
	return at;
}

static void freed_twice(void)
{
	char *p = kmalloc(64, 0);

	kfree(p);
	kfree(p);
}

static void freed_twice_in_between(void)
{
	char *p = kmalloc(64, 0), *q = kmalloc(64, 0);

	kfree(p);
	kfree(q);
	kfree(p);
}

static void written_after_free(void)
{
	char *p = kmalloc(200, 0);

	kfree(p);
	p[100] = 0;
	kmalloc(200, 0);
}

static void freed_within(void)
{
	kfree((char *)kmalloc(200, 0) + 64);
}

/* Every object of the slab goes back to it, through magazines that are too small for all. */
static void link_written(void)
{
	static void *all[600];

	for (int i = 0; i < 600; i++)
		all[i] = kmalloc(48, 0);
	for (int i = 0; i < 600; i++)
		kfree(all[i]);
	for (int i = 0; i < 600; i++)
		*(uintptr_t *)all[i] ^= 0x10000000;
	for (int i = 0; i < 600; i++)
		kmalloc(48, 0);
}

static void copy_over_an_end(void)
{
	harden_check_copy((char *)kmalloc(64, 0) + 32, 33);
}

static void copy_of_a_table(void)
{
	struct page *p = page_alloc(0, 0);

	p->kind = PAGE_TABLE;
	harden_check_copy(page_address(p), 8);
}

static void copy_over_a_page(void)
{
	struct page *p = page_alloc(1, 0);

	p->kind = PAGE_OBJECT;
	harden_check_copy((char *)page_address(p) + 4000, 97);
}

static void copy_of_a_null_pointer(void)
{
	harden_check_copy((void *)8, 8);
}

static void copies_that_are_right(void)
{
	struct page *p = page_alloc(3, 0);
	char *q = kmalloc(64, 0);

	harden_check_copy(q, 64);
	harden_check_copy(q + 63, 1);
	harden_check_copy(page_address(p), PAGE_SIZE << 3);
	harden_check_copy(NULL, 0);
}

/* What a start with these words and then fn print; empty if nothing ends it. */
static const char *outcome(const char *with, void (*fn)(void))
{
	static char text[256];
	int ends[2], status;
	ssize_t n = 0, more;

	if (pipe(ends))
		return "no pipe";
	if (fork() == 0) {
		dup2(ends[1], 2);
		close(ends[0]);
		words = with;
		harden_start();
		page_start();
		slab_start();
		fn();
		_exit(0);
	}
	close(ends[1]);
	while ((more = read(ends[0], text + n, sizeof(text) - 1 - (size_t)n)) > 0)
		n += more;
	close(ends[0]);
	wait(&status);
	text[n] = '\0';
	return text;
}

static void init_words(void)
{
	unsigned char *p, sum = 0;

	words = "init_on_free";
	harden_start();
	page_start();
	slab_start();
	p = kmalloc(512, 0);
	memset(p, 0xff, 512);
	kfree(p);
	for (int i = 8; i < 512; i++)
		sum |= p[i];
	CHECK(sum == 0);
	words = "init_on_alloc";
	harden_start();
	p = kmalloc(512, 0);
	memset(p, 0xff, 512);
	kfree(p);
	p = kmalloc(512, 0);
	for (int i = 0; i < 512; i++)
		sum |= p[i];
	CHECK(sum == 0);
}

int main(void)
{
	static const struct {
		const char *words;
		void (*fn)(void);
		const char *says;
	} cases[] = {
		{ "slab_debug", freed_twice, "freed twice" },
		{ "slab_debug", freed_twice_in_between, "freed twice" },
		{ "slab_debug", written_after_free, "written to at 100" },
		{ "slab_debug", freed_within, "within an object" },
		{ "", link_written, "link of free object" },
		{ "", copy_over_an_end, "beyond the end of an object" },
		{ "", copy_of_a_table, "no memory of data" },
		{ "", copy_over_a_page, "beyond the end of a page" },
		{ "", copy_of_a_null_pointer, "no memory of data" },
	};

	host_thread->stack_base = 1ul << 40;
	host_memory = aligned_alloc(1 << 22, (size_t)PAGES << 12);
	boot_info.range_count = 1;
	boot_info.ranges[0] = (struct boot_range){ 0, (uint64_t)PAGES << 12, BOOT_RAM };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = outcome(cases[i].words, cases[i].fn);

		if (!strstr(text, cases[i].says))
			printf("# case %zu: \"%s\"\n", i, text);
		CHECK(strstr(text, cases[i].says));
	}
	CHECK(!*outcome("slab_debug", copies_that_are_right));
	init_words();
	return check_done();
}
