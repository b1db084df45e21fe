/* Credentials: what each set*id call changes, saved ids, groups, capabilities, permission checks that follow from them. */
// libc: gcc
// calls: getuid geteuid setuid setreuid setresuid getresuid setfsuid setgroups capget capset prctl
// errors: setgid setuid setgroups chown kill setpriority
// linux: no (needs to be the superuser of a machine of its own)
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "include/test.h"

/* Each part runs in a child, which reports through its exit status. */
static int child_failures(void (*fn)(void))
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		test_failures = 0;
		fn();
		fflush(stdout);
		_exit(test_failures ? 1 : 0);
	}
	waitpid(child, &status, 0);
	return status;
}

static unsigned long effective(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	syscall(SYS_capget, &h, d);
	return d[0].effective | (unsigned long)d[1].effective << 32;
}

static void drop(void)
{
	uid_t r, e, s;

	if (setuid(1000) || getuid() != 1000 || geteuid() != 1000)
		test_failures++;
	getresuid(&r, &e, &s);
	if (r != 1000 || e != 1000 || s != 1000 || effective())
		test_failures++;
	if (setuid(0) != -1 || errno != EPERM)
		test_failures++;
	if (setgroups(0, NULL) != -1 || errno != EPERM)
		test_failures++;
	if (kill(1, SIGTERM) != -1 || errno != EPERM)
		test_failures++;
	if (open("/secret", O_RDONLY) != -1 || errno != EACCES)
		test_failures++;
	if (chown("/secret", 1000, 1000) != -1 || errno != EPERM)
		test_failures++;
	if (setpriority(0, 0, -5) != -1 || errno != EACCES)
		test_failures++;
}

static void saved(void)
{
	if (setresuid(1000, 1001, 1002) || geteuid() != 1001)
		test_failures++;
	if (effective())
		test_failures++;
	if (seteuid(1002) || geteuid() != 1002)
		test_failures++;
	if (seteuid(1003) != -1 || errno != EPERM)
		test_failures++;
	if (setreuid(-1, 1000) || geteuid() != 1000)
		test_failures++;
}

static void temporary(void)
{
	if (seteuid(1000) || effective())
		test_failures++;
	if (seteuid(0) || !effective())
		test_failures++;
}

static void file_ids(void)
{
	if (setfsuid(1000) != 0 || setfsuid(-1) != 1000)
		test_failures++;
	if (open("/secret", O_RDONLY) != -1 || errno != EACCES)
		test_failures++;
	setfsuid(0);
	if (open("/secret", O_RDONLY) < 0)
		test_failures++;
}

static void membership(void)
{
	gid_t list[3] = { 30, 10, 20 }, got[8];

	if (setgroups(3, list) || getgroups(0, NULL) != 3 || getgroups(8, got) != 3)
		test_failures++;
	if (getgroups(1, got) != -1 || errno != EINVAL)
		test_failures++;
	chown("/secret", 0, 20);
	chmod("/secret", 0640);
	if (setresuid(1000, 1000, 1000) || open("/secret", O_RDONLY) < 0)
		test_failures++;
	if (open("/secret", O_WRONLY) != -1 || errno != EACCES)
		test_failures++;
}

static void capabilities(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	prctl(PR_SET_KEEPCAPS, 1);
	if (setresuid(1000, 1000, 1000) || syscall(SYS_capget, &h, d) || !d[0].permitted || d[0].effective)
		test_failures++;
	d[0].effective = d[0].permitted = 1u << CAP_CHOWN;
	d[1].effective = d[1].permitted = 0;
	if (syscall(SYS_capset, &h, d) || chown("/secret", 5, 5))
		test_failures++;
	d[0].permitted = ~0u;
	if (syscall(SYS_capset, &h, d) != -1 || errno != EPERM)
		test_failures++;
	h.version = 0x12345678;
	if (syscall(SYS_capget, &h, d) != -1 || errno != EINVAL || h.version != _LINUX_CAPABILITY_VERSION_3)
		test_failures++;
}

static void locked_bits(void)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED))
		test_failures++;
	if (prctl(PR_SET_SECUREBITS, 0) != -1 || errno != EPERM)
		test_failures++;
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_TIME) || prctl(PR_CAPBSET_READ, CAP_SYS_TIME) != 0)
		test_failures++;
	if (prctl(PR_CAPBSET_READ, 99) != -1 || errno != EINVAL)
		test_failures++;
}

int main(void)
{
	int fd = open("/secret", O_CREAT | O_WRONLY, 0600);

	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(getuid(), 0);
	CHECK_EQ(child_failures(drop), 0);
	CHECK_EQ(child_failures(saved), 0);
	CHECK_EQ(child_failures(temporary), 0);
	CHECK_EQ(child_failures(file_ids), 0);
	CHECK_EQ(child_failures(membership), 0);
	CHECK_EQ(child_failures(capabilities), 0);
	CHECK_EQ(child_failures(locked_bits), 0);
	CHECK_ERRNO(syscall(SYS_setuid, -1), EINVAL);
	CHECK_ERRNO(syscall(SYS_setgid, -1), EINVAL);
	unlink("/secret");
	return test_done();
}
