/* /proc/self/map_files: a link for each mapping of a file, by its exact bounds, also when the file has no name. */
// libc: gcc
// calls: mmap readlink
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "include/test.h"

#define PAGE 4096ul

static char *name(char *m, unsigned long n, const char *format)
{
	static char text[128];

	snprintf(text, sizeof(text), format, (unsigned long)m, (unsigned long)m + n);
	return text;
}

static int listed(const char *wanted)
{
	DIR *d = opendir("/proc/self/map_files");
	struct dirent *e;
	int found = 0;

	while (d && (e = readdir(d)))
		found += !strcmp(e->d_name, wanted) && e->d_type == DT_LNK;
	if (d)
		closedir(d);
	return found;
}

static int as_user(char *link)
{
	char text[256];
	int status;

	if (fork() == 0) {
		if (setresuid(1000, 1000, 1000))
			_exit(1);
		/* No longer dumpable: what it asks about is no more its own file, so only the calls' errors count. */
		_exit(open(link, O_RDONLY) != -1 || (errno != EPERM && errno != EACCES) || readlink("/proc/1/map_files/1-2", text, 1) != -1);
	}
	wait(&status);
	return status;
}

int main(void)
{
	const char *form = "/proc/self/map_files/%lx-%lx";
	char path[] = "/tmp/mapped.XXXXXX", text[256] = "";
	struct stat a, b;
	char *m;
	int fd;

	if (access("/proc/self", F_OK)) {
		mkdir("/proc", 0755);
		CHECK_EQ(mount("proc", "/proc", "proc", 0, NULL), 0);
	}
	mkdir("/tmp", 0777);
	fd = mkstemp(path);
	CHECK_EQ(ftruncate(fd, 3 * PAGE), 0);
	m = mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK_EQ(readlink(name(m, 3 * PAGE, form), text, sizeof(text) - 1), (long)strlen(path));
	CHECK(!strcmp(text, path));
	CHECK_EQ(listed(name(m, 3 * PAGE, "%lx-%lx")), 1);
	CHECK_EQ(lstat(name(m, 3 * PAGE, form), &a), 0);
	CHECK_EQ(a.st_mode, S_IFLNK | 0600);
	CHECK_EQ(stat(name(m, 3 * PAGE, form), &a), 0);
	CHECK_EQ(fstat(fd, &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(as_user(name(m, 3 * PAGE, form)), 0);
	CHECK_ERRNO(readlink(name(m, PAGE, form), text, 1), ENOENT);
	CHECK_ERRNO(readlink(name(m, 3 * PAGE, "/proc/self/map_files/0%lx-%lx"), text, 1), ENOENT);
	CHECK_ERRNO(readlink(name(m, 3 * PAGE, "/proc/self/map_files/%lx-0%lx"), text, 1), ENOENT);
	CHECK_ERRNO(readlink(name(m, 3 * PAGE, "/proc/self/map_files/%lx- %lx"), text, 1), ENOENT);
	CHECK_ERRNO(readlink(name(m, 3 * PAGE, "/proc/self/map_files/10000000000000000%lx-%lx"), text, 1), ENOENT);
	munmap(m + PAGE, PAGE);
	CHECK_ERRNO(readlink(name(m, 3 * PAGE, form), text, 1), ENOENT);
	CHECK_EQ(listed(name(m, PAGE, "%lx-%lx")), 1);
	CHECK_EQ(listed(name(m + 2 * PAGE, PAGE, "%lx-%lx")), 1);
	unlink(path);
	CHECK_EQ(stat(name(m, PAGE, form), &a), 0);
	CHECK_EQ(a.st_nlink, 0);
	m = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_ERRNO(readlink(name(m, PAGE, form), text, 1), ENOENT);
	return test_done();
}
