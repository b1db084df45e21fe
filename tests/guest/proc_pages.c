/* /proc/<pid>/pagemap and smaps tell which pages are there, and who shares them. */
#include "include/proof.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define PAGES 8
#define PRESENT   (1ull << 63)
#define FILE_PAGE (1ull << 61)
#define EXCLUSIVE (1ull << 56)

static long page;

static void pagemap(const void *p, uint64_t *e, size_t n)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);

	memset(e, 0xff, n * 8);
	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, e, n * 8, (off_t)((uintptr_t)p / (uintptr_t)page * 8)), (long)(n * 8));
	close(fd);
}

/* A figure of the mapping at p, in KiB. */
static long smaps(const void *p, const char *name)
{
	static char line[4096];
	FILE *f = fopen("/proc/self/smaps", "r");
	size_t length = strlen(name);
	bool inside = false;
	long value = -1;

	while (f && fgets(line, sizeof(line), f)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= (uintptr_t)p && (uintptr_t)p < end;
		else if (inside && !strncmp(line, name, length) && line[length] == ':')
			value = atol(line + length + 1);
	}
	if (f)
		fclose(f);
	return value;
}

static void test_figures(char *p)
{
	long k = page / 1024;

	CHECK_EQ(smaps(p, "Size"), PAGES * k);
	CHECK_EQ(smaps(p, "Rss"), 3 * k);
	CHECK_EQ(smaps(p, "Pss"), 3 * k);
	CHECK_EQ(smaps(p, "Private_Dirty"), 3 * k);
	CHECK_EQ(smaps(p, "Shared_Dirty"), 0);
	CHECK_EQ(smaps(p, "Anonymous"), 3 * k);
}

/* smaps_rollup: from the first address to the last; each figure is there in Linux's form, and the kinds make up the whole. */
static void test_rollup(void)
{
	static const char *const names[] = { "Rss", "Pss", "Pss_Anon", "Pss_File", "Pss_Shmem", "Shared_Clean", "Private_Dirty", "Referenced",
		"Anonymous", "LazyFree", "AnonHugePages", "Shared_Hugetlb", "Private_Hugetlb", "Swap", "Locked" };
	long value[sizeof(names) / sizeof(*names)];
	unsigned long first = 0, last = 0, start, end;
	char line[4096];
	FILE *f = fopen("/proc/self/maps", "r");

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && !strstr(line, "[vsyscall]")) {
			first = first ? first : start;
			last = end;
		}
	fclose(f);
	memset(value, 0xff, sizeof(value));
	f = fopen("/proc/self/smaps_rollup", "r");
	CHECK(f && fgets(line, sizeof(line), f));
	CHECK(!strcmp(line + 73, "[rollup]\n"));
	CHECK(sscanf(line, "%lx-%lx ---p 00000000 00:00 0", &start, &end) == 2 && start == first && end == last);
	while (fgets(line, sizeof(line), f))
		for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (!strncmp(line, names[i], strlen(names[i])) && line[strlen(names[i])] == ':' && !strcmp(line + 24, " kB\n"))
				value[i] = atol(line + 16);
	fclose(f);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
		test_result(value[i] >= 0, names[i], __FILE__, __LINE__, value[i]);
	CHECK(value[0] >= value[1] && value[1] >= value[2]);
	CHECK(labs(value[1] - value[2] - value[3] - value[4]) <= 2);	/* rounded each */
}

static void test_shared_by_fork(char *p)
{
	uint64_t e[PAGES];
	int go[2];
	pid_t child;
	char c;

	CHECK_EQ(pipe(go), 0);
	child = fork();
	if (!child) {
		close(go[1]);
		read(go[0], &c, 1);
		_exit(0);
	}
	CHECK_EQ(smaps(p, "Rss"), 3 * page / 1024);
	CHECK_EQ(smaps(p, "Shared_Dirty"), 3 * page / 1024);
	CHECK_EQ(smaps(p, "Private_Dirty"), 0);
	pagemap(p, e, PAGES);
	CHECK((e[1] & PRESENT) && !(e[1] & EXCLUSIVE));
	p[page]++;
	pagemap(p, e, PAGES);
	CHECK((e[1] & (PRESENT | EXCLUSIVE)) == (PRESENT | EXCLUSIVE));
	CHECK_EQ(smaps(p, "Shared_Dirty"), 2 * page / 1024);
	close(go[1]);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	close(go[0]);
}

int main(void)
{
	uint64_t e[PAGES];
	char *p, *shared;
	int fd;

	page = sysconf(_SC_PAGESIZE);
	/* Between others, so that nothing joins it. */
	p = mmap(NULL, (PAGES + 2) * (size_t)page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	p += page;
	CHECK_EQ(mprotect(p, PAGES * (size_t)page, PROT_READ | PROT_WRITE), 0);
	madvise(p, PAGES * (size_t)page, MADV_NOHUGEPAGE);
	p[page] = p[2 * page] = p[5 * page] = 1;
	pagemap(p, e, PAGES);
	for (int i = 0; i < PAGES; i++) {
		CHECK_EQ((e[i] & PRESENT) != 0, i == 1 || i == 2 || i == 5);
		CHECK_EQ((e[i] & FILE_PAGE) != 0, false);
		CHECK_EQ((e[i] & EXCLUSIVE) != 0, i == 1 || i == 2 || i == 5);
	}
	test_figures(p);
	test_rollup();
	test_shared_by_fork(p);
	shared = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared[0] = 1;
	pagemap(shared, e, 2);
	CHECK((e[0] & (PRESENT | FILE_PAGE)) == (PRESENT | FILE_PAGE) && !(e[1] & PRESENT));

	fd = open("/proc/self/pagemap", O_RDONLY);
	CHECK_ERRNO(pread(fd, e, 12, 0), EINVAL);
	CHECK_ERRNO(pread(fd, e, 8, 4), EINVAL);
	CHECK_EQ(pread(fd, e, 8, 0), 8);
	CHECK_EQ(e[0], 0);
	close(fd);
	return test_done();
}
