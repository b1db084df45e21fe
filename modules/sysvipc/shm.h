/*
 * Shared memory segments, for shm.c and shm_ctl.c.
 */
#pragma once

#include "core/mem/aspace.h"
#include "modules/sysvipc/abi.h"
#include "modules/sysvipc/internal.h"

struct shm {
	struct ipc_object ipc;
	struct memobj *object;
	uint64_t size;			/* bytes, as asked for */
	int32_t name_key;		/* the key that it was made with, for its name in maps */
	int64_t atime, dtime, ctime;
	int creator_pid, last_pid;
	uint64_t attached;		/* mappings, and calls that are about to make one */
	uint32_t locked_by;		/* who pays for a locked one */
};

static inline struct shm *shm_of(struct ipc_object *o) { return container_of(o, struct shm, ipc); }
static inline uint64_t shm_pages(const struct shm *s) { return DIV_UP(s->size, PAGE_SIZE); }
/* Takes the segment out of the table; mappings that are left keep its memory. object.lock held; the caller drops the table's reference. */
void shm_remove_locked(struct shm *s);
