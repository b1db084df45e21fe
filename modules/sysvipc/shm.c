/*
 * Shared memory: making, attaching and detaching segments.
 *
 * A segment is a memory object. Each region that maps it has the segment for its owner, so fork, split, exec, exit and munmap count
 * `attached` by themselves: there is no list of attachments. What is marked SHM_DEST goes with the last of them. shmat counts itself while it
 * maps, as the segment must not go before its region holds it.
 */
#include <gen/sysvipc.h>
#include <linux/resource.h>

#include "modules/sysvipc/shm.h"

#define HUGE_SHIFT_OF(flags) ((unsigned int)(flags) >> SHM_HUGE_SHIFT & SHM_HUGE_MASK)

struct ipc_ids shm_ids;

void shm_remove_locked(struct shm *s)
{
	ipc_remove_locked(&s->ipc, shm_pages(s));
}

static void destroy(struct ipc_object *o)
{
	struct shm *s = shm_of(o);

	memobj_put(s->object);
	kfree(s);
}

void shm_start(void)
{
	ipc_ids_init(&shm_ids, destroy);
}

/* ---- regions ---- */

static void attached(struct shm *s)
{
	mutex_lock(&s->ipc.lock);
	s->attached++;
	s->atime = ipc_now();
	s->last_pid = ipc_pid();
	mutex_unlock(&s->ipc.lock);
}

/* One user less, who has the lock and a reference; both are given up. */
static void leave_unlock_put(struct shm *s)
{
	bool last = --s->attached == 0 && (s->ipc.mode & SHM_DEST) && !s->ipc.removed;

	if (last)
		shm_remove_locked(s);
	ipc_unlock_put(&s->ipc);
	if (last)
		ipc_put(&s->ipc);
}

static void region_get(void *owner)
{
	struct shm *s = owner;

	ipc_hold(&s->ipc);
	attached(s);
}

static void region_put(void *owner)
{
	struct shm *s = owner;

	mutex_lock(&s->ipc.lock);
	s->dtime = ipc_now();
	s->last_pid = ipc_pid();
	leave_unlock_put(s);
}

static int region_describe(void *owner, uint64_t *dev, uint64_t *inode, char *path, size_t size)
{
	const struct shm *s = owner;

	*dev = 1;		/* a file system without a mount, as everywhere else */
	*inode = (uint64_t)s->ipc.id;
	return snprintf(path, size, "/SYSV%08x (deleted)", (unsigned int)s->name_key);
}

static const struct region_owner_ops shm_region_ops = {
	.get = region_get, .put = region_put, .describe = region_describe,
};

/* ---- shmget ---- */

static int check_size(const struct ipc_object *o, const struct ipc_get *g)
{
	return container_of(o, struct shm, ipc)->size < g->size ? -EINVAL : 0;
}

static void release_unreserved(struct memobj *o)
{
	kfree(o);
}

static const struct memobj_ops unreserved_ops = { .release = release_unreserved };

/* SHM_NORESERVE: pages are taken as they come, unless the machine promises nothing that it does not have. */
static struct memobj *create_object(uint64_t bytes, int flags)
{
	struct memobj *o;

	if (!(flags & SHM_NORESERVE) || READ_ONCE(memory_overcommit_mode) == 2)
		return memobj_create_anonymous(bytes);
	o = kmalloc(sizeof(*o), 0);
	if (o)
		memobj_init(o, &unreserved_ops, bytes);
	return o;
}

/* No huge pages are reserved here: who might have them gets what Linux says then. */
static int refuse_huge(int flags)
{
	unsigned int shift = HUGE_SHIFT_OF(flags);

	if (shift && shift != 21 && shift != 30)
		return -EINVAL;
	return service(authority)->capable(CAP_IPC_LOCK) ? -ENOMEM : -EPERM;
}

static long create(const struct ipc_get *g)
{
	uint64_t pages = g->size / PAGE_SIZE + !!(g->size & PAGE_MASK), limit = READ_ONCE(shm_max_pages);
	struct shm *s;
	long result;

	if (!g->size || g->size > READ_ONCE(shm_max_bytes))
		return -EINVAL;
	if (pages > limit || pages > UINT64_MAX >> PAGE_SHIFT)
		return -ENOSPC;
	if (g->flags & SHM_HUGETLB)
		return refuse_huge(g->flags);
	if (g->size > INT64_MAX)
		return -EINVAL;
	s = kzalloc(sizeof(*s), IPC_ALLOC);
	if (!s)
		return -ENOMEM;
	ipc_object_init(&s->ipc, g->key, (unsigned int)g->flags);
	s->size = g->size;
	s->name_key = g->key;
	s->ctime = ipc_now();
	s->creator_pid = ipc_pid();
	s->object = create_object(pages << PAGE_SHIFT, g->flags);
	result = s->object ? ipc_charge(&s->ipc, ACCOUNT_SEGMENT_PAGES, pages) : -ENOMEM;
	if (!result)
		result = ipc_add(&shm_ids, &s->ipc, READ_ONCE(shm_max_ids), pages, limit);
	if (result < 0) {
		ipc_uncharge(&s->ipc);
		if (s->object)
			memobj_put(s->object);
		kfree(s);
	}
	return result;
}

long sys_shmget(int32_t key, size_t size, int32_t flags)
{
	const struct ipc_get g = {
		.ids = &shm_ids, .key = key, .flags = flags, .check = check_size, .create = create, .size = size,
	};

	return ipc_get(&g);
}

/* ---- shmat ---- */

static int choose_address(struct map_request *q, uintptr_t address, int flags)
{
	if (!address)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (address & PAGE_MASK) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		address = ALIGN_DOWN(address, PAGE_SIZE);
		if (!address && (flags & SHM_REMAP))
			return -EINVAL;
	}
	q->addr = address;
	q->fixed = flags & SHM_REMAP;
	q->fixed_noreplace = !q->fixed;
	return 0;
}

/* The checks that need the segment. The lock is held. */
static int prepare_locked(struct shm *s, struct map_request *q, unsigned int access)
{
	int error = ipc_permission(&s->ipc, access);

	if (error)
		return error;
	q->length = shm_pages(s) << PAGE_SHIFT;
	q->object = s->object;
	q->owner = s;
	q->owner_ops = &shm_region_ops;
	if (q->fixed_noreplace && q->addr + q->length < q->addr)
		return -EINVAL;
	if ((q->fixed || q->fixed_noreplace) && q->addr < READ_ONCE(mmap_min_addr) &&
	    !service(authority)->capable(CAP_SYS_RAWIO))
		return -EPERM;
	return 0;
}

long sys_shmat(int32_t id, uintptr_t address, int32_t flags)
{
	struct map_request q = { .flags = REGION_SHARED | REGION_READ, .limit = service(process)->rlimit(RLIMIT_AS) };
	unsigned int access = IPC_MAY_READ;
	struct ipc_object *o;
	struct shm *s;
	uintptr_t at = 0;
	int error;

	if (id < 0)
		return -EINVAL;
	error = choose_address(&q, address, flags);
	if (error)
		return error;
	if (!(flags & SHM_RDONLY)) {
		q.flags |= REGION_WRITE | REGION_MAY_WRITE;
		access |= IPC_MAY_WRITE;
	}
	if (flags & SHM_EXEC) {
		q.flags |= REGION_EXEC;
		access |= IPC_MAY_EXECUTE;
	}
	error = ipc_lock(&shm_ids, id, &o);
	if (error)
		return error;
	s = shm_of(o);
	error = prepare_locked(s, &q, access);
	if (error) {
		ipc_unlock_put(o);
		return error;
	}
	s->attached++;
	mutex_unlock(&o->lock);
	error = aspace_map(current->aspace, &q, &at);
	mutex_lock(&o->lock);
	leave_unlock_put(s);
	if (error)
		return error == -EEXIST ? -EINVAL : error;
	return (long)at;
}

long sys_shmdt(uintptr_t address)
{
	if (address & PAGE_MASK)
		return -EINVAL;
	return aspace_unmap_owner(current->aspace, address, &shm_region_ops);
}
