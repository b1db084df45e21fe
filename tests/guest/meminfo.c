/* /proc/meminfo follows what memory is used for: private pages, files, their mappings, page tables. */
// linux: no (others use the build machine's memory meanwhile)
#include "include/proof.h"

#define MIB (1l << 20)

static long figure(const char *name)
{
	char line[200];
	size_t length = strlen(name);
	long value = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, length) && line[length] == ':')
			value = atol(line + length + 1);
	if (f)
		fclose(f);
	return value;
}

/* Within a tenth, for what else goes on. */
static int about(long got, long expected)
{
	return got > expected - expected / 10 && got < expected + expected / 10;
}

int main(void)
{
	long anonymous = figure("AnonPages"), tables = figure("PageTables"), cached, shared, mapped, free = figure("MemFree");
	char *p = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int fd;

	CHECK(about(figure("AnonPages") - anonymous, 16 * 1024));
	CHECK(figure("PageTables") - tables >= 32);	/* a table for each 2 MiB */
	CHECK(free - figure("MemFree") >= 15 * 1024);
	munmap(p, 16 * MIB);
	CHECK(figure("AnonPages") - anonymous < 1024);
	CHECK(figure("PageTables") - tables < 32);

	own_directory("meminfo");
	cached = figure("Cached");
	shared = figure("Shmem");
	fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	p = malloc(MIB);
	memset(p, 1, MIB);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(write(fd, p, MIB), MIB);
	CHECK(about(figure("Cached") - cached, 8 * 1024));
	CHECK(about(figure("Shmem") - shared, 8 * 1024));
	mapped = figure("Mapped");
	p = mmap(NULL, 8 * MIB, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	CHECK(about(figure("Mapped") - mapped, 8 * 1024));
	munmap(p, 8 * MIB);
	CHECK(figure("Mapped") - mapped < 1024);
	close(fd);
	unlink("file");
	CHECK(figure("Cached") - cached < 1024);
	proof_remove();
	return test_done();
}
