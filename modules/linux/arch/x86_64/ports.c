/*
 * x86_64: ioperm(2) and iopl(2). No program gets ports, as with Linux's lockdown; giving up what one never had is fine.
 */
#include "modules/linux/internal.h"

#include <gen/linux.h>

#define PORTS 65536u

long sys_ioperm(uintptr_t from, uintptr_t count, int32_t on)
{
	if (from + count <= from || from + count > PORTS)
		return -EINVAL;
	return on ? -EPERM : 0;
}

long sys_iopl(uint32_t level)
{
	return level > 3 ? -EINVAL : level ? -EPERM : 0;
}
