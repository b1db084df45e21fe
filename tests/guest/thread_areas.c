/* arch_prctl: the two segment bases of a thread, set and read, used by its accesses, kept over switches; and by fork. */
// libc: gcc
// arch: x86_64
// calls: arch_prctl
#include "include/proof.h"

#include <asm/prctl.h>
#include <stdint.h>

static uint64_t area[4] = { 0x1234, 0x5678 };

static uint64_t read_gs(void)
{
	uint64_t v;

	asm volatile("movq %%gs:8, %0" : "=r"(v));
	return v;
}

int main(void)
{
	uint64_t fs = 0, gs = 1, now;
	int status;

	GIVES(0, arch_prctl, ARCH_GET_FS, &fs);
	asm("movq %%fs:0, %0" : "=r"(now));
	CHECK(fs != 0 && fs == now);		/* the library keeps the base's own address there */
	GIVES(0, arch_prctl, ARCH_GET_GS, &gs);
	CHECK_EQ(gs, 0);
	GIVES(0, arch_prctl, ARCH_SET_GS, area);
	CHECK_EQ(read_gs(), 0x5678);
	for (int i = 0; i < 100; i++)
		sched_yield();
	usleep(10000);
	CHECK_EQ(read_gs(), 0x5678);
	if (fork() == 0)
		_exit(read_gs() != 0x5678);
	wait(&status);
	CHECK_EQ(status, 0);
	/* The base may be moved by hand and set back: nothing of the library is touched between. */
	long a = syscall(SYS_arch_prctl, ARCH_SET_FS, fs);

	CHECK_EQ(a, 0);
	GIVES(0, arch_prctl, ARCH_SET_GS, 0l);
	GIVES(0, arch_prctl, ARCH_GET_GS, &gs);
	CHECK_EQ(gs, 0);
	return test_done();
}
