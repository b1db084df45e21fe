/* Generated from syscalls.tbl: the user pointers and handlers of the module futex. */
#pragma once

#include <asm/errno.h>
#include <linux/sched.h>
#include <linux/uio.h>

#include "core/lib/types.h"
#include "core/mem/uaccess.h"

struct trap_frame;

#ifndef GEN_UADDR_U32
#define GEN_UADDR_U32
struct uaddr_u32 { uintptr_t addr; };
#endif

#ifndef GEN_UIN_IOVEC
#define GEN_UIN_IOVEC
struct uin_iovec { uintptr_t addr; };
static inline int copy_in_iovec(struct iovec *dst, struct uin_iovec src)
{
	return copy_from_user(dst, src.addr, sizeof(struct iovec));
}
static inline int copy_in_iovec_at(struct iovec *dst, struct uin_iovec src, size_t index)
{
	return copy_from_user(dst, src.addr + index * sizeof(struct iovec), sizeof(struct iovec));
}
static inline int copy_in_iovec_array(struct iovec *dst, struct uin_iovec src, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, sizeof(struct iovec), &bytes))
		return -EFAULT;
	return copy_from_user(dst, src.addr, bytes);
}
#endif

#ifndef GEN_UEXT_CLONE_ARGS
#define GEN_UEXT_CLONE_ARGS
struct uext_clone_args { uintptr_t addr; };
static inline int copy_in_ext_clone_args(struct clone_args *dst, struct uext_clone_args src, size_t size)
{
	return copy_struct_from_user(dst, sizeof(struct clone_args), src.addr, size);
}
#endif

long sys_futex(struct uaddr_u32 uaddr, int32_t op, uint32_t val, uintptr_t timeout, struct uaddr_u32 uaddr2, uint32_t val3);
long sys_writev(int32_t fd, struct uin_iovec iov, size_t count);
long sys_clone3(struct trap_frame *frame, struct uext_clone_args args, size_t size);
long sys_exit(int32_t status) __attribute__((noreturn));
long sys_fork(struct trap_frame *frame);
