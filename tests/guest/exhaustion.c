/*
 * What happens when something runs out, and that it comes back: memory by touching it, by files and by pipes, processes, threads,
 * descriptors, timers. The machine lives on, the right errno says why, and free memory is what it was.
 */
// libc: gcc
// flags: -pthread
// timeout: 120
// linux: no (fills the whole machine)
// errors: mmap fork write mprotect fallocate pipe
#include "include/memory.h"

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>

/* One that takes all memory is killed; nobody else is. */
static void greedy_process(void)
{
	long before = free_mib();
	int status;
	pid_t child = fork();

	if (child == 0) {
		for (;;) {
			char *p = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (p == MAP_FAILED)
				_exit(errno == ENOMEM ? 44 : 45);
			memset(p, 1, 8 * MIB);
		}
	}
	waitpid(child, &status, 0);
	CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) || (WIFEXITED(status) && WEXITSTATUS(status) == 44));
	CHECK(comes_back(before));
}

/* A mapping larger than memory is refused by the heuristic, or given and never filled. */
static void huge_mapping(void)
{
	void *p = mmap(NULL, 1l << 45, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p == MAP_FAILED && errno == ENOMEM);
	p = mmap(NULL, 1l << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, 1l << 40, PROT_READ | PROT_WRITE), ENOMEM);
	CHECK_EQ(munmap(p, 1l << 40), 0);
}

/* A file system with a limit is full at it and usable afterwards. */
static void full_file_system(void)
{
	static char block[65536];
	long written = 0, n;
	int fd;

	mkdir("small", 0700);
	CHECK_EQ(mount("none", "small", "tmpfs", 0, "size=4m,nr_inodes=20"), 0);
	fd = open("small/file", O_RDWR | O_CREAT, 0600);
	while ((n = write(fd, block, sizeof(block))) > 0)
		written += n;
	CHECK_EQ(errno, ENOSPC);
	CHECK_EQ(written, 4 * MIB);
	FAILS(ENOSPC, fallocate, fd, 0, 4 * MIB, MIB);
	GIVES(0, ftruncate, fd, MIB);
	CHECK_EQ(pwrite(fd, block, sizeof(block), MIB), (ssize_t)sizeof(block));
	/* Writing through a mapping where no page can be had is a bus error, not a hang. */
	GIVES(0, ftruncate, fd, 16 * MIB);
	if (fork() == 0) {
		char *p = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		for (long i = 0; i < 16 * MIB; i += 4096)
			p[i] = 1;
		_exit(0);
	}
	int status;

	wait(&status);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	for (n = 0; n < 100; n++) {
		char name[32];

		sprintf(name, "small/%ld", n);
		if (mknod(name, S_IFREG | 0600, 0))
			break;
	}
	CHECK(n < 20 && errno == ENOSPC);
	close(fd);
	CHECK_EQ(umount("small"), 0);
	rmdir("small");
}

/* All of the root's memory in one file: an error, not the end of somebody. */
static void full_memory(void)
{
	static char block[65536];
	long before = free_mib(), n;
	int status;
	pid_t child = fork();

	if (child == 0) {
		int fd = open("big", O_RDWR | O_CREAT, 0600);

		while ((n = write(fd, block, sizeof(block))) == sizeof(block))
			;
		_exit(n > 0 || errno == ENOSPC || errno == ENOMEM ? 0 : 1);
	}
	waitpid(child, &status, 0);
	CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	unlink("big");
	CHECK(comes_back(before));
}

/* Processes until there are no more numbers, memory or leave; then all end and as many can be made again. */
static void processes(void)
{
	long before = free_mib();
	static pid_t child[400];
	struct rlimit r = { 300, 300 };
	int n[2] = { 0, 0 };

	setrlimit(RLIMIT_NPROC, &r);
	become_user(6001);
	for (int round = 0; round < 2; round++) {
		while (n[round] < 400) {
			child[n[round]] = fork();
			if (child[n[round]] == 0) {
				for (;;)
					pause();
			}
			if (child[n[round]] < 0)
				break;
			n[round]++;
		}
		CHECK_EQ(errno, EAGAIN);
		for (int i = 0; i < n[round]; i++)
			kill(child[i], SIGKILL);
		for (int i = 0; i < n[round]; i++)
			waitpid(child[i], NULL, 0);
	}
	CHECK_EQ(n[0], 299);
	CHECK_EQ(n[1], 299);
	CHECK(comes_back(before));
}

static void *waits(void *arg)
{
	pause();
	return arg;
}

static void threads(void)
{
	struct rlimit r = { 200, 200 };
	pthread_attr_t attr;
	pthread_t t;
	int n = 0, error;

	setrlimit(RLIMIT_NPROC, &r);
	become_user(6002);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN + 4096);
	while ((error = pthread_create(&t, &attr, waits, NULL)) == 0)
		n++;
	CHECK_EQ(error, EAGAIN);
	CHECK_EQ(n, 199);
}

/* Descriptors of epoll and timers in numbers, given back when the process ends without a word. */
static void many_objects(void)
{
	struct rlimit r = { 3000, 3000 };
	struct epoll_event e = { .events = EPOLLIN };
	int ep, ends[2], n = 0, timers = 0, id;

	setrlimit(RLIMIT_NOFILE, &r);
	ep = epoll_create1(0);
	while (pipe(ends) == 0) {
		if (epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e))
			break;
		n++;
	}
	CHECK_EQ(errno, EMFILE);
	CHECK(n > 1400);
	while (timers < 5000 && syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0)
		timers++;
	CHECK(timers == 5000 || errno == EAGAIN);
}

int main(void)
{
	long before;

	own_directory("exhaustion");
	greedy_process();
	in_child(huge_mapping);
	full_file_system();
	full_memory();
	in_child(processes);
	in_child(threads);
	before = free_mib();
	in_child(many_objects);
	CHECK(comes_back(before));
	greedy_process();
	proof_remove();
	return test_done();
}
