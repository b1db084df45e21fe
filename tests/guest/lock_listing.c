/* /proc/locks: every kind of lock with its holder, file and range, and who waits for it. */
// libc: gcc
// calls: flock fcntl
#include "include/proof.h"

#include <sys/file.h>
#include <sys/sysmacros.h>

static struct stat st;

/* How many lines about our file have this text. */
static int lines(const char *text)
{
	char line[300], inode[64];
	FILE *f = fopen("/proc/locks", "r");
	int n = 0;

	sprintf(inode, "%02x:%02x:%lu ", major(st.st_dev), minor(st.st_dev), st.st_ino);
	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, inode) && strstr(line, text);
	if (f)
		fclose(f);
	return n;
}

static int lock(int fd, int command, int type, long start, long length)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };

	return fcntl(fd, command, &l);
}

int main(void)
{
	char text[100];
	int fd, other, status;
	pid_t child;

	own_directory("lock_listing");
	fd = own_file("file", "contents");
	other = open("file", O_RDWR);
	fstat(fd, &st);
	CHECK_EQ(lines(""), 0);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 5), 0);
	sprintf(text, ": POSIX  ADVISORY  WRITE %d ", getpid());
	CHECK_EQ(lines(text), 1);
	CHECK_EQ(lines(" 10 14\n"), 1);
	CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 100, 0), 0);
	sprintf(text, ": POSIX  ADVISORY  READ %d ", getpid());
	CHECK_EQ(lines(text), 1);
	CHECK_EQ(lines(" 100 EOF\n"), 1);
	CHECK_EQ(lock(other, F_OFD_SETLK, F_RDLCK, 50, 1), 0);
	CHECK_EQ(lines(": OFDLCK ADVISORY  READ -1 "), 1);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	sprintf(text, ": FLOCK  ADVISORY  WRITE %d ", getpid());
	CHECK_EQ(lines(text), 1);
	CHECK_EQ(lines(""), 4);
	child = fork();
	if (child == 0)
		_exit(lock(open("file", O_RDWR), F_SETLKW, F_WRLCK, 12, 1) != 0);
	for (int i = 0; i < 5000 && lines("-> POSIX  ADVISORY  WRITE") == 0; i++)
		usleep(1000);
	sprintf(text, ": -> POSIX  ADVISORY  WRITE %d ", child);
	CHECK_EQ(lines(text), 1);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(lines("POSIX"), 0);
	CHECK_EQ(flock(fd, LOCK_UN), 0);
	close(other);
	CHECK_EQ(lines(""), 0);
	unlink("file");
	proof_remove();
	return test_done();
}
