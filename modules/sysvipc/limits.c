/*
 * The limits of /proc/sys/kernel, the files of /proc/sysvipc, and the module's start.
 *
 * The limits are read without a lock wherever something new is made; what exists already keeps its size.
 */
#include <linux/msg.h>
#include <linux/sem.h>

#include "modules/sysvipc/abi.h"
#include "modules/sysvipc/internal.h"

#define ALMOST_ALL (UINT64_MAX - (1ull << 24))	/* as Linux: room for sums that must not wrap */

uint64_t shm_max_bytes = ALMOST_ALL, shm_max_pages = ALMOST_ALL;
unsigned int shm_max_ids = SHMMNI, sem_max_ids = SEMMNI, msg_max_ids = MSGMNI;
unsigned int sem_max_array = SEMMSL, sem_max_total = SEMMNS, sem_max_ops = SEMOPM;
unsigned int msg_max_size = MSGMAX, msg_max_queue = MSGMNB;

/* Each limit is of one width, and bounded. */
static const struct limit {
	uint64_t *wide;
	unsigned int *narrow;
	uint64_t max;
} limits[SYSVIPC_LIMITS] = {
	[SYSVIPC_SHMMAX] = { .wide = &shm_max_bytes, .max = UINT64_MAX },
	[SYSVIPC_SHMALL] = { .wide = &shm_max_pages, .max = UINT64_MAX },
	[SYSVIPC_SHMMNI] = { .narrow = &shm_max_ids, .max = IPC_INDEX_MAX },
	[SYSVIPC_SEMMSL] = { .narrow = &sem_max_array, .max = INT32_MAX },
	[SYSVIPC_SEMMNS] = { .narrow = &sem_max_total, .max = INT32_MAX },
	[SYSVIPC_SEMOPM] = { .narrow = &sem_max_ops, .max = INT32_MAX },
	[SYSVIPC_SEMMNI] = { .narrow = &sem_max_ids, .max = IPC_INDEX_MAX },
	[SYSVIPC_MSGMAX] = { .narrow = &msg_max_size, .max = INT32_MAX },
	[SYSVIPC_MSGMNB] = { .narrow = &msg_max_queue, .max = INT32_MAX },
	[SYSVIPC_MSGMNI] = { .narrow = &msg_max_ids, .max = IPC_INDEX_MAX },
};

static int limit_get(enum sysvipc_limit which, uint64_t *out)
{
	const struct limit *l = &limits[which];

	*out = l->wide ? READ_ONCE(*l->wide) : READ_ONCE(*l->narrow);
	return 0;
}

static int limit_set(enum sysvipc_limit which, uint64_t value)
{
	const struct limit *l = &limits[which];

	if (value > l->max)
		return -EINVAL;
	if (l->wide)
		WRITE_ONCE(*l->wide, value);
	else
		WRITE_ONCE(*l->narrow, (unsigned int)value);
	return 0;
}

static int show(enum sysvipc_kind kind, struct text_out *t)
{
	switch (kind) {
	case SYSVIPC_SHM: return shm_show(t);
	case SYSVIPC_SEM: return sem_show(t);
	case SYSVIPC_MSG: return msg_show(t);
	}
	return -EINVAL;
}

const struct sysvipc_ops sysvipc_service = { .show = show, .limit_get = limit_get, .limit_set = limit_set };

int sysvipc_init(void)
{
	shm_start();
	sem_start();
	msg_start();
	return 0;
}
