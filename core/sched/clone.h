/*
 * The head of what thread_create hands to the thread_create hooks. The personality embeds it as the first field of its
 * own request; the core looks at nothing in it.
 */
#pragma once

#include "core/lib/types.h"

struct clone_request {
	uint64_t flags;			/* CLONE_* of linux/sched.h */
};
