/* Threads that open, rename, remove, map and poll the same names and descriptors at once. */
// libc: gcc
// calls: open rename link unlink epoll_wait
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>

#include "include/test.h"

#define NAMES 8
static volatile int stop;
static int wrong;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void *files(void *arg)
{
	unsigned int seed = (unsigned int)(long)arg;
	char a[32], b[32], c;

	while (!stop) {
		snprintf(a, sizeof(a), "d%d/%d", rand_r(&seed) % 2, rand_r(&seed) % NAMES);
		snprintf(b, sizeof(b), "d%d/%d", rand_r(&seed) % 2, rand_r(&seed) % NAMES);
		switch (rand_r(&seed) % 6) {
		case 0: {
			int fd = open(a, O_CREAT | O_RDWR, 0600);

			if (fd >= 0) {
				if (write(fd, "x", 1) != 1 || pread(fd, &c, 1, 0) != 1)
					wrong = 1;
				close(fd);
			} else if (errno != ENOENT) {
				wrong = 2;
			}
			break;
		}
		case 1:
			rename(a, b);
			break;
		case 2:
			unlink(a);
			break;
		case 3:
			link(a, b);
			break;
		case 4: {
			struct stat st;

			if (stat(a, &st) && errno != ENOENT)
				wrong = 3;
			break;
		}
		default:
			renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
			break;
		}
	}
	return NULL;
}

/* A name that is replaced over and over is never missing. */
static void *replacer(void *arg)
{
	while (!stop) {
		close(open("new", O_CREAT | O_WRONLY, 0600));
		rename("new", "always");
	}
	return arg;
}

static void *watcher(void *arg)
{
	struct stat st;

	while (!stop)
		if (stat("always", &st))
			wrong = 4;
	return arg;
}

/* Directories that move into one another must not make a circle. */
static void *mover(void *arg)
{
	while (!stop) {
		rename("m1", "m2/m1");
		rename("m2/m1", "m1");
		rename("m2", "m1/m2");
		rename("m1/m2", "m2");
	}
	return arg;
}

/* Descriptors closed and opened while others use the numbers. */
static void *descriptors(void *arg)
{
	unsigned int seed = (unsigned int)(long)arg;
	char c;

	while (!stop) {
		int fd = 100 + rand_r(&seed) % 4, other = open("always", O_RDONLY);

		dup2(other, fd);
		read(fd, &c, 1);
		lseek(fd, 0, SEEK_SET);
		close(fd);
		close(other);
	}
	return NULL;
}

static void *pipes(void *arg)
{
	while (!stop) {
		struct epoll_event ev = { .events = EPOLLIN }, out;
		int p[2], ep = epoll_create1(0);
		char c;

		if (ep < 0 || pipe(p)) {
			wrong = 5;
			break;
		}
		epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
		write(p[1], "x", 1);
		if (epoll_wait(ep, &out, 1, 1000) != 1 || read(p[0], &c, 1) != 1)
			wrong = 6;
		close(p[0]);
		close(p[1]);
		close(ep);
	}
	return arg;
}

int main(void)
{
	char dir[64];
	pthread_t t[16];
	int n = 0;
	double end;

	mkdir("/tmp", 01777);
	snprintf(dir, sizeof(dir), "/tmp/vfs_threads.%d", getpid());
	if (mkdir(dir, 0755) || chdir(dir))
		return 2;
	mkdir("d0", 0755);
	mkdir("d1", 0755);
	mkdir("m1", 0755);
	mkdir("m2", 0755);
	close(open("always", O_CREAT | O_WRONLY, 0600));
	for (long i = 0; i < 3; i++)
		pthread_create(&t[n++], NULL, files, (void *)(i + 1));
	pthread_create(&t[n++], NULL, replacer, NULL);
	pthread_create(&t[n++], NULL, watcher, NULL);
	pthread_create(&t[n++], NULL, mover, NULL);
	pthread_create(&t[n++], NULL, mover, NULL);
	for (long i = 0; i < 3; i++)
		pthread_create(&t[n++], NULL, descriptors, (void *)(i + 1));
	pthread_create(&t[n++], NULL, pipes, NULL);
	pthread_create(&t[n++], NULL, pipes, NULL);
	for (end = now() + 3; now() < end;)
		usleep(10000);
	stop = 1;
	while (n)
		pthread_join(t[--n], NULL);
	CHECK_EQ(wrong, 0);
	CHECK(access("m1", F_OK) == 0 || access("m2", F_OK) == 0);
	return test_done();
}
