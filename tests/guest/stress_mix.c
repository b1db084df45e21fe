/*
 * Fork, exec, pipes, signals, threads and mappings all at once, for STRESS_SECONDS (3 unless the environment says otherwise);
 * then free memory is back to within one hundredth of what it was after a first short round. As the first program of a machine
 * (rdinit=) it prepares and ends the machine itself: the long run.
 */
// flags: -pthread
// timeout: 60
// linux: no (measures the whole machine's free memory)
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "include/test.h"

static const char *self = "/proc/self/exe";
static volatile sig_atomic_t hits;
static double deadline;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static long free_kb(void)
{
	char line[200];
	long kb = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

static void hit(int sig)
{
	(void)sig;
	hits++;
}

static int spawn_and_read(void)
{
	char buf[16];
	int p[2], status;
	pid_t child;
	long n;

	if (pipe(p))
		return 1;
	child = fork();
	if (!child) {
		dup2(p[1], 1);
		close(p[0]);
		close(p[1]);
		execl(self, self, "echo", NULL);
		_exit(127);
	}
	close(p[1]);
	n = read(p[0], buf, sizeof(buf));
	close(p[0]);
	return child < 0 || waitpid(child, &status, 0) != child || status || n != 6;
}

static int map_and_fork(unsigned int *seed)
{
	size_t size = (1 + rand_r(seed) % 64) * 4096;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status, bad;
	pid_t child;

	if (p == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < size; i += 4096)
		p[i] = (char)(i >> 12);
	child = fork();
	if (!child) {
		for (size_t i = 0; i < size; i += 4096) {
			if (p[i] != (char)(i >> 12))
				_exit(1);
			p[i]++;
		}
		_exit(0);
	}
	bad = waitpid(child, &status, 0) != child || status;
	for (size_t i = 0; i < size; i += 4096)
		bad |= p[i] != (char)(i >> 12);
	return bad | munmap(p, size);
}

static int signals(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		signal(SIGUSR1, hit);
		kill(getppid(), SIGWINCH);
		while (hits < 3)
			usleep(200);
		for (;;)
			pause();
	}
	for (int i = 0; i < 6; i++) {
		usleep(300);
		kill(child, SIGUSR1);
	}
	kill(child, SIGKILL);
	return waitpid(child, &status, 0) != child || !WIFSIGNALED(status);
}

static void *adder(void *arg)
{
	__atomic_fetch_add((int *)arg, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static int threads(void)
{
	pthread_t t[6];
	int sum = 0, made = 0;

	for (; made < 6; made++)
		if (pthread_create(&t[made], NULL, adder, &sum))
			break;
	for (int i = 0; i < made; i++)
		pthread_join(t[i], NULL);
	return sum != 6;
}

static int files(unsigned int *seed)
{
	char name[64], buf[3000];
	int fd, bad;

	snprintf(name, sizeof(name), "/tmp/stress.%d.%d", getpid(), rand_r(seed) % 100);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return 1;
	memset(buf, 'a', sizeof(buf));
	bad = write(fd, buf, sizeof(buf)) != sizeof(buf);
	bad |= ftruncate(fd, 100000) != 0;
	bad |= lseek(fd, 0, SEEK_END) != 100000;
	close(fd);
	return bad | unlink(name);
}

static void worker(unsigned int seed)
{
	int bad = 0;

	while (now() < deadline && !bad) {
		switch (rand_r(&seed) % 5) {
		case 0: bad = spawn_and_read() ? 1 : 0; break;
		case 1: bad = map_and_fork(&seed) ? 2 : 0; break;
		case 2: bad = signals() ? 3 : 0; break;
		case 3: bad = threads() ? 4 : 0; break;
		default: bad = files(&seed) ? 5 : 0;
		}
	}
	_exit(bad);
}

static int round_of(double seconds, int workers)
{
	int status, bad = 0;

	deadline = now() + seconds;
	for (int i = 0; i < workers; i++)
		if (!fork())
			worker((unsigned int)i * 7919 + 1);
	for (int i = 0; i < workers; i++) {
		if (wait(&status) < 0 || status) {
			printf("# a worker ended with status %x\n", status);
			bad++;
		}
	}
	return bad;
}

static void as_init(void)
{
	mkdir("/proc", 0755);
	mkdir("/tmp", 0777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
}

int main(int argc, char **argv)
{
	const char *text = getenv("STRESS_SECONDS");
	double seconds = text ? atof(text) : 3;
	long before, after;

	if (argc == 2 && !strcmp(argv[1], "echo"))
		return write(1, "hello\n", 6) != 6;
	if (getpid() == 1)
		as_init();
	signal(SIGWINCH, SIG_IGN);
	CHECK_EQ(round_of(1, 8), 0);
	sleep(1);
	before = free_kb();
	CHECK_EQ(round_of(seconds, 8), 0);
	sleep(1);
	after = free_kb();
	printf("# free memory: %ld KiB before, %ld KiB after\n", before, after);
	CHECK(before > 0 && after > before - before / 100);
	test_done();
	if (getpid() == 1) {
		sleep(1);
		reboot(RB_POWER_OFF);
	}
	return test_failures != 0;
}
