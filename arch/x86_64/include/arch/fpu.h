/*
 * x86_64: the extended state straight between the registers and user memory, for signal frames. The range is checked by the
 * caller and `at` is aligned to 64. The current thread's state is in the registers whenever it runs, so neither call needs its
 * saved area; a fault that sleeps in the middle begins the instruction again.
 */
#pragma once

#include "core/lib/types.h"

/* Writes the state of a signal frame at `at`: arch_fpu_size() bytes and, with features, the second magic word behind. -EFAULT. */
int x86_fpu_save_user(uintptr_t at);
/*
 * Loads a state that is as x86_fpu_save_user() writes it: 0. 1 if it is another (a smaller one, changed words): the caller takes it
 * apart. -EFAULT if it cannot be read or the CPU refuses it: the registers are undefined then and must be set otherwise.
 */
int x86_fpu_load_user(uintptr_t at);
