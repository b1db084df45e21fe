/*
 * Checks of a relocatable ELF object (System V ABI, chapter 4). Afterwards every section lies within the image, section
 * contents do not overlap the headers' bounds, tables have whole entries, strings end, symbols refer to existing sections and lie
 * in them, and each relocation section names its target and the one symbol table.
 *
 * Pure logic over the image; no locks.
 */
#include "core/module/elf.h"

#include <asm/errno.h>

#include "core/lib/string.h"

static int refuse(const char **why, const char *what)
{
	*why = what;
	return -ENOEXEC;
}

static int check_header(const void *image, size_t size, unsigned int machine, const Elf64_Ehdr **out, const char **why)
{
	const Elf64_Ehdr *h = image;

	if (size < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG))
		return refuse(why, "not an ELF file");
	if ((uintptr_t)image & 7)
		return refuse(why, "image is not aligned");
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
	    h->e_ident[EI_VERSION] != EV_CURRENT || h->e_version != EV_CURRENT)
		return refuse(why, "not a 64-bit little-endian ELF file");
	if (h->e_machine != machine)
		return refuse(why, "for another machine");
	if (h->e_type != ET_REL)
		return refuse(why, "not a relocatable object");
	if (h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shnum == 0 || h->e_shnum > MODULE_SECTIONS_MAX)
		return refuse(why, "section headers are malformed");
	if (h->e_shoff & 7 || h->e_shoff > size || (size - h->e_shoff) / sizeof(Elf64_Shdr) < h->e_shnum)
		return refuse(why, "section headers lie outside of the file");
	if (h->e_shstrndx >= h->e_shnum)
		return refuse(why, "no section names");
	*out = h;
	return 0;
}

static bool string_table_ok(const struct elf_image *e, const Elf64_Shdr *s)
{
	return s->sh_type == SHT_STRTAB && s->sh_size && e->base[s->sh_offset + s->sh_size - 1] == '\0';
}

static int check_section(const struct elf_image *e, unsigned int i, const char **why)
{
	const Elf64_Shdr *s = &e->sections[i];

	if (s->sh_type == SHT_NULL)
		return 0;
	if (s->sh_type != SHT_NOBITS && (s->sh_offset > e->size || s->sh_size > e->size - s->sh_offset))
		return refuse(why, "section lies outside of the file");
	if (s->sh_addralign & (s->sh_addralign - 1) || s->sh_addralign > PAGE_SIZE)
		return refuse(why, "section has an impossible alignment");
	if (s->sh_size > (64ul << 20))
		return refuse(why, "section is too large");
	if ((s->sh_flags & SHF_WRITE) && (s->sh_flags & SHF_EXECINSTR))
		return refuse(why, "section is writable and executable");
	if ((s->sh_type == SHT_SYMTAB || s->sh_type == SHT_RELA) && (s->sh_offset & 7))
		return refuse(why, "table is not aligned");
	if (s->sh_type == SHT_REL)
		return refuse(why, "relocations without addends are not supported");
	return 0;
}

static int check_symbols(struct elf_image *e, unsigned int index, const char **why)
{
	const Elf64_Shdr *s = &e->sections[index], *names;

	if (e->symbols)
		return refuse(why, "more than one symbol table");
	if (s->sh_entsize != sizeof(Elf64_Sym) || s->sh_size % sizeof(Elf64_Sym) || s->sh_link >= e->section_count)
		return refuse(why, "symbol table is malformed");
	names = &e->sections[s->sh_link];
	if (!string_table_ok(e, names))
		return refuse(why, "symbol names do not end");
	e->symbols = (const void *)(e->base + s->sh_offset);
	e->symbol_count = (unsigned int)(s->sh_size / sizeof(Elf64_Sym));
	e->symbol_names = e->base + names->sh_offset;
	e->symbol_names_size = names->sh_size;
	for (unsigned int i = 0; i < e->symbol_count; i++) {
		const Elf64_Sym *y = &e->symbols[i];

		if (y->st_name >= names->sh_size)
			return refuse(why, "symbol has no name");
		if (y->st_shndx == SHN_UNDEF || y->st_shndx == SHN_ABS)
			continue;
		if (y->st_shndx >= e->section_count)
			return refuse(why, y->st_shndx == SHN_COMMON ? "common symbols are not supported" :
								       "symbol refers to no section");
		if (y->st_value > e->sections[y->st_shndx].sh_size ||
		    y->st_size > e->sections[y->st_shndx].sh_size - y->st_value)
			return refuse(why, "symbol lies outside of its section");
	}
	return 0;
}

static int check_relocations(const struct elf_image *e, unsigned int symtab, const char **why)
{
	for (unsigned int i = 0; i < e->section_count; i++) {
		const Elf64_Shdr *s = &e->sections[i];
		const Elf64_Rela *r;

		if (s->sh_type != SHT_RELA)
			continue;
		r = (const void *)(e->base + s->sh_offset);
		if (s->sh_entsize != sizeof(*r) || s->sh_size % sizeof(*r) || s->sh_info >= e->section_count ||
		    s->sh_link != symtab)
			return refuse(why, "relocation table is malformed");
		for (size_t n = s->sh_size / sizeof(*r); n; n--, r++) {
			if (ELF64_R_SYM(r->r_info) >= e->symbol_count)
				return refuse(why, "relocation refers to no symbol");
			if (r->r_offset >= e->sections[s->sh_info].sh_size)
				return refuse(why, "relocation lies outside of its section");
		}
	}
	return 0;
}

static bool has_contents(const Elf64_Shdr *s)
{
	return s->sh_type != SHT_NULL && s->sh_type != SHT_NOBITS && s->sh_size;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Contents of sections lie apart from one another, from the header and from the table of sections. All lie in the file. */
static int check_overlap(const struct elf_image *e, const Elf64_Ehdr *h, const char **why)
{
	for (unsigned int i = 0; i < e->section_count; i++) {
		const Elf64_Shdr *s = &e->sections[i];

		if (!has_contents(s))
			continue;
		if (s->sh_offset < sizeof(*h) ||
		    overlap(s->sh_offset, s->sh_size, h->e_shoff, h->e_shnum * sizeof(Elf64_Shdr)))
			return refuse(why, "section lies over the headers");
		for (unsigned int k = 0; k < i; k++)
			if (has_contents(&e->sections[k]) &&
			    overlap(s->sh_offset, s->sh_size, e->sections[k].sh_offset, e->sections[k].sh_size))
				return refuse(why, "sections overlap");
	}
	return 0;
}

static int find_tables(struct elf_image *e, const char **why)
{
	unsigned int symtab = 0;
	int error;

	for (unsigned int i = 0; i < e->section_count; i++) {
		const Elf64_Shdr *s = &e->sections[i];

		if (s->sh_name >= e->section_names_size)
			return refuse(why, "section has no name");
		if (s->sh_type == SHT_SYMTAB) {
			symtab = i;
			error = check_symbols(e, i, why);
			if (error)
				return error;
		}
		if (!strcmp(elf_section_name(e, i), ".modinfo") && s->sh_type == SHT_PROGBITS) {
			if (!s->sh_size || e->base[s->sh_offset + s->sh_size - 1])
				return refuse(why, "modinfo does not end");
			e->modinfo = e->base + s->sh_offset;
			e->modinfo_size = s->sh_size;
		}
	}
	if (!e->symbols)
		return refuse(why, "no symbol table");
	if (!e->modinfo)
		return refuse(why, "no modinfo: not a module");
	return check_relocations(e, symtab, why);
}

int elf_image_parse(const void *image, size_t size, unsigned int machine, struct elf_image *out, const char **why)
{
	const Elf64_Ehdr *h;
	int error = check_header(image, size, machine, &h, why);

	if (error)
		return error;
	memset(out, 0, sizeof(*out));
	out->base = image;
	out->size = size;
	out->sections = (const void *)(out->base + h->e_shoff);
	out->section_count = h->e_shnum;
	for (unsigned int i = 0; i < out->section_count; i++) {
		error = check_section(out, i, why);
		if (error)
			return error;
	}
	error = check_overlap(out, h, why);
	if (error)
		return error;
	if (!string_table_ok(out, &out->sections[h->e_shstrndx]))
		return refuse(why, "section names do not end");
	out->section_names = out->base + out->sections[h->e_shstrndx].sh_offset;
	out->section_names_size = out->sections[h->e_shstrndx].sh_size;
	return find_tables(out, why);
}

const char *elf_section_name(const struct elf_image *e, unsigned int index)
{
	return e->section_names + e->sections[index].sh_name;
}

const char *elf_symbol_name(const struct elf_image *e, const Elf64_Sym *s)
{
	return e->symbol_names + s->st_name;
}

const char *modinfo_value(const char *info, size_t size, const char *key, const char *after)
{
	const char *at = after ? after + strlen(after) + 1 : info, *end = info + size;
	size_t n = strlen(key);

	for (; at < end; at += strlen(at) + 1)
		if (!strncmp(at, key, n) && at[n] == '=')
			return at + n + 1;
	return NULL;
}

const char *elf_modinfo(const struct elf_image *e, const char *key, const char *after)
{
	return modinfo_value(e->modinfo, e->modinfo_size, key, after);
}
