/* Time and faults used: one's own, a thread's, those of children that were waited for. */
// libc: gcc
// calls: times getrusage wait4
#include "include/proof.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }
static double used(const struct rusage *r) { return seconds(r->ru_utime) + seconds(r->ru_stime); }

static double processor_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void burn(double want)
{
	double begun = processor_time();

	while (processor_time() - begun < want)
		;
}

int main(void)
{
	struct rusage self, children, thread, again, waited;
	struct tms t, u;
	long ticks = syscall(SYS_times, &t), faults;
	char *memory;
	int status;
	pid_t child;

	CHECK(ticks != -1);
	burn(0.1);
	GIVES(0, getrusage, RUSAGE_SELF, &self);
	GIVES(0, getrusage, RUSAGE_THREAD, &thread);
	CHECK(used(&self) >= 0.09 && used(&thread) >= 0.09);
	CHECK(syscall(SYS_times, &u) >= ticks && u.tms_utime + u.tms_stime > t.tms_utime + t.tms_stime);
	GIVES(0, getrusage, RUSAGE_CHILDREN, &children);
	CHECK(used(&children) == 0 && u.tms_cutime == 0);
	child = fork();
	if (child == 0) {
		if (fork() == 0) {
			burn(0.1);
			_exit(0);
		}
		wait(NULL);
		_exit(0);
	}
	GIVES(child, wait4, child, &status, 0, &waited);
	CHECK(used(&waited) >= 0.09);			/* the grandchild's, too */
	GIVES(0, getrusage, RUSAGE_CHILDREN, &children);
	CHECK(used(&children) >= 0.09);
	syscall(SYS_times, &u);
	CHECK(u.tms_cutime + u.tms_cstime >= 9);
	/* A child whose end nobody waits for leaves nothing. */
	signal(SIGCHLD, SIG_IGN);
	if (fork() == 0) {
		burn(0.1);
		_exit(0);
	}
	FAILS(ECHILD, wait4, -1, &status, 0, NULL);
	GIVES(0, getrusage, RUSAGE_CHILDREN, &again);
	CHECK(used(&again) == used(&children));
	getrusage(RUSAGE_SELF, &self);
	faults = self.ru_minflt;
	memory = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(memory, 4 << 20, MADV_NOHUGEPAGE);
	memset(memory, 1, 4 << 20);
	getrusage(RUSAGE_SELF, &self);
	CHECK(self.ru_minflt - faults >= 1024 / 16 && self.ru_maxrss >= 4096);
	/* No place to write them, but the ticks. */
	CHECK(syscall(SYS_times, NULL) >= ticks);
	return test_done();
}
