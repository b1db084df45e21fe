/* Names and contents of files, on tmpfs. */
#include "bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define BLOCK 65536
#define ENTRIES 1000

static char block[BLOCK];
static int fd;

static void one_file(void)
{
	NEED(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0);
	NEED((fd = open("a/b/file", O_RDWR | O_CREAT, 0644)) >= 0);
	memset(block, 1, sizeof(block));
	NEED(write(fd, block, BLOCK) == BLOCK);
}

static void open_run(long n)
{
	while (n--) {
		int f = open("a/b/file", O_RDONLY);

		NEED(f >= 0);
		close(f);
	}
}

static void stat_run(long n)
{
	struct stat st;

	while (n--)
		NEED(stat("a/b/file", &st) == 0);
}

static void stat_absent_run(long n)
{
	struct stat st;

	while (n--)
		NEED(stat("a/b/nothing", &st) == -1);
}

static void read_1_run(long n) { while (n--) NEED(pread(fd, block, 1, 100) == 1); }
static void read_64k_run(long n) { while (n--) NEED(pread(fd, block, BLOCK, 0) == BLOCK); }
static void write_64k_run(long n) { while (n--) NEED(pwrite(fd, block, BLOCK, 0) == BLOCK); }

static void create_run(long n)
{
	while (n--) {
		int f = open("new", O_WRONLY | O_CREAT | O_EXCL, 0644);

		NEED(f >= 0);
		close(f);
		NEED(unlink("new") == 0);
	}
}

static void many_entries(void)
{
	for (int i = 0; i < ENTRIES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "entry%d", i);
		NEED((fd = open(name, O_WRONLY | O_CREAT, 0644)) >= 0);
		close(fd);
	}
	NEED((fd = open(".", O_RDONLY | O_DIRECTORY)) >= 0);
}

static void list_run(long n)
{
	while (n--) {
		NEED(lseek(fd, 0, SEEK_SET) == 0);
		while (syscall(SYS_getdents64, fd, block, BLOCK) > 0)
			;
	}
}

const struct measure files[] = {
	{ "open_close", one_file, open_run, 4000 },
	{ "stat_depth_3", one_file, stat_run, 8000 },
	{ "stat_absent", one_file, stat_absent_run, 8000 },
	{ "read_file_1", one_file, read_1_run, 10000 },
	{ "read_file_64k", one_file, read_64k_run, 300 },
	{ "write_file_64k", one_file, write_64k_run, 300 },
	{ "create_unlink", one_file, create_run, 2000 },
	{ "list_1000_entries", many_entries, list_run, 20 },
	{ 0 },
};
