/* The vDSO and the clock page: nobody writes what others see; what a debugger may reach of them. */
// calls: mprotect process_vm_readv process_vm_writev
// errors: mprotect process_vm_readv process_vm_writev
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "include/test.h"

#define PAGE 4096ul
#define PADDING 9	/* a byte of the ELF header that nothing reads */

static unsigned char *vdso, *vvar;
static int fixed;	/* later Linux keeps programs from changing these mappings at all */

/* Where the mapping of this name begins; null if there is none. */
static unsigned char *find_mapping(const char *name)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned long start = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, name)) {
			start = strtoul(line, NULL, 16);
			break;
		}
	}
	if (f)
		fclose(f);
	return (unsigned char *)start;
}

static int later_linux(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	sscanf(u.release, "%d.%d", &major, &minor);
	return major > 6 || (major == 6 && minor > 6);
}

static volatile unsigned char *at(unsigned char *page) { return page + PADDING; }

static int rw(unsigned char *page) { return mprotect(page, PAGE, PROT_READ | PROT_WRITE); }

static void refusals(void)
{
	CHECK_ERRNO(rw(vvar), EACCES);
	CHECK_ERRNO(mprotect(vvar, PAGE, PROT_READ | PROT_EXEC), EACCES);
	CHECK_ERRNO(mprotect(vvar, PAGE, PROT_WRITE), EACCES);
	CHECK(fixed || !mprotect(vvar, PAGE, PROT_READ));
}

/* The byte as another process has it: one that was made before anybody wrote. */
static int answer[2], question[2];

static void other(void)
{
	unsigned char byte;

	while (read(question[0], &byte, 1) == 1) {
		byte = *at(vdso);
		if (write(answer[1], &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static int seen_by_other(void)
{
	unsigned char byte = 0;

	if (write(question[1], &byte, 1) != 1 || read(answer[0], &byte, 1) != 1)
		return -1;
	return byte;
}

static int child_status(void (*body)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		body();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* Writes it from a child, by the mapping. `touched`: after a read of it. */
static void write_untouched(void)
{
	if (rw(vdso))
		_exit(1);
	*at(vdso) ^= 0x5a;
}

static void write_touched(void)
{
	volatile unsigned char byte = *at(vdso);

	(void)byte;
	write_untouched();
	_exit(*at(vdso) == (unsigned char)(byte ^ 0x5a) ? 0 : 2);
}

static void vvar_in_child(void)
{
	_exit(!(rw(vvar) == -1 && errno == EACCES));
}

static void copies(void)
{
	unsigned char before = *at(vdso);

	CHECK(fixed || child_status(write_untouched) == 0);
	CHECK_EQ(*at(vdso), before);
	CHECK(fixed || child_status(write_touched) == 0);
	CHECK_EQ(*at(vdso), before);
	CHECK_EQ(child_status(vvar_in_child), 0);
	CHECK_EQ(seen_by_other(), before);
}

static void debugger(void)
{
	unsigned char before = *at(vdso), byte = before ^ 0xff;
	struct iovec mine = { &byte, 1 }, there = { vdso + PADDING, 1 };
	int fd = open("/proc/self/mem", O_RDWR);

	CHECK(fd >= 0);
	CHECK_ERRNO(process_vm_writev(getpid(), &mine, 1, &there, 1, 0), EFAULT);
	CHECK_EQ(process_vm_readv(getpid(), &mine, 1, &there, 1, 0), 1);
	CHECK_EQ(byte, before);
	byte = before ^ 0xff;
	CHECK_EQ(pwrite(fd, &byte, 1, (off_t)(vdso + PADDING)), 1);
	CHECK_EQ(*at(vdso), byte);
	CHECK_EQ(seen_by_other(), before);
	there.iov_base = vvar;
	CHECK_ERRNO(process_vm_readv(getpid(), &mine, 1, &there, 1, 0), EFAULT);
	CHECK_ERRNO(process_vm_writev(getpid(), &mine, 1, &there, 1, 0), EFAULT);
	CHECK_ERRNO(pwrite(fd, &byte, 1, (off_t)vvar), EIO);
	close(fd);
}

/* The whole moves, and is what it was. */
static void moved(void)
{
	unsigned char *room = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(room, PAGE);
	CHECK(mremap(vvar, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room) == room);
	CHECK_ERRNO(rw(room), EACCES);
}

int main(void)
{
	struct timespec now;
	int status;
	pid_t pid;

	vdso = (unsigned char *)getauxval(AT_SYSINFO_EHDR);
	vvar = find_mapping("[vvar]");
	CHECK(vdso && vvar);
	fixed = later_linux();
	if (pipe(question) || pipe(answer))
		return 1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(question[1]);
		other();
	}
	refusals();
	copies();
	debugger();
	CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	if (!fixed)
		moved();
	close(question[1]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return test_done();
}
