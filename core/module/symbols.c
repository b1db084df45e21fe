/*
 * Symbols of modules: what they may refer to (the core's exports and those of the modules they need), and function names for backtraces.
 *
 * A module's own tables do not change after it is loaded.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/module/export.h"

extern const struct ksymtab_entry ksymtab_start[], ksymtab_end[];

static const void *search(const struct ksymtab_entry *e, size_t count, const char *name)
{
	for (; count; count--, e++)
		if (!strcmp(e->name, name))
			return e->value;
	return NULL;
}

/* An index over the core's exports by hash of the name: open addressing, built at the first use under module_lock. */
#define INDEX_SIZE 4096
static uint16_t *index;

static uint32_t hash_name(const char *s)
{
	uint32_t h = 2166136261u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h;
}

static const void *search_core(const char *name)
{
	size_t count = (size_t)(ksymtab_end - ksymtab_start);

	if (!index && count < INDEX_SIZE / 2) {
		index = kzalloc(INDEX_SIZE * sizeof(*index), 0);
		for (size_t i = 0; index && i < count; i++) {
			uint32_t at = hash_name(ksymtab_start[i].name) % INDEX_SIZE;

			while (index[at])
				at = (at + 1) % INDEX_SIZE;
			index[at] = (uint16_t)(i + 1);
		}
	}
	if (!index)
		return search(ksymtab_start, count, name);
	for (uint32_t at = hash_name(name) % INDEX_SIZE; index[at]; at = (at + 1) % INDEX_SIZE)
		if (!strcmp(ksymtab_start[index[at] - 1].name, name))
			return ksymtab_start[index[at] - 1].value;
	return NULL;
}

const void *module_resolve(const struct module *m, const char *name)
{
	const void *value = search_core(name);

	for (unsigned int i = 0; !value && i < m->needs_count; i++)
		value = search(m->needs[i]->exports, m->needs[i]->export_count, name);
	return value;
}

static void sort_symbols(struct module_symbol *s, unsigned int count)
{
	for (unsigned int gap = count / 2; gap; gap /= 2)
		for (unsigned int i = gap; i < count; i++) {
			struct module_symbol x = s[i];
			unsigned int j = i;

			for (; j >= gap && s[j - gap].offset > x.offset; j -= gap)
				s[j] = s[j - gap];
			s[j] = x;
		}
}

static bool is_function(const Elf64_Sym *y)
{
	return ELF64_ST_TYPE(y->st_info) == STT_FUNC && y->st_shndx != SHN_UNDEF && y->st_shndx != SHN_ABS;
}

int module_collect_symbols(struct module *m, const struct elf_image *e, const uintptr_t *addresses)
{
	uint32_t names = 0;
	unsigned int count = 0;

	for (unsigned int i = 0; i < e->symbol_count; i++)
		if (is_function(&e->symbols[i]) && addresses[e->symbols[i].st_shndx]) {
			count++;
			names += (uint32_t)strlen(elf_symbol_name(e, &e->symbols[i])) + 1;
		}
	m->symbols = kvmalloc((count + 1) * sizeof(*m->symbols), 0);
	m->symbol_names = kvmalloc(names + 1, 0);
	if (!m->symbols || !m->symbol_names)
		return -ENOMEM;
	names = 0;
	for (unsigned int i = 0; i < e->symbol_count; i++) {
		const Elf64_Sym *y = &e->symbols[i];
		const char *name = elf_symbol_name(e, y);

		if (!is_function(y) || !addresses[y->st_shndx])
			continue;
		m->symbols[m->symbol_count++] = (struct module_symbol){
			.offset = (uint32_t)(addresses[y->st_shndx] + y->st_value - m->part[0].base),
			.size = (uint32_t)y->st_size, .name = names,
		};
		memcpy(m->symbol_names + names, name, strlen(name) + 1);
		names += (uint32_t)strlen(name) + 1;
	}
	sort_symbols(m->symbols, m->symbol_count);
	return 0;
}

bool module_symbol_find(const struct module *m, uintptr_t address, const char **name, uintptr_t *offset, uintptr_t *length)
{
	uintptr_t rel = address - m->part[0].base;
	unsigned int low = 0, high = m->symbol_count;

	if (!high || !m->symbols || rel < m->symbols[0].offset)
		return false;
	while (high - low > 1) {
		unsigned int mid = (low + high) / 2;

		if (m->symbols[mid].offset <= rel)
			low = mid;
		else
			high = mid;
	}
	*name = m->symbol_names + m->symbols[low].name;
	*offset = rel - m->symbols[low].offset;
	*length = m->symbols[low].size;
	return true;
}

struct module *module_of_address(uintptr_t address)
{
	if (address < MODULE_AREA_BASE || address >= MODULE_AREA_END)
		return NULL;
	for (unsigned int i = 0; i < MODULES_MAX; i++) {
		struct module *m = READ_ONCE(modules[i]);

		if (m && address >= m->part[0].base && address < m->part[0].base + m->part[0].size)
			return m;
	}
	return NULL;
}
