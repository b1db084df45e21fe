/* Loading, taking out and replacing modules: errors as Linux gives them, and waiting calls that go on in the new module. */
// libc: musl
// linux: no (loads modules of this kernel)
// flags: -pthread
// timeout: 150
// calls: init_module finit_module delete_module
// errors: init_module finit_module delete_module
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "include/test.h"

#define DIR "/lib/modules/6.1.0-mortise/"
#define REPLACE 0x40000000
#ifndef SYS_rseq
#define SYS_rseq 334
#endif
#define FUTEX_WAIT_PRIVATE      128
#define FUTEX_WAKE_PRIVATE      129
#define FUTEX_LOCK_PI_PRIVATE   134
#define FUTEX_UNLOCK_PI_PRIVATE 135
#define FUTEX_WAITERS           0x80000000u
#define FUTEX_TID_MASK          0x3fffffffu

static const char *const replaceable[] = { "futex", "rseq", "posix_timers", "cred" };

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static long load(const char *name, const char *params, int flags)
{
	char path[128];
	long result;
	int fd, error;

	snprintf(path, sizeof(path), DIR "%s.ko", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	result = syscall(SYS_finit_module, fd, params, flags);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

static long unload(const char *name, int flags)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK | flags);
}

static void errors(void)
{
	static char garbage[4096] = "\177ELF";
	int fd = open(DIR "rseq.ko", O_RDONLY), dir = open("/", O_RDONLY);

	CHECK_ERRNO(syscall(SYS_init_module, garbage, sizeof(garbage), ""), ENOEXEC);
	CHECK_ERRNO(syscall(SYS_init_module, garbage, 0, ""), ENOEXEC);
	CHECK_ERRNO(syscall(SYS_init_module, 8, 4096, ""), EFAULT);
	CHECK_ERRNO(syscall(SYS_finit_module, fd, "", 0x10), EINVAL);
	CHECK_ERRNO(syscall(SYS_finit_module, 99, "", 0), EBADF);
	CHECK_ERRNO(syscall(SYS_finit_module, dir, "", 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_finit_module, fd, 8, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_finit_module, fd, "", 0), EEXIST);
	CHECK_ERRNO(unload("nosuch", 0), ENOENT);
	CHECK_ERRNO(syscall(SYS_delete_module, 8, 0), EFAULT);
	CHECK_ERRNO(unload("vfs", 0), EAGAIN);
	CHECK_ERRNO(unload("tty", 0), EBUSY);
	CHECK_ERRNO(unload("cred", 0), EBUSY);
	CHECK_ERRNO(unload("cred", O_TRUNC), EBUSY);
	CHECK_ERRNO(load("linux", "", REPLACE), EBUSY);
	CHECK_ERRNO(load("futex", "hash_bits=many", REPLACE), EINVAL);
	CHECK_ERRNO(load("futex", "hash_bits=77", REPLACE), EINVAL);
	close(fd);
	close(dir);
}

static void unprivileged(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (setuid(1000))
			_exit(1);
		if (syscall(SYS_init_module, 8, 4096, "") != -1 || errno != EPERM)
			_exit(2);
		if (load("rseq", "", 0) != -1 || errno != EPERM)
			_exit(3);
		if (load("rseq", "", REPLACE) != -1 || errno != EPERM)
			_exit(4);
		_exit(unload("rseq", 0) != -1 || errno != EPERM ? 5 : 0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

#define RSEQ(area, length, flags) syscall(SYS_rseq, area, length, flags, 0x53053053)

/* An unloaded module's calls are absent; loading it brings them back. What a thread registered keeps it. */
static void out_and_in(void)
{
	static char area[32] __attribute__((aligned(32)));

	CHECK_EQ(unload("rseq", 0), 0);
	CHECK_ERRNO(RSEQ(area, 32, 0), ENOSYS);
	CHECK_ERRNO(unload("rseq", 0), ENOENT);
	CHECK_EQ(load("rseq", "", 0), 0);
	CHECK_EQ(RSEQ(area, 32, 0), 0);
	CHECK_ERRNO(unload("rseq", 0), EBUSY);
	CHECK_EQ(load("rseq", "", REPLACE), 0);
	CHECK_ERRNO(RSEQ(area, 32, 0), EBUSY);
	CHECK_EQ(unload("rseq", O_TRUNC), 0);
	CHECK_EQ(load("rseq", "", 0), 0);
	CHECK_ERRNO(RSEQ(area, 32, 1), EINVAL);
	CHECK_EQ(RSEQ(area, 32, 0), 0);
	CHECK_EQ(RSEQ(area, 32, 1), 0);
}

static void in_use(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	CHECK(fd >= 0);
	CHECK_ERRNO(unload("posix_timers", 0), EBUSY);
	CHECK_ERRNO(unload("posix_timers", O_TRUNC), EBUSY);
	close(fd);
}

static uint32_t word, pi_word;
static int woken, stop;

/* Wakes without changing the word: each waiter that slept before must be found. */
static void *plain_waiter(void *arg)
{
	(void)arg;
	if (syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0))
		return (void *)1;
	__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void waiters_survive(void)
{
	pthread_t t[8];
	void *result;
	long n;

	word = 0;
	woken = 0;
	for (int i = 0; i < 8; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, plain_waiter, NULL), 0);
	usleep(50000);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(load("futex", "", REPLACE), 0);
	CHECK_EQ(woken, 0);
	n = syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	CHECK_EQ(n, 8);
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(pthread_join(t[i], &result), 0);
		CHECK(!result);
	}
	CHECK_EQ(woken, 8);
}

static void *replacer(void *arg)
{
	struct timespec pause = { 0, 80000000 };

	for (int i = 0; i < 20; i++) {
		if (load("futex", "", REPLACE))
			return (void *)1;
		nanosleep(&pause, NULL);
	}
	(void)arg;
	return NULL;
}

/* A timeout goes on through replacements. */
static void timeout_kept(void)
{
	struct timespec two = { 2, 0 };
	uint32_t local = 0;
	long long start = now(), took;
	void *result;
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, replacer, NULL), 0);
	CHECK_ERRNO(syscall(SYS_futex, &local, FUTEX_WAIT_PRIVATE, 0, &two, NULL, 0), ETIMEDOUT);
	took = now() - start;
	CHECK(took >= 2000000000ll);
	pthread_join(t, &result);
	CHECK(!result);
}

static void *sleeper(void *arg)
{
	struct timespec ts = { 0, 300000000 }, left = { 7, 7 };
	long long start = now();

	(void)arg;
	if (nanosleep(&ts, &left) || now() - start < 300000000ll || left.tv_sec != 7)
		return (void *)1;
	return NULL;
}

static void sleep_and_timers(void)
{
	struct itimerspec its = { { 0, 10000000 }, { 0, 10000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t ticks, sum = 0;
	void *result;
	pthread_t t;

	CHECK_EQ(timerfd_settime(fd, 0, &its, NULL), 0);
	CHECK_EQ(pthread_create(&t, NULL, sleeper, NULL), 0);
	usleep(20000);
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(load("posix_timers", "", REPLACE), 0);
		CHECK_EQ(read(fd, &ticks, sizeof(ticks)), (long)sizeof(ticks));
		sum += ticks;
	}
	CHECK(sum >= 10);
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK(!result);
	close(fd);
}

static void *pi_waiter(void *arg)
{
	(void)arg;
	if (syscall(SYS_futex, &pi_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0))
		return (void *)1;
	__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	if (syscall(SYS_futex, &pi_word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0))
		return (void *)2;
	return NULL;
}

static void pi_survives(void)
{
	pthread_t t[3];
	void *result;

	woken = 0;
	pi_word = (uint32_t)syscall(SYS_gettid);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, pi_waiter, NULL), 0);
	usleep(50000);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(load("futex", "", REPLACE), 0);
	CHECK_EQ(woken, 0);
	CHECK_EQ(pi_word & FUTEX_TID_MASK, (uint32_t)syscall(SYS_gettid));
	CHECK(pi_word & FUTEX_WAITERS);
	CHECK_EQ(syscall(SYS_futex, &pi_word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(pthread_join(t[i], &result), 0);
		CHECK(!result);
	}
	CHECK_EQ(woken, 3);
	CHECK_EQ(pi_word, 0u);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* A signal with a handler ends the wait as it would have without the replacement. */
static void signals(void)
{
	struct sigaction a = { .sa_handler = on_signal };
	struct timespec ts = { 5, 0 };
	uint32_t local = 0;
	pid_t pid, parent = getpid();

	sigaction(SIGUSR1, &a, NULL);
	pid = fork();
	if (pid == 0) {
		usleep(30000);
		for (int i = 0; i < 3; i++)
			load("futex", "", REPLACE);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	CHECK_ERRNO(syscall(SYS_futex, &local, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0), EINTR);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

static void *storm(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		pid_t pid = fork();

		if (pid == 0) {
			if (setuid(1000) || getuid() != 1000)
				_exit(1);
			_exit(0);
		}
		int status;

		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return (void *)1;
	}
	return NULL;
}

static void fork_storm(void)
{
	void *result;
	pthread_t t;

	stop = 0;
	CHECK_EQ(pthread_create(&t, NULL, storm, NULL), 0);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(load(replaceable[i % 4], "", REPLACE), 0);
	stop = 1;
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK(!result);
}

/* Taken out by force: waiters are sent away, and wait again when it is back. */
static void drain(void)
{
	pthread_t t;
	void *result;

	word = 0;
	CHECK_EQ(pthread_create(&t, NULL, plain_waiter, NULL), 0);
	usleep(30000);
	CHECK_ERRNO(unload("futex", 0), EBUSY);
	CHECK_EQ(unload("futex", O_TRUNC), 0);
	CHECK_EQ(load("futex", "", 0), 0);
	CHECK_EQ(pthread_join(t, &result), 0);
	CHECK_EQ((long)result, 1l);	/* ENOSYS meanwhile */
}

/* Nothing comes back by itself while these tests take modules out. */
static void autoload(const char *on)
{
	int fd;

	mount("proc", "/proc", "proc", 0, NULL);
	fd = open("/proc/sys/kernel/modules_autoload", O_WRONLY);
	CHECK_EQ(write(fd, on, 1), 1);
	close(fd);
}

static int listed(const char *name)
{
	FILE *f = fopen("/proc/modules", "r");
	size_t n = strlen(name);
	char line[256];
	int found = 0;

	while (f && fgets(line, sizeof(line), f))
		found |= !strncmp(line, name, n) && line[n] == ' ';
	if (f)
		fclose(f);
	return found;
}

/* Taken out by force with waiters inside, it is loaded again by their calls. */
static void comes_back(void)
{
	pthread_t t[4];
	void *result;
	long found = 0;

	word = 0;
	woken = 0;
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, plain_waiter, NULL), 0);
	usleep(50000);
	CHECK_EQ(unload("futex", O_TRUNC), 0);
	/* When, is the machine's affair: on a busy one it takes a while. */
	for (int i = 0; i < 500 && !listed("futex"); i++)
		usleep(10000);
	CHECK_ERRNO(load("futex", "", 0), EEXIST);
	for (int i = 0; i < 500 && found < 4; i++) {
		found += syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
		usleep(10000);
	}
	CHECK_EQ(found, 4l);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i], &result), 0);
		CHECK(!result);
	}
}

int main(void)
{
	for (int i = 0; i < 4; i++)
		load(replaceable[i], "", 0);
	autoload("0");
	errors();
	unprivileged();
	out_and_in();
	in_use();
	waiters_survive();
	timeout_kept();
	sleep_and_timers();
	pi_survives();
	signals();
	fork_storm();
	drain();
	autoload("1");
	comes_back();
	return test_done();
}
