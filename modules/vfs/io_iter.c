/*
 * Iterators over user or kernel memory. Invariant: `offset` is less than the first segment's length unless count is 0,
 * and count is the sum of what is left. Copies stop at the first byte that cannot be copied.
 */
#include <asm/errno.h>

#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/mem/uaccess.h"
#include "core/module/export.h"
#include "modules/vfs/io_iter.h"

static void init_single(struct io_iter *it, uintptr_t base, size_t n, bool user)
{
	it->single.base = base;
	it->single.length = n;
	it->segments = &it->single;
	it->segment_count = 1;
	it->offset = 0;
	it->count = n;
	it->user = user;
}

void io_iter_init_user(struct io_iter *it, uintptr_t addr, size_t n)
{
	init_single(it, addr, MIN(n, IO_COUNT_MAX), true);
}
MODAPI(io_iter_init_user);

void io_iter_init_kernel(struct io_iter *it, const void *buf, size_t n)
{
	init_single(it, (uintptr_t)buf, MIN(n, IO_COUNT_MAX), false);
}
MODAPI(io_iter_init_kernel);

/* Sums up the segments, cutting at IO_COUNT_MAX as readv(2) does. */
static int measure(struct io_segment *seg, size_t count, size_t *total)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		if ((int64_t)seg[i].length < 0)
			return -EINVAL;
		if (!user_range_ok(seg[i].base, seg[i].length))
			return -EFAULT;
		if (seg[i].length > IO_COUNT_MAX - sum)
			seg[i].length = IO_COUNT_MAX - sum;
		sum += seg[i].length;
	}
	*total = sum;
	return 0;
}

static void skip_empty(struct io_iter *it)
{
	while (it->segment_count && it->offset == it->segments->length) {
		it->segments++;
		it->segment_count--;
		it->offset = 0;
	}
}

int io_iter_init_vector(struct io_iter *it, uintptr_t vector, size_t count, struct io_segment *fast,
			struct io_segment **heap)
{
	struct io_segment *seg = fast;
	size_t total;
	int error;

	*heap = NULL;
	if (count > IO_SEGMENTS_MAX)
		return -EINVAL;
	if (count > IO_SEGMENTS_FAST) {
		seg = kmalloc_array(count, sizeof(*seg), 0);
		if (!seg)
			return -ENOMEM;
		*heap = seg;
	}
	error = count ? copy_from_user(seg, vector, count * sizeof(*seg)) : 0;
	if (!error)
		error = measure(seg, count, &total);
	if (error) {
		kfree(*heap);
		*heap = NULL;
		return error;
	}
	it->segments = seg;
	it->segment_count = count;
	it->offset = 0;
	it->count = total;
	it->user = true;
	skip_empty(it);
	return 0;
}
MODAPI(io_iter_init_vector);

size_t io_iter_piece(const struct io_iter *it, uintptr_t *addr)
{
	if (!it->count)
		return 0;
	*addr = it->segments->base + it->offset;
	return MIN(it->segments->length - it->offset, it->count);
}
MODAPI(io_iter_piece);

void io_iter_advance(struct io_iter *it, size_t n)
{
	while (n && it->segment_count) {
		size_t step = MIN(n, it->segments->length - it->offset);

		it->offset += step;
		it->count -= step;
		n -= step;
		if (it->segment_count > 1)
			skip_empty(it);
		else
			break;
	}
}
MODAPI(io_iter_advance);

/* One contiguous piece: bytes done. */
static size_t put_piece(bool user, uintptr_t addr, const void *src, size_t n)
{
	if (user)
		return n - copy_to_user_partial(addr, src, n);
	memcpy((void *)addr, src, n);
	return n;
}

static size_t get_piece(bool user, uintptr_t addr, void *dst, size_t n)
{
	if (user)
		return n - copy_from_user_partial(dst, addr, n);
	memcpy(dst, (const void *)addr, n);
	return n;
}

static size_t clear_piece(bool user, uintptr_t addr, size_t n)
{
	if (user)
		return clear_user(addr, n) ? 0 : n;
	memset((void *)addr, 0, n);
	return n;
}

size_t io_iter_write(struct io_iter *it, const void *src, size_t n)
{
	size_t done = 0;
	uintptr_t addr = 0;

	n = MIN(n, it->count);
	while (done < n) {
		size_t piece = MIN(io_iter_piece(it, &addr), n - done);
		size_t copied = put_piece(it->user, addr, (const char *)src + done, piece);

		io_iter_advance(it, copied);
		done += copied;
		if (copied < piece)
			break;
	}
	return done;
}
MODAPI(io_iter_write);

size_t io_iter_read(struct io_iter *it, void *dst, size_t n)
{
	size_t done = 0;
	uintptr_t addr = 0;

	n = MIN(n, it->count);
	while (done < n) {
		size_t piece = MIN(io_iter_piece(it, &addr), n - done);
		size_t copied = get_piece(it->user, addr, (char *)dst + done, piece);

		io_iter_advance(it, copied);
		done += copied;
		if (copied < piece)
			break;
	}
	return done;
}
MODAPI(io_iter_read);

size_t io_iter_zero(struct io_iter *it, size_t n)
{
	size_t done = 0;
	uintptr_t addr = 0;

	n = MIN(n, it->count);
	while (done < n) {
		size_t piece = MIN(io_iter_piece(it, &addr), n - done);
		size_t cleared;

		piece = MIN(piece, PAGE_SIZE - (addr & PAGE_MASK));
		cleared = clear_piece(it->user, addr, piece);
		io_iter_advance(it, cleared);
		done += cleared;
		if (cleared < piece)
			break;
	}
	return done;
}
MODAPI(io_iter_zero);

int io_iter_fault_in(struct io_iter *it, size_t n, bool write)
{
	uintptr_t addr = 0;
	size_t piece = MIN(io_iter_piece(it, &addr), n);

	if (!it->user || !piece)
		return 0;
	return fault_in_user(addr, piece, write);
}
MODAPI(io_iter_fault_in);
