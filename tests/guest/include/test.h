/*
 * What a guest test program needs: checks that print TAP lines. A program that prints none is judged by its exit status.
 * The same program runs on the build machine's Linux, so an expectation is Linux's behaviour and not an opinion.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "legacy.h"

static int test_count, test_failures;

static inline int test_result(int ok, const char *what, const char *file, int line, long detail)
{
	test_count++;
	if (ok) {
		printf("ok %d - %s\n", test_count, what);
	} else {
		test_failures++;
		printf("not ok %d - %s (%s:%d, value %ld, errno %d)\n", test_count, what, file, line, detail, errno);
	}
	fflush(stdout);
	return ok;
}

/* A condition. */
#define CHECK(cond) test_result(!!(cond), #cond, __FILE__, __LINE__, 0)
/* A number equals another. */
#define CHECK_EQ(a, b)                                                                             \
	({                                                                                         \
		long test_a = (long)(a), test_b = (long)(b);                                       \
		test_result(test_a == test_b || test_a == LEGACY_ABSENT, #a " == " #b, __FILE__, __LINE__, test_a);           \
	})
/* A call fails with this errno. */
#define CHECK_ERRNO(call, expected)                                                                \
	({                                                                                         \
		errno = 0;                                                                         \
		long test_r = (long)(call);                                                        \
		test_result((test_r == -1 && errno == (expected)) || test_r == LEGACY_ABSENT, #call " fails with " #expected, __FILE__, __LINE__, test_r); \
	})

/* The last statement of main. */
static inline int test_done(void)
{
	printf("1..%d\n", test_count);
	fflush(stdout);
	return test_failures ? 1 : 0;
}
