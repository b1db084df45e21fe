/*
 * process_vm_readv and process_vm_writev: copies between the caller and another process, through a bounce page; and
 * process_madvise, whose advice has no effect here beyond the check of the ranges.
 */
#include "internal.h"

#include <gen/linux.h>

#include <asm/mman.h>
#include <linux/capability.h>

#include "core/mem/aspace.h"

#define IOV_MAX 1024

struct cursor {
	struct iovec *iov;
	size_t count, at, offset;
};

static size_t cursor_left(const struct cursor *c)
{
	return c->at < c->count ? c->iov[c->at].iov_len - c->offset : 0;
}

static uintptr_t cursor_address(const struct cursor *c) { return (uintptr_t)c->iov[c->at].iov_base + c->offset; }

static void cursor_advance(struct cursor *c, size_t n)
{
	c->offset += n;
	while (c->at < c->count && c->offset >= c->iov[c->at].iov_len) {
		c->offset = 0;
		c->at++;
	}
}

static int load_vector(struct uin_iovec from, size_t count, struct cursor *out)
{
	memset(out, 0, sizeof(*out));
	if (count > IOV_MAX)
		return -EINVAL;
	out->count = count;
	out->iov = kmalloc_array(count ? count : 1, sizeof(struct iovec), 0);
	if (!out->iov)
		return -ENOMEM;
	if (copy_from_user(out->iov, from.addr, count * sizeof(struct iovec)))
		return -EFAULT;
	for (size_t i = 0; i < count; i++)
		if ((int64_t)out->iov[i].iov_len < 0)
			return -EINVAL;
	cursor_advance(out, 0);
	return 0;
}

static long transfer(struct aspace *as, struct cursor *local, struct cursor *remote, bool write)
{
	char *page = page_alloc_kernel(0);
	long done = 0, error = 0;

	if (!page)
		return -ENOMEM;
	while (cursor_left(local) && cursor_left(remote)) {
		size_t n = MIN(MIN(cursor_left(local), cursor_left(remote)), PAGE_SIZE);
		long got;

		if (write) {
			error = copy_from_user(page, cursor_address(local), n);
			got = error ? error : aspace_write(as, cursor_address(remote), page, n, false);
		} else {
			got = aspace_read(as, cursor_address(remote), page, n, false);
			if (got > 0 && copy_to_user(cursor_address(local), page, (size_t)got))
				got = -EFAULT;
		}
		if (got < 0) {
			error = got;
			break;
		}
		done += got;
		cursor_advance(local, (size_t)got);
		cursor_advance(remote, (size_t)got);
		if ((size_t)got < n)
			break;
		if (wait_interrupted(WAIT_KILLABLE))
			break;
	}
	page_free_kernel(page);
	return done ? done : error;
}

/* The address space of another process, with a reference, if the caller may. */
static int other_aspace(int nr, struct aspace **out)
{
	struct task *t = task_find(nr);
	int error;

	if (!t)
		return -ESRCH;
	error = process_take_aspace(t->process, t, INSPECT_REAL_IDS, out);
	task_put(t);
	return error;
}

static long process_vm(int nr, struct uin_iovec local, size_t locals, struct uin_iovec remote, size_t remotes,
		       uintptr_t flags, bool write)
{
	struct cursor l = { 0 }, r = { 0 };
	struct aspace *as;
	long result;

	if (flags)
		return -EINVAL;
	result = load_vector(local, locals, &l);
	if (!result)
		result = load_vector(remote, remotes, &r);
	if (!result)
		result = other_aspace(nr, &as);
	if (!result) {
		result = transfer(as, &l, &r, write);
		aspace_put(as);
	}
	kfree(l.iov);
	kfree(r.iov);
	return result;
}

long sys_process_vm_readv(int32_t nr, struct uin_iovec local, size_t locals, struct uin_iovec remote, size_t remotes,
			  uintptr_t flags)
{
	return process_vm(nr, local, locals, remote, remotes, flags, false);
}

long sys_process_vm_writev(int32_t nr, struct uin_iovec local, size_t locals, struct uin_iovec remote, size_t remotes,
			   uintptr_t flags)
{
	return process_vm(nr, local, locals, remote, remotes, flags, true);
}

/* Bytes of the ranges, up to the first that is not mapped. */
static long advise_ranges(struct aspace *as, const struct cursor *ranges)
{
	long done = 0;

	for (size_t i = 0; i < ranges->count; i++) {
		uintptr_t addr = (uintptr_t)ranges->iov[i].iov_base;
		size_t length = ranges->iov[i].iov_len;
		int error = 0;

		if ((addr & PAGE_MASK) || length > USER_END || addr > USER_END - length)
			error = -EINVAL;
		else if (length)
			error = aspace_change_flags(as, addr, ALIGN_UP(length, PAGE_SIZE), 0, 0);
		if (error)
			return done ? done : error;
		done += (long)length;
		if (wait_interrupted(WAIT_KILLABLE))
			break;
	}
	return done;
}

static bool is_hint(int advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED;
}

long sys_process_madvise(int32_t fd, struct uin_iovec iov, size_t count, int32_t advice, uint32_t flags)
{
	struct cursor ranges = { 0 };
	struct process *p;
	struct aspace *as;
	long result;

	if (flags)
		return -EINVAL;
	result = load_vector(iov, count, &ranges);
	if (!result)
		result = pidfd_process(fd, false, &p);
	if (result)
		goto out;
	result = is_hint(advice) ? process_take_aspace(p, NULL, INSPECT_FS_IDS, &as) : -EINVAL;
	process_put(p);
	if (result)
		goto out;
	result = capable(CAP_SYS_NICE) ? advise_ranges(as, &ranges) : -EPERM;
	aspace_put(as);
out:
	kfree(ranges.iov);
	return result;
}
