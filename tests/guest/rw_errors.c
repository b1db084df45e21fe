/* What reading, writing and moving data between descriptors refuse. */
// libc: gcc
// errors: read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek sendfile copy_file_range splice tee vmsplice
#include "include/proof.h"

#include <sys/uio.h>

static char buf[4096];
static int file, reader, writer, dir, path, in, out;

static void descriptors(void)
{
	struct iovec v = { buf, 10 };
	const int none[] = { -1, 9999, path };

	for (int i = 0; i < 3; i++) {
		FAILS(EBADF, read, none[i], buf, 10l);
		FAILS(EBADF, write, none[i], buf, 10l);
		FAILS(EBADF, pread64, none[i], buf, 10l, 0l);
		FAILS(EBADF, pwrite64, none[i], buf, 10l, 0l);
		FAILS(EBADF, readv, none[i], &v, 1l);
		FAILS(EBADF, writev, none[i], &v, 1l);
		FAILS(EBADF, preadv, none[i], &v, 1l, 0l, 0l);
		FAILS(EBADF, pwritev, none[i], &v, 1l, 0l, 0l);
		FAILS(EBADF, preadv2, none[i], &v, 1l, 0l, 0l, 0);
		FAILS(EBADF, pwritev2, none[i], &v, 1l, 0l, 0l, 0);
		FAILS(EBADF, lseek, none[i], 0l, SEEK_SET);
		FAILS(EBADF, sendfile, none[i], file, NULL, 10l);
		FAILS(EBADF, sendfile, file, none[i], NULL, 10l);
		FAILS(EBADF, copy_file_range, none[i], NULL, file, NULL, 10l, 0);
		FAILS(EBADF, copy_file_range, file, NULL, none[i], NULL, 10l, 0);
		FAILS(EBADF, splice, none[i], NULL, out, NULL, 10l, 0);
		FAILS(EBADF, splice, in, NULL, none[i], NULL, 10l, 0);
		FAILS(EBADF, tee, none[i], out, 10l, 0);
		FAILS(EBADF, tee, in, none[i], 10l, 0);
		FAILS(EBADF, vmsplice, none[i], &v, 1l, 0);
	}
	/* Open, but not in this direction. */
	FAILS(EBADF, read, writer, buf, 10l);
	FAILS(EBADF, write, reader, buf, 10l);
	FAILS(EBADF, pread64, writer, buf, 10l, 0l);
	FAILS(EBADF, pwrite64, reader, buf, 10l, 0l);
	FAILS(EBADF, readv, writer, &v, 1l);
	FAILS(EBADF, writev, reader, &v, 1l);
	FAILS(EBADF, preadv, writer, &v, 1l, 0l, 0l);
	FAILS(EBADF, pwritev, reader, &v, 1l, 0l, 0l);
	FAILS(EBADF, sendfile, reader, file, NULL, 10l);
	FAILS(EBADF, sendfile, file, writer, NULL, 10l);
	FAILS(EBADF, copy_file_range, writer, NULL, file, NULL, 10l, 0);
	FAILS(EBADF, copy_file_range, file, NULL, reader, NULL, 10l, 0);
	FAILS(EBADF, read, out, buf, 10l);
	FAILS(EBADF, write, in, buf, 10l);
	/* No count still checks the descriptor. */
	FAILS(EBADF, read, 9999, buf, 0l);
	FAILS(EBADF, write, 9999, buf, 0l);
	FAILS(EBADF, writev, 9999, &v, 0l);
}

static void kinds(void)
{
	struct iovec v = { buf, 10 };

	FAILS(EISDIR, read, dir, buf, 10l);
	FAILS(EISDIR, pread64, dir, buf, 10l, 0l);
	FAILS(EISDIR, readv, dir, &v, 1l);
	FAILS(ESPIPE, pread64, in, buf, 10l, 0l);
	FAILS(ESPIPE, pwrite64, out, buf, 10l, 0l);
	FAILS(ESPIPE, preadv, in, &v, 1l, 0l, 0l);
	FAILS(ESPIPE, pwritev, out, &v, 1l, 0l, 0l);
	FAILS(ESPIPE, preadv2, in, &v, 1l, 0l, 0l, 0);
	FAILS(ESPIPE, pwritev2, out, &v, 1l, 0l, 0l, 0);
	FAILS(ESPIPE, lseek, in, 0l, SEEK_SET);
	FAILS(ESPIPE, lseek, out, 0l, SEEK_CUR);
	FAILS(EISDIR, copy_file_range, dir, NULL, file, NULL, 10l, 0);
	FAILS(EINVAL, copy_file_range, in, NULL, file, NULL, 10l, 0);
	FAILS(EINVAL, copy_file_range, reader, NULL, out, NULL, 10l, 0);
	FAILS(EINVAL, splice, reader, NULL, writer, NULL, 10l, 0);
	FAILS(EINVAL, tee, reader, out, 10l, 0);
	FAILS(EINVAL, tee, in, writer, 10l, 0);
	FAILS(EINVAL, tee, in, out, 10l, 0);
	FAILS(EBADF, vmsplice, file, &v, 1l, 0);
}

static void arguments(void)
{
	struct iovec v = { buf, 10 }, huge[2] = { { buf, 10 }, { buf, -1 } };
	int append = open("file", O_WRONLY | O_APPEND);
	long offset = -1, from = 0, to = 2;

	FAILS(EINVAL, pread64, file, buf, 10l, -1l);
	FAILS(EINVAL, pwrite64, file, buf, 10l, -1l);
	FAILS(EINVAL, readv, file, &v, -1l);
	FAILS(EINVAL, readv, file, &v, 1025l);
	FAILS(EINVAL, writev, file, &v, 1025l);
	FAILS(EINVAL, readv, file, huge, 2l);
	FAILS(EINVAL, writev, file, huge, 2l);
	FAILS(EINVAL, preadv, file, &v, 1l, -1l, -1l);
	FAILS(EINVAL, preadv, file, &v, 1025l, 0l, 0l);
	FAILS(EINVAL, pwritev, file, &v, 1l, -1l, -1l);
	FAILS(EINVAL, pwritev, file, &v, 1025l, 0l, 0l);
	FAILS(EINVAL, preadv2, file, &v, 1l, -2l, 0l, 0);
	FAILS(EINVAL, pwritev2, file, &v, 1l, -2l, 0l, 0);
	FAILS(EOPNOTSUPP, preadv2, file, &v, 1l, 0l, 0l, 0x8000);
	FAILS(EOPNOTSUPP, pwritev2, file, &v, 1l, 0l, 0l, 0x8000);
	FAILS(EINVAL, lseek, file, -1l, SEEK_SET);
	FAILS(EINVAL, lseek, file, 0l, 5);
	FAILS(EINVAL, lseek, file, -100l, SEEK_CUR);
	FAILS(ENXIO, lseek, file, 1l << 30, SEEK_DATA);
	FAILS(ENXIO, lseek, file, 1l << 30, SEEK_HOLE);
	FAILS(ENXIO, lseek, file, -1l, SEEK_DATA);
	FAILS(EINVAL, sendfile, writer, file, &offset, 10l);
	FAILS(EINVAL, sendfile, append, file, NULL, 10l);
	FAILS(EINVAL, copy_file_range, file, NULL, writer, NULL, 10l, 1);
	FAILS(EBADF, copy_file_range, file, NULL, append, NULL, 10l, 0);
	FAILS(EINVAL, copy_file_range, file, &from, file, &to, 4l, 0);
	FAILS(EINVAL, splice, in, NULL, writer, NULL, 10l, 0x80);
	FAILS(ESPIPE, splice, in, &offset, writer, NULL, 10l, 0);
	FAILS(ESPIPE, splice, file, NULL, out, &offset, 10l, 0);
	FAILS(EINVAL, splice, in, NULL, append, NULL, 10l, 0);
	FAILS(EINVAL, splice, in, NULL, out, NULL, 10l, 0);
	FAILS(EINVAL, tee, in, out, 10l, 0x80);
	FAILS(EINVAL, vmsplice, out, &v, 1l, 0x80);
	FAILS(EINVAL, vmsplice, out, &v, 1025l, 0);
	close(append);
}

static void pointers(void)
{
	struct iovec v = { buf, 10 }, bad[2] = { { buf, 4 }, { (void *)8, 4 } }, worst = { (void *)8, 4 };
	int more[2];

	lseek(file, 0, SEEK_SET);
	FAULTS(read, 1, 0, file, 0, 4);
	FAULTS(write, 1, 0, file, 0, 4);
	FAULTS(pread64, 1, 0, file, 0, 4, 0);
	FAULTS(pwrite64, 1, 0, file, 0, 4, 0);
	FAULTS(readv, 1, sizeof(v), file, 0, 1);
	FAULTS(writev, 1, sizeof(v), file, 0, 1);
	FAULTS(preadv, 1, sizeof(v), file, 0, 1, 0, 0);
	FAULTS(pwritev, 1, sizeof(v), file, 0, 1, 0, 0);
	FAULTS(preadv2, 1, sizeof(v), file, 0, 1, 0, 0, 0);
	FAULTS(pwritev2, 1, sizeof(v), file, 0, 1, 0, 0, 0);
	FAULTS(sendfile, 2, 8, writer, file, 0, 4);
	FAULTS(copy_file_range, 1, 8, file, 0, writer, 0, 4, 0);
	FAULTS(copy_file_range, 3, 8, file, 0, writer, 0, 4, 0);
	FAULTS(splice, 1, 8, file, 0, out, 0, 4, 0);
	FAULTS(vmsplice, 1, sizeof(v), out, 0, 1, 0);
	FAILS(EFAULT, readv, file, &worst, 1l);
	FAILS(EFAULT, writev, writer, &worst, 1l);
	/* What could be moved before the bad address counts. */
	lseek(file, 0, SEEK_SET);
	GIVES(4, readv, file, bad, 2l);
	/* No count, no access. */
	GIVES(0, read, file, (void *)8, 0l);
	GIVES(0, write, file, (void *)8, 0l);
	GIVES(0, readv, file, (void *)8, 0l);
	/* A buffer that runs into a page without access moves what is before it or fails; the position says which. */
	lseek(file, 0, SEEK_SET);
	GIVES(4, read, file, proof_edge(4, NULL), 8l);
	if (pipe(more))
		exit(2);
	GIVES(8, write, more[1], "12345678", 8l);
	FAULTS(read, 1, 0, more[0], 0, 8);
	GIVES(8, read, more[0], buf, 8l);
	FAULTS(write, 1, 0, more[1], 0, 8);
	close(more[0]);
	close(more[1]);
}

static int pipes_signal;
static void on_pipe(int sig) { pipes_signal += sig; }

static void broken(void)
{
	struct iovec v = { buf, 10 };
	int ends[2], full[2];

	signal(SIGPIPE, on_pipe);
	if (pipe(ends) || pipe2(full, O_NONBLOCK))
		exit(2);
	FAILS(EAGAIN, read, full[0], buf, 10l);
	FAILS(EAGAIN, readv, full[0], &v, 1l);
	FAILS(EAGAIN, splice, full[0], NULL, writer, NULL, 10l, SPLICE_F_NONBLOCK);
	FAILS(EAGAIN, tee, full[0], out, 10l, SPLICE_F_NONBLOCK);
	while (write(full[1], buf, 4096) > 0)
		;
	FAILS(EAGAIN, write, full[1], buf, 10l);
	FAILS(EAGAIN, writev, full[1], &v, 1l);
	FAILS(EAGAIN, vmsplice, full[1], &v, 1l, SPLICE_F_NONBLOCK);
	FAILS(EAGAIN, splice, file, NULL, full[1], NULL, 1l, SPLICE_F_NONBLOCK);
	close(ends[0]);
	FAILS(EPIPE, write, ends[1], buf, 10l);
	CHECK_EQ(pipes_signal, SIGPIPE);
	FAILS(EPIPE, writev, ends[1], &v, 1l);
	CHECK_EQ(pipes_signal, 2 * SIGPIPE);
	FAILS(EPIPE, vmsplice, ends[1], &v, 1l, 0);
	lseek(file, 0, SEEK_SET);
	FAILS(EPIPE, sendfile, ends[1], file, NULL, 4l);
	FAILS(EPIPE, splice, file, NULL, ends[1], NULL, 4l, 0);
	close(ends[1]);
	close(full[0]);
	close(full[1]);
}

int main(void)
{
	int ends[2];

	own_directory("rw_errors");
	file = own_file("file", "contents and more of them");
	reader = open("file", O_RDONLY);
	writer = open("other", O_WRONLY | O_CREAT, 0600);
	path = open("file", O_PATH);
	dir = open(".", O_RDONLY);
	if (pipe(ends))
		return 2;
	in = ends[0];
	out = ends[1];
	descriptors();
	kinds();
	arguments();
	pointers();
	broken();
	unlink("file");
	unlink("other");
	proof_remove();
	return test_done();
}
