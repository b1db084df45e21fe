/* Generated from syscalls.tbl: the user pointers and handlers of the module clock. */
#pragma once

#include <asm/errno.h>
#include <asm/siginfo.h>
#include <linux/timex.h>

#include "core/lib/types.h"
#include "core/mem/uaccess.h"

struct trap_frame;

#ifndef GEN_UIN_SIGEVENT
#define GEN_UIN_SIGEVENT
struct uin_sigevent { uintptr_t addr; };
static inline int copy_in_sigevent(struct sigevent *dst, struct uin_sigevent src)
{
	return copy_from_user(dst, src.addr, sizeof(struct sigevent));
}
static inline int copy_in_sigevent_at(struct sigevent *dst, struct uin_sigevent src, size_t index)
{
	return copy_from_user(dst, src.addr + index * sizeof(struct sigevent), sizeof(struct sigevent));
}
static inline int copy_in_sigevent_array(struct sigevent *dst, struct uin_sigevent src, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, sizeof(struct sigevent), &bytes))
		return -EFAULT;
	return copy_from_user(dst, src.addr, bytes);
}
#endif

#ifndef GEN_UOUT_TIMER_ID
#define GEN_UOUT_TIMER_ID
struct uout_timer_id { uintptr_t addr; };
static inline int copy_out_timer_id(struct uout_timer_id dst, const int32_t *src)
{
	return copy_to_user(dst.addr, src, sizeof(int32_t));
}
static inline int copy_out_timer_id_at(struct uout_timer_id dst, size_t index, const int32_t *src)
{
	return copy_to_user(dst.addr + index * sizeof(int32_t), src, sizeof(int32_t));
}
static inline int copy_out_timer_id_array(struct uout_timer_id dst, const int32_t *src, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, sizeof(int32_t), &bytes))
		return -EFAULT;
	return copy_to_user(dst.addr, src, bytes);
}
#endif

#ifndef GEN_UIN_TIMEX
#define GEN_UIN_TIMEX
struct uin_timex { uintptr_t addr; };
static inline int copy_in_timex(struct __kernel_timex *dst, struct uin_timex src)
{
	return copy_from_user(dst, src.addr, sizeof(struct __kernel_timex));
}
static inline int copy_in_timex_at(struct __kernel_timex *dst, struct uin_timex src, size_t index)
{
	return copy_from_user(dst, src.addr + index * sizeof(struct __kernel_timex), sizeof(struct __kernel_timex));
}
static inline int copy_in_timex_array(struct __kernel_timex *dst, struct uin_timex src, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, sizeof(struct __kernel_timex), &bytes))
		return -EFAULT;
	return copy_from_user(dst, src.addr, bytes);
}
#endif

#ifndef GEN_UOUT_TIMEX
#define GEN_UOUT_TIMEX
struct uout_timex { uintptr_t addr; };
static inline int copy_out_timex(struct uout_timex dst, const struct __kernel_timex *src)
{
	return copy_to_user(dst.addr, src, sizeof(struct __kernel_timex));
}
static inline int copy_out_timex_at(struct uout_timex dst, size_t index, const struct __kernel_timex *src)
{
	return copy_to_user(dst.addr + index * sizeof(struct __kernel_timex), src, sizeof(struct __kernel_timex));
}
static inline int copy_out_timex_array(struct uout_timex dst, const struct __kernel_timex *src, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, sizeof(struct __kernel_timex), &bytes))
		return -EFAULT;
	return copy_to_user(dst.addr, src, bytes);
}
#endif

#ifndef GEN_UINOUT_TIMEX
#define GEN_UINOUT_TIMEX
struct uinout_timex { uintptr_t addr; };
static inline struct uin_timex as_in_timex(struct uinout_timex p)
{
	return (struct uin_timex){ p.addr };
}
static inline struct uout_timex as_out_timex(struct uinout_timex p)
{
	return (struct uout_timex){ p.addr };
}
#endif

long sys_timer_create(int32_t clock, struct uin_sigevent event, struct uout_timer_id id);
long sys_openat(int32_t dirfd, struct ustr path, int32_t flags, uint32_t mode);
long sys_clock_adjtime(int32_t clock, struct uinout_timex timex);
long sys_arm_only(void);
