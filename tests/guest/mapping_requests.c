/*
 * What mmap and mremap say to odd requests, and limits that count for memory which comes later: locked for the future, or as a
 * stack grows.
 */
// libc: gcc
// calls: mmap mremap mlockall setrlimit
// errors: mmap mremap
#include "include/proof.h"

#include <sys/resource.h>

#define PAGE 4096l
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static char *fresh(long pages)
{
	return mmap(NULL, (size_t)(pages * PAGE), PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
}

static void requests(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	FAILS(EBADF, mmap, 0l, 0l, PROT_READ, MAP_PRIVATE, -1l, 0l);
	FAILS(EBADF, mmap, 0l, PAGE, PROT_READ, 0l, 999l, 0l);
	FAILS(EINVAL, mmap, 0l, 0l, PROT_READ, MAP_PRIVATE, 999l, 1l);
	FAILS(EINVAL, mmap, 0l, 0l, PROT_READ, MAP_PRIVATE, (long)fd, 0l);
	FAILS(EINVAL, mmap, 0l, 0l, PROT_READ, ANONYMOUS, 999l, 0l);
	FAILS(EINVAL, mmap, 0l, PAGE, PROT_READ, MAP_SHARED | ANONYMOUS, -1l, 0l);
	FAILS(EINVAL, mmap, 0l, PAGE, PROT_READ, MAP_PRIVATE | MAP_HUGETLB, (long)fd, 0l);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, fd, 0) != MAP_FAILED);
	close(fd);
}

/* Mappings that differ lie side by side. */
static char *patched(void)
{
	char *p = fresh(8);

	for (int i = 0; i < 8; i++)
		p[i * PAGE] = (char)('a' + i);
	mprotect(p + PAGE, PAGE, PROT_READ);
	mprotect(p + 5 * PAGE, PAGE, PROT_READ);
	return p;
}

static void moves(void)
{
	char *p = patched(), *to = fresh(8);
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned char vec[8];

	GIVES(p, mremap, P(p), 8 * PAGE, 8 * PAGE, 0l);
	GIVES(p, mremap, P(p), 8 * PAGE, 3 * PAGE, 0l);
	CHECK(p[0] == 'a' && p[PAGE] == 'b' && p[2 * PAGE] == 'c');
	CHECK_EQ(mincore(p + 3 * PAGE, PAGE, vec) == -1 ? errno : 0, ENOMEM);
	CHECK_EQ(mincore(p + 7 * PAGE, PAGE, vec) == -1 ? errno : 0, ENOMEM);
	FAILS(EFAULT, mremap, P(p), 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	/* One mapping of it is left to be moved. */
	GIVES(to, mremap, P(p), 3 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, P(to));
	CHECK_EQ(to[0], 'a');
	CHECK_EQ(mincore(p, PAGE, vec) == -1 ? errno : 0, ENOMEM);
	FAILS(EINVAL, mremap, P(to), 0l, PAGE, 0l);
	FAILS(EINVAL, mremap, P(to), 0l, PAGE, MREMAP_MAYMOVE);
	FAILS(ENOMEM, mremap, P(shared), 0l, PAGE, 0l);
}

static void future(void)
{
	struct rlimit limit = { 64 * PAGE, 64 * PAGE };

	CHECK_EQ(mlockall(MCL_FUTURE), 0);
	/* The superuser's promise ends with him. */
	if (setresuid(1000, 1000, 1000))
		CHECK(0);
	CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	FAILS(EAGAIN, mmap, 0l, 65 * PAGE, PROT_READ, ANONYMOUS, -1l, 0l);
	CHECK(fresh(16) != MAP_FAILED);
}

static void future_of_root(void)
{
	/* As root there is no limit; whoever is root no more has one. */
	CHECK_EQ(mlockall(MCL_FUTURE), 0);
	CHECK(fresh(4096) != MAP_FAILED);
	if (setresuid(1000, 1000, 1000))
		CHECK(0);
	FAILS(EAGAIN, mmap, 0l, 8192 * PAGE, PROT_READ, ANONYMOUS, -1l, 0l);
}

static __attribute__((noinline)) int deeper(int n)
{
	volatile char page[4096];

	page[0] = (char)n;
	return n ? deeper(n - 1) + page[0] : 0;
}

/* Does a stack grow by 200 pages under this limit? */
static int grows(int which, struct rlimit limit, int lock)
{
	pid_t p = fork();
	int status;

	if (p == 0) {
		if (lock && mlockall(MCL_CURRENT | MCL_FUTURE))
			_exit(2);
		if (lock && setresuid(1000, 1000, 1000))
			_exit(3);
		if (setrlimit(which, &limit))
			_exit(4);
		deeper(200);
		_exit(0);
	}
	waitpid(p, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void stacks(void)
{
	struct rlimit little = { 16 * PAGE, 16 * PAGE }, none = { RLIM_INFINITY, RLIM_INFINITY };

	CHECK_EQ(grows(RLIMIT_AS, none, 0), 0);
	CHECK_EQ(grows(RLIMIT_AS, little, 0), -SIGSEGV);
	CHECK_EQ(grows(RLIMIT_MEMLOCK, little, 0), 0);
	CHECK_EQ(grows(RLIMIT_MEMLOCK, little, 1), -SIGSEGV);
}

int main(void)
{
	requests();
	moves();
	in_child(future);
	in_child(future_of_root);
	stacks();
	return test_done();
}
