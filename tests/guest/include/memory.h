/*
 * Free memory, for tests that take all of it and look whether it comes back.
 */
#pragma once

#include "proof.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#define MIB (1l << 20)

static long free_mib(void)
{
	struct sysinfo s;

	sysinfo(&s);
	return (long)(s.freeram / MIB * s.mem_unit);
}

/* Freed memory may come back a little later (RCU). */
static int comes_back(long before)
{
	for (int i = 0; i < 500 && free_mib() < before - 8; i++)
		usleep(10000);
	return free_mib() >= before - 8;
}
