/*
 * Locked memory, as /proc/self/status counts it.
 */
#pragma once

#include "proof.h"

/* KiB; -1: no such line. */
static long locked(void)
{
	char line[200];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmLck: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}
