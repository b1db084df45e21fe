/*
 * Replays tests/fuzz/corpus, and images with one byte wrong, through the loader's parser and placing: what the fuzz target runs.
 */
// sources: core/module/trailer.c core/module/elf.c core/module/place.c core/module/symbols.c arch/x86_64/module.c
// flags: -Wl,--wrap=module_resolve -fno-sanitize=alignment -Wno-all
// timeout: 120
#include "tests/fuzz/module.c"

#include <glob.h>

static int replay(const char *pattern, unsigned int changes)
{
	static uint8_t text[1 << 20];
	unsigned int seed = 7;
	size_t i;
	glob_t g;

	if (glob(pattern, 0, NULL, &g))
		return 0;
	for (i = 0; i < g.gl_pathc; i++) {
		FILE *f = fopen(g.gl_pathv[i], "rb");
		size_t n = f ? fread(text, 1, sizeof(text), f) : 0;

		if (f)
			fclose(f);
		LLVMFuzzerTestOneInput(text, n);
		for (unsigned int k = 0; n && k < changes; k++) {
			/* Mostly in the tables, which lie at the end. */
			size_t at = (unsigned int)rand_r(&seed) % n;
			uint8_t was;

			if (k % 2)
				at = n - 1 - at % (n < 4096 ? n : 4096);
			was = text[at];
			text[at] = (uint8_t)rand_r(&seed);
			LLVMFuzzerTestOneInput(text, n);
			text[at] = was;
		}
	}
	globfree(&g);
	return (int)i;
}

int main(void)
{
	/* The sanitizers judge: an access outside ends the program. */
	printf("ok 1 - %d files of the corpus\n", replay("tests/fuzz/corpus/*", 0));
	printf("ok 2 - %d modules with a byte wrong\n", replay("build/x86_64/modules/rseq.ko", 3000));
	printf("1..2\n");
	return 0;
}
