/* prctl: attributes of a process and of a thread, set and read back, over fork and exec. */
// libc: gcc
// calls: prctl
#include "include/proof.h"

#include <stdint.h>
#include <sys/prctl.h>

static int number(int option)
{
	int n = -1;

	prctl(option, &n, 0, 0, 0);
	return n;
}

static int after_exec(void)
{
	char *args[] = { "self", "after", NULL };
	int status;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_NAME, "before");
		prctl(PR_SET_PDEATHSIG, SIGUSR1);
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
		prctl(PR_SET_TIMERSLACK, 77777, 0, 0, 0);
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
		execv("/proc/self/exe", args);
		_exit(127);
	}
	waitpid(child, &status, 0);
	return status;
}

/* What an exec keeps (the signal, the slack, no new privileges, the big pages) and what it does not (the name, dumpable, keeping capabilities). */
static int after(void)
{
	char name[16];

	prctl(PR_GET_NAME, name);
	return (number(PR_GET_PDEATHSIG) != SIGUSR1) | (prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) != 77777) << 1 |
	       (prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) != 1) << 2 | (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) << 3 |
	       (strcmp(name, "exe") && strcmp(name, "process_attribu")) << 4 | (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1) << 5 |
	       (prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) != 0) << 6;
}

static void of_child(void)
{
	char name[16];

	CHECK_EQ(number(PR_GET_PDEATHSIG), 0);
	CHECK_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
	CHECK_EQ(number(PR_GET_CHILD_SUBREAPER), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 12345);
	prctl(PR_GET_NAME, name);
	CHECK(!strcmp(name, "fifteen letters"));
}

static void set(void)
{
	char name[16];
	uintptr_t address = 1;

	CHECK_EQ(prctl(PR_SET_NAME, "fifteen letters and more"), 0);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK(!strcmp(name, "fifteen letters"));
	CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGTERM), 0);
	CHECK_EQ(number(PR_GET_PDEATHSIG), SIGTERM);
	CHECK_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	CHECK_EQ(number(PR_GET_CHILD_SUBREAPER), 1);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 50000);
	CHECK_EQ(prctl(PR_SET_TIMERSLACK, 12345, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 12345);
	in_child(of_child);
	CHECK_EQ(prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 50000);
	CHECK_EQ(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	CHECK_EQ(syscall(SYS_prctl, PR_GET_TID_ADDRESS, &address, 0l, 0l, 0l), 0);
	CHECK(address != 1);
	CHECK_EQ(prctl(PR_GET_TIMING, 0, 0, 0, 0), PR_TIMING_STATISTICAL);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return after();
	in_child(set);
	CHECK_EQ(after_exec(), 0);
	return test_done();
}
