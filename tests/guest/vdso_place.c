/* The vDSO has an address of its own: its distance from the mappings beside it differs from run to run. */
// libc: gcc
// linux: no (newer versions put it beside the other mappings)
#include "include/test.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define RUNS 6

/* How far the vDSO is from where mmap puts things, in a fresh image of this program. */
static void report(void)
{
	char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	printf("%ld\n", (long)getauxval(AT_SYSINFO_EHDR) - (long)p);
}

static long distance(void)
{
	int ends[2], status;
	long value = 0;
	pid_t pid;

	if (pipe(ends))
		return 0;
	pid = fork();
	if (!pid) {
		dup2(ends[1], 1);
		execl("/proc/self/exe", "self", "report", NULL);
		_exit(9);
	}
	close(ends[1]);
	if (waitpid(pid, &status, 0) == pid && !status) {
		char text[64] = "";

		if (read(ends[0], text, sizeof(text) - 1) > 0)
			value = atol(text);
	}
	close(ends[0]);
	return value;
}

int main(int argc, char **argv)
{
	long seen[RUNS];
	int distinct = 0;

	if (argc > 1) {
		report();
		return 0;
	}
	for (int i = 0; i < RUNS; i++) {
		int known = 0;

		seen[i] = distance();
		CHECK(seen[i]);
		for (int k = 0; k < i; k++)
			known |= seen[k] == seen[i];
		distinct += !known;
	}
	/* Of 2^20 places. */
	CHECK(distinct >= 4);
	return test_done();
}
