/* What exec makes of set-ID bits and file capabilities: ids, capabilities, AT_SECURE, no_new_privs, nosuid mounts, scripts. */
// calls: execve fsetxattr getxattr prctl faccessat2
// errors: execve setxattr
// libc: gcc
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "include/test.h"

#define CAPS "security.capability"
#define BIT(n) (1ull << (n))

/* What the program finds when it is run. */
struct report {
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;
	unsigned long secure, at_euid, at_egid;
	unsigned long long inheritable, permitted, effective;
	int ambient_net, dumpable, death_signal, readable, personality;
	unsigned long stack;
};

struct caps {
	uint32_t magic;
	struct { uint32_t permitted, inheritable; } data[2];
	uint32_t rootid;
};

static int sets(unsigned long long out[3])
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		return -1;
	out[0] = d[0].inheritable | (unsigned long long)d[1].inheritable << 32;
	out[1] = d[0].permitted | (unsigned long long)d[1].permitted << 32;
	out[2] = d[0].effective | (unsigned long long)d[1].effective << 32;
	return 0;
}

static int child_main(int fd)
{
	struct report r = { 0 };
	struct rlimit l;
	unsigned long long s[3];

	getresuid(&r.uid, &r.euid, &r.suid);
	getresgid(&r.gid, &r.egid, &r.sgid);
	r.secure = getauxval(AT_SECURE);
	r.at_euid = getauxval(AT_EUID);
	r.at_egid = getauxval(AT_EGID);
	if (sets(s))
		return 1;
	r.inheritable = s[0];
	r.permitted = s[1];
	r.effective = s[2];
	r.ambient_net = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0);
	r.dumpable = prctl(PR_GET_DUMPABLE);
	prctl(PR_GET_PDEATHSIG, &r.death_signal);
	r.readable = syscall(SYS_faccessat2, AT_FDCWD, "secret", R_OK, 0) == 0;
	r.personality = personality(0xffffffff);
	getrlimit(RLIMIT_STACK, &l);
	r.stack = l.rlim_cur;
	return write(fd, &r, sizeof(r)) == sizeof(r) ? 0 : 1;
}

static void nothing(void) { }
static void new_privileges_off(void) { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static void death_signal(void) { prctl(PR_SET_PDEATHSIG, SIGUSR1); }
static void no_random(void) { personality(ADDR_NO_RANDOMIZE); }
static void large_stack(void)
{
	struct rlimit l = { 64 << 20, RLIM_INFINITY };

	setrlimit(RLIMIT_STACK, &l);
}
static void inheritable_net(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { BIT(CAP_NET_RAW), BIT(CAP_NET_RAW), BIT(CAP_NET_RAW) } };

	syscall(SYS_capset, &h, d);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0);
}

/* Runs ./prog as user `uid` after `prepare`; 0 and the report, or the errno of exec. */
static int run_path(const char *path, uid_t uid, void (*prepare)(void), struct report *out)
{
	int p[2], status;
	char fd[12];
	pid_t child;

	memset(out, 0, sizeof(*out));
	if (pipe(p))
		return -1;
	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (prepare == inheritable_net)
			prctl(PR_SET_KEEPCAPS, 1);
		if (uid && (setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
			_exit(1);
		prepare();
		sprintf(fd, "%d", p[1]);
		execve(path, (char *[]){ (char *)path, "report", fd, NULL }, environ);
		status = -errno;
		_exit(write(p[1], &status, sizeof(status)) == sizeof(status) ? 3 : 1);
	}
	close(p[1]);
	waitpid(child, &status, 0);
	if (read(p[0], out, sizeof(*out)) == sizeof(int))
		status = *(int *)out;
	close(p[0]);
	return status;
}

static int run(uid_t uid, void (*prepare)(void), struct report *out)
{
	return run_path("./prog", uid, prepare, out);
}

static void mode(uid_t uid, gid_t gid, mode_t m)
{
	if (chown("prog", uid, gid) || chmod("prog", m))
		printf("Bail out! cannot change the program\n");
}

static void file_caps(unsigned long long permitted, unsigned long long inherit, int effective)
{
	struct caps c = { VFS_CAP_REVISION_2 | (effective ? VFS_CAP_FLAGS_EFFECTIVE : 0),
			  { { (uint32_t)permitted, (uint32_t)inherit }, { (uint32_t)(permitted >> 32), (uint32_t)(inherit >> 32) } }, 0 };
	int fd = open("prog", O_RDONLY);

	CHECK_EQ(fsetxattr(fd, CAPS, &c, 20, 0), 0);
	close(fd);
}

static void set_ids(void)
{
	struct report r;

	mode(1001, 1002, 0755);
	CHECK_EQ(run(1000, nothing, &r), 0);
	CHECK(r.euid == 1000 && r.egid == 1000 && r.secure == 0 && r.dumpable == 1);
	mode(1001, 1002, 04755);
	CHECK_EQ(run(1000, nothing, &r), 0);
	CHECK(r.uid == 1000 && r.euid == 1001 && r.suid == 1001 && r.egid == 1000);
	CHECK(r.secure == 1 && r.at_euid == 1001 && r.dumpable != 1);
	mode(1001, 1002, 02755);
	CHECK_EQ(run(1000, nothing, &r), 0);
	CHECK(r.euid == 1000 && r.gid == 1000 && r.egid == 1002 && r.sgid == 1002 && r.secure == 1 && r.at_egid == 1002);
	/* Without the group's execute bit it is not a set-group-ID program. */
	mode(1001, 1002, 02745);
	CHECK_EQ(run(1000, nothing, &r), 0);
	CHECK(r.egid == 1000 && r.secure == 0);
	mode(0, 0, 04755);
	CHECK_EQ(run(1000, nothing, &r), 0);
	CHECK(r.euid == 0 && r.uid == 1000 && (r.effective & BIT(CAP_SYS_ADMIN)) && r.secure == 1);
	CHECK_EQ(run(1000, new_privileges_off, &r), 0);
	CHECK(r.euid == 1000 && r.effective == 0 && r.secure == 0);
	CHECK_EQ(run(1000, death_signal, &r), 0);
	CHECK_EQ(r.death_signal, 0);
	CHECK_EQ(run(1000, no_random, &r), 0);
	CHECK_EQ(r.personality & ADDR_NO_RANDOMIZE, 0);
	CHECK_EQ(run(1000, large_stack, &r), 0);
	CHECK_EQ(r.stack, 8 << 20);
	mode(0, 0, 0755);
	CHECK_EQ(run(1000, death_signal, &r), 0);
	CHECK_EQ(r.death_signal, SIGUSR1);
	CHECK_EQ(run(1000, no_random, &r), 0);
	CHECK_EQ(r.personality & ADDR_NO_RANDOMIZE, ADDR_NO_RANDOMIZE);
	CHECK_EQ(run(1000, large_stack, &r), 0);
	CHECK_EQ(r.stack, 64 << 20);
	/* Who may run but not read it gets no dumps of it. */
	mode(0, 0, 0711);
	CHECK_EQ(run(1000, nothing, &r), 0);
	CHECK(r.secure == 0 && r.dumpable != 1);
	mode(0, 0, 0700);
	CHECK_EQ(run(1000, nothing, &r), -EACCES);
}

static void capabilities(void)
{
	struct report r;
	struct caps c;

	mode(0, 0, 0755);
	file_caps(BIT(CAP_NET_RAW) | BIT(CAP_DAC_OVERRIDE), 0, 1);
	CHECK_EQ(getxattr("prog", CAPS, &c, sizeof(c)), 20);
	CHECK_EQ(run(1000, nothing, &r), 0);
	CHECK_EQ(r.permitted, BIT(CAP_NET_RAW) | BIT(CAP_DAC_OVERRIDE));
	CHECK_EQ(r.effective, r.permitted);
	CHECK(r.secure == 1 && r.dumpable != 1 && r.euid == 1000);
	/* access(2) asks for the real ids, without the capabilities. */
	CHECK_EQ(r.readable, 0);
	CHECK_EQ(run(1000, new_privileges_off, &r), 0);
	CHECK(r.permitted == 0 && r.effective == 0);
	file_caps(BIT(CAP_NET_RAW), 0, 0);
	CHECK_EQ(run(1000, nothing, &r), 0);
	CHECK(r.permitted == BIT(CAP_NET_RAW) && r.effective == 0 && r.secure == 1);
	/* Inheritable: what both have. The ambient set ends at a file with capabilities. */
	file_caps(0, BIT(CAP_NET_RAW) | BIT(CAP_CHOWN), 1);
	CHECK_EQ(run(1000, inheritable_net, &r), 0);
	CHECK(r.permitted == BIT(CAP_NET_RAW) && r.effective == BIT(CAP_NET_RAW) && r.ambient_net == 0);
	CHECK_EQ(removexattr("prog", CAPS), 0);
	CHECK_EQ(run(1000, inheritable_net, &r), 0);
	CHECK(r.permitted == BIT(CAP_NET_RAW) && r.effective == BIT(CAP_NET_RAW) && r.ambient_net == 1 && r.secure == 0);
	/* A set-user-ID program of root with capabilities of its own gets those. */
	file_caps(BIT(CAP_NET_RAW), 0, 1);
	CHECK_EQ(chmod("prog", 04755), 0);
	CHECK_EQ(run(1000, nothing, &r), 0);
	CHECK(r.euid == 0 && r.permitted == BIT(CAP_NET_RAW));
	/* The superuser has everything anyhow. */
	CHECK_EQ(chmod("prog", 0755), 0);
	CHECK_EQ(run(0, nothing, &r), 0);
	CHECK(r.effective & BIT(CAP_SYS_ADMIN));
	CHECK_EQ(r.secure, 0);
}

static void drop_net(void) { prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0); }

static void bounded(void)
{
	struct report r;
	pid_t child;
	int status;

	/* The bounding set cuts; a program that counts on all of its capabilities does not start then. */
	fflush(stdout);
	child = fork();
	if (child == 0) {
		int failures = test_failures;

		drop_net();
		file_caps(BIT(CAP_NET_RAW) | BIT(CAP_CHOWN), 0, 0);
		CHECK_EQ(run(1000, nothing, &r), 0);
		CHECK(r.permitted == BIT(CAP_CHOWN));
		file_caps(BIT(CAP_NET_RAW) | BIT(CAP_CHOWN), 0, 1);
		CHECK_EQ(run(1000, nothing, &r), -EPERM);
		_exit(test_failures != failures);
	}
	waitpid(child, &status, 0);
	test_count += 5;
	CHECK_EQ(status, 0);
}

static void attribute(void)
{
	struct caps c = { VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, { { 1, 0 }, { 0, 0 } }, 0 }, got;
	struct report r;
	int fd, status;

	CHECK_ERRNO(setxattr("prog", CAPS, &c, 19, 0), EINVAL);
	CHECK_ERRNO(setxattr("prog", CAPS, &c, 24, 0), EINVAL);
	/* Nothing may be stored, but not run. */
	CHECK_EQ(setxattr("prog", CAPS, &c, 0, 0), 0);
	CHECK_EQ(run(1000, nothing, &r), -EINVAL);
	CHECK_EQ(removexattr("prog", CAPS), 0);
	c.magic = VFS_CAP_REVISION_1;
	CHECK_ERRNO(setxattr("prog", CAPS, &c, 12, 0), EINVAL);
	c.magic = 0x77000000;
	CHECK_ERRNO(setxattr("prog", CAPS, &c, 20, 0), EINVAL);
	c.magic = VFS_CAP_REVISION_2;
	if (fork() == 0)
		_exit(setresuid(1000, 1000, 1000) || setxattr("prog", CAPS, &c, 20, 0) != -1 || errno != EPERM);
	wait(&status);
	CHECK_EQ(status, 0);
	/* A change of contents or owner takes capabilities away, also when root makes it. */
	file_caps(1, 0, 1);
	CHECK_EQ(chmod("prog", 0700), 0);
	CHECK_EQ(getxattr("prog", CAPS, &got, sizeof(got)), 20);
	CHECK_EQ(chown("prog", 0, 0), 0);
	CHECK_ERRNO(getxattr("prog", CAPS, &got, sizeof(got)), ENODATA);
	file_caps(1, 0, 1);
	fd = open("prog", O_WRONLY | O_APPEND);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_ERRNO(fgetxattr(fd, CAPS, &got, sizeof(got)), ENODATA);
	close(fd);
	file_caps(1, 0, 1);
	CHECK_EQ(truncate("prog", (off_t)(lseek(fd = open("prog", O_RDONLY), 0, SEEK_END) - 1)), 0);
	close(fd);
	CHECK_ERRNO(getxattr("prog", CAPS, &got, sizeof(got)), ENODATA);
	/* A script's own bits count for nothing. */
	fd = open("script", O_CREAT | O_TRUNC | O_WRONLY, 0755);
	CHECK_EQ(write(fd, "#!./prog\n", 9), 9);
	close(fd);
	mode(0, 0, 0755);
	CHECK_EQ(chmod("script", 06755), 0);
	CHECK_EQ(run_path("./script", 1000, nothing, &r), 0x100);
	mode(1001, 0, 04755);
	CHECK_EQ(run_path("./script", 1000, nothing, &r), 0x100 | (0));
}

/* CLONE_FS: somebody else could change the root directory under the program. */
static int share_and_sleep(void *arg)
{
	(void)arg;
	for (int i = 3; i < 20; i++)
		close(i);
	close(1);
	sleep(1);
	return 0;
}

static void share_directories(void)
{
	static char stack[16384] __attribute__((aligned(16)));

	if (clone(share_and_sleep, stack + sizeof(stack), CLONE_FS, NULL) < 0)
		_exit(9);
}

static void sharing(void)
{
	struct report r;

	mode(0, 0, 04755);
	CHECK_EQ(run(1000, share_directories, &r), 0);
	CHECK(r.euid == 1000 && r.effective == 0);
}

static void nosuid_mount(void)
{
	struct report r;

	if (mkdir("mnt", 0755) || mount("none", "mnt", "tmpfs", MS_NOSUID, "mode=755")) {
		printf("ok - no mounts here\n");
		return;
	}
	CHECK_EQ(system("cp prog mnt/prog && chown 1001:0 mnt/prog && chmod 4755 mnt/prog"), 0);
	CHECK_EQ(run_path("mnt/prog", 1000, nothing, &r), 0);
	CHECK(r.euid == 1000 && r.secure == 0);
	umount2("mnt", MNT_DETACH);
}

int main(int argc, char **argv)
{
	char dir[] = "execXXXXXX", command[200];

	if (argc == 3 && !strcmp(argv[1], "report"))
		return child_main(atoi(argv[2]));
	if (argc > 2)
		return 1;	/* run by the script */
	if (!mkdtemp(dir) || chmod(dir, 0755))
		return 1;
	snprintf(command, sizeof(command), "cat /proc/%d/exe > %s/prog", getpid(), dir);
	if (system(command) || chdir(dir) || chmod("prog", 0755))
		return 1;
	close(open("secret", O_CREAT | O_WRONLY, 0600));
	set_ids();
	capabilities();
	bounded();
	attribute();
	sharing();
	nosuid_mount();
	return test_done();
}
