/* set_tid_address: the word that a thread clears and wakes at its end; exit ends one thread, exit_group all. */
// libc: gcc
// calls: set_tid_address exit exit_group clone
#include "include/proof.h"

#include <linux/futex.h>
#include <stdint.h>

static volatile uint32_t word = 7, other = 9;
static char stack[65536] __attribute__((aligned(16)));

static int change(void *arg)
{
	(void)arg;
	/* Not the address that clone was given any more. */
	syscall(SYS_set_tid_address, &other);
	syscall(SYS_exit, 0);
	return 0;
}

static int end_all(void *arg)
{
	(void)arg;
	syscall(SYS_exit_group, 44);
	return 0;
}

static void wait_for(volatile uint32_t *w)
{
	uint32_t v;

	while ((v = *w) != 0)
		syscall(SYS_futex, w, FUTEX_WAIT, v, NULL, NULL, 0);
}

int main(void)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
	int status;

	GIVES(getpid(), set_tid_address, &word);
	CHECK(clone(change, stack + sizeof(stack), flags, NULL, NULL, NULL, &word) > 0);
	wait_for(&other);
	CHECK_EQ(other, 0);
	CHECK_EQ(word, 7);
	if (fork() == 0) {
		clone(end_all, stack + sizeof(stack), flags, NULL, NULL, NULL, &word);
		for (;;)
			pause();
	}
	wait(&status);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 44);
	return test_done();
}
