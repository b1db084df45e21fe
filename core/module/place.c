/*
 * Placing a module: memory for its allocated sections, sorted by protection into three runs of whole pages, then relocation.
 *
 * Until module_protect the memory is writable and nothing is executable; afterwards text is RX, constants R, data RW.
 * Called under module_lock.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/arch/module.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/module/export.h"
#include "core/module/hooks.h"
#include "core/module/services.h"

enum { PART_TEXT, PART_RODATA, PART_DATA, PARTS };
static const unsigned int part_prot[PARTS] = { MMU_READ | MMU_EXEC, MMU_READ, MMU_READ | MMU_WRITE };

static int part_of(const Elf64_Shdr *s)
{
	if (!(s->sh_flags & SHF_ALLOC) || s->sh_type == SHT_NOTE)
		return -1;
	if (s->sh_flags & SHF_EXECINSTR)
		return PART_TEXT;
	return s->sh_flags & SHF_WRITE ? PART_DATA : PART_RODATA;
}

/* Offsets of all sections in their parts, sizes of the parts. addresses[] receives offset + 1; 0: not allocated. */
static int lay_out(struct module *m, const struct elf_image *e, uintptr_t *addresses, const char **why)
{
	for (unsigned int i = 0; i < e->section_count; i++) {
		const Elf64_Shdr *s = &e->sections[i];
		int part = part_of(s);
		size_t at;

		if (part < 0 || s->sh_type == SHT_NULL)
			continue;
		at = ALIGN_UP(m->part[part].size, MAX(s->sh_addralign, 1ul));
		addresses[i] = at + 1;
		m->part[part].size = at + s->sh_size;
		m->section_count++;
	}
	for (int p = 0; p < PARTS; p++) {
		m->part[p].size = ALIGN_UP(m->part[p].size, PAGE_SIZE);
		m->part[p].prot = part_prot[p];
		m->total_size += m->part[p].size;
	}
	if (m->total_size > (64ul << 20)) {
		*why = "module is too large";
		return -ENOEXEC;
	}
	return 0;
}

static int copy_sections(struct module *m, const struct elf_image *e, uintptr_t *addresses)
{
	char *memory = module_area_alloc(m->total_size);
	unsigned int n = 0;

	if (!memory)
		return -ENOMEM;
	for (int p = 0; p < PARTS; p++) {
		m->part[p].base = (uintptr_t)memory;
		memory += m->part[p].size;
	}
	m->sections = kmalloc_array(m->section_count + 1, sizeof(*m->sections), ALLOC_ZERO);
	if (!m->sections)
		return -ENOMEM;
	for (unsigned int i = 0; i < e->section_count; i++) {
		const Elf64_Shdr *s = &e->sections[i];

		if (!addresses[i])
			continue;
		addresses[i] += m->part[part_of(s)].base - 1;
		if (s->sh_type != SHT_NOBITS)
			memcpy((void *)addresses[i], e->base + s->sh_offset, s->sh_size);
		str_copy(m->sections[n].name, elf_section_name(e, i), sizeof(m->sections[n].name));
		m->sections[n].address = addresses[i];
		m->sections[n++].size = s->sh_size;
	}
	return 0;
}

static int symbol_value(struct module *m, const struct elf_image *e, const uintptr_t *addresses, const Elf64_Sym *y,
			uint64_t *out, const char **why)
{
	const char *name = elf_symbol_name(e, y);

	if (y->st_shndx == SHN_ABS) {
		*out = y->st_value;
	} else if (y->st_shndx != SHN_UNDEF) {
		if (!addresses[y->st_shndx]) {
			*why = "relocation refers to a section that is not loaded";
			return -ENOEXEC;
		}
		*out = addresses[y->st_shndx] + y->st_value;
	} else {
		const void *value = name[0] ? module_resolve(m, name) : NULL;

		if (!value && name[0] && ELF64_ST_BIND(y->st_info) != STB_WEAK) {
			module_complain("module %s: symbol %s is exported neither by the core nor "
					"by a module that it needs", m->name, name);
			*why = "undefined symbol";
			return -ENOENT;
		}
		*out = (uintptr_t)value;
	}
	return 0;
}

static int relocate(struct module *m, const struct elf_image *e, const uintptr_t *addresses, const char **why)
{
	for (unsigned int i = 0; i < e->section_count; i++) {
		const Elf64_Shdr *s = &e->sections[i];
		const Elf64_Rela *r;
		uintptr_t target;

		if (s->sh_type != SHT_RELA || !addresses[s->sh_info])
			continue;
		r = (const void *)(e->base + s->sh_offset);
		target = addresses[s->sh_info];
		if (e->sections[s->sh_info].sh_type == SHT_NOBITS) {
			*why = "relocation of a section without contents";
			return -ENOEXEC;
		}
		for (size_t n = s->sh_size / sizeof(*r); n; n--, r++) {
			uint64_t value;
			int error = symbol_value(m, e, addresses, &e->symbols[ELF64_R_SYM(r->r_info)], &value, why);

			if (error)
				return error;
			error = arch_module_relocate(ELF64_R_TYPE(r->r_info), (void *)(target + r->r_offset),
						     target + r->r_offset, e->sections[s->sh_info].sh_size - r->r_offset,
						     value, r->r_addend, why);
			if (error)
				return error;
		}
	}
	return 0;
}

static const struct module_section *section_named(const struct module *m, const char *name)
{
	for (unsigned int i = 0; i < m->section_count; i++)
		if (!strcmp(m->sections[i].name, name))
			return &m->sections[i];
	return NULL;
}

/* Do `count` objects of `size` bytes at p lie in the module? Nothing at null does. */
static bool inside(const struct module *m, const void *p, size_t count, size_t size)
{
	uintptr_t at = (uintptr_t)p - m->part[0].base;

	return count == 0 || (at < m->total_size && count <= (m->total_size - at) / size);
}

static bool in_text(const struct module *m, const void *p)
{
	return !p || (uintptr_t)p - m->part[PART_TEXT].base < m->part[PART_TEXT].size;
}

static bool name_inside(const struct module *m, const char *name)
{
	return inside(m, name, 1, 1) && memchr(name, '\0', m->part[0].base + m->total_size - (uintptr_t)name);
}

/* What the descriptor points to must lie in the module before anybody follows it. */
static bool descriptor_ok(const struct module *m)
{
	const struct module_descriptor *d = m->descriptor;

	if (!name_inside(m, d->name) || !in_text(m, (const void *)d->init) || !in_text(m, (const void *)d->fini) ||
	    !in_text(m, (const void *)d->state_export) || !in_text(m, (const void *)d->state_import) ||
	    !in_text(m, (const void *)d->drop) || !in_text(m, (const void *)d->busy))
		return false;
	if (!inside(m, d->syscalls, d->syscall_count, sizeof(*d->syscalls)) ||
	    !inside(m, d->data_slots, d->data_slot_count, sizeof(*d->data_slots)) ||
	    !inside(m, d->params, d->param_count, sizeof(*d->params)) ||
	    !inside(m, d->hooks, d->hooks != NULL, sizeof(*d->hooks)) ||
	    !inside(m, d->services, d->services != NULL, sizeof(*d->services)))
		return false;
	for (unsigned int i = 0; i < d->syscall_count; i++)
		if (!in_text(m, (const void *)d->syscalls[i].call))
			return false;
	for (unsigned int i = 0; i < d->data_slot_count; i++)
		if (!inside(m, d->data_slots[i].slot, 1, sizeof(int)))
			return false;
	for (unsigned int i = 0; i < d->param_count; i++)
		if (!name_inside(m, d->params[i].name) || !inside(m, d->params[i].value, 1, 1))
			return false;
	return true;
}

static int find_descriptor(struct module *m, const char **why)
{
	const struct module_section *s = section_named(m, ".mortise.module");

	if (!s || s->size < sizeof(struct module_descriptor)) {
		*why = "no descriptor: not a module of this kernel";
		return -ENOEXEC;
	}
	m->descriptor = (const void *)s->address;
	if (s->address & (_Alignof(struct module_descriptor) - 1) || !descriptor_ok(m)) {
		*why = "descriptor points out of the module";
		return -ENOEXEC;
	}
	if (strcmp(m->descriptor->name, m->name)) {
		*why = "descriptor and modinfo disagree about the name";
		return -ENOEXEC;
	}
	s = section_named(m, "__ksymtab");
	if (s) {
		m->exports = (const void *)s->address;
		m->export_count = (unsigned int)(s->size / sizeof(struct ksymtab_entry));
	}
	return 0;
}

int module_place(struct module *m, const struct elf_image *e, const char **why)
{
	uintptr_t *addresses = kmalloc_array(e->section_count, sizeof(*addresses), ALLOC_ZERO);
	int error;

	if (!addresses)
		return -ENOMEM;
	error = lay_out(m, e, addresses, why);
	if (!error)
		error = copy_sections(m, e, addresses);
	if (!error)
		error = relocate(m, e, addresses, why);
	if (!error)
		error = find_descriptor(m, why);
	if (!error)
		error = module_collect_symbols(m, e, addresses);
	kfree(addresses);
	return error;
}

void module_unplace(struct module *m)
{
	kfree(m->sections);
	kvfree(m->symbols);
	kvfree(m->symbol_names);
	if (m->part[0].base)
		module_area_free((void *)m->part[0].base);
}

void module_protect(struct module *m)
{
	for (int p = 0; p < PARTS; p++)
		if (m->part[p].size)
			module_area_protect((void *)m->part[p].base, m->part[p].size, m->part[p].prot);
}
