/* Memory calls: mapping, protection, remapping, advice, break, locks, copy-on-write, sharing, errors. */
// calls: mmap munmap mprotect mremap brk madvise mincore msync mlock munlock mlockall process_vm_readv process_vm_writev
// errors: madvise mincore mlock mlockall mmap mprotect mremap msync munmap process_vm_readv
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "include/test.h"

#define PAGE 4096ul

static sigjmp_buf back;
static void jump(int sig) { siglongjmp(back, sig); }

static int faults(volatile char *p, int write)
{
	int sig = sigsetjmp(back, 1);

	if (!sig) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	return sig;
}

static char *map(size_t pages, int flags)
{
	return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
}

static void basics(void)
{
	char *p = map(8, MAP_PRIVATE);

	CHECK(p != MAP_FAILED);
	CHECK_EQ(p[5 * PAGE], 0);
	memset(p, 7, 8 * PAGE);
	CHECK_EQ(munmap(p + 2 * PAGE, 2 * PAGE), 0);
	CHECK_EQ(faults(p + 2 * PAGE, 0), SIGSEGV);
	CHECK_EQ(faults(p + PAGE, 0), 0);
	CHECK_EQ(p[4 * PAGE], 7);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ), 0);
	CHECK_EQ(faults(p, 1), SIGSEGV);
	CHECK_EQ(p[0], 7);
	CHECK_EQ(mprotect(p, PAGE, PROT_NONE), 0);
	CHECK_EQ(faults(p, 0), SIGSEGV);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(p[0], 7);
	CHECK_ERRNO(mprotect(p, 8 * PAGE, PROT_READ), ENOMEM);
	CHECK_ERRNO(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ), EINVAL);
	CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
	CHECK_EQ(munmap(p, 8 * PAGE), 0);
	CHECK_ERRNO(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERRNO(mmap(NULL, 0xfffffffffffff000ul, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	p = map(2, MAP_PRIVATE);
	CHECK_ERRNO(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
	munmap(p, 2 * PAGE);
}

static void sharing(void)
{
	char *s = map(1, MAP_SHARED), *p = map(1, MAP_PRIVATE);
	int status;
	pid_t child;

	s[0] = p[0] = 1;
	child = fork();
	if (!child) {
		s[0] = 2;
		p[0] = 2;
		_exit(p[0] == 2 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(s[0], 2);
	CHECK_EQ(p[0], 1);
	munmap(s, PAGE);
	munmap(p, PAGE);
}

static void files(void)
{
	char name[] = "./memory_map.XXXXXX", *a, *b;
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, 3 * PAGE), 0);
	a = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
	CHECK(a != MAP_FAILED && b != MAP_FAILED);
	a[PAGE] = 'x';
	CHECK_EQ(b[0], 'x');
	b[0] = 'y';
	CHECK_EQ(a[PAGE], 'x');
	CHECK_EQ(pwrite(fd, "z", 1, 5), 1);
	CHECK_EQ(a[5], 'z');
	CHECK_EQ(faults(a + 3 * PAGE, 0), SIGBUS);
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	CHECK_EQ(faults(a + PAGE, 0), SIGBUS);
	CHECK_EQ(msync(a, PAGE, MS_SYNC), 0);
	CHECK_ERRNO(msync(a, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	munmap(a, 4 * PAGE);
	munmap(b, PAGE);
	close(fd);
	fd = open(name, O_RDONLY);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1), EINVAL);
	close(fd);
	unlink(name);
}

static void remapping(void)
{
	char *p = map(4, MAP_PRIVATE), *q;

	memset(p, 3, 4 * PAGE);
	q = mremap(p, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	CHECK_EQ(q[4 * PAGE - 1], 3);
	CHECK_EQ(q[4 * PAGE], 0);
	CHECK(mremap(q, 64 * PAGE, PAGE, 0) == q);
	CHECK_EQ(faults(q + PAGE, 0), SIGSEGV);
	CHECK_ERRNO(mremap(q + 1, PAGE, PAGE, 0), EINVAL);
	CHECK_ERRNO(mremap(q, PAGE, 0, 0), EINVAL);
	CHECK_ERRNO(mremap((void *)PAGE, PAGE, PAGE, MREMAP_MAYMOVE), EFAULT);
	munmap(q, PAGE);
}

static void advice(void)
{
	unsigned char vector[4];
	char *p = map(4, MAP_PRIVATE);
	int status;
	pid_t child;

	memset(p, 9, 4 * PAGE);
	CHECK_EQ(mincore(p, 4 * PAGE, vector), 0);
	CHECK_EQ(vector[3] & 1, 1);
	CHECK_EQ(madvise(p + PAGE, PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(p[2 * PAGE], 9);
	CHECK_EQ(madvise(p, PAGE, MADV_WIPEONFORK), 0);
	CHECK_EQ(madvise(p + 3 * PAGE, PAGE, MADV_DONTFORK), 0);
	child = fork();
	if (!child)
		_exit(p[0] == 0 && p[2 * PAGE] == 9 && faults(p + 3 * PAGE, 0) == SIGSEGV ? 0 : 1);
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	CHECK_ERRNO(madvise(p, PAGE, 12345), EINVAL);
	CHECK_ERRNO(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
	CHECK_ERRNO(mincore(p + 1, PAGE, vector), EINVAL);
	munmap(p, 4 * PAGE);
	CHECK_ERRNO(madvise(p, PAGE, MADV_DONTNEED), ENOMEM);
}

static void program_break(void)
{
	char *start = (char *)syscall(SYS_brk, 0);

	CHECK(syscall(SYS_brk, start + 3 * PAGE) == (long)(start + 3 * PAGE));
	start[2 * PAGE] = 5;
	CHECK_EQ(start[2 * PAGE], 5);
	CHECK(syscall(SYS_brk, start) == (long)start);
	CHECK(syscall(SYS_brk, 4096) == (long)start);
}

static void locks(void)
{
	char *p = map(2, MAP_PRIVATE);

	CHECK_EQ(mlock(p, 2 * PAGE), 0);
	CHECK_EQ(munlock(p, 2 * PAGE), 0);
	munmap(p, 2 * PAGE);
	CHECK_ERRNO(mlock(p, PAGE), ENOMEM);
	CHECK_ERRNO(mlockall(0), EINVAL);
}

static void other_process(void)
{
	char *s = map(1, MAP_SHARED), buf[32] = "";
	char *p = map(1, MAP_PRIVATE);
	struct iovec local = { buf, 6 }, remote = { p, 6 };
	pid_t child;

	strcpy(p, "parent");
	child = fork();
	if (!child) {
		strcpy(p, "child!");
		s[0] = 1;
		while (s[1] == 0)
			usleep(1000);
		_exit(strcmp(p, "hello!") ? 1 : 0);
	}
	while (!__atomic_load_n(&s[0], __ATOMIC_SEQ_CST))
		usleep(1000);
	CHECK_EQ(process_vm_readv(child, &local, 1, &remote, 1, 0), 6);
	CHECK(!memcmp(buf, "child!", 6));
	memcpy(buf, "hello!", 6);
	CHECK_EQ(process_vm_writev(child, &local, 1, &remote, 1, 0), 6);
	s[1] = 1;
	{
		int status;

		waitpid(child, &status, 0);
		CHECK_EQ(status, 0);
	}
	CHECK_ERRNO(process_vm_readv(child, &local, 1, &remote, 1, 0), ESRCH);
	CHECK_ERRNO(process_vm_readv(getpid(), &local, 1, &remote, 1, 1), EINVAL);
}

/* The stack grows by itself, and an access far below it does not. */
static int deep(int n)
{
	volatile char room[4096];

	room[0] = (char)n;
	return n ? deep(n - 1) + room[0] : 0;
}

static void stack(void)
{
	CHECK(deep(1000) != 12345678);
}

int main(void)
{
	static char alternative[65536];
	stack_t s = { .ss_sp = alternative, .ss_size = sizeof(alternative) };
	struct sigaction a = { .sa_handler = jump, .sa_flags = SA_ONSTACK | SA_NODEFER };

	sigaltstack(&s, NULL);
	sigaction(SIGSEGV, &a, NULL);
	sigaction(SIGBUS, &a, NULL);
	basics();
	sharing();
	files();
	remapping();
	advice();
	program_break();
	locks();
	other_process();
	stack();
	return test_done();
}
