/*
 * The inside of pipes, for pipe.c, fifo.c and splice.c.
 */
#pragma once

#include "modules/vfs/account.h"
#include "modules/vfs/internal.h"

#define PIPE_SLOTS_DEFAULT 16u
#define PIPE_SLOTS_LEAST   2u		/* of a user who has much in pipes already */

/* A piece of a page in the ring. */
struct pipe_slot {
	struct page *page;		/* a reference */
	uint32_t offset, length;
	bool mergeable;			/* the page is the pipe's own: a write may fill its rest */
	bool packet;			/* O_DIRECT: read as a whole */
};

/*
 * `lock` guards everything. head and tail count slots written and read; slots is a power of two. Waiters sleep on the
 * queue of their side, exclusively for data and room.
 */
struct pipe {
	struct mutex lock;
	struct wait_queue read_wait, write_wait;
	unsigned int head, tail, slots;
	unsigned int readers, writers;
	unsigned int reader_opens, writer_opens;	/* count every open: FIFOs wait for a change */
	unsigned int files;
	struct file_async_list async;
	struct page *spare;		/* a page emptied last, kept for the next write */
	struct pipe_slot *ring;
	struct account *account;	/* who made it; its slots are charged to him */
};

static inline unsigned int pipe_used(const struct pipe *p) { return READ_ONCE(p->head) - READ_ONCE(p->tail); }
static inline bool pipe_empty(const struct pipe *p) { return READ_ONCE(p->head) == READ_ONCE(p->tail); }
static inline bool pipe_full(const struct pipe *p) { return pipe_used(p) >= READ_ONCE(p->slots); }
static inline struct pipe_slot *pipe_slot_at(struct pipe *p, unsigned int n) { return &p->ring[n & (p->slots - 1)]; }

/* A pipe of the caller's. -ENOMEM, -ENFILE: its user may have no more. */
int pipe_create(struct pipe **out);
/* Charges slots; -EPERM: beyond the limits, of which the soft one counts only if `soft`. */
int pipe_charge(struct account *a, unsigned int slots, bool soft);
void pipe_free(struct pipe *p);
/* Lets go of a slot's page, keeping it as the spare if nobody else has it. */
void pipe_release_page(struct pipe *p, struct pipe_slot *s);
/* The pipe behind a file; null if it is none. */
struct pipe *file_pipe(const struct file *f);
/* F_SETPIPE_SZ: the size in force, or an error. */
long pipe_resize(struct pipe *p, size_t bytes);
/* Wait for something to read, or for room, with the lock held on both sides of it. 0, -EAGAIN, -EPIPE (signal sent), -ERESTARTSYS; 1: end of data. */
int pipe_wait_readable(struct pipe *p, bool nonblock);
int pipe_wait_writable(struct pipe *p, bool nonblock);
void pipe_wake_readers(struct pipe *p);
void pipe_wake_writers(struct pipe *p);
/* Takes the file's ends back, and the pipe if it was the last file. */
void pipe_release(struct file *f);
extern const struct file_ops pipe_ops;
