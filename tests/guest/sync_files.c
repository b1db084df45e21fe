/* Flushing and advice change nothing that can be read; truncating by name does. */
// libc: gcc
// calls: fsync fdatasync syncfs sync_file_range fadvise64 readahead truncate
#include "include/proof.h"

int main(void)
{
	struct stat st;
	char buf[20];
	int fd, dir;

	own_directory("sync_files");
	fd = own_file("file", "0123456789");
	dir = open(".", O_RDONLY);
	GIVES(0, fsync, fd);
	GIVES(0, fsync, dir);
	GIVES(0, fdatasync, fd);
	GIVES(0, syncfs, fd);
	GIVES(0, syncfs, dir);
	for (int flags = 0; flags < 8; flags++)
		GIVES(0, sync_file_range, fd, 0l, 4096l, flags);
	for (int advice = 0; advice < 6; advice++)
		GIVES(0, fadvise64, fd, 0l, 0l, advice);
	GIVES(0, readahead, fd, 0l, 100l);
	GIVES(10, pread64, fd, buf, 20l, 0l);
	CHECK(!memcmp(buf, "0123456789", 10));
	GIVES(0, truncate, "file", 4l);
	GIVES(4, pread64, fd, buf, 20l, 0l);
	GIVES(0, truncate, "file", 6l);
	GIVES(6, pread64, fd, buf, 20l, 0l);
	CHECK(!memcmp(buf, "0123\0\0", 6));
	GIVES(0, truncate, "file", 1l << 40);
	fstat(fd, &st);
	CHECK(st.st_size == 1l << 40 && st.st_blocks < 1000);
	unlink("file");
	proof_remove();
	return test_done();
}
