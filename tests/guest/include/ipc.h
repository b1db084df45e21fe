/*
 * What the tests of System V IPC share: on a Linux with name spaces they have objects and limits of their own.
 */
#pragma once

#include "proof.h"

#include <sys/ipc.h>

static inline void own_ipc(void)
{
	syscall(SYS_unshare, (long)CLONE_NEWIPC);	/* elsewhere there is one name space only, and one test at a time */
}
