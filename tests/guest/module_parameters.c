/* Words that a module takes as its parameters, and what /sys/module tells of one that comes and goes. */
// libc: musl
// linux: no (loads a module of this kernel)
// calls: finit_module delete_module
// errors: finit_module
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "include/test.h"

#define FILE_KO "/lib/modules/6.1.0-mortise/futex.ko"
#define SYS "/tmp/sys/module/futex/"

static int load(const char *words)
{
	int fd = open(FILE_KO, O_RDONLY);
	long r = syscall(SYS_finit_module, fd, words, 0);
	int error = errno;

	close(fd);
	return r ? error : 0;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "futex", O_NONBLOCK) ? errno : 0;
}

static const char *text_of(const char *name)
{
	static char text[64];
	int fd = open(name, O_RDONLY), n = fd < 0 ? 0 : (int)read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n < 0 ? 0 : n] = 0;
	return text;
}

/* Loads with these words; the parameter is `bits` then. */
static void takes(const char *words, const char *bits)
{
	char want[16];

	snprintf(want, sizeof(want), "%s\n", bits);
	printf("# %s\n", words);
	CHECK_EQ(load(words), 0);
	CHECK(!strcmp(text_of(SYS "parameters/hash_bits"), want));
	CHECK_EQ(unload(), 0);
}

static void refuses(const char *words, int error)
{
	printf("# %s\n", words);
	CHECK_EQ(load(words), error);
	CHECK_ERRNO(access(SYS "refcnt", F_OK), ENOENT);
}

int main(void)
{
	int fd, dir;
	struct stat st;
	char b[8];

	mkdir("/tmp/sys", 0755);
	CHECK_EQ(mount("sys", "/tmp/sys", "sysfs", 0, NULL), 0);
	unload();
	takes("", "0");
	takes("hash_bits=5", "5");
	takes("hash-bits=6", "6");
	takes("  hash_bits=0x7  ", "7");
	takes("hash_bits=010", "8");
	takes("hash_bits=+9", "9");
	takes("hash_bits=\"10\"", "10");
	takes("\"hash_bits=11\"", "11");
	takes("hash_bits=5 hash_bits=6", "6");
	takes("hash_bits=7 -- hash_bits=8", "7");
	takes("unknown=1 unknown hash_bits=5", "5");
	takes("futex.hash_bits=5", "0");
	refuses("hash_bits", EINVAL);
	refuses("hash_bits=", EINVAL);
	refuses("hash_bits=x", EINVAL);
	refuses("hash_bits=5x", EINVAL);
	refuses("hash_bits=5,6", EINVAL);
	refuses("hash_bits=-1", EINVAL);
	refuses("hash_bits= 5", EINVAL);
	refuses("hash_bits=4294967296", ERANGE);
	refuses("hash_bits=18446744073709551616", ERANGE);
	CHECK_EQ(load(""), 0);
	CHECK(!strcmp(text_of(SYS "initsize"), "0\n"));
	CHECK_EQ(access(SYS "notes", F_OK), 0);
	CHECK_EQ(stat(SYS "uevent", &st), 0);
	CHECK_EQ(st.st_mode & 0777, 0200);
	fd = open(SYS "refcnt", O_RDONLY);
	dir = open(SYS, O_RDONLY | O_DIRECTORY);
	CHECK_EQ(unload(), 0);
	CHECK_ERRNO(read(fd, b, sizeof(b)), ENODEV);
	CHECK_ERRNO(openat(dir, "refcnt", O_RDONLY), ENOENT);
	CHECK_ERRNO(openat(dir, "parameters", O_RDONLY), ENOENT);
	close(fd);
	close(dir);
	CHECK_EQ(umount("/tmp/sys"), 0);
	return test_done();
}
