/* /proc/<pid>/io: bytes and calls of a process, of one thread, with those of threads that ended. */
// libc: gcc
// flags: -pthread
// calls: read write
#include "include/proof.h"

#include <pthread.h>

struct figures { long rchar, wchar, syscr, syscw; };

static struct figures of(const char *path)
{
	struct figures f = { -1, -1, -1, -1 };
	char text[400] = "";
	int fd = open(path, O_RDONLY);

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		sscanf(text, "rchar: %ld\nwchar: %ld\nsyscr: %ld\nsyscw: %ld", &f.rchar, &f.wchar, &f.syscr, &f.syscw);
	close(fd);
	return f;
}

static int fd;
static char buf[1000];

static void *thread(void *arg)
{
	struct figures before = of("/proc/thread-self/io"), after;
	ssize_t n = pwrite(fd, buf, 1000, 0);

	after = of("/proc/thread-self/io");
	CHECK_EQ(n, 1000);
	CHECK_EQ(after.wchar - before.wchar, 1000);
	return arg;
}

int main(void)
{
	struct figures a, b;
	char path[64];
	int status, none;
	pid_t child;
	pthread_t t;

	own_directory("proc_io");
	fd = own_file("file", "");
	fflush(stdout);
	a = of("/proc/self/io");
	CHECK(a.rchar >= 0);
	a = of("/proc/self/io");
	none = write(fd, buf, 600) + write(fd, buf, 1) + pread(fd, buf, 500, 0) + read(fd, buf, 10) + (read(9999, buf, 1) == -1);
	b = of("/proc/self/io");
	CHECK_EQ(none, 600 + 1 + 500 + 0 + 1);
	CHECK_EQ(b.wchar - a.wchar, 601);
	CHECK_EQ(b.syscw - a.syscw, 2);
	/* Reading the file of figures was counted, too, once it was done. */
	CHECK(b.rchar - a.rchar > 500 && b.rchar - a.rchar < 500 + 200);
	CHECK_EQ(b.syscr - a.syscr, 3);
	a = of("/proc/self/io");
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	b = of("/proc/self/io");
	CHECK(b.wchar - a.wchar >= 1000);
	/* A child's are its own. */
	child = fork();
	if (child == 0) {
		none = write(fd, buf, 1000);
		pause();
	}
	sprintf(path, "/proc/%d/io", child);
	for (int i = 0; i < 5000 && of(path).wchar < 1000; i++)
		usleep(1000);
	CHECK_EQ(of(path).wchar, 1000);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	unlink("file");
	proof_remove();
	return test_done();
}
