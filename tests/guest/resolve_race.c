/* openat2 that may not leave its directory, while the directories on its way change places: it never arrives outside. */
// libc: gcc
// calls: openat2 renameat2
// timeout: 30
#include "include/proof.h"

#include <linux/openat2.h>

#define ROUNDS 20000
#define TWICE(s) s s

static const char down_and_up[] = TWICE(TWICE(TWICE("c/../../"))) "c/../..";

static int same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* How often it came where it must not. Within the root, ".." of the root is the root itself. */
static int escapes(int a, unsigned long resolve)
{
	const struct open_how how = { .flags = O_PATH, .resolve = resolve };
	int outside = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int fd = (int)syscall(SYS_openat2, a, down_and_up, &how, sizeof(how));

		if (fd >= 0) {
			outside += resolve == RESOLVE_BENEATH || !same(fd, a);
			close(fd);
		} else {
			outside += errno != EAGAIN && !(errno == EXDEV && resolve == RESOLVE_BENEATH);
		}
	}
	return outside;
}

static void race(unsigned long resolve)
{
	char name[] = "/tmp/resolve.XXXXXX";
	int root = open(mkdtemp(name), O_PATH | O_DIRECTORY), a, status;
	pid_t swaps;

	mkdirat(root, "a", 0755);
	mkdirat(root, "b", 0755);
	mkdirat(root, "a/c", 0755);
	a = openat(root, "a", O_PATH);
	swaps = fork();
	if (swaps == 0)
		for (;;)
			syscall(SYS_renameat2, root, "a/c", root, "b", 2u /* exchange */);
	CHECK_EQ(escapes(a, resolve), 0);
	kill(swaps, SIGKILL);
	waitpid(swaps, &status, 0);
	/* Undisturbed it arrives. */
	if (resolve == RESOLVE_IN_ROOT) {
		const struct open_how how = { .flags = O_PATH, .resolve = resolve };
		int fd = (int)syscall(SYS_openat2, a, down_and_up, &how, sizeof(how));

		CHECK(fd >= 0 && same(fd, a));
		close(fd);
	}
	unlinkat(root, "a/c", AT_REMOVEDIR);
	unlinkat(root, "a", AT_REMOVEDIR);
	unlinkat(root, "b", AT_REMOVEDIR);
	close(a);
	close(root);
	rmdir(name);
}

int main(void)
{
	race(RESOLVE_BENEATH);
	race(RESOLVE_IN_ROOT);
	return test_done();
}
