/* process_madvise: hints for another process, by whom they may be given, and how far the ranges go. */
// calls: process_madvise
// errors: process_madvise
#include "include/proof.h"

#include <sys/uio.h>
#include <sys/wait.h>

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#endif

static char *pages;
static int child_fd;

static long advise(int fd, struct iovec *iov, size_t count, int advice, unsigned int flags)
{
	return syscall(SYS_process_madvise, fd, iov, count, advice, flags);
}

static void unprivileged(void)
{
	struct iovec one = { pages, 4096 };

	CHECK(advise(child_fd, &one, 1, MADV_COLD, 0) == -1 && (errno == EPERM || errno == EACCES));
}

int main(void)
{
	struct iovec two[2], one;
	int status, file;
	pid_t child;

	pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (!child)
		for (;;)
			pause();
	munmap(pages + 4096, 4096);	/* of ours: the child has all three */
	CHECK((child_fd = (int)syscall(SYS_pidfd_open, child, 0)) >= 0);
	two[0] = (struct iovec){ pages, 4096 };
	two[1] = (struct iovec){ pages + 4096, 8192 };
	CHECK_EQ(advise(child_fd, two, 2, MADV_COLD, 0), 12288);
	CHECK_EQ(advise(child_fd, two, 2, MADV_WILLNEED, 0), 12288);
	CHECK_EQ(advise(child_fd, two, 0, MADV_COLD, 0), 0);

	FAILS(EINVAL, process_madvise, child_fd, two, 2, MADV_COLD, 1);
	FAILS(EINVAL, process_madvise, child_fd, two, 1025, MADV_COLD, 0);
	FAILS(EINVAL, process_madvise, child_fd, two, 2, MADV_DONTFORK, 0);
	FAILS(EBADF, process_madvise, -1, two, 2, MADV_COLD, 0);
	file = open("/", O_RDONLY);
	FAILS(EBADF, process_madvise, file, two, 2, MADV_COLD, 0);
	FAILS(EFAULT, process_madvise, child_fd, (struct iovec *)8, 2, MADV_COLD, 0);
	one = (struct iovec){ pages + 1, 4096 };
	FAILS(EINVAL, process_madvise, child_fd, &one, 1, MADV_COLD, 0);
	/* What is not mapped ends it; what was done before counts. */
	one = (struct iovec){ (void *)0x10000, 4096 };
	FAILS(ENOMEM, process_madvise, child_fd, &one, 1, MADV_COLD, 0);
	two[1] = one;
	CHECK_EQ(advise(child_fd, two, 2, MADV_COLD, 0), 4096);
	if (geteuid() == 0)
		as_user(unprivileged);
	kill(child, SIGKILL);
	waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT);
	FAILS(ESRCH, process_madvise, child_fd, two, 2, MADV_COLD, 0);
	waitpid(child, &status, 0);
	FAILS(ESRCH, process_madvise, child_fd, two, 2, MADV_COLD, 0);
	return test_done();
}
