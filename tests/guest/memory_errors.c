/* What the memory calls refuse, and their limits. */
// libc: gcc
// errors: mmap munmap mprotect mremap msync mincore madvise mlock mlock2 munlock mlockall munlockall brk process_vm_readv process_vm_writev
#include "include/proof.h"

#include <sys/resource.h>
#include <sys/uio.h>

#define PAGE 4096l
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#ifdef __aarch64__
#define TOP (1l << 48)
#else
#define TOP 0x7ffffffff000l
#endif

static void *pages(int n) { return mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, ANON, -1, 0); }

static void maps(void)
{
	int reader = open("file", O_RDONLY), writer = open("file", O_WRONLY), path = open("file", O_PATH), dir = open(".", O_RDONLY);
	char *p = pages(4);

	munmap(p + PAGE, PAGE);
	FAILS(EINVAL, mmap, 0l, 0l, PROT_READ, ANON, -1, 0l);
	FAILS(EINVAL, mmap, 0l, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0l);
	FAILS(EINVAL, mmap, 0l, PAGE, PROT_READ, ANON, -1, 1l);
	FAILS(EINVAL, mmap, p + 1, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0l);
	FAILS(ENOMEM, mmap, 0l, -PAGE, PROT_READ, ANON, -1, 0l);
	FAILS(ENOMEM, mmap, 0l, -1l, PROT_READ, ANON, -1, 0l);
	FAILS(ENOMEM, mmap, TOP, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0l);
	FAILS(EEXIST, mmap, p, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0l);
	FAILS(EBADF, mmap, 0l, PAGE, PROT_READ, MAP_PRIVATE, -1, 0l);
	FAILS(EBADF, mmap, 0l, PAGE, PROT_READ, MAP_PRIVATE, 9999, 0l);
	FAILS(EBADF, mmap, 0l, PAGE, PROT_READ, MAP_PRIVATE, path, 0l);
	FAILS(EACCES, mmap, 0l, PAGE, PROT_READ, MAP_PRIVATE, writer, 0l);
	FAILS(EACCES, mmap, 0l, PAGE, PROT_WRITE, MAP_SHARED, reader, 0l);
	FAILS(EACCES, mmap, 0l, PAGE, PROT_WRITE, MAP_SHARED, writer, 0l);
	FAILS(ENODEV, mmap, 0l, PAGE, PROT_READ, MAP_PRIVATE, dir, 0l);
	FAILS(EINVAL, mmap, 0l, PAGE, PROT_READ, MAP_PRIVATE, reader, 100l);
	FAILS(EOVERFLOW, mmap, 0l, 2 * PAGE, PROT_READ, MAP_PRIVATE, reader, -PAGE);
	FAILS(EOPNOTSUPP, mmap, 0l, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x200000, reader, 0l);
	FAILS(EINVAL, munmap, p + 1, PAGE);
	FAILS(EINVAL, munmap, p, 0l);
	FAILS(EINVAL, munmap, 0xffff800000000000l, PAGE);
	FAILS(EINVAL, munmap, TOP, PAGE);
	GIVES(0, munmap, p + PAGE, PAGE);
	FAILS(EINVAL, mprotect, p + 1, PAGE, PROT_READ);
	FAILS(EINVAL, mprotect, p, PAGE, 0x100);
	FAILS(EINVAL, mprotect, p, PAGE, PROT_GROWSUP | PROT_GROWSDOWN);
	FAILS(EINVAL, mprotect, p, PAGE, PROT_READ | PROT_GROWSDOWN);
	FAILS(ENOMEM, mprotect, p, 4 * PAGE, PROT_READ);
	FAILS(ENOMEM, mprotect, p + PAGE, PAGE, PROT_READ);
	FAILS(ENOMEM, mprotect, p, -PAGE, PROT_READ);
	FAILS(ENOMEM, mprotect, 0xffff800000000000l, PAGE, PROT_READ);
	GIVES(0, mprotect, p + PAGE, 0l, PROT_READ);
	/* The pages before the hole have the new protection. */
	FAILS(EFAULT, read, reader, p, 4l);
	munmap(p, 4 * PAGE);
}

static void moves(void)
{
	char *p = pages(4);

	munmap(p + PAGE, PAGE);
	FAILS(EINVAL, mremap, p + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0l);
	FAILS(EINVAL, mremap, p, PAGE, 0l, MREMAP_MAYMOVE, 0l);
	FAILS(EINVAL, mremap, p, PAGE, PAGE, 8, 0l);
	FAILS(EINVAL, mremap, p, PAGE, PAGE, MREMAP_FIXED, 0l);
	FAILS(EINVAL, mremap, p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 1);
	FAILS(EINVAL, mremap, p + 2 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 3 * PAGE);
	FAILS(EINVAL, mremap, p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, TOP);
	FAILS(EINVAL, mremap, p, 0l, PAGE, MREMAP_MAYMOVE, 0l);
	FAILS(EFAULT, mremap, p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0l);
	FAILS(EFAULT, mremap, p, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, 0l);
	FAILS(ENOMEM, mremap, p, PAGE, 3 * PAGE, 0, 0l);
	FAILS(ENOMEM, mremap, p, PAGE, 1l << 46, MREMAP_MAYMOVE, 0l);
	GIVES(p, mremap, p, PAGE, 2 * PAGE, 0, 0l);
	munmap(p, 4 * PAGE);
}

static void advice(void)
{
	char *p = pages(4);
	unsigned char resident[4];

	munmap(p + PAGE, PAGE);
	FAILS(EINVAL, msync, p + 1, PAGE, MS_SYNC);
	FAILS(EINVAL, msync, p, PAGE, 8);
	FAILS(EINVAL, msync, p, PAGE, MS_SYNC | MS_ASYNC);
	FAILS(ENOMEM, msync, p, 4 * PAGE, MS_SYNC);
	FAILS(ENOMEM, msync, p, -2 * PAGE, MS_SYNC);
	FAILS(EINVAL, mincore, p + 1, PAGE, resident);
	FAILS(ENOMEM, mincore, p, 4 * PAGE, resident);
	FAILS(ENOMEM, mincore, 0xffff800000000000l, PAGE, resident);
	FAULTS(mincore, 2, 1, P(p), PAGE, 0);
	FAILS(EINVAL, madvise, p + 1, PAGE, MADV_NORMAL);
	FAILS(EINVAL, madvise, p, PAGE, 7777);
	FAILS(EINVAL, madvise, p, -2 * PAGE, MADV_NORMAL);
	FAILS(ENOMEM, madvise, p, 4 * PAGE, MADV_WILLNEED);
	FAILS(ENOMEM, madvise, p, 4 * PAGE, MADV_DONTNEED);
	GIVES(0, madvise, p, 0l, MADV_NORMAL);
	FAILS(ENOMEM, mlock, p, 4 * PAGE);
	FAILS(ENOMEM, mlock, p + PAGE, PAGE);
	FAILS(EINVAL, mlock, -2 * PAGE + 1, 2 * PAGE);
	FAILS(EINVAL, mlock2, p, PAGE, 2);
	FAILS(ENOMEM, mlock2, p, 4 * PAGE, 1);
	FAILS(ENOMEM, munlock, p, 4 * PAGE);
	FAILS(EINVAL, mlockall, 0);
	FAILS(EINVAL, mlockall, 8);
	FAILS(EINVAL, mlockall, MCL_ONFAULT);
	/* Nothing to refuse, whatever stands in the registers. */
	GIVES(0, munlockall, -1l, -1l, -1l);
	munmap(p, 4 * PAGE);
}

static void locked(void)
{
	struct rlimit none = { 0, 0 }, some = { 2 * PAGE, 2 * PAGE };
	char *p;

	setrlimit(RLIMIT_MEMLOCK, &some);
	become_user(1000);
	p = pages(4);
	GIVES(0, mlock, p, 2 * PAGE);
	FAILS(ENOMEM, mlock, p, 3 * PAGE);
	FAILS(ENOMEM, mlock2, p, 3 * PAGE, 0);
	FAILS(ENOMEM, mlockall, MCL_CURRENT);
	FAILS(EAGAIN, mmap, 0l, PAGE, PROT_READ, ANON | MAP_LOCKED, -1, 0l);
	GIVES(0, munlockall);
	setrlimit(RLIMIT_MEMLOCK, &none);
	FAILS(EPERM, mlock, p, PAGE);
	FAILS(EPERM, mlock2, p, PAGE, 0);
	FAILS(EPERM, mlockall, MCL_CURRENT);
	FAILS(EPERM, mmap, 0l, PAGE, PROT_READ, ANON | MAP_LOCKED, -1, 0l);
}

static void sized(void)
{
	struct rlimit r = { 64 << 20, 64 << 20 }, data = { PAGE, RLIM_INFINITY };
	long end = syscall(SYS_brk, 0l);
	char *p = pages(2);

	/* The break answers with what it is, changed or not. */
	GIVES(end, brk, 1l);
	GIVES(end, brk, -1l);
	GIVES(end, brk, TOP);
	setrlimit(RLIMIT_AS, &r);
	FAILS(ENOMEM, mmap, 0l, 128l << 20, PROT_READ, ANON, -1, 0l);
	FAILS(ENOMEM, mremap, p, 2 * PAGE, 128l << 20, MREMAP_MAYMOVE, 0l);
	GIVES(end, brk, end + (128l << 20));
	setrlimit(RLIMIT_DATA, &data);
	GIVES(end, brk, end + (8l << 20));
	FAILS(ENOMEM, mmap, 0l, 8l << 20, PROT_READ | PROT_WRITE, ANON, -1, 0l);
	CHECK(mmap(NULL, 8l << 20, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static void others(void)
{
	char a[16] = "0123456789", b[16];
	struct iovec local = { b, 8 }, remote = { a, 8 }, wrong = { (void *)8, 8 }, huge = { a, -1 };

	FAILS(ESRCH, process_vm_readv, 0x7ffffff, &local, 1l, &remote, 1l, 0l);
	FAILS(ESRCH, process_vm_writev, 0x7ffffff, &local, 1l, &remote, 1l, 0l);
	FAILS(EINVAL, process_vm_readv, getpid(), &local, 1l, &remote, 1l, 1l);
	FAILS(EINVAL, process_vm_writev, getpid(), &local, 1l, &remote, 1l, 1l);
	FAILS(EINVAL, process_vm_readv, getpid(), &local, 1025l, &remote, 1l, 0l);
	FAILS(EINVAL, process_vm_writev, getpid(), &local, 1l, &remote, 1025l, 0l);
	FAILS(EINVAL, process_vm_readv, getpid(), &huge, 1l, &remote, 1l, 0l);
	FAILS(EFAULT, process_vm_readv, getpid(), &local, 1l, &wrong, 1l, 0l);
	FAILS(EFAULT, process_vm_readv, getpid(), &wrong, 1l, &remote, 1l, 0l);
	FAILS(EFAULT, process_vm_writev, getpid(), &local, 1l, &wrong, 1l, 0l);
	FAULTS(process_vm_readv, 1, sizeof(local), getpid(), 0, 1, P(&remote), 1, 0);
	FAULTS(process_vm_readv, 3, sizeof(local), getpid(), P(&local), 1, 0, 1, 0);
	FAULTS(process_vm_writev, 1, sizeof(local), getpid(), 0, 1, P(&remote), 1, 0);
	FAULTS(process_vm_writev, 3, sizeof(local), getpid(), P(&local), 1, 0, 1, 0);
}

static void foreign(void)
{
	char b[16];
	struct iovec local = { b, 8 }, remote = { b, 8 };

	FAILS(EPERM, process_vm_readv, getppid(), &local, 1l, &remote, 1l, 0l);
	FAILS(EPERM, process_vm_writev, getppid(), &local, 1l, &remote, 1l, 0l);
}

int main(void)
{
	own_directory("memory_errors");
	close(own_file("file", "contents"));
	maps();
	moves();
	advice();
	if (geteuid() == 0)
		in_child(locked);
	in_child(sized);
	others();
	if (geteuid() == 0)
		as_user(foreign);
	unlink("file");
	proof_remove();
	return test_done();
}
