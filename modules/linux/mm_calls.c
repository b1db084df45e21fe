/*
 * The memory calls: mmap and its relatives, translated into what the core's address spaces offer.
 */
#include "internal.h"

#include <linux/mman.h>
#include <gen/linux.h>

#include "core/mem/aspace.h"
#include "modules/vfs/fd.h"

/* Some ports' mmap(2) has no such flag. */
#ifndef MAP_32BIT
#define MAP_32BIT 0
#endif

#define PAGE_ROUND(n) ALIGN_UP((n), PAGE_SIZE)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

static unsigned int region_prot(uintptr_t prot)
{
	return (prot & PROT_READ ? REGION_READ : 0) | (prot & PROT_WRITE ? REGION_WRITE : 0) |
	       (prot & PROT_EXEC ? REGION_EXEC : 0);
}

/* May the caller not map there? */
static bool below_minimum(uintptr_t addr)
{
	return addr < READ_ONCE(mmap_min_addr) && !capable(CAP_SYS_RAWIO);
}

/* What may be locked, to the core: it depends on what the caller may do now. */
static void note_locked_limit(void)
{
	WRITE_ONCE(current->aspace->locked_limit,
		   capable(CAP_IPC_LOCK) ? UINT64_MAX / 2 : process_limit(current_process, RLIMIT_MEMLOCK));
}

/* The same before memory is added, where some of it may be locked. */
static void note_limit_of_more(uintptr_t map_flags)
{
	const struct aspace *as = current->aspace;

	if (unlikely((map_flags & MAP_LOCKED) || READ_ONCE(as->default_flags) || READ_ONCE(as->locked_pages)))
		note_locked_limit();
}

static int fill_anonymous(struct map_request *q, uintptr_t flags)
{
	q->flags |= REGION_MAY_WRITE;
	if (!(q->flags & REGION_SHARED)) {
		if (flags & MAP_GROWSDOWN)
			q->flags |= REGION_GROWSDOWN;
		return 0;
	}
	q->object = memobj_create_anonymous(q->length);
	return q->object ? 0 : -ENOMEM;
}

/* The type of mapping and the flags that Linux knows. */
static int check_map_flags(uintptr_t flags)
{
	const uintptr_t known = MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE |
				MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |
				MAP_HUGETLB | MAP_32BIT | MAP_FIXED_NOREPLACE | MAP_UNINITIALIZED |
				(63ul << MAP_HUGE_SHIFT);

	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
	case MAP_PRIVATE:
		break;
	case MAP_SHARED_VALIDATE:
		if (flags & MAP_ANONYMOUS)
			return -EINVAL;
		if (flags & ~known & ~(uintptr_t)MAP_TYPE)
			return -EOPNOTSUPP;
		break;
	default:
		return -EINVAL;
	}
	if (!(flags & MAP_HUGETLB))
		return 0;
	return flags & MAP_ANONYMOUS ? -ENOMEM : -EINVAL;	/* no pages are reserved for it */
}

/* `file` null: anonymous memory. */
static long map(struct map_request *q, uintptr_t flags, struct file *file)
{
	int error = file ? file_map_prepare(file, q) : fill_anonymous(q, flags);
	uintptr_t at;

	note_limit_of_more(flags);
	if (!error)
		error = aspace_map(current->aspace, q, &at);
	if (file)
		file_map_done(q);
	else if (q->object)
		memobj_put(q->object);
	return error ? error : (long)at;
}

static long check_and_map(uintptr_t addr, size_t length, uintptr_t prot, uintptr_t flags, struct file *file,
			  uintptr_t offset)
{
	struct map_request q = {
		.addr = addr, .flags = region_prot(prot), .fixed = flags & MAP_FIXED, .offset = offset,
		.fixed_noreplace = flags & MAP_FIXED_NOREPLACE, .below_4g = flags & MAP_32BIT,
		.populate = (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE,
		.limit = process_limit(current_process, RLIMIT_AS),
	};
	int error;

	if (!length)
		return -EINVAL;
	error = check_map_flags(flags);
	if (error)
		return error;
	if (length > USER_END || PAGE_ROUND(length) > USER_END)
		return -ENOMEM;
	q.length = PAGE_ROUND(length);
	if (q.fixed || q.fixed_noreplace) {
		q.fixed &= !q.fixed_noreplace;
		if (addr & PAGE_MASK)
			return -EINVAL;
		if (below_minimum(addr))
			return -EPERM;
	}
	if (file && offset + q.length < offset)
		return -EOVERFLOW;
	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		q.flags |= REGION_SHARED;
	if (flags & MAP_NORESERVE)
		q.flags |= REGION_NORESERVE;
	if (flags & MAP_LOCKED) {
		if (!process_limit(current_process, RLIMIT_MEMLOCK) && !capable(CAP_IPC_LOCK))
			return -EPERM;
		q.flags |= REGION_LOCKED;
	}
	return map(&q, flags, file);
}

long sys_mmap(uintptr_t addr, size_t length, uintptr_t prot, uintptr_t flags, uintptr_t fd, uintptr_t offset)
{
	struct fd_ref ref;
	long result;

	if (offset & PAGE_MASK)
		return -EINVAL;
	if (flags & MAP_ANONYMOUS)
		return check_and_map(addr, length, prot, flags, NULL, offset);
	result = fd_get((int)fd, &ref);
	if (result)
		return result;
	result = check_and_map(addr, length, prot, flags, ref.file, offset);
	fd_put(&ref);
	return result;
}

long sys_munmap(uintptr_t addr, size_t length)
{
	if (!length || length > USER_END)
		return -EINVAL;
	return aspace_unmap(current->aspace, addr, PAGE_ROUND(length));
}

long sys_mprotect(uintptr_t addr, size_t length, uintptr_t prot)
{
	uintptr_t grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);

	prot &= ~(uintptr_t)(PROT_GROWSDOWN | PROT_GROWSUP);
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || (addr & PAGE_MASK) ||
	    (prot & ~(uintptr_t)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM)))
		return -EINVAL;
	if (!length)
		return 0;
	if (length > USER_END || addr + PAGE_ROUND(length) <= addr)
		return -ENOMEM;
	if (grows & PROT_GROWSUP)
		return -EINVAL;		/* no region does */
	return aspace_protect(current->aspace, addr, PAGE_ROUND(length), region_prot(prot), grows);
}

long sys_brk(uintptr_t addr)
{
	note_limit_of_more(0);
	/* A heap down there was begun by somebody who could. */
	if (below_minimum(current->aspace->brk_end))
		addr = 0;
	return (long)aspace_brk(current->aspace, addr, process_limit(current_process, RLIMIT_AS),
				process_limit(current_process, RLIMIT_DATA));
}

long sys_mremap(uintptr_t old, size_t old_size, size_t new_size, uintptr_t flags, uintptr_t new_addr)
{
	struct remap_request q = {
		.old_addr = old, .new_addr = new_addr, .old_size = PAGE_ROUND(old_size), .new_size = PAGE_ROUND(new_size),
		.may_move = flags & MREMAP_MAYMOVE, .fixed = flags & MREMAP_FIXED, .keep_old = flags & MREMAP_DONTUNMAP,
		.limit = process_limit(current_process, RLIMIT_AS),
	};

	if (flags & ~(uintptr_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((q.fixed || q.keep_old) && !q.may_move)
		return -EINVAL;
	if (q.keep_old && q.old_size != q.new_size)
		return -EINVAL;
	if ((old & PAGE_MASK) || !q.new_size || new_size > USER_END || old_size > USER_END)
		return -EINVAL;
	if (!q.fixed) {
		/* Just a wish. */
		if (q.keep_old && below_minimum(new_addr))
			q.new_addr = 0;
	} else if (!(new_addr & PAGE_MASK) && below_minimum(new_addr)) {
		return -EPERM;
	}
	note_limit_of_more(0);
	return aspace_remap(current->aspace, &q);
}

long sys_msync(uintptr_t addr, size_t length, int32_t flags)
{
	struct aspace *as = current->aspace;
	uintptr_t end, at;
	struct region *r;
	int error = 0;

	if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || (addr & PAGE_MASK) ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	length = PAGE_ROUND(length);
	end = addr + length;
	if (end < addr)
		return -ENOMEM;
	/* Mappings share the pages of their objects: there is nothing to write back, only holes and locks to report. */
	rwlock_read_lock(&as->lock);
	for (at = addr, r = region_find(as, addr, true); at < end && !error; r = region_next(as, r)) {
		if (!r || r->start > at)
			error = -ENOMEM;
		else if ((flags & MS_INVALIDATE) && (r->flags & REGION_LOCKED))
			error = -EBUSY;
		else
			at = r->end;
		if (!r)
			break;
	}
	rwlock_read_unlock(&as->lock);
	return error;
}

long sys_mincore(uintptr_t addr, size_t length, struct uout_u8 vector)
{
	size_t pages = PAGE_ROUND(length) >> PAGE_SHIFT;
	unsigned char *buf;
	int error = 0;

	if (addr & PAGE_MASK)
		return -EINVAL;
	if (!user_range_ok(addr, length))
		return -ENOMEM;
	if (!user_range_ok(vector.addr, pages))
		return -EFAULT;
	buf = page_alloc_kernel(0);
	if (!buf)
		return -EAGAIN;
	for (size_t done = 0; done < pages && !error;) {
		size_t n = MIN(pages - done, PAGE_SIZE);

		error = aspace_residency(current->aspace, addr + (done << PAGE_SHIFT), n, buf);
		if (!error)
			error = copy_to_user(vector.addr + done, buf, n);
		done += n;
	}
	page_free_kernel(buf);
	return error;
}

static long advise_flags(uintptr_t addr, size_t length, int advice)
{
	struct aspace *as = current->aspace;

	switch (advice) {
	case MADV_DONTFORK: return aspace_change_flags(as, addr, length, REGION_DONTFORK, 0);
	case MADV_DOFORK: return aspace_change_flags(as, addr, length, 0, REGION_DONTFORK);
	case MADV_WIPEONFORK: return aspace_change_flags(as, addr, length, REGION_WIPEONFORK, 0);
	case MADV_KEEPONFORK: return aspace_change_flags(as, addr, length, 0, REGION_WIPEONFORK);
	case MADV_DONTDUMP: return aspace_change_flags(as, addr, length, REGION_DONTDUMP, 0);
	case MADV_DODUMP: return aspace_change_flags(as, addr, length, 0, REGION_DONTDUMP);
	case MADV_HUGEPAGE: return aspace_change_flags(as, addr, length, REGION_HUGE, REGION_NOHUGE);
	case MADV_NOHUGEPAGE: return aspace_change_flags(as, addr, length, REGION_NOHUGE, REGION_HUGE);
	}
	return -EINVAL;
}

/* Only private anonymous memory may be wiped for children or freed lazily. */
static bool all_private_anonymous(uintptr_t addr, size_t length)
{
	struct aspace *as = current->aspace;
	struct region *r;
	bool ok = true;

	rwlock_read_lock(&as->lock);
	for (r = region_find(as, addr, true); r && r->start < addr + length; r = region_next(as, r))
		ok &= !r->object && !(r->flags & REGION_SHARED);
	rwlock_read_unlock(&as->lock);
	return ok;
}

/* MADV_REMOVE: a hole in the object behind a shared mapping. */
static long advise_remove(uintptr_t addr, size_t length)
{
	struct aspace *as = current->aspace;
	struct memobj *object = NULL;
	struct region *r;
	uint64_t first = 0;

	rwlock_read_lock(&as->lock);
	r = region_find(as, addr, false);
	if (r && (r->flags & REGION_SHARED) && (r->flags & REGION_WRITE) && r->object && r->end >= addr + length) {
		object = r->object;
		first = (r->offset + (addr - r->start)) >> PAGE_SHIFT;
		memobj_get(object);
	}
	rwlock_read_unlock(&as->lock);
	if (!object)
		return -EINVAL;
	memobj_drop(object, first, first + (length >> PAGE_SHIFT), true);
	memobj_put(object);
	return 0;
}

long sys_madvise(uintptr_t addr, size_t length, int32_t advice)
{
	struct aspace *as = current->aspace;

	if (addr & PAGE_MASK)
		return -EINVAL;
	if (length > USER_END || addr + PAGE_ROUND(length) < addr)
		return -EINVAL;
	length = PAGE_ROUND(length);
	switch (advice) {
	case MADV_NORMAL: case MADV_RANDOM: case MADV_SEQUENTIAL: case MADV_WILLNEED: case MADV_COLD: case MADV_PAGEOUT:
		/* Hints without an effect here; the range is checked all the same. */
		return aspace_change_flags(as, addr, length, 0, 0);
	case MADV_MERGEABLE: case MADV_UNMERGEABLE:
		return -EINVAL;
	case MADV_DONTNEED:
		return length ? aspace_discard(as, addr, length) : 0;
	case MADV_FREE:
		if (!all_private_anonymous(addr, length))
			return -EINVAL;
		return length ? aspace_discard(as, addr, length) : 0;
	case MADV_REMOVE:
		return length ? advise_remove(addr, length) : 0;
	case MADV_POPULATE_READ:
		return aspace_populate(as, addr, length, POPULATE_FOR_READ);
	case MADV_POPULATE_WRITE:
		return aspace_populate(as, addr, length, POPULATE_FOR_WRITE);
	case MADV_WIPEONFORK:
		if (!all_private_anonymous(addr, length))
			return -EINVAL;
		return advise_flags(addr, length, advice);
	default:
		return advise_flags(addr, length, advice);
	}
}

static long lock_range(uintptr_t addr, size_t length, unsigned int flags)
{
	uint64_t limit = process_limit(current_process, RLIMIT_MEMLOCK);
	struct aspace *as = current->aspace;
	int error;

	if (!limit && !capable(CAP_IPC_LOCK))
		return -EPERM;
	length = PAGE_ROUND(length + (addr & PAGE_MASK));
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (addr + length < addr)
		return -EINVAL;
	note_locked_limit();
	error = aspace_change_flags(as, addr, length, flags, REGION_LOCK_ON_FAULT);
	if (error || (flags & REGION_LOCK_ON_FAULT) || !length)
		return error;
	error = aspace_populate(as, addr, length, POPULATE_AS_ALLOWED);
	return error == -EFAULT ? -ENOMEM : error;
}

long sys_mlock(uintptr_t addr, size_t length)
{
	return lock_range(addr, length, REGION_LOCKED);
}

long sys_mlock2(uintptr_t addr, size_t length, int32_t flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(addr, length, REGION_LOCKED | (flags & MLOCK_ONFAULT ? REGION_LOCK_ON_FAULT : 0));
}

long sys_munlock(uintptr_t addr, size_t length)
{
	length = PAGE_ROUND(length + (addr & PAGE_MASK));
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (addr + length < addr)
		return -EINVAL;
	return aspace_change_flags(current->aspace, addr, length, 0, REGION_LOCKED | REGION_LOCK_ON_FAULT);
}

/* Brings in what is locked now, region by region. What cannot be there is left out, as on Linux. */
static void populate_locked(struct aspace *as)
{
	const unsigned int kind = REGION_LOCKED | REGION_LOCK_ON_FAULT | REGION_SPECIAL;
	uintptr_t start, end = 0;
	struct region *r;
	bool wanted;

	for (;;) {
		rwlock_read_lock(&as->lock);
		r = region_find(as, end, true);
		if (r) {
			start = r->start;
			end = r->end;
			wanted = (r->flags & kind) == REGION_LOCKED && (r->flags & REGION_PROT);
		}
		rwlock_read_unlock(&as->lock);
		if (!r || (wanted && aspace_populate(as, start, end - start, POPULATE_AS_ALLOWED) == -EINTR))
			return;
	}
}

long sys_mlockall(int32_t flags)
{
	uint64_t limit = process_limit(current_process, RLIMIT_MEMLOCK);
	struct aspace *as = current->aspace;
	unsigned int set = REGION_LOCKED | (flags & MCL_ONFAULT ? REGION_LOCK_ON_FAULT : 0);
	struct region *r;

	if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!capable(CAP_IPC_LOCK)) {
		if (!limit)
			return -EPERM;
		if ((flags & MCL_CURRENT) && as->mapped_pages << PAGE_SHIFT > limit)
			return -ENOMEM;
	}
	note_locked_limit();
	rwlock_write_lock(&as->lock);
	as->default_flags = flags & MCL_FUTURE ? set : 0;
	if (flags & MCL_CURRENT)
		list_for_each(r, &as->region_list, link)
			if (!(r->flags & REGION_SPECIAL)) {
				if (!(r->flags & REGION_LOCKED))
					as->locked_pages += (r->end - r->start) >> PAGE_SHIFT;
				r->flags = (r->flags & ~(unsigned int)(REGION_LOCKED | REGION_LOCK_ON_FAULT)) | set;
			}
	rwlock_write_unlock(&as->lock);
	if (flags & MCL_CURRENT)
		populate_locked(as);
	return 0;
}

long sys_munlockall(void)
{
	struct aspace *as = current->aspace;
	struct region *r;

	rwlock_write_lock(&as->lock);
	as->default_flags = 0;
	list_for_each(r, &as->region_list, link)
		r->flags &= ~(REGION_LOCKED | REGION_LOCK_ON_FAULT);
	as->locked_pages = 0;
	rwlock_write_unlock(&as->lock);
	return 0;
}
