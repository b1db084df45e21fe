/*
 * lz4 as `lz4 -l` writes it, the form that Linux takes: a magic number, then blocks that stand for 8 MiB each (the last one for less) behind
 * their lengths. Nothing marks the end: zeroes, another archive or the end of the data do. Archives that follow are a part of it.
 *
 * One caller at a time, the first thread; no state is kept between calls. No locks.
 */
#include <asm/errno.h>
#include <gen/unlz4.h>
#include <lz4.h>

#include "core/lib/types.h"
#include "core/mem/vmap.h"
#include "core/module/services.h"

#define MAGIC 0x184c2102u
#define BLOCK (8 << 20)

static uint32_t word_at(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Does another archive begin here, whose magic number would be a block's length in bounds? */
static bool is_gzip(const unsigned char *p)
{
	return p[0] == 0x1f && p[1] == 0x8b && p[2] == 8;
}

static int blocks(const unsigned char *in, size_t size, size_t *used, char *out,
		  int (*push)(void *arg, const void *data, size_t n), void *arg, const char **why)
{
	size_t at = 4;
	int n, error = 0;

	for (*used = at; size - at >= 4 && !error; *used = at) {
		uint32_t length = word_at(in + at);

		if (length == MAGIC) {
			at += 4;
			continue;
		}
		if (length > LZ4_COMPRESSBOUND(BLOCK) && at == 4)
			return -EINVAL;
		if (!length || length > LZ4_COMPRESSBOUND(BLOCK))
			break;
		if (size - at - 4 < length) {
			*why = "data are cut off";
			return -EINVAL;
		}
		n = LZ4_decompress_safe((const char *)in + at + 4, out, (int)length, BLOCK);
		if (n < 0)
			return is_gzip(in + at) ? 0 : -EINVAL;
		error = push(arg, out, (size_t)n);
		at += 4 + length;
	}
	return error;
}

static int run(const void *data, size_t size, size_t *used, int (*push)(void *arg, const void *data, size_t n),
	       void *arg, const char **why)
{
	char *out = kvmalloc(BLOCK, 0);
	int error = -ENOMEM;

	if (out)
		error = blocks(data, size, used, out, push, arg, why);
	else
		*why = "out of memory";
	kvfree(out);
	return error;
}

const struct unpack_ops unlz4_ops = { .run = run };
