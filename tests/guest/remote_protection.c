/* process_vm_readv and writev keep to the protection of the memory that they reach; /proc/self/mem, a debugger's way, does not. */
// calls: process_vm_readv process_vm_writev
#include <sys/uio.h>

#include "include/proof.h"

static char *page;

static long reach(long number, char *buf, void *where)
{
	struct iovec local = { buf, 7 }, remote = { where, 7 };

	return syscall(number, (long)getpid(), &local, 1L, &remote, 1L, 0L);
}

static void check(int prot, int readable, int writable)
{
	char buf[8] = "", text[8] = "changed";

	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	strcpy(page, "hidden");
	mprotect(page, 4096, prot);
	errno = 0;
	if (readable) {
		CHECK_EQ(reach(SYS_process_vm_readv, buf, page), 7);
	} else {
		CHECK_ERRNO(reach(SYS_process_vm_readv, buf, page), EFAULT);
		CHECK_EQ(buf[0], 0);
	}
	if (writable)
		CHECK_EQ(reach(SYS_process_vm_writev, text, page), 7);
	else
		CHECK_ERRNO(reach(SYS_process_vm_writev, text, page), EFAULT);
	mprotect(page, 4096, PROT_READ);
	CHECK(!strcmp(page, writable ? "changed" : "hidden"));
}

/* The debugger reads and writes all the same, and the protection is as before. */
static void debugger(void)
{
	char buf[8] = "";
	int fd = open("/proc/self/mem", O_RDWR);
	pid_t child;
	int status;

	if (fd < 0)
		return;
	mprotect(page, 4096, PROT_NONE);
	CHECK_EQ(pread(fd, buf, 7, (off_t)page), 7);
	CHECK_EQ(pwrite(fd, "written", 7, (off_t)page), 7);
	child = fork();
	if (!child) {
		*(volatile char *)page;
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	mprotect(page, 4096, PROT_READ);
	CHECK(!memcmp(page, "written", 7));
	close(fd);
}

/* A page shared with a child after fork stays the child's own business when it is read through the back door. */
static void copy_on_write(void)
{
	char buf[8] = "";
	int fd = open("/proc/self/mem", O_RDWR), status;
	pid_t child;

	if (fd < 0)
		return;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	strcpy(page, "parent");
	child = fork();
	if (!child) {
		mprotect(page, 4096, PROT_WRITE);
		if (pread(fd, buf, 7, (off_t)page) != 7)
			_exit(1);
		*(volatile char *)page = 'X';
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK(!strcmp(page, "parent"));
	close(fd);
}

int main(void)
{
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(PROT_READ | PROT_WRITE, 1, 1);
	check(PROT_READ, 1, 0);
	check(PROT_NONE, 0, 0);
	check(PROT_WRITE, 0, 1);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(PROT_NONE, 0, 0);
	check(PROT_READ, 1, 0);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	debugger();
	copy_on_write();
	return test_done();
}
