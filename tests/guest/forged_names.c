/* Texts that a user chooses do not make lines of their own in files of /proc: names of programs, of mapped files, of mounts. */
#include "include/proof.h"

#include <sys/mount.h>
#include <sys/prctl.h>

static char text[1 << 16];

static const char *get(const char *path)
{
	int fd = open(path, O_RDONLY);
	long n, used = 0;

	while (fd >= 0 && (n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += n;
	close(fd);
	text[used] = 0;
	return text;
}

static void program(void)
{
	prctl(PR_SET_NAME, "a\nUid:\t0\\b\n");
	CHECK(!strncmp(get("/proc/self/status"), "Name:\ta\\nUid:\t0\\\\b\\n\nUmask:", 24));
	CHECK(!strncmp(get("/proc/thread-self/status"), "Name:\ta\\nUid:\t0\\\\b\\n\nUmask:", 24));
	/* These two have it as it is, on Linux too: stat by brackets, comm alone. */
	CHECK(strstr(get("/proc/self/stat"), "(a\nUid:\t0\\b\n) R "));
	CHECK(!strcmp(get("/proc/self/comm"), "a\nUid:\t0\\b\n\n"));
}

static void mapped(void)
{
	char name[] = "/tmp/forged\n00400000-00401000 rwxp";
	int fd;

	fd = open(name, O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0 && !ftruncate(fd, 4096));
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
	CHECK(strstr(get("/proc/self/maps"), "/tmp/forged\\01200400000-00401000 rwxp\n"));
	CHECK(strstr(get("/proc/self/smaps"), "/tmp/forged\\01200400000-00401000 rwxp\n"));
	unlink(name);
}

static void mounted(void)
{
	char where[] = "/tmp/m #\n\\t";

	if (geteuid() != 0 || unshare(CLONE_NEWNS))
		return;
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir(where, 0700);
	if (!mount("s #\nx", where, "tmpfs", 0, NULL)) {
		CHECK(strstr(get("/proc/self/mounts"), "\ns\\040\\043\\012x /tmp/m\\040#\\012\\134t tmpfs "));
		CHECK(strstr(get("/proc/self/mountinfo"), " / /tmp/m\\040#\\012\\134t "));
		CHECK(strstr(get("/proc/self/mountinfo"), " - tmpfs s\\040\\043\\012x "));
		umount(where);
	}
	rmdir(where);
}

int main(void)
{
	program();
	mapped();
	mounted();
	return test_done();
}
