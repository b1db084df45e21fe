/* Memory policies of threads and mappings, their inheritance, and where pages are, with one node. */
// libc: gcc
// calls: get_mempolicy set_mempolicy mbind set_mempolicy_home_node migrate_pages move_pages
// errors: get_mempolicy set_mempolicy mbind set_mempolicy_home_node migrate_pages move_pages
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "include/test.h"

#define PAGE 4096ul
#define NR_set_mempolicy_home_node 450
#define BITS 65

static unsigned long one = 1, none, last = 1ul << 63;

static long set(int mode, unsigned long *mask, unsigned long bits) { return syscall(SYS_set_mempolicy, mode, mask, bits); }
static long get(int *mode, unsigned long *mask, void *at, unsigned long flags)
{
	return syscall(SYS_get_mempolicy, mode, mask, mask ? 1025 : 0, at, flags);
}
static long bind_to(void *at, unsigned long n, int mode, unsigned long *mask, unsigned int flags)
{
	return syscall(SYS_mbind, at, n, mode, mask, BITS, flags);
}
static long home(void *at, unsigned long n, unsigned long node, unsigned long flags)
{
	return syscall(NR_set_mempolicy_home_node, at, n, node, flags);
}
static long move(int pid, unsigned long n, void **pages, int *nodes, int *status, int flags)
{
	return syscall(SYS_move_pages, pid, n, pages, nodes, status, flags);
}

/* The policy in force at an address (null: the thread's), with its nodes in the upper half. */
static long policy(void *at)
{
	unsigned long mask[17];
	int mode = -1;

	memset(mask, 0xff, sizeof(mask));
	if (get(&mode, mask, at, at ? MPOL_F_ADDR : 0) || mask[1] || mask[15])
		return -1;
	return (long)mask[0] << 32 | mode;
}
#define POLICY(mode, nodes) ((long)(nodes) << 32 | (mode))

static int child(int (*fn)(void *), void *arg)
{
	int status;

	if (fork() == 0)
		_exit(fn(arg));
	wait(&status);
	return status;
}

static int inherited(void *at)
{
	if (policy(NULL) != POLICY(MPOL_BIND | MPOL_F_STATIC_NODES, 1) || policy(at) != POLICY(MPOL_INTERLEAVE, 1))
		return 1;
	return set(MPOL_DEFAULT, NULL, 0) || policy(NULL) != 0;
}

static void threads(char *m)
{
	int node = -1;

	CHECK_EQ(policy(NULL), 0);
	CHECK_EQ(set(MPOL_LOCAL, NULL, 0), 0);
	CHECK_EQ(policy(NULL), MPOL_LOCAL);
	CHECK_EQ(set(MPOL_PREFERRED, NULL, 0), 0);
	CHECK_EQ(policy(NULL), MPOL_LOCAL);
	CHECK_EQ(set(MPOL_PREFERRED, &one, BITS), 0);
	CHECK_EQ(policy(NULL), POLICY(MPOL_PREFERRED, 1));
	CHECK_EQ(set(MPOL_INTERLEAVE, &one, 2), 0);
	CHECK_EQ(policy(NULL), POLICY(MPOL_INTERLEAVE, 1));
	CHECK_EQ(get(&node, NULL, NULL, MPOL_F_NODE), 0);
	CHECK_EQ(node, 0);
	CHECK_EQ(set(MPOL_BIND | MPOL_F_STATIC_NODES, &one, BITS), 0);
	CHECK_EQ(bind_to(m, PAGE, MPOL_INTERLEAVE, &one, 0), 0);
	CHECK_EQ(child(inherited, m), 0);
	CHECK_EQ(policy(NULL), POLICY(MPOL_BIND | MPOL_F_STATIC_NODES, 1));
	CHECK_ERRNO(get(&node, NULL, NULL, MPOL_F_NODE), EINVAL);
	CHECK_ERRNO(set(MPOL_BIND, &none, BITS), EINVAL);
	CHECK_ERRNO(set(MPOL_BIND, &last, BITS), EINVAL);
	CHECK_ERRNO(set(MPOL_BIND, &one, 1), EINVAL);
	CHECK_ERRNO(set(MPOL_BIND, &one, 0), EINVAL);
	CHECK_ERRNO(set(MPOL_BIND, &one, 40000), EINVAL);
	CHECK_ERRNO(set(MPOL_BIND, (void *)8, BITS), EFAULT);
	CHECK_ERRNO(set(MPOL_DEFAULT, &one, BITS), EINVAL);
	CHECK_ERRNO(set(MPOL_LOCAL, &one, BITS), EINVAL);
	CHECK_ERRNO(set(MPOL_PREFERRED | MPOL_F_STATIC_NODES, &none, BITS), EINVAL);
	CHECK_ERRNO(set(MPOL_INTERLEAVE | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, &one, BITS), EINVAL);
	CHECK_ERRNO(set(MPOL_INTERLEAVE | 1 << 13, &one, BITS), EINVAL);
	CHECK_ERRNO(set(100, NULL, 0), EINVAL);
	CHECK_EQ(set(MPOL_DEFAULT, NULL, 0), 0);
}

static void reading(char *m)
{
	unsigned long mask[16] = { 0 };
	int node = -1;

	CHECK_EQ(get(NULL, NULL, NULL, 0), 0);
	CHECK_EQ(syscall(SYS_get_mempolicy, &node, mask, 1024, NULL, MPOL_F_MEMS_ALLOWED), 0);
	CHECK_EQ(mask[0], 1);
	CHECK_EQ(get(&node, NULL, m, MPOL_F_NODE | MPOL_F_ADDR), 0);
	CHECK_EQ(node, 0);
	CHECK_ERRNO(get(&node, NULL, NULL, 8), EINVAL);
	CHECK_ERRNO(get(&node, NULL, NULL, MPOL_F_MEMS_ALLOWED | MPOL_F_NODE), EINVAL);
	CHECK_ERRNO(get(&node, NULL, m, 0), EINVAL);
	CHECK_ERRNO(get(&node, NULL, m + 6 * PAGE, MPOL_F_ADDR), EFAULT);
	CHECK_ERRNO(get(&node, NULL, m + 5 * PAGE, MPOL_F_NODE | MPOL_F_ADDR), EFAULT);
	CHECK_ERRNO(get((void *)8, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_get_mempolicy, NULL, mask, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_get_mempolicy, NULL, (void *)8, BITS, NULL, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_get_mempolicy, NULL, mask, 1000000, NULL, 0), EINVAL);
}

static int unprivileged(void *at)
{
	void *pages[1] = { at };
	int status[1];

	if (setresuid(1000, 1000, 1000))
		return 1;
	if (bind_to(at, PAGE, MPOL_BIND, &one, MPOL_MF_MOVE_ALL) != -1 || errno != EPERM)
		return 2;
	if (move(0, 1, pages, NULL, status, MPOL_MF_MOVE_ALL) != -1 || errno != EPERM)
		return 3;
	if (move(getppid(), 1, pages, NULL, status, 0) != -1 || errno != EPERM)
		return 4;
	return syscall(SYS_migrate_pages, getppid(), BITS, &one, &one) != -1 || errno != EPERM;
}

/* m: three pages, then (3) one of another protection, (4) one, (5) PROT_NONE, (6) a hole, (7) one. */
static void mappings(char *m)
{
	CHECK_EQ(bind_to(m, 5 * PAGE, MPOL_DEFAULT, NULL, 0), 0);
	CHECK_EQ(policy(m), 0);
	CHECK_EQ(bind_to(m + PAGE, 3 * PAGE - 1, MPOL_BIND, &one, MPOL_MF_STRICT | MPOL_MF_MOVE), 0);
	CHECK_EQ(policy(m), 0);
	CHECK_EQ(policy(m + PAGE), POLICY(MPOL_BIND, 1));
	CHECK_EQ(policy(m + 3 * PAGE), POLICY(MPOL_BIND, 1));
	CHECK_EQ(policy(m + 4 * PAGE), 0);
	CHECK_EQ(home(m, 4 * PAGE, 0, 0), 0);
	CHECK_EQ(home(m, 0, 0, 0), 0);
	CHECK_ERRNO(home(m, PAGE, 0, 0), ENOENT);
	CHECK_ERRNO(home(m + 1, PAGE, 0, 0), EINVAL);
	CHECK_ERRNO(home(m, PAGE, 0, 1), EINVAL);
	CHECK_ERRNO(home(m, PAGE, 63, 0), EINVAL);
	CHECK_EQ(bind_to(m, PAGE, MPOL_PREFERRED, &one, 0), 0);
	CHECK_ERRNO(home(m, 4 * PAGE, 0, 0), EOPNOTSUPP);
	CHECK_EQ(bind_to(m, 0, MPOL_BIND, &one, 0), 0);
	CHECK_ERRNO(bind_to(m, 8 * PAGE, MPOL_BIND, &one, 0), EFAULT);
	CHECK_ERRNO(bind_to(m + 6 * PAGE, PAGE, MPOL_BIND, &one, 0), EFAULT);
	CHECK_ERRNO(bind_to(m + 6 * PAGE, PAGE, MPOL_DEFAULT, NULL, 0), EFAULT);
	CHECK_ERRNO(bind_to(m + 1, PAGE, MPOL_BIND, &one, 0), EINVAL);
	CHECK_ERRNO(bind_to(m, -PAGE, MPOL_BIND, &one, 0), EINVAL);
	CHECK_ERRNO(bind_to(m, PAGE, MPOL_BIND, &one, 16), EINVAL);
	CHECK_ERRNO(bind_to(m, PAGE, MPOL_BIND, &none, 0), EINVAL);
	CHECK_ERRNO(bind_to(m, PAGE, MPOL_BIND, (void *)8, 0), EFAULT);
	CHECK_ERRNO(bind_to(m, PAGE, 100, &one, 0), EINVAL);
	CHECK_EQ(bind_to(m, 8 * PAGE, MPOL_DEFAULT, NULL, 0), 0);
	CHECK_EQ(policy(m + 3 * PAGE), 0);
}

static int on_mortise(void)
{
	struct utsname u;

	return !uname(&u) && strstr(u.release, "mortise");
}

static void pages(char *m)
{
	void *at[5] = { m + 5, m + PAGE, m + 2 * PAGE, m + 6 * PAGE, (void *)-PAGE };
	int nodes[5] = { 0 }, status[5];

	m[0] = 1;
	madvise(m + PAGE, PAGE, MADV_DONTNEED);
	madvise(m + 2 * PAGE, PAGE, MADV_DONTNEED);
	(void)*(volatile char *)(m + 2 * PAGE);
	for (int i = 0; i < 2; i++) {
		memset(status, 1, sizeof(status));
		CHECK_EQ(move(i ? getpid() : 0, 5, at, i ? nodes : NULL, status, MPOL_MF_MOVE), 0);
		CHECK_EQ(status[0], 0);
		CHECK_EQ(status[1], -ENOENT);
		/* The page of zeroes is nobody's; newer versions of Linux say node 0. */
		CHECK(status[2] == -EFAULT || (status[2] == 0 && !on_mortise()));
		CHECK_EQ(status[3], -EFAULT);
		CHECK_EQ(status[4], -EFAULT);
	}
	CHECK_EQ(move(0, 0, at, NULL, status, 0), 0);
	nodes[0] = -1;
	CHECK_ERRNO(move(0, 1, at, nodes, status, 0), ENODEV);
	nodes[0] = 63;
	CHECK_ERRNO(move(0, 1, at, nodes, status, 0), ENODEV);
	CHECK_ERRNO(move(0, 1, (void **)8, NULL, status, 0), EFAULT);
	CHECK_ERRNO(move(0, 1, at, (int *)8, status, 0), EFAULT);
	CHECK_ERRNO(move(0, 1, at, NULL, (int *)8, 0), EFAULT);
	CHECK_ERRNO(move(0, 1, at, NULL, status, 1), EINVAL);
	CHECK_ERRNO(move(999999999, 1, at, NULL, status, 0), ESRCH);
	CHECK_EQ(syscall(SYS_migrate_pages, 0, BITS, &one, &one), 0);
	CHECK_EQ(syscall(SYS_migrate_pages, getpid(), BITS, &none, &one), 0);
	CHECK_ERRNO(syscall(SYS_migrate_pages, 0, BITS, &one, &none), EINVAL);
	CHECK_ERRNO(syscall(SYS_migrate_pages, 0, BITS, (void *)8, &one), EFAULT);
	CHECK_ERRNO(syscall(SYS_migrate_pages, 0, BITS, &one, (void *)8), EFAULT);
	CHECK_ERRNO(syscall(SYS_migrate_pages, 0, 40000, &one, &one), EINVAL);
	CHECK_ERRNO(syscall(SYS_migrate_pages, 999999999, BITS, &one, &one), ESRCH);
}

int main(void)
{
	char text[16] = "", *m = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	if (access("/sys/devices", F_OK)) {
		mkdir("/sys", 0755);
		CHECK_EQ(mount("sys", "/sys", "sysfs", 0, NULL), 0);
	}
	fd = open("/sys/devices/system/node/online", O_RDONLY);
	CHECK_EQ(read(fd, text, sizeof(text)), 2);
	CHECK(!strcmp(text, "0\n"));
	mprotect(m + 3 * PAGE, PAGE, PROT_READ);
	mprotect(m + 5 * PAGE, PAGE, PROT_NONE);
	munmap(m + 6 * PAGE, PAGE);
	threads(m);
	reading(m);
	mappings(m);
	pages(m);
	CHECK_EQ(child(unprivileged, m), 0);
	return test_done();
}
