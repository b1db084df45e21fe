/* Checks of the host tests: a failure prints where and goes on; the last statement of main is `return check_done();`. */
#pragma once

#include <stdio.h>

static int check_count, check_failures;

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		check_count++;                                                                     \
		if (!(cond)) {                                                                     \
			check_failures++;                                                          \
			printf("not ok %d - %s (%s:%d)\n", check_count, #cond, __FILE__, __LINE__); \
		}                                                                                  \
	} while (0)

static inline int check_done(void)
{
	if (check_failures == 0)
		printf("ok 1 - %d checks hold\n1..1\n", check_count);
	return check_failures ? 1 : 0;
}
