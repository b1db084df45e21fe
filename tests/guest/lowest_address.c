/* Nobody without CAP_SYS_RAWIO maps below vm.mmap_min_addr: mmap, mremap, shmat, brk's neighbours, growing stacks. */
// calls: mremap shmat
#include "include/proof.h"

#include <sys/shm.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static char *page(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*p = 42;
	return p;
}

/* A move to a low place fails and leaves the page where it is. */
static void moves(void)
{
	char *p = page();

	FAILS(EPERM, mremap, P(p), 4096L, 4096L, MREMAP_MAYMOVE | MREMAP_FIXED, 0L);
	FAILS(EPERM, mremap, P(p), 4096L, 4096L, MREMAP_MAYMOVE | MREMAP_FIXED, 4096L);
	FAILS(EPERM, mremap, P(p), 4096L, 4096L, MREMAP_MAYMOVE | MREMAP_FIXED, 61440L);
	FAILS(EINVAL, mremap, P(p), 4096L, 4096L, MREMAP_MAYMOVE | MREMAP_FIXED, 4097L);
	FAILS(EPERM, mremap, P(p), 4096L, 4096L,
	      MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, 0L);
	CHECK_EQ(*p, 42);
	munmap(p, 4096);
}

static void segments(void)
{
	long id = syscall(SYS_shmget, IPC_PRIVATE, 4096L, 0600 | IPC_CREAT);

	if (id < 0)
		return;
	FAILS(EPERM, shmat, id, 4096L, 0);
	FAILS(EPERM, shmat, id, 61440L, 0);
	FAILS(EPERM, shmat, id, 1L, SHM_RND);
	syscall(SYS_shmctl, id, IPC_RMID, 0L);
}

/* A region at the border does not grow below it. */
static void grows(void)
{
	char *p = mmap((void *)65536, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN, -1, 0);
	pid_t child;
	int status;

	if (p != (char *)65536)
		return;
	child = fork();
	if (!child) {
		*(volatile char *)(p - 1) = 1;
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	munmap(p, 4096);
}

static void ordinary(void)
{
	FAILS(EPERM, mmap, 0L, 4096L, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0L);
	FAILS(EPERM, mmap, 4096L, 4096L, PROT_READ,
	      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0L);
	moves();
	segments();
	grows();
}

int main(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/vm/mmap_min_addr", O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	if (geteuid() != 0 || strtoul(text, NULL, 10) != 65536)
		return test_done();
	as_user(ordinary);
	return test_done();
}
