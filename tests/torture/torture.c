/*
 * Thread torture, the long form: torture [seconds [threads [steps [seed]]]]. Prints a line a minute and its verdict last:
 * "torture: N rounds, free memory A kB before and B kB after" and exit status 0 if everything held.
 */
#include "rounds.h"

static long free_kilobytes(void)
{
	char line[100];
	long value = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemFree: %ld", &value) == 1)
			break;
	}
	if (f)
		fclose(f);
	return value;
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 60, threads = argc > 2 ? atoi(argv[2]) : 1000;
	int steps = argc > 3 ? atoi(argv[3]) : 30;
	unsigned int first_seed = argc > 4 ? (unsigned int)atoi(argv[4]) : 1, rounds = 0, total = 0;
	time_t end = time(NULL) + seconds;
	long before, after = 0;

	if (argc > 1 && !strcmp(argv[1], "noop"))
		return 0;
	/* What the kernel keeps for the next time is not lost: one minute comes before the comparison. */
	if (torture(threads, steps, seconds / 10, first_seed, &total))
		return 1;
	sleep(5);
	before = free_kilobytes();
	while (time(NULL) < end) {
		if (torture(threads, steps, (int)(end - time(NULL) < 60 ? end - time(NULL) : 60), first_seed + total, &rounds)) {
			printf("torture: failed with seed %u after %u rounds\n", first_seed + total, total);
			return 1;
		}
		total += rounds;
		printf("%u rounds, %ld kB free\n", total, free_kilobytes());
		fflush(stdout);
	}
	/* Kernel stacks are given back one after the other. */
	for (int i = 0; i < 60; i++) {
		sleep(1);
		after = free_kilobytes();
		if (before - after <= before / 100)
			break;
	}
	printf("torture: %u rounds, free memory %ld kB before and %ld kB after\n", total, before, after);
	return before - after > before / 100;
}
