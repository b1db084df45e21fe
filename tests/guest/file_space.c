/* Space of tmpfs files: kept beyond the end, taken back after a failure, holes, and what counts against the size of the file system. */
// calls: fallocate ftruncate lseek
// errors: fallocate lseek
#include "include/proof.h"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2
#endif
#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif
#define PAGE 4096l

static int f;

static long pages(void)
{
	struct stat s;

	fstat(f, &s);
	return s.st_blocks / 8;
}

static long size(void)
{
	struct stat s;

	fstat(f, &s);
	return s.st_size;
}

static void beyond_the_end(void)
{
	GIVES(0, fallocate, f, FALLOC_FL_KEEP_SIZE, 0L, 64 * PAGE);
	CHECK_EQ(size(), 8);
	CHECK_EQ(pages(), 64);
	/* A longer file leaves what is beyond; the same length takes it away. */
	CHECK_EQ(ftruncate(f, 100), 0);
	CHECK_EQ(pages(), 64);
	CHECK_EQ(ftruncate(f, 100), 0);
	CHECK_EQ(pages(), 1);
	GIVES(0, fallocate, f, FALLOC_FL_KEEP_SIZE, 10 * PAGE, PAGE + 1);
	CHECK_EQ(pages(), 3);
	close(open("file", O_WRONLY | O_TRUNC));
	CHECK_EQ(pages(), 0);
	CHECK_EQ(size(), 0);
	GIVES(0, fallocate, f, FALLOC_FL_KEEP_SIZE, 0L, PAGE);
	close(open("file", O_WRONLY | O_TRUNC));
	CHECK_EQ(pages(), 0);
}

static void holes(void)
{
	char *m, page[PAGE];

	memset(page, 'x', PAGE);
	CHECK_EQ(ftruncate(f, 0), 0);
	GIVES(0, fallocate, f, 0, 0L, 16 * PAGE);
	CHECK_EQ(pages(), 16);
	/* What nobody has put anything into is a hole, though it has its place. */
	FAILS(ENXIO, lseek, f, 0L, SEEK_DATA);
	GIVES(5, lseek, f, 5L, SEEK_HOLE);
	CHECK_EQ(pwrite(f, page, PAGE, 4 * PAGE), PAGE);
	CHECK_EQ(pwrite(f, page, 1, 9 * PAGE + 7), 1);
	GIVES(4 * PAGE, lseek, f, 0L, SEEK_DATA);
	GIVES(5 * PAGE, lseek, f, 4 * PAGE + 3, SEEK_HOLE);
	GIVES(9 * PAGE, lseek, f, 5 * PAGE, SEEK_DATA);
	FAILS(ENXIO, lseek, f, 10 * PAGE, SEEK_DATA);
	/* Reading leaves it a hole, mapping makes it data. */
	CHECK_EQ(pread(f, page, PAGE, 2 * PAGE), PAGE);
	CHECK(page[0] == 0 && page[PAGE - 1] == 0);
	GIVES(4 * PAGE, lseek, f, 0L, SEEK_DATA);
	m = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	CHECK_EQ(*(volatile char *)(m + 2 * PAGE), 0);
	GIVES(2 * PAGE, lseek, f, 0L, SEEK_DATA);
	CHECK_EQ(pages(), 16);
	GIVES(0, fallocate, f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4 * PAGE - 10, 2 * PAGE);
	CHECK_EQ(pages(), 15);
	GIVES(9 * PAGE, lseek, f, 3 * PAGE, SEEK_DATA);
	CHECK_EQ(m[4 * PAGE], 0);
	munmap(m, 16 * PAGE);
	FAILS(ENXIO, lseek, f, 16 * PAGE, SEEK_HOLE);
	FAILS(ENXIO, lseek, f, -1L, SEEK_DATA);
	FAILS(EINVAL, lseek, f, 0x7fffffffffffffffl, SEEK_END);
	GIVES(9, lseek, f, 9L, SEEK_SET);
	FAILS(EINVAL, lseek, f, 0x7fffffffffffffffl, SEEK_CUR);
	FAILS(EINVAL, lseek, f, -10L, SEEK_CUR);
}

static void refusals(void)
{
	struct rlimit limit, old;
	long before;

	FAILS(EOPNOTSUPP, fallocate, f, FALLOC_FL_PUNCH_HOLE, 0L, PAGE);
	FAILS(EOPNOTSUPP, fallocate, f, 0x80, 0L, PAGE);
	FAILS(EOPNOTSUPP, fallocate, f, 0x8, 0L, PAGE);
	FAILS(EINVAL, fallocate, f, 0, 0L, 0L);
	FAILS(EINVAL, fallocate, f, 0, -1L, PAGE);
	FAILS(EFBIG, fallocate, f, 0, 0x7fffffffffffff00l, PAGE);
	FAILS(EBADF, fallocate, open("file", O_RDONLY), 0, 0L, PAGE);
	before = pages();
	FAILS(ENOSPC, fallocate, f, 0, 0L, 1L << 45);
	CHECK_EQ(pages(), before);
	CHECK_EQ(size(), 16 * PAGE);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 20 * PAGE;
	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_IGN);
	FAILS(EFBIG, fallocate, f, FALLOC_FL_KEEP_SIZE, 0L, 21 * PAGE);
	FAILS(EFBIG, fallocate, f, 0, 19 * PAGE, 2 * PAGE);
	setrlimit(RLIMIT_FSIZE, &old);
	CHECK_EQ(pages(), before);
}

static long room(void)
{
	struct statfs s;

	return statfs("small", &s) ? -1 : (long)s.f_bfree;
}

/* A file system of 32 pages. */
static void small_one(void)
{
	char name[200], page[PAGE];
	struct stat s;
	long left = 32, kept;

	mkdir("small", 0755);
	if (geteuid() != 0 || mount("none", "small", "tmpfs", 0, "size=128k"))
		return;
	memset(page, 'x', PAGE);
	CHECK_EQ(room(), 32);
	f = open("small/a", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(pwrite(f, page, PAGE, 3 * PAGE), PAGE);
	GIVES(0, fallocate, f, FALLOC_FL_KEEP_SIZE, 8 * PAGE, 2 * PAGE);
	CHECK_EQ(room(), 29);
	/* One that does not fit takes back what it took, but not what was there. */
	FAILS(ENOSPC, fallocate, f, 0, 0L, 32 * PAGE + 1);
	CHECK_EQ(pages(), 3);
	kept = open("small/b", O_RDWR | O_CREAT, 0600);
	GIVES(0, fallocate, kept, 0, 0L, 20 * PAGE);
	CHECK_EQ(room(), 9);
	FAILS(ENOSPC, fallocate, f, 0, 0L, 16 * PAGE);
	CHECK_EQ(pages(), 3);
	CHECK_EQ(size(), 4 * PAGE);
	CHECK_EQ(room(), 9);
	CHECK_EQ(pread(f, page, 1, 3 * PAGE), 1);
	CHECK_EQ(page[0], 'x');
	/* Long texts of links are a page each. */
	memset(name, 'l', 150);
	name[150] = 0;
	for (left = 0; left < 9; left++) {
		char at[32];

		snprintf(at, sizeof(at), "small/l%ld", left);
		if (symlink(name, at))
			break;
	}
	CHECK_EQ(left, 9);
	CHECK_EQ(room(), 0);
	CHECK_ERRNO(symlink(name, "small/more"), ENOSPC);
	CHECK_EQ(symlink("short", "small/short"), 0);
	CHECK_EQ(lstat("small/l0", &s), 0);
	CHECK_EQ(s.st_blocks, 8);
	CHECK_ERRNO(pwrite(f, page, PAGE, 0), ENOSPC);
	CHECK_EQ(unlink("small/l0"), 0);
	CHECK_EQ(room(), 1);
	/* Places taken in advance are there when the file system is full. */
	CHECK_EQ(pwrite(f, page, PAGE, 0), PAGE);
	CHECK_EQ(pwrite(kept, page, PAGE, 5 * PAGE), PAGE);
	close(f);
	close(kept);
	umount2("small", 2);
}

static void directories(void)
{
	struct stat s;

	mkdir("d", 0755);
	stat("d", &s);
	CHECK_EQ(s.st_size, 40);
	close(own_file("d/x", ""));
	stat("d", &s);
	CHECK_EQ(s.st_size, 60);
	unlink("d/x");
	stat("d", &s);
	CHECK_EQ(s.st_size, 40);
	rmdir("d");
}

int main(void)
{
	own_tmpfs_directory("file_space");
	f = own_file("file", "contents");
	beyond_the_end();
	holes();
	refusals();
	close(f);
	unlink("file");
	small_one();
	rmdir("small");
	directories();
	proof_remove();
	return test_done();
}
