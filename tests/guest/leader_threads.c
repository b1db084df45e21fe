/* A session leader of several threads that end at the same time: its terminal is given up all the same, and the foreground group hears of it. */
// flags: -pthread
// calls: exit_group exit setsid
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "include/test.h"

#define ROUNDS 200
#define THREADS 3

static pthread_barrier_t ready;
static int apart;			/* threads end by themselves, not as a group */

static void *together(void *arg)
{
	pthread_barrier_wait(&ready);
	if (apart)
		syscall(SYS_exit, 0);
	for (;;)
		pause();
	return arg;
}

static void leader(const char *name, int report)
{
	pthread_t t;
	int tty;

	setsid();
	signal(SIGHUP, SIG_DFL);	/* who started us may ignore it */
	tty = open(name, O_RDWR | O_NOCTTY);
	if (tty < 0 || ioctl(tty, TIOCSCTTY, 0))
		_exit(1);
	if (fork() == 0) {
		close(tty);
		for (;;)
			pause();	/* until SIGHUP */
	}
	close(report);
	close(tty);
	pthread_barrier_init(&ready, NULL, THREADS);
	for (int i = 1; i < THREADS; i++)
		pthread_create(&t, NULL, together, NULL);
	pthread_barrier_wait(&ready);
	syscall(apart ? SYS_exit : SYS_exit_group, 0);
}

/* Did the member of the foreground group end with the leader? */
static int round_once(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), p[2], status, ended;
	struct pollfd f = { .events = POLLIN };
	char *name;
	pid_t child;

	if (master < 0 || grantpt(master) || unlockpt(master) || pipe(p))
		return 0;
	name = ptsname(master);
	child = fork();
	if (!child) {
		close(p[0]);
		close(master);
		leader(name, p[1]);
	}
	close(p[1]);
	f.fd = p[0];
	waitpid(child, &status, 0);
	ended = poll(&f, 1, 10000) == 1 && status == 0;
	close(p[0]);
	close(master);
	return ended;
}

int main(void)
{
	mkdir("/dev/pts", 0755);
	if (access("/dev/pts/ptmx", F_OK))
		mount("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666");
	for (apart = 0; apart < 2; apart++) {
		int rounds = 0;

		while (rounds < ROUNDS && round_once())
			rounds++;
		CHECK_EQ(rounds, ROUNDS);
	}
	return test_done();
}
