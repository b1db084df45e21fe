/* A file that cannot be opened because there are too many of them is not made either. */
// linux: no (changes settings of the whole machine)
// calls: openat
// errors: open openat
#include "include/proof.h"

static long limit(long number)
{
	int fd = open("/proc/sys/fs/file-max", O_RDWR);
	char buf[32] = "";
	long old = -1;

	if (read(fd, buf, sizeof(buf) - 1) > 0)
		old = atol(buf);
	snprintf(buf, sizeof(buf), "%ld\n", number);
	if (pwrite(fd, buf, strlen(buf), 0) < 0)
		exit(2);
	close(fd);
	return old;
}

static void as_one_of_many(void)
{
	int fd;

	do
		fd = open("there", O_RDONLY);
	while (fd >= 0);
	CHECK_EQ(errno, ENFILE);
	FAILS(ENFILE, open, "new", O_CREAT | O_WRONLY, 0600);
	FAILS(ENFILE, open, "there", O_CREAT | O_WRONLY, 0600);
	FAILS(ENFILE, openat, AT_FDCWD, "new", O_CREAT | O_WRONLY, 0600);
	CHECK_ERRNO(access("new", F_OK), ENOENT);
}

int main(void)
{
	char text[100] = "";
	long old;
	int fd;

	own_directory("create_beyond_limit");
	close(own_file("there", ""));
	fd = open("/proc/sys/fs/file-nr", O_RDONLY);
	if (read(fd, text, sizeof(text) - 1) < 1)
		return 2;
	close(fd);
	old = limit(atol(text) + 20);
	as_user(as_one_of_many);
	limit(old);
	unlink("there");
	unlink("new");
	proof_remove();
	return test_done();
}
