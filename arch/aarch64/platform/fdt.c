/*
 * aarch64: the flattened device tree (Devicetree Specification 0.4, chapter 5): a stream of tokens, read in place.
 *
 * Every step is checked against the end of the block, so that a damaged tree ends early and nothing else. One tree, taken into
 * use at boot; it is never changed, so readers need no lock.
 */
#include "platform.h"

#include "core/lib/string.h"

#define FDT_MAGIC 0xd00dfeedu
enum { TOKEN_BEGIN = 1, TOKEN_END, TOKEN_PROPERTY, TOKEN_NOP, TOKEN_FINISH = 9 };
#define DEPTH_MAX 8u

static const char *tree, *structure, *strings;
static uint32_t tree_size, structure_size, strings_size, reservations;

bool fdt_start(const void *blob, size_t max)
{
	const char *b = blob;
	uint32_t structure_at, strings_at;

	if (max < 40 || be32(b) != FDT_MAGIC || be32(b + 4) > max || be32(b + 4) < 40 || be32(b + 20) < 17)
		return false;
	tree_size = be32(b + 4);
	structure_at = be32(b + 8);
	strings_at = be32(b + 12);
	reservations = be32(b + 16);
	strings_size = be32(b + 32);
	structure_size = be32(b + 36);
	if (structure_at > tree_size || structure_size > tree_size - structure_at || strings_at > tree_size ||
	    strings_size > tree_size - strings_at || (structure_at & 3) || reservations > tree_size)
		return false;
	tree = b;
	structure = b + structure_at;
	strings = b + strings_at;
	return true;
}

uint32_t fdt_size(void)
{
	return tree ? tree_size : 0;
}

/* Text of the structure block that ends within it; null else. */
static const char *text_at(uint32_t at)
{
	if (at >= structure_size || strnlen(structure + at, structure_size - at) == structure_size - at)
		return NULL;
	return structure + at;
}

/* Reads the token at *at and moves behind it and its data. 0 at the end. */
static uint32_t next_token(uint32_t *at, uint32_t *data)
{
	uint32_t token, length;
	const char *name;

	if (!tree || *at > structure_size || structure_size - *at < 4)
		return 0;
	token = be32(structure + *at);
	*data = *at + 4;
	switch (token) {
	case TOKEN_BEGIN:
		name = text_at(*data);
		if (!name)
			return 0;
		*at = ALIGN_UP(*data + (uint32_t)strlen(name) + 1, 4u);
		return token;
	case TOKEN_PROPERTY:
		if (structure_size - *data < 8)
			return 0;
		length = be32(structure + *data);
		if (length > structure_size - *data - 8)
			return 0;
		*at = ALIGN_UP(*data + 8 + length, 4u);
		return token;
	case TOKEN_END:
	case TOKEN_NOP:
		*at = *data;
		return token;
	}
	return 0;
}

bool fdt_next(struct fdt_node *n)
{
	bool first = !n->name;
	uint32_t at = n->offset, data, token;
	int depth = first ? -1 : (int)n->depth;

	while ((token = next_token(&at, &data)) != 0) {
		if (token == TOKEN_END && --depth < 0)
			return false;
		if (token != TOKEN_BEGIN)
			continue;
		if (++depth >= (int)DEPTH_MAX)
			return false;
		n->depth = (unsigned int)depth;
		n->offset = at;
		n->name = structure + data;
		n->parents[depth] = at;
		return true;
	}
	return false;
}

static const void *property_at(uint32_t at, const char *name, uint32_t *length)
{
	uint32_t data, token;

	while ((token = next_token(&at, &data)) == TOKEN_PROPERTY || token == TOKEN_NOP) {
		uint32_t where;

		if (token == TOKEN_NOP)
			continue;
		where = be32(structure + data + 4);
		if (where >= strings_size || strnlen(strings + where, strings_size - where) == strings_size - where)
			continue;
		if (strcmp(strings + where, name))
			continue;
		if (length)
			*length = be32(structure + data);
		return structure + data + 8;
	}
	return NULL;
}

static uint32_t cell_at(uint32_t at, const char *name, uint32_t otherwise)
{
	uint32_t length;
	const void *p = property_at(at, name, &length);

	return p && length >= 4 ? be32(p) : otherwise;
}

const void *fdt_property(const struct fdt_node *n, const char *name, uint32_t *length)
{
	return property_at(n->offset, name, length);
}

uint32_t fdt_cell(const struct fdt_node *n, const char *name, uint32_t otherwise)
{
	return cell_at(n->offset, name, otherwise);
}

/* Is `word` one of the strings that stand one after the other in [list, list + length)? */
static bool list_has(const char *list, uint32_t length, const char *word)
{
	while (length) {
		size_t n = strnlen(list, length);

		if (n == length)
			return false;
		if (!strcmp(list, word))
			return true;
		list += n + 1;
		length -= (uint32_t)n + 1;
	}
	return false;
}

bool fdt_compatible(const struct fdt_node *n, const char *name)
{
	uint32_t length;
	const char *list = fdt_property(n, "compatible", &length);

	return list && list_has(list, length, name);
}

bool fdt_available(const struct fdt_node *n)
{
	uint32_t length;
	const char *status = fdt_property(n, "status", &length);

	return !status || list_has(status, length, "okay") || list_has(status, length, "ok");
}

static uint64_t read_cells(const char *p, uint32_t cells)
{
	uint64_t v = 0;

	while (cells--) {
		v = v << 32 | be32(p);
		p += 4;
	}
	return v;
}

/* One step up: an address on the bus `depth` as the bus above it sees it. False if the bus does not pass it on. */
static bool translate(const struct fdt_node *n, unsigned int depth, uint64_t *address)
{
	uint32_t at = n->parents[depth], length;
	uint32_t child = cell_at(at, "#address-cells", 2), size = cell_at(at, "#size-cells", 1);
	uint32_t parent = cell_at(n->parents[depth - 1], "#address-cells", 2), step = 4 * (child + parent + size);
	const char *p = property_at(at, "ranges", &length);

	if (!p || child > 3 || parent > 2 || size > 2)
		return false;
	if (!length)
		return true;
	for (; length >= step; length -= step, p += step) {
		uint64_t from = read_cells(p, child), to = read_cells(p + 4 * child, parent);
		uint64_t room = read_cells(p + 4 * (child + parent), size);

		if (*address >= from && *address - from < room) {
			*address = to + (*address - from);
			return true;
		}
	}
	return false;
}

bool fdt_reg(const struct fdt_node *n, unsigned int index, uint64_t *address, uint64_t *size)
{
	uint32_t above = n->depth ? n->parents[n->depth - 1] : n->offset, length;
	uint32_t a = cell_at(above, "#address-cells", 2), s = cell_at(above, "#size-cells", 1);
	const char *p = fdt_property(n, "reg", &length);

	if (!p || !a || a > 2 || s > 2 || length / (4 * (a + s)) <= index)
		return false;
	p += 4 * (a + s) * index;
	*address = read_cells(p, a);
	*size = read_cells(p + 4 * a, s);
	if (!s)
		return true;		/* not an address on a bus: a CPU */
	for (unsigned int depth = n->depth; depth-- > 1;)
		if (!translate(n, depth, address))
			return false;
	return true;
}

int fdt_interrupt(const struct fdt_node *n, unsigned int index, bool *edge)
{
	uint32_t length, kind, number;
	const char *p = fdt_property(n, "interrupts", &length);

	if (!p || length / 12 <= index)
		return -1;
	p += 12 * index;
	kind = be32(p);
	number = be32(p + 4);
	*edge = (be32(p + 8) & 3) != 0;
	if (kind == 0 && number < 988)
		return (int)number + 32;
	return kind == 1 && number < 16 ? (int)number + 16 : -1;
}

bool fdt_find(const char *compatible, struct fdt_node *n)
{
	memset(n, 0, sizeof(*n));
	while (fdt_next(n))
		if (fdt_compatible(n, compatible) && fdt_available(n))
			return true;
	return false;
}

void fdt_reserved(void (*fn)(uint64_t start, uint64_t end))
{
	struct fdt_node n = { 0 };
	bool inside = false;

	for (uint32_t at = reservations; tree && tree_size - at >= 16 && at <= tree_size; at += 16) {
		uint64_t start = be64(tree + at), size = be64(tree + at + 8);

		if (!size)
			break;
		if (start + size > start)
			fn(start, start + size);
	}
	while (fdt_next(&n)) {
		uint64_t start, size;

		if (n.depth <= 1)
			inside = n.depth == 1 && !strcmp(n.name, "reserved-memory");
		else if (inside && fdt_available(&n))
			for (unsigned int i = 0; fdt_reg(&n, i, &start, &size); i++)
				if (start + size > start)
					fn(start, start + size);
	}
}
