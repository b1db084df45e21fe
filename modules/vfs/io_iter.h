/*
 * What a read or write transfers: a list of segments in user or in kernel memory and how far it has come. Copies advance
 * it and are short on a fault. Used by one thread at a time; copies of user memory may sleep.
 */
#pragma once

#include "core/lib/types.h"

#define IO_SEGMENTS_MAX 1024		/* UIO_MAXIOV */
#define IO_COUNT_MAX    0x7ffff000ul	/* most bytes of one call, as MAX_RW_COUNT */

/* Laid out as struct iovec. */
struct io_segment {
	uintptr_t base;
	size_t length;
};

struct io_iter {
	const struct io_segment *segments;	/* those not used up yet */
	size_t segment_count;
	size_t offset;			/* in the first of them */
	size_t count;			/* bytes left in all */
	bool user;			/* addresses of the calling process, otherwise kernel memory */
	struct io_segment single;
};

/* One segment. The count is cut to IO_COUNT_MAX; user ranges are checked by the copies. */
void io_iter_init_user(struct io_iter *it, uintptr_t addr, size_t n);
void io_iter_init_kernel(struct io_iter *it, const void *buf, size_t n);
/*
 * From a user array of iovec. `fast` has room for IO_SEGMENTS_FAST segments; *heap is what the caller kfrees afterwards (null if
 * the fast array did). -EINVAL (count, sum), -EFAULT, -ENOMEM.
 */
#define IO_SEGMENTS_FAST 8
int io_iter_init_vector(struct io_iter *it, uintptr_t vector, size_t count, struct io_segment *fast,
			struct io_segment **heap);

/* Copy to and from what the iterator stands for, and advance. Bytes copied: less than n only on a fault or at the end. */
size_t io_iter_write(struct io_iter *it, const void *src, size_t n);
size_t io_iter_read(struct io_iter *it, void *dst, size_t n);
size_t io_iter_zero(struct io_iter *it, size_t n);
/* Skips n bytes (n <= count), and goes back by n bytes that were advanced within this call chain on a saved copy. */
void io_iter_advance(struct io_iter *it, size_t n);
/* Makes the next n bytes present so that a copy under a sleeping lock does not fault deeply. 0 or -EFAULT for the first byte. */
int io_iter_fault_in(struct io_iter *it, size_t n, bool write);
/* Address and length of the current contiguous piece; 0 at the end. */
size_t io_iter_piece(const struct io_iter *it, uintptr_t *addr);
