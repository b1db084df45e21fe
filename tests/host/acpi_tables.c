/* ACPI's tables: the sleep type of power-off wherever and however it stands, and damaged lists. */
// sources: core/boot/acpi.c
#include <string.h>

#include "host.h"

#include "core/boot/acpi.h"

void log_printf(int level, const char *fmt, ...)
{
}

/* In a block of its own size, so that the sanitizer sees a byte read too many. */
static int finds(const char *bytes, size_t n, int want_a, int want_b)
{
	uint8_t *copy = malloc(n ? n : 1), a = 0xee, b = 0xee;
	bool found;

	memcpy(copy, bytes, n);
	found = acpi_find_s5(copy, copy + n, &a, &b);
	free(copy);
	if (want_a < 0)
		return !found;
	return found && a == want_a && b == want_b;
}
#define FINDS(text, a, b) CHECK(finds(text, sizeof(text) - 1, a, b))

static void power_off(void)
{
	FINDS("\x08_S5_\x12\x06\x04\x0a\x05\x0a\x07\x00\x00", 5, 7);
	FINDS("xx\x08\x5c_S5_\x12\x06\x04\x0a\x05\x0a\x07\x00\x00yyyy", 5, 7);
	/* The last object of the table, with the short forms of 0 and 1. */
	FINDS("\x08_S5_\x12\x06\x04\x00\x00\x00\x00", 0, 0);
	FINDS("\x08_S5_\x12\x04\x02\x01\x00", 1, 0);
	FINDS("\x08_S5_\x12\x04\x01\x01", 1, 0);
	FINDS("\x08_S5_\x12\x04\x02\x0a\x05\x01", 5, 1);
	FINDS("\x08_S5_\x12\x05\x02\x0b\x05\x00\x0a\x02", 5, 2);
	FINDS("\x08_S5_\x12\x05\x02\x0a\x05\x0a", 5, 0);	/* the second is cut off */
	FINDS("\x08_S5_\x12\x46\x00\x02\x0a\x05\x0a\x06", 5, 6);	/* a length of two bytes */
	FINDS("\x08_S4_\x12\x04\x02\x00\x00\x08_S5_\x12\x04\x02\x0a\x03\x00", 3, 0);
	/* Not it. */
	FINDS("", -1, 0);
	FINDS("_S5_\x12\x04\x02\x00\x00", -1, 0);
	FINDS("\x08_S5_", -1, 0);
	FINDS("\x08_S5_\x12", -1, 0);
	FINDS("\x08_S5_\x12\xc6", -1, 0);
	FINDS("\x08_S5_\x12\x04\x02", -1, 0);
	FINDS("\x08_S5_\x12\x04\x02\x0a", -1, 0);
	FINDS("\x08_S5_\x0a\x04\x02\x00\x00", -1, 0);
}

/* A little physical memory. */
static uint8_t memory[4096];
static unsigned int seen, mapped;

static const void *map(uint64_t phys, size_t size)
{
	if (phys >= sizeof(memory) || size > sizeof(memory) - phys)
		return NULL;
	mapped++;
	return memory + phys;
}

static void unmap(const void *p, size_t size)
{
	mapped--;
}

static const struct acpi_access all = { map, unmap };

static void seal(uint8_t *at, size_t n, unsigned int where)
{
	uint8_t sum = 0;

	at[where] = 0;
	for (size_t i = 0; i < n; i++)
		sum += at[i];
	at[where] = (uint8_t)-sum;
}

static void put32(unsigned int at, uint32_t v) { memcpy(memory + at, &v, 4); }

static void table(unsigned int at, const char *signature, uint32_t length)
{
	memcpy(memory + at, signature, 4);
	put32(at + 4, length);
	seal(memory + at, length, 9);
}

static void see(const struct acpi_header *h)
{
	seen = seen * 10 + (memcmp(h->signature, "APIC", 4) ? 1 : 2);
}

static unsigned int structures;

static void see_structure(const uint8_t *e)
{
	structures++;
}

static bool walk(void)
{
	seen = 0;
	return acpi_walk(&all, 64, see);
}

static void lists(void)
{
	memcpy(memory + 64, "RSD PTR ", 8);
	put32(64 + 16, 256);
	seal(memory + 64, 20, 8);
	put32(256 + 36, 512);
	put32(256 + 40, 1024);
	put32(256 + 44, 100000);		/* not there */
	table(256, "RSDT", 48);
	table(512, "XYZW", 40);
	memory[1024 + 44] = 0, memory[1024 + 45] = 8;
	memory[1024 + 52] = 9, memory[1024 + 53] = 200;	/* longer than the table */
	table(1024, "APIC", 60);
	CHECK(walk());
	CHECK((seen) == (12));
	CHECK((mapped) == (0));
	acpi_walk_madt((const void *)(memory + 1024), see_structure);
	CHECK((structures) == (1));
	memory[512 + 38] ^= 1;			/* a wrong checksum */
	CHECK(walk());
	CHECK((seen) == (2));
	put32(1024 + 4, 10);			/* shorter than its head */
	CHECK(walk());
	CHECK((seen) == (0));
	memory[64 + 16] ^= 1;
	CHECK(!walk());
	CHECK((mapped) == (0));
}

int main(void)
{
	power_off();
	lists();
	return check_done();
}
