/*
 * The only ways to user memory. Addresses are numbers, never pointers. Every function checks the range, may sleep on a
 * fault, and returns 0 or -EFAULT, unless stated.
 */
#pragma once

#include "core/arch/mmu.h"
#include "core/lib/types.h"

/* A NUL-terminated string of user space. */
struct ustr {
	uintptr_t addr;
};

static inline bool user_range_ok(uintptr_t addr, size_t n)
{
	return n <= USER_END && addr <= USER_END - n;
}

/* Where the size is no constant, the kernel's side is looked at, too: see harden_check_copy(). */
int copy_from_user_fixed(void *dst, uintptr_t src, size_t n) __must_check;
int copy_from_user_sized(void *dst, uintptr_t src, size_t n) __must_check;
int copy_to_user_fixed(uintptr_t dst, const void *src, size_t n) __must_check;
int copy_to_user_sized(uintptr_t dst, const void *src, size_t n) __must_check;

static __always_inline __must_check int copy_from_user(void *dst, uintptr_t src, size_t n)
{
	return __builtin_constant_p(n) ? copy_from_user_fixed(dst, src, n) : copy_from_user_sized(dst, src, n);
}

static __always_inline __must_check int copy_to_user(uintptr_t dst, const void *src, size_t n)
{
	return __builtin_constant_p(n) ? copy_to_user_fixed(dst, src, n) : copy_to_user_sized(dst, src, n);
}

int clear_user(uintptr_t dst, size_t n) __must_check;
/* Bytes NOT copied: for calls that return short counts. */
size_t copy_from_user_partial(void *dst, uintptr_t src, size_t n) __must_check;
size_t copy_to_user_partial(uintptr_t dst, const void *src, size_t n) __must_check;

/* Copies a string with its NUL. Length without NUL; -EFAULT; -ENAMETOOLONG if there is no NUL within size bytes. */
long copy_string_from_user(char *dst, struct ustr src, size_t size);

/* Naturally aligned accesses that are one machine access each. */
int user_load_u8(uintptr_t src, uint8_t *out) __must_check;
int user_load_u32(uintptr_t src, uint32_t *out) __must_check;
int user_load_u64(uintptr_t src, uint64_t *out) __must_check;
int user_store_u8(uintptr_t dst, uint8_t v) __must_check;
int user_store_u32(uintptr_t dst, uint32_t v) __must_check;
int user_store_u64(uintptr_t dst, uint64_t v) __must_check;
/* Atomic on the user word. *old gets what was there. */
int user_cmpxchg_u32(uintptr_t dst, uint32_t expected, uint32_t desired, uint32_t *old) __must_check;
enum user_rmw { USER_SET, USER_ADD, USER_OR, USER_ANDN, USER_XOR };
int user_rmw_u32(uintptr_t dst, enum user_rmw op, uint32_t operand, uint32_t *old) __must_check;

/*
 * Between these two, faults on user memory are not resolved: accesses fail with -EFAULT at once. So they may be made
 * under spinlocks; the caller falls back to fault_in_user() without the lock.
 */
void user_fault_disable(void);
void user_fault_enable(void);
/* Makes the pages of the range present (writable if `write`) as an access would. May sleep. 0 or -EFAULT. */
int fault_in_user(uintptr_t addr, size_t n, bool write);

/* Copies an extensible struct as clone3 and others: larger user sizes must be zero beyond ours (-E2BIG), smaller ones are zero-filled. */
int copy_struct_from_user(void *dst, size_t dst_size, uintptr_t src, size_t src_size) __must_check;
