/*
 * gzip: the header, the checks and the format are zlib's; here are its memory and its way in and out.
 *
 * One caller at a time, the first thread; no state is kept between calls. No locks.
 */
#define Z_SOLO				/* zlib without a C library */

#include <asm/errno.h>
#include <gen/ungzip.h>
#include <zlib.h>

#include "core/lib/types.h"
#include "core/mem/vmap.h"
#include "core/module/services.h"

#define OUT_SIZE (64 * 1024u)
#define IN_MOST  (1u << 30)		/* zlib counts in 32 bits */
#define GZIP_WINDOW (16 + MAX_WBITS)

static void *take(void *unused, unsigned int count, unsigned int size)
{
	(void)unused;
	return kvmalloc((size_t)count * size, 0);
}

static void give(void *unused, void *p)
{
	(void)unused;
	kvfree(p);
}

/* All of a stream. 0, an error of push, -EINVAL or -ENOMEM with *why. */
static int inflate_all(z_stream *z, const void *data, size_t size, unsigned char *out,
		       int (*push)(void *arg, const void *data, size_t n), void *arg, const char **why)
{
	int status, error;

	do {
		size_t left = size - (size_t)((const unsigned char *)z->next_in - (const unsigned char *)data);

		z->avail_in = (unsigned int)MIN(left, (size_t)IN_MOST);
		z->next_out = out;
		z->avail_out = OUT_SIZE;
		status = inflate(z, Z_NO_FLUSH);
		error = z->avail_out < OUT_SIZE ? push(arg, out, OUT_SIZE - z->avail_out) : 0;
	} while (!error && status == Z_OK);
	if (error || status == Z_STREAM_END)
		return error;
	if (status == Z_BUF_ERROR)
		*why = "data are cut off";
	if (status == Z_MEM_ERROR)
		*why = "out of memory";
	return status == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
}

static int run(const void *data, size_t size, size_t *used, int (*push)(void *arg, const void *data, size_t n),
	       void *arg, const char **why)
{
	z_stream z = { .next_in = (unsigned char *)data, .zalloc = take, .zfree = give };
	unsigned char *out = kvmalloc(OUT_SIZE, 0);
	int error = -ENOMEM;

	if (out && inflateInit2(&z, GZIP_WINDOW) == Z_OK) {
		error = inflate_all(&z, data, size, out, push, arg, why);
		*used = (size_t)((const unsigned char *)z.next_in - (const unsigned char *)data);
		inflateEnd(&z);
	} else {
		*why = "out of memory";
	}
	kvfree(out);
	return error;
}

const struct unpack_ops ungzip_ops = { .run = run };
