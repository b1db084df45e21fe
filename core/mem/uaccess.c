/*
 * Checked access to user memory, on top of the port's raw copies.
 *
 * While current->fault_disabled is not 0, or in atomic context, trap_page_fault refuses to resolve faults: the copy ends with -EFAULT.
 */
#include "core/mem/uaccess.h"

#include <asm/errno.h>

#include "core/arch/uaccess.h"
#include "core/lib/string.h"
#include "core/mem/aspace.h"
#include "core/mem/harden.h"
#include "core/mem/page.h"
#include "core/module/export.h"
#include "core/sched/thread.h"

/* Most copies by size are of whole pages' parts: those are seen to be right without a call. */
static __always_inline bool copy_is_plain(const void *kernel, size_t n)
{
	uint64_t frame = virt_to_phys(kernel) >> PAGE_SHIFT;
	unsigned char kind;

	if (unlikely(!(harden & HARDEN_USERCOPY)))
		return true;
	if (unlikely(frame >= page_map_count))
		return false;
	kind = page_map[frame].kind;
	return (kind == PAGE_OBJECT || kind == PAGE_KERNEL) && ((uintptr_t)kernel & (PAGE_SIZE - 1)) + n <= PAGE_SIZE;
}

static __noinline size_t checked_copy_in(void *dst, uintptr_t src, size_t n)
{
	harden_check_copy(dst, n);
	return arch_uaccess_copy_in(dst, src, n);
}

static __noinline size_t checked_copy_out(uintptr_t dst, const void *src, size_t n)
{
	harden_check_copy(src, n);
	return arch_uaccess_copy_out(dst, src, n);
}

int copy_from_user_fixed(void *dst, uintptr_t src, size_t n)
{
	if (unlikely(!user_range_ok(src, n)) || arch_uaccess_copy_in(dst, src, n))
		return -EFAULT;
	return 0;
}
KAPI(copy_from_user_fixed);

int copy_to_user_fixed(uintptr_t dst, const void *src, size_t n)
{
	if (unlikely(!user_range_ok(dst, n)) || arch_uaccess_copy_out(dst, src, n))
		return -EFAULT;
	return 0;
}
KAPI(copy_to_user_fixed);

int copy_from_user_sized(void *dst, uintptr_t src, size_t n)
{
	return copy_from_user_partial(dst, src, n) ? -EFAULT : 0;
}
KAPI(copy_from_user_sized);

int copy_to_user_sized(uintptr_t dst, const void *src, size_t n)
{
	return copy_to_user_partial(dst, src, n) ? -EFAULT : 0;
}
KAPI(copy_to_user_sized);

int clear_user(uintptr_t dst, size_t n)
{
	if (unlikely(!user_range_ok(dst, n)) || arch_uaccess_clear(dst, n))
		return -EFAULT;
	return 0;
}
KAPI(clear_user);

size_t copy_from_user_partial(void *dst, uintptr_t src, size_t n)
{
	if (unlikely(!user_range_ok(src, n)))
		return n;
	return likely(copy_is_plain(dst, n)) ? arch_uaccess_copy_in(dst, src, n) : checked_copy_in(dst, src, n);
}
KAPI(copy_from_user_partial);

size_t copy_to_user_partial(uintptr_t dst, const void *src, size_t n)
{
	if (unlikely(!user_range_ok(dst, n)))
		return n;
	return likely(copy_is_plain(src, n)) ? arch_uaccess_copy_out(dst, src, n) : checked_copy_out(dst, src, n);
}
KAPI(copy_to_user_partial);

long copy_string_from_user(char *dst, struct ustr src, size_t size)
{
	size_t room = size;
	long n;

	if (src.addr >= USER_END)
		return -EFAULT;
	if (room > USER_END - src.addr)
		room = USER_END - src.addr;
	n = arch_uaccess_copy_string(dst, src.addr, room);
	if (n < 0)
		return n;
	if ((size_t)n < room)
		return n;
	return room == size ? -ENAMETOOLONG : -EFAULT;
}
KAPI(copy_string_from_user);

static int load(uintptr_t src, unsigned int size, uint64_t *v)
{
	return user_range_ok(src, size) ? arch_uaccess_load(src, size, v) : -EFAULT;
}

static int store(uintptr_t dst, unsigned int size, uint64_t v)
{
	return user_range_ok(dst, size) ? arch_uaccess_store(dst, size, v) : -EFAULT;
}

int user_load_u8(uintptr_t src, uint8_t *out)
{
	uint64_t v = 0;
	int error = load(src, 1, &v);

	*out = (uint8_t)v;
	return error;
}
KAPI(user_load_u8);

int user_load_u32(uintptr_t src, uint32_t *out)
{
	uint64_t v = 0;
	int error = load(src, 4, &v);

	*out = (uint32_t)v;
	return error;
}
KAPI(user_load_u32);

int user_load_u64(uintptr_t src, uint64_t *out)
{
	*out = 0;
	return load(src, 8, out);
}
KAPI(user_load_u64);

int user_store_u8(uintptr_t dst, uint8_t v) { return store(dst, 1, v); }
KAPI(user_store_u8);
int user_store_u32(uintptr_t dst, uint32_t v) { return store(dst, 4, v); }
KAPI(user_store_u32);
int user_store_u64(uintptr_t dst, uint64_t v) { return store(dst, 8, v); }
KAPI(user_store_u64);

int user_cmpxchg_u32(uintptr_t dst, uint32_t expected, uint32_t desired, uint32_t *old)
{
	return user_range_ok(dst, 4) ? arch_uaccess_cmpxchg_u32(dst, expected, desired, old) : -EFAULT;
}
KAPI(user_cmpxchg_u32);

int user_rmw_u32(uintptr_t dst, enum user_rmw op, uint32_t operand, uint32_t *old)
{
	return user_range_ok(dst, 4) ? arch_uaccess_rmw_u32(dst, op, operand, old) : -EFAULT;
}
KAPI(user_rmw_u32);

void user_fault_disable(void) { current->fault_disabled++; compiler_barrier(); }
KAPI(user_fault_disable);
void user_fault_enable(void) { compiler_barrier(); current->fault_disabled--; }
KAPI(user_fault_enable);

int fault_in_user(uintptr_t addr, size_t n, bool write)
{
	uintptr_t end;

	if (!user_range_ok(addr, n) || !current->aspace)
		return -EFAULT;
	if (n == 0)
		return 0;
	end = addr + n;
	for (uintptr_t at = ALIGN_DOWN(addr, PAGE_SIZE); at < end; at += PAGE_SIZE)
		if (aspace_fault(current->aspace, at, write ? FAULT_WRITE : FAULT_READ) != FAULT_DONE)
			return -EFAULT;
	return 0;
}
KAPI(fault_in_user);

int copy_struct_from_user(void *dst, size_t dst_size, uintptr_t src, size_t src_size)
{
	size_t common = MIN(dst_size, src_size);
	int error = copy_from_user(dst, src, common);

	if (error)
		return error;
	if (src_size < dst_size) {
		memset((char *)dst + src_size, 0, dst_size - src_size);
		return 0;
	}
	while (common < src_size) {
		unsigned char rest[64];
		size_t n = MIN(sizeof(rest), src_size - common);

		error = copy_from_user(rest, src + common, n);
		if (error)
			return error;
		for (size_t i = 0; i < n; i++)
			if (rest[i])
				return -E2BIG;
		common += n;
	}
	return 0;
}
KAPI(copy_struct_from_user);
