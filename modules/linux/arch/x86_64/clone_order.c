/*
 * x86_64: the order of clone(2)'s arguments: the child's id before the TLS pointer.
 */
#include "modules/linux/internal.h"

void arch_clone_arguments(uintptr_t fourth, uintptr_t fifth, uintptr_t *child_tid, uintptr_t *tls)
{
	*child_tid = fourth;
	*tls = fifth;
}
