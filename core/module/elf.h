/*
 * Reader of relocatable ELF objects in memory: everything is bounded here, before the loader uses it. No allocation, no kernel state: host tests
 * and the fuzzer run it as it is.
 */
#pragma once

#include <linux/elf.h>

#include "core/lib/types.h"

#define MODULE_SECTIONS_MAX 512

struct elf_image {
	const char *base;
	size_t size;
	const Elf64_Shdr *sections;
	unsigned int section_count;
	const char *section_names;
	size_t section_names_size;
	const Elf64_Sym *symbols;
	unsigned int symbol_count;
	const char *symbol_names;
	size_t symbol_names_size;
	const char *modinfo;
	size_t modinfo_size;
};

/* Checks an image and describes it. 0, or -ENOEXEC with *why. The image must stay as long as the description is used. */
int elf_image_parse(const void *image, size_t size, unsigned int machine, struct elf_image *out, const char **why);
/* Name of a section or symbol of a checked image: always a terminated string within the image. */
const char *elf_section_name(const struct elf_image *e, unsigned int index);
const char *elf_symbol_name(const struct elf_image *e, const Elf64_Sym *s);
/* Value of `key=` in modinfo; null if there is none. `after`: the value that the former call returned, or null to begin. */
const char *elf_modinfo(const struct elf_image *e, const char *key, const char *after);
/* The same over any modinfo block, which ends with a NUL. */
const char *modinfo_value(const char *info, size_t size, const char *key, const char *after);
