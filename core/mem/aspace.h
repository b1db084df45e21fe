/*
 * User address spaces: ordered regions over memory objects, demand paging, copy-on-write. Anonymous private pages live
 * in the page tables only, one reference for each entry; a page with one reference is written in place, others are copied.
 *
 * Locking: `lock` (rwlock) is held for reading by faults and for writing by changes of regions; `pt_lock` (spin) by every change of an entry.
 * Order: aspace.lock, memobj.regions_lock, pt_lock, memobj.lock.
 */
#pragma once

#include "core/lib/bits.h"
#include "core/lib/list.h"
#include "core/lib/rbtree.h"
#include "core/lib/refcount.h"
#include "core/mem/memobj.h"
#include "core/sync/rwlock.h"

#define ASPACE_DATA_SLOTS 4
#define ASPACE_AUXV_WORDS 48

/* Region flags. Protection: REGION_READ|WRITE|EXEC. */
#define REGION_READ        0x0001u
#define REGION_WRITE       0x0002u
#define REGION_EXEC        0x0004u
#define REGION_SHARED      0x0008u
#define REGION_GROWSDOWN   0x0010u
#define REGION_LOCKED      0x0020u
#define REGION_LOCK_ON_FAULT 0x0040u
#define REGION_DONTFORK    0x0080u
#define REGION_WIPEONFORK  0x0100u
#define REGION_DONTDUMP    0x0200u
#define REGION_NORESERVE   0x0400u
#define REGION_MAY_WRITE   0x0800u	/* mprotect may add WRITE: private, or its file is open for that */
#define REGION_SPECIAL     0x1000u	/* vDSO, device: not expanded, merged or inherited changes */
#define REGION_STACK       0x2000u
#define REGION_HEAP        0x4000u
#define REGION_ACCOUNTED   0x8000u
#define REGION_HUGE        0x10000u
#define REGION_NOHUGE      0x20000u
#define REGION_NOEXEC      0x40000u	/* mprotect must not add EXEC: noexec mount, clock page */
/* What mbind(2) said of the range: the personality's, in these bits; the core only keeps, splits and joins by it. */
#define REGION_POLICY_SHIFT 20
#define REGION_POLICY (0x3fu << REGION_POLICY_SHIFT)
#define REGION_PROT (REGION_READ | REGION_WRITE | REGION_EXEC)

struct region;

/* Who mapped the region (a file of vfs): keeps it alive and names it. */
struct region_owner_ops {
	void (*get)(void *owner);
	void (*put)(void *owner);
	/* Text for /proc/self/maps: device, inode and path. Length; may sleep. */
	int (*describe)(void *owner, uint64_t *dev, uint64_t *inode, char *path, size_t size);
};

struct region {
	struct rb_node node;
	uintptr_t gap;			/* free addresses below it; region.c */
	uintptr_t gap_max;		/* the longest gap of it and of those under it in the tree */
	struct list link;		/* in address order */
	uintptr_t start;
	uintptr_t end;
	unsigned int flags;
	struct aspace *aspace;
	struct memobj *object;		/* null: private anonymous */
	uint64_t offset;		/* of `start` in the object, bytes */
	struct list object_link;	/* object->regions */
	void *owner;
	const struct region_owner_ops *owner_ops;
	bool has_private;		/* may contain anonymous pages of its own */
	const char *label;		/* static name such as "[vdso]", or null */
};

struct aspace {
	struct arch_mmu mmu;
	struct refcount users;		/* threads and others that use the memory */
	struct refcount refs;		/* to the structure: who may come back; all users have one */
	struct rwlock lock;
	struct spinlock pt_lock;
	struct rb_root regions;
	struct list region_list;
	struct region *last_hit;	/* fault cache; under lock */
	struct cpu_set cpus;		/* CPUs that may have its translations */
	uint64_t id;			/* never reused: identity of private futex keys */
	unsigned int region_count;
	uint64_t mapped_pages;		/* total of regions */
	uint64_t locked_pages;
	uint64_t accounted_pages;
	uint64_t data_pages;		/* private and writable, other than stacks */
	uint64_t resident_anon;		/* entries */
	uint64_t resident_file;
	uint64_t resident_peak;
	uintptr_t mmap_base;		/* top of the area that free ranges are taken from, downwards */
	uintptr_t brk_start, brk_end;
	uintptr_t stack_start;
	uint64_t stack_limit;		/* bytes that a GROWSDOWN region may reach */
	uint64_t locked_limit;		/* bytes */
	uint64_t size_limit;		/* RLIMIT_AS in bytes, for stacks that grow; UINT64_MAX: none */
	uint64_t data_limit;		/* bytes of private writable memory other than stacks; UINT64_MAX: none */
	unsigned int default_flags;	/* mlockall(MCL_FUTURE) */
	uintptr_t code_start, code_end, data_start, data_end, arg_start, arg_end, env_start, env_end;
	uintptr_t vdso;
	uint64_t auxv[ASPACE_AUXV_WORDS];	/* the auxiliary vector; written before anybody runs in it */
	unsigned int auxv_words;
	void *data[ASPACE_DATA_SLOTS];
};

int aspace_create(struct aspace **out);
static inline void aspace_get(struct aspace *as) { refcount_get(&as->users); }
/* Unmaps everything when the last user goes. May sleep. */
void aspace_put(struct aspace *as);
/*
 * For a descriptor that stays open: keeps the structure, not the memory. aspace_use() makes a user of
 * who keeps it, until aspace_put(); false if the last user has gone.
 */
static inline void aspace_keep(struct aspace *as) { refcount_get(&as->refs); }
static inline bool aspace_use(struct aspace *as) { return refcount_get_unless_zero(&as->users); }
void aspace_release(struct aspace *as);
/* A copy for fork: private pages become copy-on-write in both. -ENOMEM. */
int aspace_fork(struct aspace *from, struct aspace **out);

struct map_request {
	uintptr_t addr;			/* hint, or the place if fixed */
	size_t length;			/* page multiple */
	unsigned int flags;		/* REGION_* */
	bool fixed;			/* replaces what is there */
	bool fixed_noreplace;		/* -EEXIST if something is there */
	bool below_4g;			/* MAP_32BIT */
	bool populate;
	struct memobj *object;		/* a reference is taken */
	uint64_t offset;
	void *owner;			/* a reference is taken through owner_ops */
	const struct region_owner_ops *owner_ops;
	const char *label;
	uint64_t limit;			/* RLIMIT_AS in bytes; UINT64_MAX none */
};
/* Maps. *out is the address. -ENOMEM, -EINVAL, -EEXIST, -EAGAIN (locked limit). Takes the lock. */
int aspace_map(struct aspace *as, const struct map_request *r, uintptr_t *out);
/*
 * An address where `length` bytes are free, at least `below` bytes under mmap_base, without taking them:
 * for exec, which owns the address space alone. 0 if there is none.
 */
uintptr_t aspace_find_room(struct aspace *as, size_t length, size_t below);
int aspace_unmap(struct aspace *as, uintptr_t start, size_t length);
/*
 * Unmaps what is left of one owner's object that was mapped with its byte 0 at `base`. Owners are those with `ops`; the lowest
 * region tells which. -EINVAL if there is none, -EINTR if killed. Takes the lock.
 */
int aspace_unmap_owner(struct aspace *as, uintptr_t base, const struct region_owner_ops *ops);
/* Changes REGION_PROT of a range. -ENOMEM on a hole, -EACCES; `grows`: -EINVAL unless it begins in a GROWSDOWN region, whose start it begins at. */
int aspace_protect(struct aspace *as, uintptr_t start, size_t length, unsigned int prot, bool grows);
/* Sets and clears region flags over a range; holes give -ENOMEM at the end. */
int aspace_change_flags(struct aspace *as, uintptr_t start, size_t length, unsigned int set,
			unsigned int clear);
/* Moves the program break, checking against neighbours and limits in bytes (of all memory, of data); returns the break in force. */
uintptr_t aspace_brk(struct aspace *as, uintptr_t brk, uint64_t limit, uint64_t data_limit);
/* mremap(2) with its flags as bools. `keep_old`: DONTUNMAP. Returns the address or negative errno. */
struct remap_request {
	uintptr_t old_addr, new_addr;
	size_t old_size, new_size;
	bool may_move, fixed, keep_old;
	uint64_t limit;
};
long aspace_remap(struct aspace *as, const struct remap_request *r);
/* Drops pages: private anonymous read zeroes again, others come anew from their object (MADV_DONTNEED). */
int aspace_discard(struct aspace *as, uintptr_t start, size_t length);
/*
 * Makes pages present. AS_ALLOWED: as far as the regions permit, those of one's own for writing (MAP_POPULATE, mlock); -EFAULT where
 * nothing may touch them. FOR_READ and FOR_WRITE (MADV_POPULATE_*): as that access would; -EINVAL where it is not
 * permitted, and for a device. -ENOMEM on a hole or without memory, -EFAULT without a page (past the end of the file), -EINTR when the
 * thread is to die. What stands before stays.
 */
enum populate_mode { POPULATE_AS_ALLOWED, POPULATE_FOR_READ, POPULATE_FOR_WRITE };
int aspace_populate(struct aspace *as, uintptr_t start, size_t length, enum populate_mode how);
/* A mapped page. Counts of mappings are those of this moment, and include who else holds the page for a while. */
struct page_view {
	uintptr_t va;
	uint64_t phys;
	unsigned int mappings;
	bool anonymous, special, dirty, young;	/* special: the shared zeroes, or a device's */
};
/* Calls fn for the mapped pages of [start, end) in order. fn may not sleep. Sleeps. */
void aspace_each_page(struct aspace *as, uintptr_t start, uintptr_t end, void (*fn)(const struct page_view *v, void *arg), void *arg);
/* One byte a page: bit 0 present (mincore). Fills vec in kernel memory. -ENOMEM on holes. */
int aspace_residency(struct aspace *as, uintptr_t start, size_t pages, unsigned char *vec);
/* Is a page of some owner at addr now? 0, -ENOENT if nothing is mapped, -EFAULT without a region or for shared zeroes and devices. */
int aspace_page_mapped(struct aspace *as, uintptr_t addr);

/* The region that contains addr, or the next one above if `or_next`. The lock is held. */
struct region *region_find(struct aspace *as, uintptr_t addr, bool or_next);
struct region *region_next(struct aspace *as, struct region *r);

enum fault_kind { FAULT_READ, FAULT_WRITE, FAULT_EXEC };
enum fault_result {
	FAULT_DONE,
	FAULT_BAD_ADDRESS,		/* no region: SEGV_MAPERR */
	FAULT_BAD_ACCESS,		/* protection: SEGV_ACCERR */
	FAULT_BUS,			/* beyond the object: BUS_ADRERR */
	FAULT_OUT_OF_MEMORY,
	FAULT_RETRY_SIGNAL,		/* killed while waiting */
};
/* Resolves a fault of `as` at an address; used by traps, user copies (get pages) and ptrace. May sleep. */
enum fault_result aspace_fault(struct aspace *as, uintptr_t addr, enum fault_kind kind);

/*
 * Copies from or to another address space (process_vm_*, /proc/pid/mem, exec's new stack). Bytes
 * copied, or -EFAULT if none. Device memory is out of reach. `force` is for debuggers: it reads
 * whatever is mapped, and writes to private regions that may be made writable; the file behind
 * them stays as it is.
 */
long aspace_read(struct aspace *as, uintptr_t addr, void *dst, size_t n, bool force);
long aspace_write(struct aspace *as, uintptr_t addr, const void *src, size_t n, bool force);

/* What a shared futex word is: the object behind addr and its byte offset there; *object null for private memory. No reference is taken: only ids are used. -EFAULT. */
struct aspace_key {
	uint64_t id;			/* memobj id or aspace id */
	uint64_t offset;		/* byte offset in the object, or the address */
	bool shared;
};
int aspace_futex_key(struct aspace *as, uintptr_t addr, bool write, struct aspace_key *out);

/* Data slots of modules. */
static inline void *aspace_data(const struct aspace *as, int slot) { return READ_ONCE(as->data[slot]); }

/*
 * Below this address only who has CAP_SYS_RAWIO may map, whatever the call, and no stack grows: a null pointer of the kernel
 * finds nothing of a user's. The callers of aspace_map and aspace_remap check; /proc/sys/vm/mmap_min_addr changes it.
 */
extern uint64_t mmap_min_addr;

/* Overcommit accounting, in pages: Linux's modes 0, 1, 2. */
extern int memory_overcommit_mode;
uint64_t memory_committed(void);

void aspace_start(void);
