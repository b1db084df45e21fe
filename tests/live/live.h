/*
 * What the programs of tests/live share: replacing a module, and the figures of the kernel about it.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "modules/linux/module_flags.h"

#define LIVE_DIR "/lib/modules/6.1.0-mortise/"
#ifndef SYS_rseq
#define SYS_rseq 334
#endif
#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129

static const char *const live_modules[4] = { "futex", "rseq", "posix_timers", "cred" };

/* finit_module of a path. 0, or -1 with errno. */
static inline long live_load(const char *path, const char *params, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;
	long r;

	if (fd < 0)
		return -1;
	r = syscall(SYS_finit_module, fd, params, flags);
	error = errno;
	close(fd);
	errno = error;
	return r;
}

static inline long live_replace(const char *name, const char *params)
{
	char path[128];

	snprintf(path, sizeof(path), LIVE_DIR "%s.ko", name);
	return live_load(path, params, MODULE_INIT_REPLACE);
}

static inline long live_free_pages(void)
{
	char line[128];
	long kib = -1;
	FILE *f;

	usleep(200000);		/* what RCU frees */
	f = fopen("/proc/sys/vm/drop_caches", "w");	/* what CPUs keep at hand */
	if (!f || fputs("3", f) < 0 || fclose(f))
		return -1;
	f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib / 4;
}

static long *live_times;
static int live_time_count;

/* Remembers for how long the gate was shut the last time. */
static inline void live_note_time(void)
{
	char text[64 * 24];
	int fd = open("/sys/kernel/module_gate_times", O_RDONLY | O_CLOEXEC);
	long n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *last;

	if (fd >= 0)
		close(fd);
	if (n <= 1)
		return;
	text[n - 1] = '\0';
	last = strrchr(text, '\n');
	if (live_time_count % 1024 == 0)
		live_times = realloc(live_times, (size_t)(live_time_count + 1024) * sizeof(long));
	live_times[live_time_count++] = atol(last ? last + 1 : text);
}

static int live_by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

static inline void live_print_times(void)
{
	if (!live_time_count)
		return;
	qsort(live_times, (size_t)live_time_count, sizeof(long), live_by_size);
	printf("# gate shut: median %ld us, 99%% %ld us, worst %ld us\n", live_times[live_time_count / 2] / 1000,
	       live_times[live_time_count * 99 / 100] / 1000, live_times[live_time_count - 1] / 1000);
}
