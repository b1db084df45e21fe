/*
 * Calls that have no way to fail: whatever stands in the registers, they answer; and the descriptors, processes and times
 * they answer with are the right ones.
 */
// libc: gcc
// calls: getpid gettid getppid getpgrp getuid geteuid getgid getegid umask sync sched_yield alarm setfsgid exit exit_group pause
// errors: getpid gettid getppid getpgrp getuid geteuid getgid getegid umask sync sched_yield alarm setfsuid setfsgid exit exit_group pause
#include "include/proof.h"

#include <sys/fsuid.h>

#define GARBAGE 8l, -1l, 0xffff888000000000ul, 1l, -4096l, 77l

static void on_signal(int sig) { (void)sig; }

static void ids(void)
{
	GIVES(getpid(), getpid, GARBAGE);
	GIVES(getpid(), gettid, GARBAGE);
	GIVES(getppid(), getppid, GARBAGE);
	GIVES(getpgid(0), getpgrp, GARBAGE);
	GIVES(getuid(), getuid, GARBAGE);
	GIVES(geteuid(), geteuid, GARBAGE);
	GIVES(getgid(), getgid, GARBAGE);
	GIVES(getegid(), getegid, GARBAGE);
	GIVES(0, sync, GARBAGE);
	GIVES(0, sched_yield, GARBAGE);
	CHECK(getpid() != getppid());
}

/* Bits that are no permission are dropped; the old mask comes back. */
static void masks(void)
{
	umask(022);
	GIVES(022, umask, 0xfffff137);
	GIVES(0467, umask, 0);
	GIVES(0, umask, 022);
}

static void alarms(void)
{
	GIVES(0, alarm, 0xffffffff);
	CHECK(syscall(SYS_alarm, 100) > 1000000);
	CHECK(syscall(SYS_alarm, 0) >= 99);
	GIVES(0, alarm, 0);
}

/* What an ordinary user may not become stays what it was, and no errno says so. */
static void file_ids(void)
{
	GIVES(1000, setfsuid, 0);
	GIVES(1000, setfsuid, 1000);
	GIVES(1000, setfsgid, 0);
	GIVES(1000, setfsgid, -1);
	GIVES(1000, setfsgid, 1000);
}

/* Ends take whatever status they are given: eight bits of it are seen. */
static void ends(void)
{
	int status;

	if (fork() == 0)
		syscall(SYS_exit, 0xffffff05);
	wait(&status);
	CHECK_EQ(status, 5 << 8);
	if (fork() == 0)
		syscall(SYS_exit_group, 0x12345678l);
	wait(&status);
	CHECK_EQ(status, 0x78 << 8);
}

/* Only a signal with a handler ends a pause. */
static void pauses(void)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &a, NULL);
	ualarm(20000, 0);
	FAILS(EINTR, pause, GARBAGE);
}

int main(void)
{
	ids();
	masks();
	alarms();
	if (geteuid() == 0) {
		GIVES(0, setfsgid, 5);
		GIVES(5, setfsgid, 0);
		as_user(file_ids);
	}
	ends();
	pauses();
	return test_done();
}
