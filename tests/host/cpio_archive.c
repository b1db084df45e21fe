/* The reader of newc archives: good ones, several behind each other, and every kind of damage; nothing is read outside. */
// sources: core/boot/cpio.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/boot/cpio.h"

static char archive[8192];
static size_t used;
static int entries, reports;
static char last_name[300];
static size_t last_size;
static long sum;

static void add(const char *name, unsigned int mode, const void *data, size_t size)
{
	used += (size_t)sprintf(archive + used, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1u, mode, 0u, 0u, 1u,
				0u, (unsigned int)size, 0u, 0u, 0u, 0u, (unsigned int)strlen(name) + 1, 0u);
	memcpy(archive + used, name, strlen(name) + 1);
	used = (used + strlen(name) + 1 + 3) & ~3ul;
	memcpy(archive + used, data, size);
	used = (used + size + 3) & ~3ul;
}

static int count(const struct initrd_entry *e, void *arg)
{
	(void)arg;
	entries++;
	snprintf(last_name, sizeof(last_name), "%.*s", 200, e->name);
	last_size = e->size;
	for (size_t i = 0; i < e->size; i++)
		sum += ((const char *)e->data)[i];
	for (size_t i = 0; i < e->name_len; i++)
		sum += e->name[i];
	return 0;
}

static void report(void *arg, size_t offset, const char *what)
{
	(void)arg;
	(void)offset;
	reports += what != NULL;
}

/* Reads a copy of exactly that size. */
static void read_all(const void *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	entries = reports = 0;
	cpio_for_each(copy, size, count, NULL, report, NULL);
	free(copy);
}

static void standard(void)
{
	memset(archive, 0, sizeof(archive));
	used = 0;
	add("./a", 0100644, "hello", 5);
	add("/b/c", 0100755, "", 0);
	add("TRAILER!!!", 0, "", 0);
	used = (used + 511) & ~511ul;
	add("d", 0040755, "", 0);
	add("TRAILER!!!", 0, "", 0);
}

static int stop_at_first(const struct initrd_entry *e, void *arg)
{
	(void)e;
	(void)arg;
	return -7;
}

static void set_field(int index, const char *hex)
{
	memcpy(archive + 6 + 8 * index, hex, 8);
}

int main(void)
{
	unsigned int seed = 5;

	standard();
	read_all(archive, used);
	CHECK(entries == 3 && reports == 0);
	CHECK(!strcmp(last_name, "d") && last_size == 0);
	CHECK(cpio_for_each(archive, used, stop_at_first, NULL, report, NULL) == -7);
	for (size_t size = 0; size < used; size++)
		read_all(archive, size);
	read_all(archive, 60);
	CHECK(entries == 0 && reports == 1);
	standard();
	set_field(11, "ffffffff");
	read_all(archive, used);
	CHECK(entries == 0 && reports == 1);
	standard();
	set_field(11, "00000000");
	read_all(archive, used);
	CHECK(reports == 1);
	standard();
	set_field(6, "ffffffff");
	read_all(archive, used);
	CHECK(entries == 0 && reports == 1);
	standard();
	set_field(6, "0000zz00");
	read_all(archive, used);
	CHECK(reports == 1);
	standard();
	archive[110 + 3] = 'x';		/* the name's NUL */
	read_all(archive, used);
	CHECK(reports == 1);
	standard();
	archive[0] = 'x';
	read_all(archive, used);
	CHECK(entries == 0 && reports == 1);
	memset(archive, 0, 4096);
	read_all(archive, 4096);
	CHECK(entries == 0 && reports == 0);
	for (int n = 0; n < 200000; n++) {
		standard();
		for (int k = 1 + rand_r(&seed) % 3; k; k--)
			archive[rand_r(&seed) % used] = (char)(rand_r(&seed) % 2 ? "0123456789abcdefF\0x"[rand_r(&seed) % 19] : rand_r(&seed));
		read_all(archive, used);
	}
	CHECK(sum != 0);
	return check_done();
}
