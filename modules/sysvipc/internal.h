/*
 * System V IPC, for the files of this module.
 *
 * The three kinds share what ids.c does: a table of objects by id and key, permissions, IPC_SET. An object is one struct with its
 * ipc_object first; its table, each user in a call, each mapping and each undo entry of it hold a reference.
 *
 * Locks, outermost first:
 *   aspace.lock      mapping and unmapping change a segment's counts
 *   object.lock      all of an object but its place in the table. User memory is never touched under it: a fault takes aspace.lock
 *   undo share lock  (sem_undo.c) the list of a share's entries
 *   ids.lock         the table, the objects' keys, and the sums over all objects of the kind
 */
#pragma once

#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/ipc.h>
#include <asm/ipcbuf.h>

#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/mem/uaccess.h"
#include "core/module/services.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/sync/wait.h"
#include "core/sync/wake_list.h"
#include "core/time/clock.h"
#include "modules/vfs/account.h"

/*
 * What objects consist of stays when the process that made it is gone: nobody is killed to make room for it, and who asks gets ENOMEM.
 */
#define IPC_ALLOC ALLOC_TRY

#define IPC_INDEX_BITS 15
#define IPC_INDEX_MAX (1 << IPC_INDEX_BITS)
#define IPC_SEQUENCE_MAX (INT32_MAX >> IPC_INDEX_BITS)
#define IPC_MODE 0777u
#define IPC_MAY_READ 0444u
#define IPC_MAY_WRITE 0222u
#define IPC_MAY_EXECUTE 0111u

struct ipc_ids;
struct text_out;

struct ipc_object {
	struct refcount refs;
	struct mutex lock;
	struct ipc_ids *ids;
	struct list key_link;		/* ids.lock */
	int id;				/* sequence number and place in the table; constant */
	int32_t key;			/* ids.lock; IPC_PRIVATE: it cannot be found by one */
	uint32_t uid, gid, cuid, cgid, mode;
	struct account *account;	/* of who made it, with a reference; null: not charged */
	enum account_kind kind;		/* what is charged there, and how much */
	uint64_t charged;
	bool removed;			/* no longer in the table */
};

struct ipc_ids {
	struct spinlock lock;
	struct ipc_object **slot;
	int capacity, used;
	int next;			/* where the search for a place begins: ids come back late */
	int sequence;
	uint64_t total;			/* of the kind: pages, semaphores */
	struct list by_key[64];
	/* The last reference is gone. May sleep. */
	void (*destroy)(struct ipc_object *o);
};

void ipc_ids_init(struct ipc_ids *ids, void (*destroy)(struct ipc_object *o));
/* A new object with one reference, the table's; owner and mode are the caller's. */
void ipc_object_init(struct ipc_object *o, int32_t key, unsigned int mode);
/*
 * Puts it into the table and counts `amount` in ids.total, which may reach `total_limit`. The id; -EEXIST: somebody else was
 * quicker with the key; -ENOSPC: a limit; -ENOMEM. Others may use it at once. May sleep.
 */
long ipc_add(struct ipc_ids *ids, struct ipc_object *o, unsigned int limit, uint64_t amount, uint64_t total_limit);
/* Takes it out of the table and `amount` off the total; the caller drops the table's reference. object.lock held. */
void ipc_remove_locked(struct ipc_object *o, uint64_t amount);
/* Its key stands for nothing any more. object.lock held. */
void ipc_forget_key_locked(struct ipc_object *o);
/*
 * Charges the new object to the caller's user. -ENOSPC: he has as much as he may have; -ENOMEM. It is taken back with the last
 * reference; by ipc_uncharge if the object never got into a table.
 */
int ipc_charge(struct ipc_object *o, enum account_kind kind, uint64_t amount);
void ipc_uncharge(struct ipc_object *o);
void ipc_put(struct ipc_object *o);
static inline void ipc_hold(struct ipc_object *o) { refcount_get(&o->refs); }
/* The object of an id with a reference, locked. -EINVAL: there is none; -EIDRM: it went just now. */
int ipc_lock(struct ipc_ids *ids, int id, struct ipc_object **out);
/* The next object at or after the place *index, locked, with a reference; null at the end. *index is where to go on. */
struct ipc_object *ipc_lock_next(struct ipc_ids *ids, int *index);
void ipc_unlock_put(struct ipc_object *o);

/* May the caller do what the bits (IPC_MAY_*, or the flags of a get call) ask? 0 or -EACCES. object.lock held, or ids.lock. */
int ipc_permission(const struct ipc_object *o, unsigned int bits);
/* As ipc_lock, for IPC_SET and IPC_RMID: -EPERM unless the caller is owner, creator or privileged; nothing is locked then. */
int ipc_lock_to_change(struct ipc_ids *ids, int id, struct ipc_object **out);
/* As ipc_lock, for the *_STAT commands: by place unless `by_id`; with `check`, -EACCES unless the caller may read. */
int ipc_lock_to_describe(struct ipc_ids *ids, int id, bool by_id, bool check, struct ipc_object **out);
/* IPC_SET: -EINVAL for ids that nobody can have. object.lock held. */
int ipc_set_locked(struct ipc_object *o, const struct ipc64_perm *p);
void ipc_describe_locked(const struct ipc_object *o, struct ipc64_perm *out);

/* The get calls: an object is found by its key or made. */
struct ipc_get {
	struct ipc_ids *ids;
	int32_t key;
	int flags;
	/* Is the object that was found what the caller wants? 0 or -EINVAL. object.lock held. */
	int (*check)(const struct ipc_object *o, const struct ipc_get *g);
	/* Makes one: the id or an error, -EEXIST as ipc_add. */
	long (*create)(const struct ipc_get *g);
	uint64_t size;
};
long ipc_get(const struct ipc_get *g);

/* What *_INFO give: number of objects, and the highest place in use (0 when there is none). */
int ipc_count(struct ipc_ids *ids, uint64_t *total);
int ipc_highest(struct ipc_ids *ids);

static inline int64_t ipc_now(void) { return clock_realtime() / (int64_t)NSEC_PER_SEC; }
static inline int ipc_pid(void) { return service(process)->pid(); }

/* limits.c: written through /proc/sys/kernel. */
extern uint64_t shm_max_bytes, shm_max_pages;
extern unsigned int shm_max_ids, sem_max_ids, msg_max_ids;
extern unsigned int sem_max_array, sem_max_total, sem_max_ops;
extern unsigned int msg_max_size, msg_max_queue;

extern const struct sysvipc_ops sysvipc_service;
int sysvipc_init(void);

extern struct ipc_ids shm_ids, sem_ids, msg_ids;
int shm_show(struct text_out *t);
int sem_show(struct text_out *t);
int msg_show(struct text_out *t);
void shm_start(void);
void sem_start(void);
void msg_start(void);
