/* What flushing, advising and allocating refuse. */
// libc: gcc
// errors: fsync fdatasync syncfs sync_file_range fadvise64 readahead fallocate
#include "include/proof.h"

#include <linux/falloc.h>
#include <sys/resource.h>

static void limited(void)
{
	struct rlimit r = { 100, 100 };
	int file = open("file", O_RDWR);

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &r);
	FAILS(EFBIG, fallocate, file, 0, 0l, 200l);
	GIVES(0, fallocate, file, 0, 0l, 100l);
	GIVES(0, fallocate, file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 50l, 10l);
}

int main(void)
{
	int file, path, dir, ends[2], reader;

	own_directory("sync_errors");
	file = own_file("file", "contents");
	reader = open("file", O_RDONLY);
	path = open("file", O_PATH);
	dir = open(".", O_RDONLY);
	if (pipe(ends))
		return 2;
	for (int i = 0; i < 3; i++) {
		const int none[] = { -1, 9999, path };

		FAILS(EBADF, fsync, none[i]);
		FAILS(EBADF, fdatasync, none[i]);
		FAILS(EBADF, syncfs, none[i]);
		FAILS(EBADF, sync_file_range, none[i], 0l, 1l, 0);
		FAILS(EBADF, fadvise64, none[i], 0l, 1l, 0);
		FAILS(EBADF, readahead, none[i], 0l, 1l);
		FAILS(EBADF, fallocate, none[i], 0, 0l, 1l);
	}
	FAILS(EINVAL, fsync, ends[0]);
	FAILS(EINVAL, fdatasync, ends[1]);
	FAILS(EINVAL, sync_file_range, file, 0l, 1l, 8);
	FAILS(EINVAL, sync_file_range, file, -1l, 1l, 0);
	FAILS(EINVAL, sync_file_range, file, 0l, -1l, 0);
	FAILS(EINVAL, sync_file_range, file, 0x7fffffffffffffffl, 1l, 0);
	FAILS(ESPIPE, sync_file_range, ends[0], 0l, 1l, 0);
	FAILS(EINVAL, fadvise64, file, 0l, 0l, 6);
	FAILS(EINVAL, fadvise64, file, 0l, 0l, -1);
	FAILS(EINVAL, fadvise64, file, 0l, -1l, 0);
	FAILS(ESPIPE, fadvise64, ends[0], 0l, 0l, 0);
	FAILS(EINVAL, readahead, ends[0], 0l, 10l);
	FAILS(EBADF, readahead, ends[1], 0l, 10l);
	FAILS(EINVAL, fallocate, file, 0, -1l, 1l);
	FAILS(EINVAL, fallocate, file, 0, 0l, 0l);
	FAILS(EINVAL, fallocate, file, 0, 0l, -1l);
	FAILS(EOPNOTSUPP, fallocate, file, 0x80000, 0l, 1l);
	FAILS(EOPNOTSUPP, fallocate, file, FALLOC_FL_PUNCH_HOLE, 0l, 1l);
	FAILS(EBADF, fallocate, reader, 0, 0l, 1l);
	FAILS(EBADF, fallocate, dir, 0, 0l, 1l);
	FAILS(ESPIPE, fallocate, ends[1], 0, 0l, 1l);
	FAILS(EFBIG, fallocate, file, 0, 0x7fffffffffffffffl, 1l);
	in_child(limited);
	unlink("file");
	proof_remove();
	return test_done();
}
