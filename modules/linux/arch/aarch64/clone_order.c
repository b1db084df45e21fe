/*
 * aarch64: the order of clone(2)'s arguments: the TLS pointer before the child's id.
 */
#include "modules/linux/internal.h"

void arch_clone_arguments(uintptr_t fourth, uintptr_t fifth, uintptr_t *child_tid, uintptr_t *tls)
{
	*tls = fourth;
	*child_tid = fifth;
}
