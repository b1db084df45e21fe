/* A module is replaced while those who sleep in it are stopped, get signals and die: that waits for none of them. */
// libc: musl
// linux: no (loads modules of this kernel)
// timeout: 120
// calls: finit_module futex
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "include/test.h"

#define REPLACE 0x40000000
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define SLEEPERS 48
#define ROUNDS 24

static pid_t sleeper[SLEEPERS];
static uint32_t *word;

static void nothing(int sig) { (void)sig; }

/* Half of them wait for words, the others for time. */
static pid_t start(int i)
{
	struct timespec day = { 86400, 0 };
	pid_t pid = fork();

	if (pid)
		return pid;
	signal(SIGUSR1, nothing);
	for (;;) {
		if (i & 1)
			syscall(SYS_futex, word + i, FUTEX_WAIT, 0, NULL, NULL, 0);
		else
			nanosleep(&day, NULL);
	}
}

static int replace(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/lib/modules/6.1.0-mortise/%s.ko", name);
	fd = open(path, O_RDONLY);
	return syscall(SYS_finit_module, fd, "", REPLACE) ? errno : 0;
}

static void send(int round)
{
	static const int signals[] = { SIGSTOP, SIGUSR1, SIGTSTP, SIGSTOP };

	for (int i = 0; i < SLEEPERS; i++) {
		int sig = signals[(round + i / 8) % 4];

		if (round % 6 == 5 && i % 8 == 3)
			sig = SIGKILL;
		kill(sleeper[i], sig);
	}
}

int main(void)
{
	unsigned int seed = 1;
	int status, bad = 0;

	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < SLEEPERS; i++)
		sleeper[i] = start(i);
	poll(NULL, 0, 50);
	for (int round = 0; round < ROUNDS; round++) {
		struct timespec a_moment = { 0, rand_r(&seed) % 12000000 };
		pid_t pid = fork();

		if (!pid)
			_exit(replace(round & 1 ? "futex" : "posix_timers"));
		nanosleep(&a_moment, NULL);
		send(round);
		/* Nobody goes on before it has ended. */
		bad += waitpid(pid, &status, 0) != pid || status != 0;
		if (status && bad == 1)
			printf("# round %d: status 0x%x\n", round, (unsigned int)status);
		bad += syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) != 0;
		for (int i = 0; i < SLEEPERS; i++) {
			kill(sleeper[i], SIGCONT);
			if (waitpid(sleeper[i], &status, WNOHANG) == sleeper[i])
				sleeper[i] = start(i);
		}
	}
	CHECK_EQ(bad, 0);
	/* They sleep as before, and are woken. */
	for (int i = 1; i < SLEEPERS; i += 2) {
		kill(sleeper[i], SIGCONT);
		for (int tries = 0; tries < 5000 && !syscall(SYS_futex, word + i, FUTEX_WAKE, 1, NULL, NULL, 0); tries++)
			poll(NULL, 0, 1);
		bad += word[i];
	}
	for (int i = 0; i < SLEEPERS; i++) {
		kill(sleeper[i], SIGKILL);
		bad += waitpid(sleeper[i], &status, 0) != sleeper[i];
	}
	CHECK_EQ(bad, 0);
	return test_done();
}
