/* Reading a directory that changes meanwhile ends, and gives each name that is there all the time once. */
// libc: gcc
#include "include/changing.h"

static void add(int step)
{
	char name[32];

	snprintf(name, sizeof(name), "d/more%d", step);
	close(own_file(name, ""));
}

static void with_new_names(void)
{
	char from[32], to[40];
	int count = 2, n;

	make();
	/* Each that was read gets another name, as `find -exec mv` gives it. */
	for (n = some(); n; n = some()) {
		for (int i = 0; i < NAMES; i++)
			if (seen[i] == 1) {
				seen[i] = 2;
				count++;
				snprintf(from, sizeof(from), "d/name%d", i);
				snprintf(to, sizeof(to), "d/renamed%d", i);
				rename(from, to);
			}
	}
	CHECK_EQ(count, NAMES + 2);
	CHECK_EQ(others, 2);
	clear();
}

static void places(void)
{
	long place[NAMES + 2], end;
	char name[NAMES + 2][256], gone[300];
	struct dirent *e;
	int n = 0, same = 1;
	DIR *d;

	make();
	d = opendir("d");
	for (;;) {
		end = telldir(d);
		e = readdir(d);
		if (!e)
			break;
		place[n] = end;
		snprintf(name[n++], sizeof(name[0]), "%s", e->d_name);
	}
	CHECK_EQ(n, NAMES + 2);
	/* Names that come and go elsewhere move no place. */
	add(1);
	snprintf(gone, sizeof(gone), "d/%s", name[n / 2]);
	unlink(gone);
	for (int i = n - 1; i > 2; i--) {
		seekdir(d, place[i]);
		e = readdir(d);
		same &= e && !strcmp(e->d_name, name[i == n / 2 ? i + 1 : i]);
	}
	CHECK(same);
	seekdir(d, end);
	CHECK(!readdir(d));
	rewinddir(d);
	for (n = 0; readdir(d); n++)
		;
	CHECK_EQ(n, NAMES + 2);
	closedir(d);
	clear();
}

/* What fits into memory that is there is given, and the rest comes with the next call. */
static void edges(void)
{
	char *buf = proof_edge(100, NULL);
	long n;

	make();
	n = syscall(SYS_getdents64, dir, buf, 2000);
	CHECK(n > 0 && n <= 100);
	for (long at = 0; at < n; at += ((struct entry *)(buf + at))->length)
		others += strncmp(((struct entry *)(buf + at))->name, "name", 4) != 0;
	while (some())
		;
	n = 0;
	for (int i = 0; i < NAMES; i++)
		n += seen[i];
	CHECK(n >= NAMES - 2 && n < NAMES);	/* those of the first call are not in `seen` */
	lseek(dir, 0, SEEK_SET);
	FAILS(EFAULT, getdents64, dir, P(buf + 100), 2000);
	FAILS(EINVAL, getdents64, dir, P(buf), 0x80000000l);
	FAILS(EINVAL, getdents64, dir, P(buf), 8);
	n = syscall(SYS_getdents64, dir, buf, 100);
	CHECK(n > 0 && !strcmp(((struct entry *)buf)->name, "."));
	clear();
}

static void empty(void)
{
	mkdir("d", 0700);
	dir = open("d", O_RDONLY);
	others = 0;
	while (some())
		add(others);
	CHECK(others <= 4);
	clear();
}

int main(void)
{
	own_tmpfs_directory("dir_changes");
	make();
	CHECK(read_with(add));
	CHECK(all_once());
	clear();
	with_new_names();
	places();
	edges();
	empty();
	proof_remove();
	return test_done();
}
