/* What the futex calls of both generations refuse, and the lists of robust locks. */
// libc: gcc
// errors: futex futex_wait futex_wake futex_requeue futex_waitv set_robust_list get_robust_list
#include "include/proof.h"

#include <linux/futex.h>
#include <stdint.h>
#include <time.h>

#ifndef SYS_futex_wake
#define SYS_futex_wake 454
#define SYS_futex_wait 455
#define SYS_futex_requeue 456
#endif
#define U32 2
#define NOBODY 0x7ffffff

struct waiter { uint64_t val, uaddr; uint32_t flags, reserved; };

static uint32_t word, other;
static char *page;

static void first(void)
{
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 };

	FAILS(ENOSYS, futex, &word, 99, 0, NULL, NULL, 0);
	FAILS(ENOSYS, futex, &word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0);
	FAILS(ENOSYS, futex, &word, FUTEX_FD, 0, NULL, NULL, 0);
	FAILS(EAGAIN, futex, &word, FUTEX_WAIT, 1, NULL, NULL, 0);
	FAILS(EINVAL, futex, &word, FUTEX_WAIT, 0, &bad, NULL, 0);
	FAILS(EINVAL, futex, &word, FUTEX_WAIT, 0, &negative, NULL, 0);
	FAILS(EINVAL, futex, &word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0);
	FAILS(EINVAL, futex, &word, FUTEX_WAKE_BITSET, 0, NULL, NULL, 0);
	FAILS(EINVAL, futex, (char *)&word + 1, FUTEX_WAIT, 0, NULL, NULL, 0);
	FAILS(EINVAL, futex, (char *)&word + 2, FUTEX_WAKE, 1, NULL, NULL, 0);
	FAILS(EAGAIN, futex, &word, FUTEX_CMP_REQUEUE, 1, 1l, &other, 7);
	FAILS(EINVAL, futex, &word, FUTEX_CMP_REQUEUE, -1, 1l, &other, 0);
	FAILS(EINVAL, futex, &word, FUTEX_REQUEUE, 1, -1l, &other, 0);
	FAILS(ENOSYS, futex, &word, FUTEX_WAKE_OP, 1, 1l, &other, 7 << 28);
	FAILS(EFAULT, futex, page, FUTEX_WAIT, 0, NULL, NULL, 0);
	FAILS(EFAULT, futex, 0xffff888000001000ul, FUTEX_WAKE, 1, NULL, NULL, 0);
	FAILS(EFAULT, futex, 0xffff888000001000ul, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	FAILS(EFAULT, futex, page, FUTEX_WAKE, 1, NULL, NULL, 0);
	FAILS(EFAULT, futex, &word, FUTEX_WAIT, 0, (void *)8, NULL, 0);
	FAILS(EFAULT, futex, &word, FUTEX_WAKE_OP, 1, 1l, page, 0);
	FAILS(EFAULT, futex, page, FUTEX_CMP_REQUEUE, 1, 1l, &other, 0);
}

static void second(void)
{
	struct timespec bad = { 0, -1 }, past = { 0, 1 };

	FAILS(EINVAL, futex_wait, &word, 0l, 1l, 0, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_wait, &word, 0l, 1l, 3, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_wait, &word, 0l, 1l, U32 | 0x1000, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_wait, &word, 1l << 32, 1l, U32, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_wait, &word, 0l, 1l << 32, U32, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_wait, &word, 0l, 0l, U32, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_wait, &word, 0l, 1l, U32, &past, CLOCK_BOOTTIME);
	FAILS(EINVAL, futex_wait, &word, 0l, 1l, U32, &bad, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_wait, (char *)&word + 1, 0l, 1l, U32, NULL, CLOCK_MONOTONIC);
	FAILS(EAGAIN, futex_wait, &word, 1l, 1l, U32, NULL, CLOCK_MONOTONIC);
	FAILS(ETIMEDOUT, futex_wait, &word, 0l, 1l, U32, &past, CLOCK_MONOTONIC);
	FAILS(ETIMEDOUT, futex_wait, &word, 0l, 1l, U32, &past, CLOCK_REALTIME);
	FAULTS(futex_wait, 4, sizeof(past), P(&word), 0, 1, U32, 0, CLOCK_MONOTONIC);
	FAILS(EFAULT, futex_wait, page, 0l, 1l, U32, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_wake, &word, 1l, 1, 0);
	FAILS(EINVAL, futex_wake, &word, 1l, 1, U32 | 0x100);
	FAILS(EINVAL, futex_wake, &word, 1l << 33, 1, U32);
	FAILS(EINVAL, futex_wake, &word, 0l, 1, U32);
	FAILS(EINVAL, futex_wake, (char *)&word + 3, 1l, 1, U32);
	FAILS(EFAULT, futex_wake, page, 1l, 1, U32);
	FAILS(EFAULT, futex_wake, 0xffff888000001000ul, 1l, 1, U32 | FUTEX_PRIVATE_FLAG);
}

static void requeues(void)
{
	struct waiter w[2] = { { 0, (uintptr_t)&word, U32, 0 }, { 0, (uintptr_t)&other, U32, 0 } };

	GIVES(0, futex_requeue, w, 0, 1, 1);
	FAILS(EINVAL, futex_requeue, w, 1, 1, 1);
	FAILS(EINVAL, futex_requeue, NULL, 0, 1, 1);
	FAILS(EINVAL, futex_requeue, w, 0, -1, 1);
	FAILS(EINVAL, futex_requeue, w, 0, 1, -1);
	FAULTS(futex_requeue, 0, 0, 0, 0, 1, 1);
	FAILS(EFAULT, futex_requeue, proof_edge(sizeof(w[0]), w), 0, 1, 1);
	w[0].val = 1;
	FAILS(EAGAIN, futex_requeue, w, 0, 1, 1);
	w[0].val = 1ull << 32;
	FAILS(EINVAL, futex_requeue, w, 0, 1, 1);
	w[0].val = 0;
	w[1].flags = 0;
	FAILS(EINVAL, futex_requeue, w, 0, 1, 1);
	w[1].flags = U32;
	w[1].reserved = 1;
	FAILS(EINVAL, futex_requeue, w, 0, 1, 1);
	w[1].reserved = 0;
	w[1].uaddr = (uintptr_t)page;
	FAILS(EFAULT, futex_requeue, w, 0, 1, 1);
	w[1].uaddr = (uintptr_t)&other + 1;
	FAILS(EINVAL, futex_requeue, w, 0, 1, 1);
}

static void several(void)
{
	struct waiter w[2] = { { 0, (uintptr_t)&word, U32, 0 }, { 1, (uintptr_t)&other, U32, 0 } };
	struct timespec past = { 0, 1 }, bad = { 0, 1000000000 };

	FAILS(EINVAL, futex_waitv, w, 2, 1, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_waitv, w, 0, 0, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_waitv, w, 129, 0, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_waitv, NULL, 1, 0, NULL, CLOCK_MONOTONIC);
	FAILS(EINVAL, futex_waitv, w, 1, 0, &past, CLOCK_BOOTTIME);
	FAILS(EINVAL, futex_waitv, w, 1, 0, &bad, CLOCK_MONOTONIC);
	FAULTS(futex_waitv, 0, sizeof(w[0]), 0, 1, 0, 0, CLOCK_MONOTONIC);
	FAULTS(futex_waitv, 3, sizeof(past), P(w), 1, 0, 0, CLOCK_MONOTONIC);
	FAILS(EAGAIN, futex_waitv, w, 2, 0, NULL, CLOCK_MONOTONIC);
	FAILS(ETIMEDOUT, futex_waitv, w, 1, 0, &past, CLOCK_MONOTONIC);
	w[0].val = 1ull << 32;
	FAILS(EINVAL, futex_waitv, w, 1, 0, NULL, CLOCK_MONOTONIC);
	w[0].val = 0;
	w[0].reserved = 1;
	FAILS(EINVAL, futex_waitv, w, 1, 0, NULL, CLOCK_MONOTONIC);
	w[0].reserved = 0;
	w[0].flags = 0;
	FAILS(EINVAL, futex_waitv, w, 1, 0, NULL, CLOCK_MONOTONIC);
	w[0].flags = U32;
	w[0].uaddr = (uintptr_t)page;
	FAILS(EFAULT, futex_waitv, w, 1, 0, NULL, CLOCK_MONOTONIC);
}

static void unprivileged(void)
{
	uint64_t head, size;

	FAILS(EPERM, get_robust_list, getppid(), &head, &size);
	GIVES(0, get_robust_list, getpid(), &head, &size);
}

static void lists(void)
{
	uint64_t head, size;

	FAILS(EINVAL, set_robust_list, &word, 23l);
	FAILS(EINVAL, set_robust_list, &word, 0l);
	FAILS(ESRCH, get_robust_list, NOBODY, &head, &size);
	FAILS(ESRCH, get_robust_list, -1, &head, &size);
	FAULTS(get_robust_list, 1, 8, 0, 0, P(&size));
	FAULTS(get_robust_list, 2, 8, 0, P(&head), 0);
}

/* A page of a mapped file that the file does not reach: nobody can wait there, and nobody is woken. */
static void beyond_the_file(int flags)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	char *p;

	CHECK_EQ(ftruncate(fd, 100), 0);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, flags, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(syscall(SYS_futex, p + 4092, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	FAILS(EFAULT, futex, p + 4096, FUTEX_WAKE, 1, NULL, NULL, 0);
	FAILS(EFAULT, futex, p + 4096, FUTEX_WAIT, 0, NULL, NULL, 0);
	CHECK_EQ(ftruncate(fd, 4097), 0);
	CHECK_EQ(syscall(SYS_futex, p + 4096, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	munmap(p, 8192);
	close(fd);
}

int main(void)
{
	own_directory("futex_errors");
	beyond_the_file(MAP_SHARED);
	beyond_the_file(MAP_PRIVATE);
	page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	first();
	second();
	requeues();
	several();
	lists();
	if (geteuid() == 0)
		as_user(unprivileged);
	return test_done();
}
