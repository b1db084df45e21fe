/* The reader of device trees: nodes, properties, addresses through buses, interrupts, and trees with every kind of damage. */
// sources: arch/aarch64/platform/fdt.c
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "arch/aarch64/platform/platform.h"

static unsigned char tree[4096] __attribute__((aligned(8)));
static uint32_t used, names_used;
static char names[512];

static void put32(uint32_t v)
{
	v = __builtin_bswap32(v);
	__builtin_memcpy(tree + used, &v, 4);
	used += 4;
}

static void begin(const char *name)
{
	put32(1);
	for (const char *c = name; ; c++) {
		tree[used++] = (unsigned char)*c;
		if (!*c)
			break;
	}
	while (used & 3)
		tree[used++] = 0;
}

static void property(const char *name, const void *data, uint32_t size)
{
	put32(3);
	put32(size);
	put32(names_used);
	__builtin_strcpy(names + names_used, name);
	names_used += (uint32_t)__builtin_strlen(name) + 1;
	__builtin_memcpy(tree + used, data, size);
	used += size;
	while (used & 3)
		tree[used++] = 0;
}

static void cells(const char *name, uint32_t count, const uint32_t *values)
{
	uint32_t swapped[16];

	for (uint32_t i = 0; i < count; i++)
		swapped[i] = __builtin_bswap32(values[i]);
	property(name, swapped, 4 * count);
}

#define CELLS(name, ...) cells(name, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, (uint32_t[]){ __VA_ARGS__ })

static uint32_t build(void)
{
	uint32_t structure = 40 + 32, end;

	__builtin_memset(tree, 0, sizeof(tree));
	names_used = 0;
	used = 40;
	for (uint32_t v = 0; v < 8; v++)
		put32((const uint32_t[]){ 0, 0x7000, 0, 0x1000, 0, 0, 0, 0 }[v]);
	begin("");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	begin("memory@40000000");
	property("device_type", "memory", 7);
	CELLS("reg", 0, 0x40000000, 0, 0x10000000, 1, 0, 2, 0);
	put32(2);
	begin("reserved-memory");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	property("ranges", "", 0);
	begin("secure@50000000");
	CELLS("reg", 0, 0x50000000, 0, 0x2000);
	put32(2);
	put32(2);
	put32(4);
	begin("soc");
	CELLS("#address-cells", 1);
	CELLS("#size-cells", 1);
	CELLS("ranges", 0x100000, 9, 0x200000, 0x10000);
	begin("serial@101000");
	property("compatible", "vendor,first\0arm,pl011\0arm,primecell", 37);
	CELLS("reg", 0x101000, 0x1000, 0x900000, 0x1000);
	CELLS("interrupts", 0, 1, 4, 1, 11, 1);
	put32(2);
	begin("serial@102000");
	property("compatible", "arm,pl011", 10);
	property("status", "disabled", 9);
	put32(2);
	put32(2);
	put32(2);
	put32(9);
	end = used;
	__builtin_memcpy(tree + used, names, names_used);
	used += names_used;
	end -= structure;
	structure = used;
	used = 0;
	for (uint32_t v = 0; v < 10; v++)
		put32((const uint32_t[]){ 0xd00dfeed, structure, 72, 72 + end, 40, 17, 16, 0, names_used, end }[v]);
	return structure;
}

static uint64_t reserved_sum;
static void reserve(uint64_t start, uint64_t end) { reserved_sum += start + end; }

/* Walks all of it by every function; returns the number of nodes. */
static unsigned int walk(void)
{
	struct fdt_node n = { 0 };
	unsigned int nodes = 0;

	while (fdt_next(&n)) {
		uint64_t address, size;
		uint32_t length;
		bool edge;

		nodes++;
		fdt_property(&n, "compatible", &length);
		fdt_compatible(&n, "arm,pl011");
		fdt_available(&n);
		for (unsigned int i = 0; i < 3; i++) {
			fdt_reg(&n, i, &address, &size);
			fdt_interrupt(&n, i, &edge);
		}
	}
	fdt_reserved(reserve);
	return nodes;
}

static void good(uint32_t size)
{
	struct fdt_node n;
	uint64_t address, length;
	bool edge;

	CHECK(fdt_start(tree, size) && fdt_size() == size);
	CHECK(walk() == 7);
	CHECK(fdt_find("arm,pl011", &n) && n.depth == 2);
	CHECK(fdt_reg(&n, 0, &address, &length) && address == 0x900201000 && length == 0x1000);
	CHECK(!fdt_reg(&n, 1, &address, &length));	/* no range passes it on */
	CHECK(!fdt_reg(&n, 2, &address, &length));
	CHECK(fdt_interrupt(&n, 0, &edge) == 33 && !edge);
	CHECK(fdt_interrupt(&n, 1, &edge) == 27 && edge);
	CHECK(fdt_interrupt(&n, 2, &edge) == -1);
	CHECK(fdt_compatible(&n, "vendor,first") && !fdt_compatible(&n, "pl011") && !fdt_compatible(&n, "arm"));
	CHECK(!fdt_find("arm,gic-v3", &n));
	n = (struct fdt_node){ 0 };
	CHECK(fdt_next(&n) && fdt_next(&n) && fdt_reg(&n, 1, &address, &length));
	CHECK(address == 1ull << 32 && length == 2ull << 32);
	reserved_sum = 0;
	fdt_reserved(reserve);
	CHECK(reserved_sum == 0x7000ull + 0x8000 + 0x50000000 + 0x50002000);
}

int main(void)
{
	uint32_t size = build();
	unsigned char *copy;

	good(size);
	/* Cut off anywhere, in memory of just that size: the sanitizer sees each access beyond it. */
	for (uint32_t n = 0; n < size; n++) {
		copy = malloc(n ? n : 1);
		__builtin_memcpy(copy, tree, n);
		if (n >= 40) {
			uint32_t swapped = __builtin_bswap32(n);

			__builtin_memcpy(copy + 4, &swapped, 4);
		}
		if (fdt_start(copy, n))
			walk();
		free(copy);
	}
	/* Damage of each byte, and at random. */
	copy = malloc(size);
	srand(1);
	for (uint32_t i = 0; i < 60000; i++) {
		__builtin_memcpy(copy, tree, size);
		if (i < size * 2)
			copy[i / 2] = i & 1 ? 0xff : (unsigned char)(copy[i / 2] + 1);
		else
			for (int k = 0; k < 4; k++)
				copy[(unsigned int)rand() % size] = (unsigned char)rand();
		if (fdt_start(copy, size))
			walk();
	}
	free(copy);
	CHECK(fdt_start(tree, size) && walk() == 7);
	return check_done();
}
