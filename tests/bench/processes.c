/* Making processes and ending them. */
#include "bench.h"

#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define MANY_PAGES 1024

extern char **environ;

static void fork_run(long n)
{
	while (n--) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		NEED(child > 0 && waitpid(child, NULL, 0) == child);
	}
}

static void exec_run(long n)
{
	char *words[] = { (char *)TINY, NULL };

	while (n--) {
		pid_t child = fork();

		if (child == 0) {
			execv(TINY, words);
			_exit(1);
		}
		NEED(child > 0 && waitpid(child, NULL, 0) == child);
	}
}

static void spawn_run(long n)
{
	char *words[] = { (char *)TINY, NULL };
	pid_t child;

	while (n--)
		NEED(posix_spawn(&child, TINY, NULL, NULL, words, environ) == 0 && waitpid(child, NULL, 0) == child);
}

static void many_pages(void)
{
	size_t size = MANY_PAGES * 4096ul;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED);
	madvise(p, size, MADV_NOHUGEPAGE);
	memset(p, 1, size);
}

const struct measure processes[] = {
	{ "fork_exit_wait", NULL, fork_run, 100 },
	{ "fork_exec_wait", NULL, exec_run, 60 },
	{ "spawn_wait", NULL, spawn_run, 60 },
	{ "fork_1024_pages", many_pages, fork_run, 40 },
	{ 0 },
};
