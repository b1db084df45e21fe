/* unshare: a thread gets descriptors, directory and mask of its own. */
// libc: gcc
// flags: -pthread
// calls: unshare kcmp
#include "include/proof.h"

#include <linux/kcmp.h>
#include <pthread.h>

static int tid, fd;
static char before[200], after[200];

static long compare(int what) { return syscall(SYS_kcmp, getpid(), tid, what, 0l, 0l); }

static void *thread(void *arg)
{
	tid = syscall(SYS_gettid);
	CHECK_EQ(compare(KCMP_FILES), 0);
	CHECK_EQ(compare(KCMP_FS), 0);
	GIVES(0, unshare, CLONE_FILES);
	CHECK(compare(KCMP_FILES) > 0);
	CHECK_EQ(compare(KCMP_FS), 0);
	close(fd);
	GIVES(0, unshare, CLONE_FS);
	CHECK(compare(KCMP_FS) > 0);
	CHECK_EQ(chdir("/"), 0);
	umask(0);
	CHECK_EQ(compare(KCMP_SYSVSEM), 0);
	GIVES(0, unshare, CLONE_SYSVSEM);
	CHECK(compare(KCMP_SYSVSEM) > 0);
	/* What threads share as threads they keep. */
	FAILS(EINVAL, unshare, CLONE_THREAD);
	FAILS(EINVAL, unshare, CLONE_VM);
	CHECK_EQ(compare(KCMP_VM), 0);
	CHECK_EQ(compare(KCMP_SIGHAND), 0);
	return arg;
}

/* kcmp orders: a total order, the same each time. */
static void order(void)
{
	int a = dup(fd), b = open("/dev/null", O_RDONLY);
	long ab, ba;

	GIVES(0, kcmp, getpid(), getpid(), KCMP_FILE, (long)fd, (long)a);
	ab = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, (long)a, (long)b);
	ba = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, (long)b, (long)a);
	CHECK((ab == 1 && ba == 2) || (ab == 2 && ba == 1));
	GIVES(ab, kcmp, getpid(), getpid(), KCMP_FILE, (long)fd, (long)b);
	close(a);
	close(b);
}

int main(void)
{
	pthread_t t;

	fd = open("/dev/null", O_RDWR);
	umask(022);
	if (!getcwd(before, sizeof(before)))
		return 2;
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	CHECK(fcntl(fd, F_GETFD) == 0);
	CHECK(getcwd(after, sizeof(after)) && !strcmp(before, after));
	CHECK_EQ(umask(022), 022);
	order();
	return test_done();
}
