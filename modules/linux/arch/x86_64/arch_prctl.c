/*
 * x86_64: arch_prctl(2), the FS and GS bases of the calling thread.
 */
#include <asm/prctl.h>
#include <gen/linux.h>

#include "core/arch/thread.h"
#include "modules/linux/internal.h"

long sys_arch_prctl(int32_t option, uintptr_t address)
{
	switch (option) {
	case ARCH_SET_FS:
		if (!arch_thread_tls_valid(address))
			return -EPERM;
		arch_thread_set_tls(current, address);
		return 0;
	case ARCH_GET_FS:
		return user_store_u64(address, arch_thread_tls(current));
	case ARCH_SET_GS:
		if (!arch_thread_tls_valid(address))
			return -EPERM;
		arch_thread_set_gs(current, address);
		return 0;
	case ARCH_GET_GS:
		return user_store_u64(address, arch_thread_gs(current));
	}
	return -EINVAL;
}
