/*
 * zstd: the format is libzstd's; here are its memory and its way in and out. Windows up to 128 MiB, as Linux takes them.
 *
 * One caller at a time, the first thread; no state is kept between calls. No locks.
 */
#define ZSTD_STATIC_LINKING_ONLY

#include <asm/errno.h>
#include <gen/unzstd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "core/lib/types.h"
#include "core/mem/vmap.h"
#include "core/module/services.h"

#define OUT_SIZE (128 * 1024u)

static void *take(void *unused, size_t size)
{
	(void)unused;
	return kvmalloc(size, 0);
}

static void give(void *unused, void *p)
{
	(void)unused;
	kvfree(p);
}

static int failure(size_t result, const char **why)
{
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_memory_allocation:
		*why = "out of memory";
		return -ENOMEM;
	case ZSTD_error_frameParameter_windowTooLarge:
		*why = "window is larger than 128 MiB";
		return -EINVAL;
	default:
		return -EINVAL;
	}
}

static int run(const void *data, size_t size, size_t *used, int (*push)(void *arg, const void *data, size_t n),
	       void *arg, const char **why)
{
	ZSTD_DStream *z = ZSTD_createDStream_advanced((ZSTD_customMem){ take, give, NULL });
	ZSTD_inBuffer in = { data, size, 0 };
	ZSTD_outBuffer out = { kvmalloc(OUT_SIZE, 0), OUT_SIZE, 0 };
	size_t left = 1;
	int error = z && out.dst ? 0 : -ENOMEM;

	if (error)
		*why = "out of memory";
	while (!error && left) {
		size_t before = in.pos;

		out.pos = 0;
		left = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(left)) {
			error = failure(left, why);
		} else if (left && in.pos == before && !out.pos) {
			*why = "data are cut off";
			error = -EINVAL;
		} else if (out.pos) {
			error = push(arg, out.dst, out.pos);
		}
	}
	*used = in.pos;
	kvfree(out.dst);
	ZSTD_freeDStream(z);
	return error;
}

const struct unpack_ops unzstd_ops = { .run = run };
