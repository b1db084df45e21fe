/*
 * Runs the in-kernel tests, which the linker collected in .ktests, and prints TAP lines.
 */
#include "core/debug/ktest.h"

#include "core/debug/log.h"

extern struct ktest *const ktests_start[], *const ktests_end[];

void ktest_failed(struct ktest *self, const char *file, int line, const char *what)
{
	self->failures++;
	log_err("# %s:%d: %s: check failed: %s", file, line, self->name, what);
}

int ktest_run_all(void)
{
	int failed = 0, n = 0;

	log_notice("1..%d", (int)(ktests_end - ktests_start));
	for (struct ktest *const *t = ktests_start; t < ktests_end; t++) {
		(*t)->run(*t);
		/* A test without checks proves nothing. */
		if (!(*t)->checks)
			(*t)->failures++;
		log_notice("%s %d - %s", (*t)->failures ? "not ok" : "ok", ++n, (*t)->name);
		failed += (*t)->failures != 0;
	}
	log_notice("# ktest: %d passed, %d failed", n - failed, failed);
	return failed;
}
