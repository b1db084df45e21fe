/*
 * What the tests of where threads run share: the time in seconds, and the processors of the calling thread.
 */
#pragma once

#include "proof.h"

#include <sched.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* On one of these two only; the same twice for one. */
static void run_on(int a, int b)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(a, &set);
	CPU_SET(b, &set);
	sched_setaffinity(0, sizeof(set), &set);
}
