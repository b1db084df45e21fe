/* Reading and writing several buffers at a place or at the position, with flags. */
// libc: gcc
// calls: writev preadv pwritev preadv2 pwritev2
#include "include/proof.h"

#include <sys/uio.h>

static char content[64];

static const char *text(int fd)
{
	ssize_t n = pread(fd, content, sizeof(content) - 1, 0);

	content[n > 0 ? n : 0] = 0;
	return content;
}

int main(void)
{
	char a[8] = "one", b[8] = "two", c[8] = "three", r[16];
	struct iovec out[3] = { { a, 3 }, { b, 0 }, { c, 5 } }, in[2] = { { r, 2 }, { r + 8, 4 } };
	int fd, append;

	own_directory("rw_vectors");
	fd = own_file("file", "");
	append = open("file", O_WRONLY | O_APPEND);
	GIVES(8, writev, fd, out, 3l);
	CHECK(!strcmp(text(fd), "onethree"));
	GIVES(8, lseek, fd, 0l, SEEK_CUR);
	GIVES(3, pwritev, fd, out, 1l, 3l, 0l);
	CHECK(!strcmp(text(fd), "oneoneee"));
	GIVES(8, lseek, fd, 0l, SEEK_CUR);
	GIVES(6, preadv, fd, in, 2l, 1l, 0l);
	CHECK(!memcmp(r, "ne", 2) && !memcmp(r + 8, "onee", 4));
	GIVES(2, preadv, fd, in, 2l, 6l, 0l);
	GIVES(0, preadv, fd, in, 2l, 100l, 0l);
	/* Minus one is the position. */
	GIVES(3, pwritev2, fd, out, 1l, -1l, -1l, 0);
	GIVES(11, lseek, fd, 0l, SEEK_CUR);
	GIVES(8, lseek, fd, 8l, SEEK_SET);
	GIVES(3, preadv2, fd, in, 2l, -1l, -1l, 0);
	CHECK(!memcmp(r, "on", 2) && r[8] == 'e');
	GIVES(11, lseek, fd, 0l, SEEK_CUR);
	GIVES(3, pwritev2, fd, out, 1l, 0l, 0l, RWF_APPEND);
	CHECK(!strcmp(text(fd), "oneoneeeoneone"));
	GIVES(3, pwritev2, fd, out, 1l, 0l, 0l, RWF_DSYNC | RWF_SYNC);
	/* A file opened for appending appends, whatever place is given. */
	GIVES(3, pwritev, append, out, 1l, 0l, 0l);
	CHECK(!strcmp(text(fd), "oneoneeeoneoneone"));
	GIVES(0, writev, fd, out, 0l);
	unlink("file");
	proof_remove();
	return test_done();
}
