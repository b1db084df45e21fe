/*
 * Fuzz target: the module loader from the bytes of a file to a placed and relocated module, everything but running it. Memory of the
 * module is the host's, so that the address sanitizer sees each access outside of it.
 *
 * `lua5.4 build.lua fuzz [RUNS]` runs it over mutated modules; tests/fuzz/corpus holds what it once found, which the host tests replay.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sanitizer/asan_interface.h>

#include "core/mem/vmap.h"
#include "core/module/export.h"
#include "core/module/internal.h"
#include "core/module/trailer.h"

#define MACHINE   62			/* EM_X86_64 */
#define AREA_SIZE (66ul << 20)

struct module *modules[MODULES_MAX];
const struct ksymtab_entry ksymtab_start[1];
extern const struct ksymtab_entry ksymtab_end[1] __attribute__((alias("ksymtab_start")));

/* Every symbol is found, within reach of the module. */
const void *__wrap_module_resolve(const struct module *m, const char *name);
const void *__wrap_module_resolve(const struct module *m, const char *name)
{
	return strlen(name) > 60 ? NULL : (const void *)m->part[0].base;
}

void *kmalloc(size_t size, unsigned int flags) { return flags & ALLOC_ZERO ? calloc(1, size ? size : 1) : malloc(size ? size : 1); }
void *kmalloc_array(size_t n, size_t size, unsigned int flags) { return kmalloc(n * size, flags); }
void kfree(const void *p) { free((void *)p); }
void *kvmalloc(size_t size, unsigned int flags) { return kmalloc(size, flags); }
void kvfree(void *p) { free(p); }
/* Low memory, which 32-bit relocations reach; what is not given out is poisoned. */
static char *area;

void *module_area_alloc(size_t size)
{
	if (!area) {
		area = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		if (area == MAP_FAILED)
			abort();
		ASAN_POISON_MEMORY_REGION(area, AREA_SIZE);
	}
	if (size > AREA_SIZE - 2 * PAGE_SIZE)
		return NULL;
	ASAN_UNPOISON_MEMORY_REGION(area + PAGE_SIZE, size);
	memset(area + PAGE_SIZE, 0, size);
	return area + PAGE_SIZE;
}

void module_area_free(void *p)
{
	if (p)
		ASAN_POISON_MEMORY_REGION(area, AREA_SIZE);
}

void module_area_protect(void *p, size_t size, unsigned int prot) { (void)p; (void)size; (void)prot; }
size_t str_copy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src);

	if (size) {
		size_t copied = n < size ? n : size - 1;

		memcpy(dst, src, copied);
		dst[copied] = '\0';
	}
	return n;
}
int ed25519_verify(const unsigned char *signature, const unsigned char *message, size_t size, const unsigned char *key) { return 0; }
void log_printf(int level, const char *fmt, ...) { (void)level; (void)fmt; }
void module_complain(const char *fmt, ...) { (void)fmt; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = NULL, *name;
	struct elf_image e;
	struct module m;
	struct module_trailer t;
	void *image = aligned_alloc(8, (size + 7) & ~7ul ? (size + 7) & ~7ul : 8);
	/* An exact copy at the end of an aligned block: reads behind it are seen where the size is a multiple of 8. */

	memcpy(image, data, size);
	memset(&m, 0, sizeof(m));
	if (module_trailer_parse(image, size, &t, &why) == 0 && elf_image_parse(image, t.covered, MACHINE, &e, &why) == 0) {
		for (const char *v = NULL; (v = elf_modinfo(&e, "alias", v));)
			if (strlen(v) > size)
				abort();
		name = elf_modinfo(&e, "name", NULL);
		str_copy(m.name, name ? name : "?", sizeof(m.name));
		if (module_place(&m, &e, &why) && !why)
			why = "memory";
		module_unplace(&m);
	}
	free(image);
	return 0;
}

#ifdef REPLAY
/* Without the fuzzer: runs the files that are named. */
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		static uint8_t text[1 << 20];
		size_t n = f ? fread(text, 1, sizeof(text), f) : 0;

		if (f)
			fclose(f);
		LLVMFuzzerTestOneInput(text, n);
	}
	printf("%d files\n", argc - 1);
	return 0;
}
#endif
