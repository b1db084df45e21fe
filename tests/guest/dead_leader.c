/* A process whose first thread has ended, a zombie, and numbers of threads that are not the first: what calls and /proc say of them. */
// libc: gcc
// flags: -pthread
// calls: kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo sched_getaffinity sched_getscheduler sched_getparam
// calls: sched_rr_get_interval getpriority setpriority prlimit64 getpgid getsid get_robust_list capget pidfd_send_signal
// errors: process_vm_readv pidfd_open setpgid
#include "include/proof.h"

#include <dirent.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/uio.h>

static int ready[2], go[2];

static void *rest(void *arg)
{
	struct timespec t = { 0, 50000000 };
	char c;

	nanosleep(&t, NULL);
	if (write(ready[1], "", 1) != 1 || read(go[0], &c, 1) != 1)
		_exit(1);
	_exit(7);
	return arg;
}

static char *text_of(const char *format, int pid)
{
	static char text[8192];
	char name[64];
	int fd, n = -1;

	snprintf(name, sizeof(name), format, pid);
	fd = open(name, O_RDONLY);
	if (fd >= 0) {
		n = (int)read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[n < 0 ? 0 : n] = 0;
	return text;
}

static long link_of(const char *format, int pid)
{
	char name[64], to[64];

	snprintf(name, sizeof(name), format, pid);
	return readlink(name, to, sizeof(to));
}

static void signals(pid_t p)
{
	siginfo_t i = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
	int fd;
	char name[64];

	GIVES(0, kill, p, SIGUSR1);
	GIVES(0, tgkill, p, p, SIGUSR1);
	GIVES(0, tkill, p, SIGUSR1);
	GIVES(0, tgkill, p, p, 0);
	GIVES(0, rt_sigqueueinfo, p, SIGUSR1, &i);
	GIVES(0, rt_tgsigqueueinfo, p, p, SIGUSR1, &i);
	snprintf(name, sizeof(name), "/proc/%d", p);
	fd = open(name, O_RDONLY | O_DIRECTORY);
	CHECK_EQ(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0), 0);
	close(fd);
}

static void attributes(pid_t p)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, p };
	struct __user_cap_data_struct d[2];
	unsigned long mask[16];
	struct sched_param sp;
	struct rlimit r;
	struct timespec t;
	void *head;
	size_t size;

	CHECK(syscall(SYS_sched_getaffinity, p, sizeof(mask), mask) > 0);
	GIVES(0, sched_setaffinity, p, sizeof(mask), mask);
	GIVES(0, sched_getscheduler, p);
	GIVES(0, sched_getparam, p, &sp);
	GIVES(0, sched_rr_get_interval, p, &t);
	GIVES(0, setpriority, PRIO_PROCESS, p, 5);
	GIVES(15, getpriority, PRIO_PROCESS, p);
	CHECK(syscall(SYS_ioprio_get, 1, p) >= 0);
	GIVES(0, prlimit64, p, RLIMIT_NOFILE, NULL, &r);
	GIVES(getpgrp(), getpgid, p);
	GIVES(getsid(0), getsid, p);
	GIVES(0, get_robust_list, p, &head, &size);
	GIVES(0, capget, &h, d);
}

static void descriptor(pid_t p, int ended)
{
	int fd = (int)syscall(SYS_pidfd_open, p, 0);
	struct pollfd q = { fd, POLLIN, 0 };

	CHECK(fd >= 0);
	CHECK_EQ(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0), 0);
	CHECK_EQ(poll(&q, 1, 0), ended);
	close(fd);
}

static void files(pid_t p, int ended)
{
	struct iovec here = { &here, 8 }, there = { &here, 4 };
	char name[64];
	struct stat st;

	CHECK(strstr(text_of("/proc/%d/status", p), "State:\tZ"));
	CHECK(strstr(text_of("/proc/%d/status", p), ended ? "Threads:\t1\n" : "Threads:\t2\n"));
	CHECK(strstr(text_of("/proc/%d/stat", p), ") Z "));
	CHECK_EQ(text_of("/proc/%d/cmdline", p)[0], 0);
	CHECK(!strcmp(text_of("/proc/%d/comm", p), "first\n"));
	CHECK_EQ(text_of("/proc/%d/maps", p)[0], 0);
	snprintf(name, sizeof(name), "/proc/%d/task/%d", p, p);
	CHECK_EQ(stat(name, &st), 0);
	snprintf(name, sizeof(name), "/proc/%d/task", p);
	CHECK_EQ(stat(name, &st), 0);
	CHECK_EQ(st.st_nlink, ended ? 3 : 4);
	CHECK_ERRNO(link_of("/proc/%d/exe", p), ENOENT);
	CHECK_ERRNO(link_of("/proc/%d/cwd", p), ENOENT);
	FAILS(ESRCH, process_vm_readv, p, &here, 1, &there, 1, 0);
}

/* What was open of it before it was reaped. */
static void after(pid_t p, int stat_fd, int directory)
{
	char b[64];

	CHECK_ERRNO(read(stat_fd, b, sizeof(b)), ESRCH);
	CHECK_ERRNO(openat(directory, "stat", O_RDONLY), ESRCH);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, directory, 0, NULL, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_getdents64, directory, b, sizeof(b)), ENOENT);
	FAILS(ESRCH, tgkill, p, p, 0);
	FAILS(ESRCH, sched_getscheduler, p);
	FAILS(ESRCH, getpriority, PRIO_PROCESS, p);
	FAILS(ESRCH, kill, p, 0);
}

static void dead_leader(void)
{
	int status, stat_fd, directory;
	siginfo_t i;
	char c, name[64];
	pthread_t t;
	pid_t p;

	if (pipe(ready) || pipe(go))
		exit(2);
	fflush(stdout);
	p = fork();
	if (!p) {
		pthread_setname_np(pthread_self(), "first");
		signal(SIGUSR1, SIG_IGN);
		pthread_create(&t, NULL, rest, NULL);
		pthread_exit(NULL);
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	snprintf(name, sizeof(name), "/proc/%d/stat", p);
	stat_fd = open(name, O_RDONLY);
	snprintf(name, sizeof(name), "/proc/%d", p);
	directory = open(name, O_RDONLY | O_DIRECTORY);
	for (int ended = 0; ended < 2; ended++) {
		if (ended) {
			CHECK_EQ(write(go[1], "", 1), 1);
			CHECK_EQ(waitid(P_PID, (id_t)p, &i, WEXITED | WNOWAIT), 0);
		}
		signals(p);
		attributes(p);
		descriptor(p, ended);
		files(p, ended);
	}
	CHECK_EQ(waitpid(p, &status, 0), p);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	after(p, stat_fd, directory);
	close(stat_fd);
	close(directory);
}

static volatile int tid, done;

static void *second(void *arg)
{
	pid_t child = fork();

	if (!child)
		for (;;)
			pause();
	*(int *)arg = child;
	__atomic_store_n(&tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		usleep(5000);
	return NULL;
}

static volatile int got;
static void on_signal(int sig) { got = sig; }

/* The number of a thread stands for its process in most calls. */
static void other_number(void)
{
	siginfo_t i = { .si_signo = SIGUSR2, .si_code = SI_QUEUE };
	int child = 0, n, listed = 0;
	char name[64], want[32];
	struct dirent *e;
	struct stat st;
	pthread_t t;
	DIR *d;

	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	pthread_create(&t, NULL, second, &child);
	while (!(n = __atomic_load_n(&tid, __ATOMIC_ACQUIRE)))
		usleep(1000);
	GIVES(0, kill, n, SIGUSR1);
	for (int k = 0; k < 200 && got != SIGUSR1; k++)
		usleep(5000);
	CHECK_EQ(got, SIGUSR1);
	GIVES(0, rt_sigqueueinfo, n, SIGUSR2, &i);
	GIVES(getpgrp(), getpgid, n);
	GIVES(getsid(0), getsid, n);
	FAILS(EINVAL, setpgid, n, 0);
	GIVES(0, setpriority, PRIO_PROCESS, n, 3);
	GIVES(17, getpriority, PRIO_PROCESS, n);
	GIVES(20, getpriority, PRIO_PROCESS, getpid());
	GIVES(0, prlimit64, n, RLIMIT_NOFILE, NULL, NULL);
	CHECK_EQ(syscall(SYS_pidfd_open, n, 0), -1);
	CHECK(errno == EINVAL || errno == ENOENT);	/* newer versions of Linux tell them apart */
	/* It has a directory of its process's kind, which is not listed. */
	snprintf(name, sizeof(name), "/proc/%d/task/%d", n, getpid());
	CHECK_EQ(stat(name, &st), 0);
	snprintf(want, sizeof(want), "Tgid:\t%d\n", getpid());
	CHECK(strstr(text_of("/proc/%d/status", n), want));
	snprintf(want, sizeof(want), "\nPid:\t%d\n", n);
	CHECK(strstr(text_of("/proc/%d/status", n), want));
	d = opendir("/proc");
	while (d && (e = readdir(d)))
		listed += atoi(e->d_name) == n;
	closedir(d);
	CHECK_EQ(listed, 0);
	snprintf(want, sizeof(want), "%d ", child);
	snprintf(name, sizeof(name), "/proc/self/task/%d/children", n);
	CHECK(!strcmp(text_of(name, 0), want));
	snprintf(name, sizeof(name), "/proc/self/task/%d/children", getpid());
	CHECK_EQ(text_of(name, 0)[0], 0);
	CHECK_EQ(access("/proc/self/children", F_OK), -1);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	for (int k = 0; k < 200 && !text_of(name, 0)[0]; k++)
		usleep(5000);
	CHECK(!strcmp(text_of(name, 0), want));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* An ignored signal that is not blocked is not waited for. */
static void ignored(void)
{
	struct timespec t = { 0, 200000000 };
	sigset_t set;
	pid_t child;

	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fflush(stdout);
	child = fork();
	if (!child) {
		usleep(50000);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	CHECK_ERRNO(sigtimedwait(&set, NULL, &t), EAGAIN);
	waitpid(child, NULL, 0);
}

int main(void)
{
	dead_leader();
	other_number();
	ignored();
	return test_done();
}
