/*
 * The static tables of ACPI: finding and checking them, for every port. Tables are mapped while
 * they are read, checked for length and checksum, and never trusted beyond that. There is no AML
 * interpreter. Boot CPU, once, no locks.
 */
#pragma once

#include "core/lib/types.h"

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], table[8];
	uint32_t oem_revision, creator, creator_revision;
} __packed;

/* How the port reads physical memory. map: null if it cannot. */
struct acpi_access {
	const void *(*map)(uint64_t phys, size_t size);
	void (*unmap)(const void *p, size_t size);
};

static inline uint32_t acpi_get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t acpi_get64(const uint8_t *p)
{
	return acpi_get32(p) | (uint64_t)acpi_get32(p + 4) << 32;
}

/* Do the bytes add up to 0? */
bool acpi_checksum_ok(const void *p, size_t n);
/* Maps a table whole; null, with a message if it is no table. */
const struct acpi_header *acpi_table_map(const struct acpi_access *a, uint64_t phys);
void acpi_table_unmap(const struct acpi_access *a, const struct acpi_header *h);
/* Calls fn for each table that the RSDP's list has. False: there is no list. */
bool acpi_walk(const struct acpi_access *a, uint64_t rsdp, void (*fn)(const struct acpi_header *h));
/* Calls fn for each whole structure of a MADT; its type is e[0], its length e[1]. */
void acpi_walk_madt(const struct acpi_header *h, void (*fn)(const uint8_t *e));
/*
 * Finds Name(_S5_, Package { a, b, ... }) in the AML [p, end) by its bytes: what to write to power
 * off. `b` is 0 if it is no integer.
 */
bool acpi_find_s5(const uint8_t *p, const uint8_t *end, uint8_t *a, uint8_t *b);
