/* CPU time as getrusage, times, the clocks, wait4 and /proc tell it never gets less, while threads run, sleep and end. */
// libc: gcc
// flags: -pthread
// timeout: 60
// calls: getrusage times clock_gettime
#include "include/proof.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#define READERS 3
#define ROUNDS 1500
#define CPUS 64

static volatile int over;

static long long micros(struct timeval t)
{
	return t.tv_sec * 1000000ll + t.tv_usec;
}

static long long clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void *spin(void *unused)
{
	char byte;
	int fd = open("/dev/zero", O_RDONLY);

	while (!over)
		for (int i = 0; i < 200; i++)
			(void)!read(fd, &byte, 1);
	close(fd);
	return unused;
}

static void *nap(void *unused)
{
	struct timespec pause = { 0, 300000 };

	while (!over)
		nanosleep(&pause, NULL);
	return unused;
}

static void *short_life(void *unused)
{
	for (volatile int i = 0; i < 20000; i++)
		;
	return unused;
}

static void *births(void *unused)
{
	while (!over) {
		pthread_t t[3];

		usleep(500);
		for (int i = 0; i < 3; i++)
			if (pthread_create(&t[i], NULL, short_life, NULL))
				t[i] = 0;
		for (int i = 0; i < 3; i++)
			if (t[i])
				pthread_join(t[i], NULL);
	}
	return unused;
}

/* One reading of everything about the process: values that must not get less. */
enum { USER, SYSTEM, TICKS_USER, TICKS_SYSTEM, PROCESS, STAT_USER, STAT_SYSTEM, SCHED, VALUES };

static const char *const value_names[VALUES] = {
	"ru_utime", "ru_stime", "tms_utime", "tms_stime", "process clock", "utime of stat", "stime of stat", "schedstat",
};

static void of_stat(const char *path, long long *v)
{
	char text[1024], *at;
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = 0;
	at = strrchr(text, ')');
	if (at)
		sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &v[0], &v[1]);
}

static void take(long long *v, int files)
{
	struct rusage r;
	struct tms t;
	FILE *f;

	getrusage(RUSAGE_SELF, &r);
	v[USER] = micros(r.ru_utime);
	v[SYSTEM] = micros(r.ru_stime);
	times(&t);
	v[TICKS_USER] = t.tms_utime;
	v[TICKS_SYSTEM] = t.tms_stime;
	v[PROCESS] = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (!files)
		return;
	of_stat("/proc/self/stat", &v[STAT_USER]);
	f = fopen("/proc/thread-self/schedstat", "r");
	if (f) {
		if (fscanf(f, "%lld", &v[SCHED]) != 1)
			v[SCHED] = -1;
		fclose(f);
	}
}

static int less[VALUES], thread_less, both_less;

static void *watch(void *unused)
{
	long long before[VALUES] = { 0 }, now[VALUES] = { 0 }, thread = 0, user = 0, system = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct rusage r;
		long long t = clock_ns(CLOCK_THREAD_CPUTIME_ID);

		take(now, i % 16 == 0);
		for (int k = 0; k < VALUES; k++)
			if (now[k] < before[k])
				__atomic_add_fetch(&less[k], 1, __ATOMIC_RELAXED);
		memcpy(before, now, sizeof(before));
		getrusage(RUSAGE_THREAD, &r);
		if (micros(r.ru_utime) < user || micros(r.ru_stime) < system)
			__atomic_add_fetch(&both_less, 1, __ATOMIC_RELAXED);
		/* The parts are cut to microseconds, each. */
		if (t < thread || (micros(r.ru_utime) + micros(r.ru_stime) + 2) * 1000 < t)
			__atomic_add_fetch(&thread_less, 1, __ATOMIC_RELAXED);
		thread = t;
		user = micros(r.ru_utime);
		system = micros(r.ru_stime);
	}
	return unused;
}

/* Of the machine: every number of the cpu lines, and the idle time of uptime. */
static long long cpu_before[CPUS + 1][4], idle_before;
static int machine_less, sums_wrong, wild;

static void of_machine(int seen)
{
	long long sums[4] = { 0 }, first[4] = { 0 };
	double up = 0, idle = 0;
	char line[512];
	FILE *f = fopen("/proc/stat", "r");

	while (f && fgets(line, sizeof(line), f)) {
		long long v[4];
		int id = 0;

		if (strncmp(line, "cpu", 3))
			break;
		if (line[3] != ' ')
			id = atoi(line + 3);
		if (sscanf(strchr(line, ' '), "%lld %lld %lld %lld", &v[0], &v[1], &v[2], &v[3]) != 4)
			break;
		id = line[3] == ' ' ? CPUS : id;
		for (int k = 0; k < 4 && id <= CPUS; k++) {
			machine_less += v[k] < cpu_before[id][k];
			/* More than an hour of ticks in one step is no time that went by. */
			wild += seen && v[k] - cpu_before[id][k] > 360000;
			cpu_before[id][k] = v[k];
			if (id == CPUS)
				first[k] = v[k];
			else
				sums[k] += v[k];
		}
	}
	if (f)
		fclose(f);
	/* Each line is cut to ticks by itself, and Linux reads the sums before the single ones. */
	for (int k = 0; k < 4; k++)
		sums_wrong += first[k] + 200 < sums[k] || first[k] > sums[k] + 200;
	f = fopen("/proc/uptime", "r");
	if (f) {
		if (fscanf(f, "%lf %lf", &up, &idle) == 2)
			machine_less += (long long)(idle * 100 + 0.5) < idle_before;
		fclose(f);
	}
	idle_before = (long long)(idle * 100 + 0.5);
}

static void *watch_machine(void *unused)
{
	for (int i = 0; i < ROUNDS / 4; i++)
		of_machine(i);
	return unused;
}

/* What children used grows with each, by what wait4 says of it. */
static void of_children(void)
{
	long long before = 0;

	for (int i = 0; i < 30; i++) {
		struct rusage one, all;
		pid_t child = fork();

		if (child == 0) {
			for (volatile int k = 0; k < 300000; k++)
				;
			_exit(0);
		}
		if (wait4(child, NULL, 0, &one) != child || getrusage(RUSAGE_CHILDREN, &all))
			break;
		if (micros(all.ru_utime) + micros(all.ru_stime) < before + micros(one.ru_utime) + micros(one.ru_stime))
			break;
		before = micros(all.ru_utime) + micros(all.ru_stime);
		if (i == 29)
			CHECK(before > 0);
	}
	CHECK(before > 0);
}

int main(void)
{
	pthread_t work[4], readers[READERS + 1];

	pthread_create(&work[0], NULL, spin, NULL);
	pthread_create(&work[1], NULL, nap, NULL);
	pthread_create(&work[2], NULL, births, NULL);
	pthread_create(&work[3], NULL, nap, NULL);
	for (int i = 0; i < READERS; i++)
		pthread_create(&readers[i], NULL, watch, NULL);
	pthread_create(&readers[READERS], NULL, watch_machine, NULL);
	for (int i = 0; i <= READERS; i++)
		pthread_join(readers[i], NULL);
	over = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(work[i], NULL);
	for (int k = 0; k < VALUES; k++)
		test_result(less[k] == 0, value_names[k], __FILE__, __LINE__, less[k]);
	CHECK_EQ(thread_less, 0);
	CHECK_EQ(both_less, 0);
	CHECK_EQ(machine_less, 0);
	CHECK_EQ(wild, 0);
	CHECK_EQ(sums_wrong, 0);
	of_children();
	return test_done();
}
