/*
 * The static tables of ACPI: see acpi.h.
 */
#include "core/boot/acpi.h"

#include "core/debug/log.h"
#include "core/lib/string.h"

#define TABLE_MAX (4ul << 20)
#define TABLES_MAX 256u
#define RSDP_SIZE 36u
#define MADT_HEAD 44u

bool acpi_checksum_ok(const void *p, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)p)[i]);
	return sum == 0;
}

const struct acpi_header *acpi_table_map(const struct acpi_access *a, uint64_t phys)
{
	const struct acpi_header *h = phys ? a->map(phys, sizeof(*h)) : NULL;
	uint32_t length;

	if (!h)
		return NULL;
	length = h->length;
	a->unmap(h, sizeof(*h));
	if (length < sizeof(*h) || length > TABLE_MAX) {
		log_warn("acpi: table at %#lx has a length of %u", (unsigned long)phys, length);
		return NULL;
	}
	h = a->map(phys, length);
	if (h && !acpi_checksum_ok(h, length)) {
		log_warn("acpi: table %.4s at %#lx has a wrong checksum", h->signature,
			 (unsigned long)phys);
		a->unmap(h, length);
		return NULL;
	}
	return h;
}

void acpi_table_unmap(const struct acpi_access *a, const struct acpi_header *h)
{
	a->unmap(h, h->length);
}

/* The address of the list and the size of its entries: the XSDT if there is one, else the RSDT. */
static bool read_rsdp(const struct acpi_access *a, uint64_t phys, uint64_t *root,
		      unsigned int *size)
{
	const uint8_t *r = a->map(phys, RSDP_SIZE);
	bool ok;

	if (!r)
		return false;
	ok = memcmp(r, "RSD PTR ", 8) == 0 && acpi_checksum_ok(r, 20);
	if (ok) {
		bool extended = r[15] >= 2 && acpi_get32(r + 20) >= RSDP_SIZE &&
				acpi_checksum_ok(r, RSDP_SIZE) && acpi_get64(r + 24);

		*root = extended ? acpi_get64(r + 24) : acpi_get32(r + 16);
		*size = extended ? 8 : 4;
	}
	a->unmap(r, RSDP_SIZE);
	return ok && *root;
}

bool acpi_walk(const struct acpi_access *a, uint64_t rsdp, void (*fn)(const struct acpi_header *h))
{
	const struct acpi_header *list, *h;
	unsigned int size, count;
	uint64_t root;

	if (!rsdp || !read_rsdp(a, rsdp, &root, &size))
		return false;
	list = acpi_table_map(a, root);
	if (!list)
		return false;
	count = MIN((unsigned int)((list->length - sizeof(*list)) / size), TABLES_MAX);
	for (unsigned int i = 0; i < count; i++) {
		const uint8_t *e = (const uint8_t *)(list + 1) + (size_t)i * size;

		h = acpi_table_map(a, size == 8 ? acpi_get64(e) : acpi_get32(e));
		if (!h)
			continue;
		fn(h);
		acpi_table_unmap(a, h);
	}
	acpi_table_unmap(a, list);
	return true;
}

void acpi_walk_madt(const struct acpi_header *h, void (*fn)(const uint8_t *e))
{
	const uint8_t *p = (const uint8_t *)h, *end = p + h->length;

	if (h->length < MADT_HEAD)
		return;
	p += MADT_HEAD;
	for (const uint8_t *e = p; end - e >= 2 && e[1] >= 2 && e[1] <= end - e; e += e[1])
		fn(e);
}

/* An integer object of AML: 0 and 1 as opcodes, a byte, a word, of which the low byte counts. */
static bool aml_integer(const uint8_t **p, const uint8_t *end, uint8_t *out)
{
	const uint8_t *s = *p;
	ptrdiff_t need;

	if (s >= end)
		return false;
	need = s[0] <= 1 ? 1 : s[0] == 0x0a ? 2 : s[0] == 0x0b ? 3 : 0;
	if (!need || end - s < need)
		return false;
	*out = need == 1 ? s[0] : s[1];
	*p = s + need;
	return true;
}

/* In bytes: 08 [5c] "_S5_" 12 length count a b, the length of 1 to 4 bytes. */
bool acpi_find_s5(const uint8_t *p, const uint8_t *end, uint8_t *a, uint8_t *b)
{
	const uint8_t *first = p;

	for (; end - p >= 5; p++) {
		const uint8_t *s = p + 4;
		bool named = p - first >= 1 && p[-1] == 0x08;

		named = named || (p - first >= 2 && p[-1] == 0x5c && p[-2] == 0x08);
		if (!named || memcmp(p, "_S5_", 4) != 0 || *s++ != 0x12)
			continue;
		if (end - s < 1 || end - s < (*s >> 6) + 2)
			continue;
		s += (*s >> 6) + 2;		/* the length, the number of elements */
		if (!aml_integer(&s, end, a))
			continue;
		if (!aml_integer(&s, end, b))
			*b = 0;
		return true;
	}
	return false;
}
