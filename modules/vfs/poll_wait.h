/*
 * One waiting poll or select: its entries on the files' queues.
 */
#pragma once

#include "modules/vfs/poll.h"

#define POLL_INLINE 10
#define POLL_BLOCK  60

struct poll_entry {
	struct waiter waiter;
	unsigned int events;
	struct wait_queue *queue;
	struct file *file;
};

struct poll_block {
	struct poll_block *next;
	unsigned int used;
	struct poll_entry entries[POLL_BLOCK];
};

struct poll_round {
	struct poll_table table;
	unsigned int inline_used;
	bool hold_files;
	int error;
	struct poll_block *block;
	struct poll_entry inline_entries[POLL_INLINE];
};

/* `hold_files`: others could close them meanwhile. */
void poll_round_begin(struct poll_round *r, bool hold_files);
void poll_round_end(struct poll_round *r);
/*
 * Scans until something is found. scan() returns the number of ready files and sets table.events before each; deadline 0: once,
 * TIME_NEVER: for ever. Result of scan, 0 at the deadline, -EINTR, -ERESTART_MODULE, -ENOMEM.
 */
long poll_run(struct poll_round *r, long (*scan)(struct poll_round *r, void *arg), void *arg, uint64_t deadline);
