/* The two forms of reading a directory: names, types, positions to come back to. */
// libc: gcc
// calls: getdents getdents64
#include "include/proof.h"

#include <dirent.h>
#include <stdint.h>

struct old_entry { unsigned long ino; long off; unsigned short length; char name[]; };
struct new_entry { uint64_t ino; int64_t off; unsigned short length; unsigned char type; char name[]; };

static int seen[8];

static void note(const char *name, int type)
{
	static const char *const names[] = { ".", "..", "file", "dir", "link", "fifo" };
	static const unsigned char types[] = { DT_DIR, DT_DIR, DT_REG, DT_DIR, DT_LNK, DT_FIFO };

	for (int i = 0; i < 6; i++)
		if (!strcmp(names[i], name) && types[i] == type)
			seen[i]++;
}

static int all_once(void)
{
	int ok = 1;

	for (int i = 0; i < 6; i++)
		ok &= seen[i] == 1;
	memset(seen, 0, sizeof(seen));
	return ok;
}

int main(void)
{
	char buf[4096];
	long n, at, second = 0;
	struct stat st;
	int fd, inode_ok = 1;

	own_directory("dir_entries");
	close(own_file("file", ""));
	mkdir("dir", 0700);
	if (symlink("x", "link"))
		return 2;
	mkfifo("fifo", 0600);
	fd = open(".", O_RDONLY);
	while ((n = syscall(SYS_getdents64, fd, buf, 64)) > 0)
		for (at = 0; at < n; at += ((struct new_entry *)(buf + at))->length) {
			struct new_entry *e = (void *)(buf + at);

			note(e->name, e->type);
			lstat(e->name, &st);
			inode_ok &= strcmp(e->name, "..") == 0 || st.st_ino == e->ino;
		}
	CHECK_EQ(n, 0);
	CHECK(all_once());
	CHECK(inode_ok);
#ifndef LEGACY_SUCCESSORS		/* the old form's entries are others */
	lseek(fd, 0, SEEK_SET);
	n = syscall(SYS_getdents, fd, buf, sizeof(buf));
	CHECK(n > 0);
	for (at = 0; at < n; at += ((struct old_entry *)(buf + at))->length) {
		struct old_entry *e = (void *)(buf + at);

		note(e->name, buf[at + e->length - 1]);		/* the old form keeps the type in its last byte */
		if (!second)
			second = e->off;
	}
	CHECK(all_once());
	GIVES(0, getdents, fd, buf, sizeof(buf));
	/* From a place that an entry told, one entry fewer comes. */
	lseek(fd, second, SEEK_SET);
	n = syscall(SYS_getdents, fd, buf, sizeof(buf));
	for (at = 0, second = 0; at < n; at += ((struct old_entry *)(buf + at))->length)
		second++;
	CHECK_EQ(second, 5);
#endif
	unlink("file");
	unlink("link");
	unlink("fifo");
	rmdir("dir");
	proof_remove();
	return test_done();
}
