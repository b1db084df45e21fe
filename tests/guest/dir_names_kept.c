/* A name that another file takes over while its directory is read is met once. */
// linux: no (it may miss such a name, or give it twice)
// libc: gcc
#include "include/changing.h"

/* What others do when they save a file: a new one takes the name over. */
static void replace(int step)
{
	char name[32];

	close(own_file("d/temporary", "new"));
	snprintf(name, sizeof(name), "d/name%d", step * 7 % NAMES);
	rename("d/temporary", name);
}

static void exchange(int step)
{
	char a[32], b[32];

	snprintf(a, sizeof(a), "d/name%d", step * 7 % NAMES);
	snprintf(b, sizeof(b), "d/name%d", (step * 11 + 3) % NAMES);
	syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2);
}

int main(void)
{
	own_tmpfs_directory("dir_names_kept");
	make();
	CHECK(read_with(replace));
	CHECK(all_once());
	clear();
	make();
	CHECK(read_with(exchange));
	CHECK(all_once());
	clear();
	proof_remove();
	return test_done();
}
