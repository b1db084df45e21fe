/* A working directory outside of the root: getcwd says so, /proc/self/cwd does not; /proc/mounts tells only what the root reaches. */
// libc: gcc
#include "include/proof.h"

#include <sys/mount.h>

static char here[200];

static int lists(const char *path, const char *what)
{
	char line[1000];
	int found = 0;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, what) != NULL;
	if (f)
		fclose(f);
	return f ? found : -1;
}

static int ends(const char *text, const char *with)
{
	size_t n = strlen(text), m = strlen(with);

	return n >= m && !strcmp(text + n - m, with);
}

/* In a child: the root is changed for good. What is outside is named from the top, so what lies above our own root stands before. */
static void outside(void)
{
	char text[5000];
	int proc = open("/proc", O_RDONLY | O_DIRECTORY);
	long n;

	CHECK(lists("/proc/self/mounts", here) == 1);
	CHECK_EQ(chroot("root"), 0);
	n = syscall(SYS_getcwd, text, sizeof(text));
	CHECK_EQ(n, (long)strlen(text) + 1);
	CHECK(!strncmp(text, "(unreachable)/", 14) && ends(text, here));
	n = readlinkat(proc, "self/cwd", text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n > 0 ? n : 0] = 0;
	CHECK(text[0] == '/' && ends(text, here));
	CHECK_EQ(mkdir("/proc", 0755), 0);
	CHECK_EQ(mount("proc", "/proc", "proc", 0, NULL), 0);
	CHECK_EQ(lists("/proc/self/mounts", here), 0);
	CHECK_EQ(lists("/proc/self/mounts", "/proc"), 1);
	CHECK_EQ(umount("/proc"), 0);
}

int main(void)
{
	own_directory("getcwd_outside");
	if (!getcwd(here, sizeof(here)) || mkdir("root", 0755) || mkdir("mounted", 0755))
		exit(99);
	CHECK_EQ(mount("none", "mounted", "tmpfs", 0, NULL), 0);
	in_child(outside);
	umount("mounted");
	rmdir("root/proc");
	proof_remove();
	return test_done();
}
