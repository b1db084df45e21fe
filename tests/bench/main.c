/*
 * bench: the cost of single operations of the kernel that it runs on. As the first process it mounts what it needs, runs the groups
 * that the file /groups names (all if there is none), and switches the machine off.
 *
 * A measure that fails, or ends by a signal, prints "NAME -": it is never taken for a figure.
 */
#include "bench.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define BATCHES 7

static const struct {
	const char *name;
	const struct measure *list;
} groups[] = {
	{ "calls", calls }, { "files", files }, { "exchange", exchange }, { "processes", processes },
	{ "threads", threads }, { "memory", memory }, { "signals", signals },
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double value_of(const struct measure *m)
{
	double found[BATCHES];

	if (m->setup)
		m->setup();
	m->run(m->n / 4 + 1);	/* so that nothing is done for the first time */
	for (int i = 0; i < BATCHES; i++) {
		double start = now();

		m->run(m->n);
		found[i] = (now() - start) / (double)m->n;
	}
	qsort(found, BATCHES, sizeof(found[0]), by_value);
	return found[BATCHES / 2];
}

static void measure(const struct measure *m)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (mount("bench", PLACE, "tmpfs", 0, "") || chdir(PLACE))
			_exit(2);
		printf("%s %.1f\n", m->name, value_of(m));
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (status)
		printf("%s - (status 0x%x)\n", m->name, status);
	umount2(PLACE, MNT_DETACH);
}

static int wanted(const char *words, const char *name)
{
	return !*words || strstr(words, name) != NULL;
}

int main(void)
{
	char words[256] = "";
	FILE *f = fopen("/groups", "r");

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mkdir(PLACE, 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	if (f && !fgets(words, sizeof(words), f))
		words[0] = '\0';
	words[strcspn(words, "\n")] = '\0';
	printf("BENCH BEGIN\n");
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (const struct measure *m = groups[g].list; m->name && wanted(words, groups[g].name); m++)
			measure(m);
	printf("BENCH END\n");
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}
