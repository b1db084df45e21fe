/*
 * The module loader's ELF parser over images of every damaged kind: it refuses with a reason, never reads outside (the address
 * sanitizer watches), and what it accepts holds its promises.
 */
// sources: core/module/elf.c
// timeout: 120
#include <errno.h>
#include <string.h>

#include "host.h"

#include "core/module/elf.h"

#define SIZE 4096

struct image {
	Elf64_Ehdr h;
	Elf64_Shdr s[7];
	char names[80];
	char info[64];
	Elf64_Sym symbols[3];
	Elf64_Rela relocations[2];
	char text[64];
};

static const char names[] = "\0.shstrtab\0.symtab\0.modinfo\0.text\0.rela.text\0f\0";

static void make(struct image *m)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->h.e_ident, ELFMAG, SELFMAG);
	m->h.e_ident[EI_CLASS] = ELFCLASS64;
	m->h.e_ident[EI_DATA] = ELFDATA2LSB;
	m->h.e_ident[EI_VERSION] = EV_CURRENT;
	m->h.e_type = ET_REL;
	m->h.e_machine = 62;
	m->h.e_version = EV_CURRENT;
	m->h.e_shoff = offsetof(struct image, s);
	m->h.e_shentsize = sizeof(Elf64_Shdr);
	m->h.e_shnum = 6;
	m->h.e_shstrndx = 1;
	memcpy(m->names, names, sizeof(names));
	strcpy(m->info, "name=x");
	strcpy(m->info + 7, "abi=1");
	m->s[1] = (Elf64_Shdr){ .sh_name = 1, .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct image, names), .sh_size = sizeof(names) };
	m->s[2] = (Elf64_Shdr){ .sh_name = 11, .sh_type = SHT_SYMTAB, .sh_offset = offsetof(struct image, symbols),
				.sh_size = sizeof(m->symbols), .sh_link = 1, .sh_entsize = sizeof(Elf64_Sym) };
	m->s[3] = (Elf64_Shdr){ .sh_name = 19, .sh_type = SHT_PROGBITS, .sh_offset = offsetof(struct image, info), .sh_size = 13 };
	m->s[4] = (Elf64_Shdr){ .sh_name = 28, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
				.sh_offset = offsetof(struct image, text), .sh_size = 64, .sh_addralign = 16 };
	m->s[5] = (Elf64_Shdr){ .sh_name = 34, .sh_type = SHT_RELA, .sh_offset = offsetof(struct image, relocations),
				.sh_size = sizeof(m->relocations), .sh_link = 2, .sh_info = 4, .sh_entsize = sizeof(Elf64_Rela) };
	m->symbols[1] = (Elf64_Sym){ .st_name = 45, .st_shndx = 4, .st_value = 8, .st_size = 8, .st_info = 2 };
	m->relocations[0] = (Elf64_Rela){ .r_offset = 4, .r_info = (1ul << 32) | 2 };
}

/* Parses a copy of exactly the given size, so that a read behind it is seen. */
static int parse(const struct image *m, size_t size, const char **why)
{
	void *copy = malloc(size ? size : 1);
	struct elf_image e;
	int error;

	memcpy(copy, m, size);
	error = elf_image_parse(copy, size, 62, &e, why);
	if (!error)
		for (unsigned int i = 0; i < e.symbol_count; i++) {
			size_t n = strlen(elf_symbol_name(&e, &e.symbols[i]));

			if (n > e.symbol_names_size)
				error = -1;
		}
	free(copy);
	return error;
}

#define REFUSED(change)                                                                            \
	do {                                                                                       \
		const char *why = NULL;                                                            \
		make(&m);                                                                          \
		change;                                                                            \
		CHECK(parse(&m, sizeof(m), &why) == -ENOEXEC && why && #change);                     \
	} while (0)

int main(void)
{
	static struct image m;
	const char *why = NULL;
	unsigned int seed = 1, accepted = 0;
	struct elf_image e;

	make(&m);
	CHECK((elf_image_parse(&m, sizeof(m), 62, &e, &why) == 0) && "a good image");
	CHECK((!strcmp(elf_modinfo(&e, "name", NULL), "x") && !strcmp(elf_modinfo(&e, "abi", NULL), "1")) && "its modinfo");
	CHECK((!elf_modinfo(&e, "nam", NULL) && !elf_modinfo(&e, "name", elf_modinfo(&e, "name", NULL))) && "no other keys");
	REFUSED(m.h.e_ident[0] = 'x');
	REFUSED(m.h.e_machine = 183);
	REFUSED(m.h.e_type = ET_EXEC);
	REFUSED(m.h.e_shoff = 1ul << 63);
	REFUSED(m.h.e_shoff = sizeof(m) - 8);
	REFUSED(m.h.e_shnum = 0);
	REFUSED(m.h.e_shnum = 60000);
	REFUSED(m.h.e_shstrndx = 6);
	REFUSED(m.s[1].sh_size = 10);
	REFUSED(m.s[1].sh_offset = ~0ul);
	REFUSED(m.s[4].sh_offset = ~0ul - 10);
	REFUSED(m.s[4].sh_flags |= SHF_WRITE);
	REFUSED(m.s[4].sh_addralign = 3);
	REFUSED(m.s[4].sh_addralign = 1ul << 40);
	REFUSED(m.s[4].sh_name = 100000);
	REFUSED(m.s[2].sh_entsize = 5);
	REFUSED(m.s[2].sh_link = 99);
	REFUSED(m.s[5].sh_info = 99);
	REFUSED(m.s[5].sh_link = 3);
	REFUSED(m.symbols[1].st_name = 100000);
	REFUSED(m.symbols[1].st_shndx = 77);
	REFUSED(m.symbols[1].st_shndx = SHN_COMMON);
	REFUSED(m.symbols[1].st_value = 1000);
	REFUSED(m.symbols[1].st_size = ~0ul);
	REFUSED(m.relocations[0].r_info = 50ul << 32);
	REFUSED(m.relocations[0].r_offset = 64);
	REFUSED(m.s[3].sh_size = 0);
	REFUSED(m.s[3].sh_name = 28);
	REFUSED(m.info[12] = 'x');
	REFUSED(m.s[4].sh_offset = m.s[3].sh_offset);
	REFUSED(m.s[4].sh_offset = 0);
	REFUSED(m.s[4].sh_offset = m.h.e_shoff + 64);
	for (size_t size = 0; size < sizeof(m); size++) {
		make(&m);
		if (parse(&m, size, &why) == 0)
			accepted++;
	}
	CHECK((accepted == 0) && "no truncated image");
	for (int n = 0; n < 300000; n++) {
		make(&m);
		for (int k = 1 + rand_r(&seed) % 3; k; k--) {
			size_t at = rand_r(&seed) % sizeof(m);

			((unsigned char *)&m)[at] = rand_r(&seed) % 3 ? (unsigned char)rand_r(&seed) : rand_r(&seed) % 2 ? 0 : 0xff;
		}
		accepted += parse(&m, sizeof(m), &why) == 0;
	}
	CHECK((accepted > 0) && "harmless changes are accepted, no other is read beyond");
	return check_done();
}
