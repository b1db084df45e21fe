/* I/O priorities: values, whose, what follows from nice, inheritance, permissions. */
// calls: ioprio_set ioprio_get
// errors: ioprio_set ioprio_get
#define _GNU_SOURCE
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "include/test.h"

enum { NONE, RT, BE, IDLE };
enum { PROCESS = 1, GROUP, USER };
#define VALUE(class, level) ((class) << 13 | (level))

static long set(int which, int who, int value) { return syscall(SYS_ioprio_set, which, who, value); }
static long get(int which, int who) { return syscall(SYS_ioprio_get, which, who); }

static int in_child(int (*fn)(void))
{
	int status;

	if (fork() == 0)
		_exit(fn());
	wait(&status);
	return status;
}

static int inherits(void) { return get(PROCESS, 0) != VALUE(BE, 2); }

static int as_user(void)
{
	if (set(PROCESS, 0, VALUE(RT, 1)) || setresuid(1000, 1000, 1000))
		return 1;
	if (set(PROCESS, 0, VALUE(RT, 1)) != -1 || errno != EPERM)
		return 2;
	if (set(PROCESS, getppid(), VALUE(BE, 1)) != -1 || errno != EPERM)
		return 3;
	return set(PROCESS, 0, VALUE(BE, 1)) != 0;
}

static int group_best(void)
{
	setpgid(0, 0);
	if (get(GROUP, 0) != VALUE(BE, 2))
		return 1;
	if (set(PROCESS, 0, 0) || get(PROCESS, 0) || get(GROUP, 0) != VALUE(BE, 4))
		return 2;
	if (setpriority(PRIO_PROCESS, 0, 10) || get(GROUP, 0) != VALUE(BE, 6))
		return 3;
	return set(GROUP, 0, VALUE(IDLE, 0)) || get(PROCESS, 0) != VALUE(IDLE, 0);
}

int main(void)
{
	CHECK_EQ(set(PROCESS, 0, 0), 0);
	CHECK_EQ(get(PROCESS, getpid()), 0);
	CHECK_EQ(set(PROCESS, getpid(), VALUE(BE, 2)), 0);
	CHECK_EQ(get(PROCESS, 0), VALUE(BE, 2));
	CHECK_EQ(in_child(inherits), 0);
	CHECK_EQ(in_child(group_best), 0);
	CHECK_EQ(in_child(as_user), 0);
	CHECK_ERRNO(set(PROCESS, 0, VALUE(NONE, 1)), EINVAL);
	CHECK_ERRNO(set(PROCESS, 0, VALUE(4, 0)), EINVAL);
	CHECK_ERRNO(set(0, 0, VALUE(BE, 1)), EINVAL);
	CHECK_ERRNO(set(4, 0, VALUE(BE, 1)), EINVAL);
	CHECK_ERRNO(get(0, 0), EINVAL);
	CHECK_ERRNO(set(PROCESS, 999999999, VALUE(BE, 1)), ESRCH);
	CHECK_ERRNO(get(PROCESS, 999999999), ESRCH);
	CHECK_ERRNO(get(GROUP, 999999999), ESRCH);
	return test_done();
}
