/*
 * Contract of a port: raw accesses to user memory through the exception table. The range has been checked by the caller.
 * A fault that cannot be resolved ends the access.
 */
#pragma once

#include "core/mem/uaccess.h"

/* Bytes not copied. */
size_t arch_uaccess_copy_in(void *dst, uintptr_t src, size_t n);
size_t arch_uaccess_copy_out(uintptr_t dst, const void *src, size_t n);
size_t arch_uaccess_clear(uintptr_t dst, size_t n);
/* Length without NUL, `size` if no NUL came within size bytes, -EFAULT. */
long arch_uaccess_copy_string(char *dst, uintptr_t src, size_t size);
/* 0 or -EFAULT. size: 1, 4 or 8 */
int arch_uaccess_load(uintptr_t src, unsigned int size, uint64_t *out);
int arch_uaccess_store(uintptr_t dst, unsigned int size, uint64_t v);
int arch_uaccess_cmpxchg_u32(uintptr_t dst, uint32_t expected, uint32_t desired, uint32_t *old);
int arch_uaccess_rmw_u32(uintptr_t dst, enum user_rmw op, uint32_t operand, uint32_t *old);
