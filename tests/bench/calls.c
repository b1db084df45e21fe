/* Calls that do next to nothing: what getting in and out costs. */
#include "bench.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

static int fd;
static char byte;

static void getppid_run(long n) { while (n--) syscall(SYS_getppid); }
static void getpid_run(long n) { while (n--) syscall(SYS_getpid); }
static void yield_run(long n) { while (n--) sched_yield(); }
static void dumpable_run(long n) { while (n--) prctl(PR_GET_DUMPABLE); }

static void clock_call_run(long n)
{
	struct timespec t;

	while (n--)
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
}

static void clock_library_run(long n)
{
	struct timespec t;

	while (n--)
		clock_gettime(CLOCK_MONOTONIC, &t);
}

static void zero_open(void) { NEED((fd = open("/dev/zero", O_RDONLY)) >= 0); }
static void read_run(long n) { while (n--) NEED(read(fd, &byte, 1) == 1); }
static void null_open(void) { NEED((fd = open("/dev/null", O_WRONLY)) >= 0); }
static void write_run(long n) { while (n--) NEED(write(fd, &byte, 1) == 1); }

static void fstat_run(long n)
{
	struct stat st;

	while (n--)
		NEED(fstat(fd, &st) == 0);
}

const struct measure calls[] = {
	{ "getppid", NULL, getppid_run, 20000 },
	{ "getpid", NULL, getpid_run, 20000 },
	{ "clock_gettime_call", NULL, clock_call_run, 20000 },
	{ "clock_gettime_vdso", NULL, clock_library_run, 20000 },
	{ "prctl_get_dumpable", NULL, dumpable_run, 20000 },
	{ "sched_yield_alone", NULL, yield_run, 10000 },
	{ "read_zero_1", zero_open, read_run, 10000 },
	{ "write_null_1", null_open, write_run, 10000 },
	{ "fstat", null_open, fstat_run, 10000 },
	{ 0 },
};
