/* Ports of the machine: no program gets them; what is asked wrongly is told. */
// libc: gcc
// arch: x86_64
// linux: no (root of a Linux without lockdown gets them)
// calls: ioperm iopl
// errors: ioperm iopl
#include "include/proof.h"

int main(void)
{
	FAILS(EINVAL, ioperm, 65535L, 2L, 1L);
	FAILS(EINVAL, ioperm, 0L, 0L, 1L);
	FAILS(EINVAL, ioperm, -1L, 1L, 1L);
	FAILS(EPERM, ioperm, 0x80L, 1L, 1L);
	GIVES(0, ioperm, 0x80L, 1L, 0L);
	FAILS(EINVAL, iopl, 4L);
	FAILS(EPERM, iopl, 3L);
	GIVES(0, iopl, 0L);
	return test_done();
}
