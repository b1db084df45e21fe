/*
 * xz: the format, its filters and checks are liblzma's; here are its memory and its way in and out.
 *
 * One caller at a time, the first thread; no state is kept between calls. No locks.
 */
#include <asm/errno.h>
#include <gen/unxz.h>
#include <lzma.h>

#include "core/lib/types.h"
#include "core/mem/vmap.h"
#include "core/module/services.h"

#define OUT_SIZE (64 * 1024u)

static void *take(void *unused, size_t count, size_t size)
{
	(void)unused, (void)count;		/* 1 */
	return kvmalloc(size, 0);
}

static void give(void *unused, void *p)
{
	(void)unused;
	kvfree(p);
}

static int failure(lzma_ret result, const char **why)
{
	switch (result) {
	case LZMA_MEM_ERROR:
		*why = "out of memory";
		return -ENOMEM;
	case LZMA_MEMLIMIT_ERROR:
		*why = "needs more than half of the free memory";
		return -ENOMEM;
	case LZMA_BUF_ERROR:
		*why = "data are cut off";
		return -EINVAL;
	case LZMA_OPTIONS_ERROR:
		*why = "uses a filter that is not known";
		return -EINVAL;
	default:
		return -EINVAL;
	}
}

static int run(const void *data, size_t size, size_t *used, int (*push)(void *arg, const void *data, size_t n),
	       void *arg, const char **why)
{
	lzma_allocator memory = { take, give, NULL };
	lzma_stream z = LZMA_STREAM_INIT;
	unsigned char *out = kvmalloc(OUT_SIZE, 0);
	lzma_ret result = LZMA_MEM_ERROR;
	int error = 0;

	z.allocator = &memory;
	z.next_in = data;
	z.avail_in = size;
	if (out)
		result = lzma_stream_decoder(&z, page_free_count() * PAGE_SIZE / 2, 0);
	while (result == LZMA_OK && !error) {
		z.next_out = out;
		z.avail_out = OUT_SIZE;
		result = lzma_code(&z, LZMA_FINISH);
		if (z.avail_out < OUT_SIZE)
			error = push(arg, out, OUT_SIZE - z.avail_out);
	}
	if (!error && result != LZMA_STREAM_END)
		error = failure(result, why);
	*used = (size_t)z.total_in;
	lzma_end(&z);
	kvfree(out);
	return error;
}

const struct unpack_ops unxz_ops = { .run = run };
