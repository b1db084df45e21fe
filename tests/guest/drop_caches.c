/* proc_sys_vm(5) drop_caches: what may be written, by whom; and memory kept at hand after many threads and processes comes back. */
// libc: gcc
// flags: -pthread
// linux: no (drops the build machine's caches)
#include "include/proof.h"

#include <pthread.h>

#define THREADS 100
#define PATH "/proc/sys/vm/drop_caches"

static int drop(const char *text)
{
	int fd = open(PATH, O_WRONLY), r, error;

	if (fd < 0)
		return -1;
	r = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	error = errno;
	close(fd);
	errno = error;
	return r;
}

static long free_pages(void)
{
	char line[200];
	long kib = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib / 4;
}

static void *waits(void *arg)
{
	pthread_barrier_wait(arg);
	return NULL;
}

static void crowd(void)
{
	static pthread_t t[THREADS];
	pthread_barrier_t barrier;

	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, waits, &barrier))
			exit(99);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	pthread_barrier_destroy(&barrier);
}

int main(void)
{
	long before, kept, after;
	struct stat st;

	CHECK_EQ(stat(PATH, &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0200);
	CHECK_ERRNO(drop("0"), EINVAL);
	CHECK_ERRNO(drop("5"), EINVAL);
	CHECK_ERRNO(drop("x"), EINVAL);
	CHECK_EQ(drop("1\n"), 0);
	CHECK_EQ(drop("2"), 0);

	crowd();		/* libc keeps stacks of its own, the kernel makes what holds objects for each processor */
	usleep(200000);		/* what RCU frees */
	drop("3");
	before = free_pages();
	for (int i = 0; i < 3; i++)
		crowd();
	usleep(200000);
	kept = free_pages();
	drop("3");
	after = free_pages();
	printf("# free pages: %ld before, %ld after, %ld when all was given back\n", before, kept, after);
	CHECK(before - kept > 64);
	CHECK(before - after < 24);

	if (fork() == 0) {
		if (setuid(1000))
			_exit(1);
		_exit(drop("3") == -1 && errno == EACCES ? 0 : 2);
	}
	int status;
	wait(&status);
	CHECK_EQ(status, 0);
	return test_done();
}
