/*
 * In-kernel tests, run at boot when the command line says ktest=1 and printed as TAP lines on the log.
 * A test is a function that returns through ktest_check(); it may sleep.
 */
#pragma once

#include "core/lib/types.h"

struct ktest {
	const char *name;
	void (*run)(struct ktest *self);
	int failures;
	int checks;
};

#define KTEST(fn)                                                                                  \
	static void fn(struct ktest *self);                                                        \
	static struct ktest ktest_entry_##fn = { .name = #fn, .run = fn };                         \
	static struct ktest *const ktest_ptr_##fn __section(".ktests") = &ktest_entry_##fn;        \
	static void fn(struct ktest *self)

void ktest_failed(struct ktest *self, const char *file, int line, const char *what);
#define ktest_check(cond)                                                                          \
	do {                                                                                       \
		self->checks++;                                                                    \
		if (!(cond))                                                                       \
			ktest_failed(self, __FILE__, __LINE__, #cond);                             \
	} while (0)

/* Runs all tests of the core; returns the number of failed ones. */
int ktest_run_all(void);
