/*
 * modctl: what insmod and rmmod cannot say to this kernel.
 *
 *	modctl load FILE [name=value ...]
 *	modctl replace FILE [name=value ...]     puts a new build in the place of the module while it is in use
 *	modctl unload [--drain] NAME             --drain: threads inside are made to leave
 *	modctl times                             how long callers waited in the newest replacements
 *
 * Exit status 0, or 1 with the reason on stderr; the log says more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "modules/linux/module_flags.h"

#define TIMES_FILE "/sys/kernel/module_gate_times"

static int fail(const char *what)
{
	fprintf(stderr, "modctl: %s: %s\n", what, strerror(errno));
	return 1;
}

static int load(const char *path, char **words, int flags)
{
	char params[4096] = "";
	size_t used = 0;
	int fd;

	for (; *words; words++) {
		int n = snprintf(params + used, sizeof(params) - used, "%s ", *words);

		if (n < 0 || (size_t)n >= sizeof(params) - used) {
			errno = E2BIG;
			return fail("parameters");
		}
		used += (size_t)n;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(path);
	if (syscall(SYS_finit_module, fd, params, flags))
		return fail(path);
	return 0;
}

static int unload(const char *name, int drain)
{
	if (syscall(SYS_delete_module, name, O_NONBLOCK | (drain ? O_TRUNC : 0)))
		return fail(name);
	return 0;
}

static int by_size(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

static int times(void)
{
	FILE *f = fopen(TIMES_FILE, "r");
	unsigned long ns[256];
	size_t n = 0;

	if (!f)
		return fail(TIMES_FILE);
	while (n < sizeof(ns) / sizeof(*ns) && fscanf(f, "%lu", &ns[n]) == 1)
		n++;
	fclose(f);
	if (!n) {
		puts("no replacement yet");
		return 0;
	}
	qsort(ns, n, sizeof(*ns), by_size);
	printf("gate shut: %zu times, median %lu us, worst %lu us\n", n, ns[n / 2] / 1000, ns[n - 1] / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "load"))
		return load(argv[2], argv + 3, 0);
	if (argc >= 3 && !strcmp(argv[1], "replace"))
		return load(argv[2], argv + 3, MODULE_INIT_REPLACE);
	if (argc == 3 && !strcmp(argv[1], "unload"))
		return unload(argv[2], 0);
	if (argc == 4 && !strcmp(argv[1], "unload") && !strcmp(argv[2], "--drain"))
		return unload(argv[3], 1);
	if (argc == 2 && !strcmp(argv[1], "times"))
		return times();
	fprintf(stderr, "usage: modctl load|replace FILE [name=value ...]\n       modctl unload [--drain] NAME\n       modctl times\n");
	return 1;
}
