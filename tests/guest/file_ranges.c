/* Offsets and kinds of files that copy_file_range, sendfile, splice and pwrite refuse. */
// calls: copy_file_range
// errors: copy_file_range sendfile splice pwrite64
#include "include/proof.h"

#include <limits.h>

static long at(long offset)
{
	static long place[8];
	static int next;

	place[++next % 8] = offset;
	return P(&place[next % 8]);
}

static void copies(void)
{
	int in = own_file("in", "0123456789"), out = own_file("out", ""), proc = open("/proc/self/status", O_RDONLY);
	int other = memfd_create("other", 0), dir = open(".", O_RDONLY), ends[2], end = open("out", O_WRONLY | O_APPEND);
	char buf[16] = "";

	/* A text that is made when it is read has no size, and what says 0 would be taken for its end. */
	FAILS(EXDEV, copy_file_range, proc, 0L, out, 0L, 4096L, 0);
	FAILS(EXDEV, copy_file_range, proc, 0L, out, 0L, 0L, 0);
	FAILS(EXDEV, copy_file_range, in, at(0), other, 0L, 10L, 0);
	GIVES(4, copy_file_range, in, at(6), out, at(1), 100L, 0);
	CHECK_EQ(pread(out, buf, 16, 0), 5);
	CHECK(!memcmp(buf, "\0006789", 5));
	GIVES(0, copy_file_range, in, at(10), out, 0L, 100L, 0);
	FAILS(EOVERFLOW, copy_file_range, in, at(-5), out, 0L, 10L, 0);
	FAILS(EINVAL, copy_file_range, in, at(-50), out, 0L, 10L, 0);
	FAILS(EOVERFLOW, copy_file_range, in, at(0), out, at(-5), 10L, 0);
	FAILS(EINVAL, copy_file_range, in, at(0), out, at(-50), 10L, 0);
	FAILS(EINVAL, copy_file_range, in, at(0), in, at(5), 10L, 0);
	GIVES(3, copy_file_range, in, at(0), in, at(5), 3L, 0);
	FAILS(EINVAL, copy_file_range, in, at(0), out, 0L, 10L, 1);
	FAILS(EBADF, copy_file_range, 999, at(0), out, 0L, 10L, 1);
	FAILS(EISDIR, copy_file_range, dir, 0L, out, 0L, 10L, 0);
	FAILS(EBADF, copy_file_range, in, at(0), end, 0L, 10L, 0);
	if (pipe(ends))
		exit(2);
	FAILS(EINVAL, copy_file_range, ends[0], 0L, out, 0L, 10L, 0);
	FAILS(EINVAL, sendfile, out, in, at(0), -1L);
	FAILS(EINVAL, sendfile, out, in, at(-1), 10L);
	FAILS(EINVAL, sendfile, out, in, at(LONG_MAX), 10L);
	FAILS(EINVAL, splice, dir, 0L, ends[1], 0L, 10L, 0);
	FAILS(EINVAL, splice, in, at(-1), ends[1], 0L, 10L, 0);
	FAILS(EINVAL, splice, in, at(LONG_MAX), ends[1], 0L, 10L, 0);
	CHECK_EQ(write(ends[1], "abc", 3), 3);
	FAILS(EINVAL, splice, ends[0], 0L, out, at(LONG_MAX), 3L, 0);
	FAILS(EINVAL, splice, ends[0], 0L, out, at(LONG_MAX - 2), 3L, 0);
	GIVES(3, splice, ends[0], 0L, out, at(0), 3L, 0);
	FAILS(EINVAL, pwrite64, out, P("x"), 1L, LONG_MAX);
	FAILS(EINVAL, pwrite64, out, P("xyz"), 3L, LONG_MAX - 2);
	FAILS(EINVAL, pread64, out, P(buf), 1L, LONG_MAX);
}

int main(void)
{
	own_directory("file_ranges");
	copies();
	unlink("in");
	unlink("out");
	proof_remove();
	return test_done();
}
