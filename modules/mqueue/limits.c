/*
 * The limits of /proc/sys/fs/mqueue. They are read without a lock when a queue is made; what exists already keeps its size.
 */
#include "modules/mqueue/internal.h"

unsigned int mqueue_queues_max = 256;
unsigned int mqueue_msg_max = 10, mqueue_msgsize_max = 8192;
unsigned int mqueue_msg_default = 10, mqueue_msgsize_default = 8192;

static const struct limit {
	unsigned int *value;
	int64_t min, max;
} limits[MQUEUE_LIMITS] = {
	/* Any int, of which a negative one is as good as none, as on Linux. */
	[MQUEUE_QUEUES_MAX] = { &mqueue_queues_max, INT32_MIN, INT32_MAX },
	[MQUEUE_MSG_MAX] = { &mqueue_msg_max, 1, MQUEUE_HARD_MESSAGES },
	[MQUEUE_MSGSIZE_MAX] = { &mqueue_msgsize_max, 128, MQUEUE_HARD_SIZE },
	[MQUEUE_MSG_DEFAULT] = { &mqueue_msg_default, 1, MQUEUE_HARD_MESSAGES },
	[MQUEUE_MSGSIZE_DEFAULT] = { &mqueue_msgsize_default, 128, MQUEUE_HARD_SIZE },
};

static int limit_get(enum mqueue_limit which, int64_t *out)
{
	*out = (int)READ_ONCE(*limits[which].value);
	return 0;
}

static int limit_set(enum mqueue_limit which, int64_t value)
{
	const struct limit *l = &limits[which];

	if (value < l->min || value > l->max)
		return -EINVAL;
	WRITE_ONCE(*l->value, (unsigned int)value);
	return 0;
}

const struct mqueue_ops mqueue_service = { .limit_get = limit_get, .limit_set = limit_set };
