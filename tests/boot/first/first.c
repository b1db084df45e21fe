/*
 * The first program of a machine, with number 1: in group 0 and session 0 as Linux starts it. Prints checks, and "@@done" after them.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "test.h"

/* Columns 5 to 8 of /proc/<pid>/stat: group, session, terminal, the terminal's group. */
static const char *columns(pid_t pid)
{
	static char text[400];
	char path[40], *at;
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? 0 : (int)read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	at = strrchr(text, ')');
	for (int spaces = 0; at && *at && spaces < 3; at++)
		spaces += *at == ' ';
	for (int i = 0, spaces = 0; at && at[i]; i++)
		if (at[i] == ' ' && ++spaces == 4)
			at[i] = 0;
	return at ? at : "";
}

static int status_of(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return status;
}

static volatile sig_atomic_t caught;

static void catch(int sig)
{
	caught += sig == SIGUSR1;
}

/* A child inherits 0 and 0; a group's signal, a wait for it, and its priority mean both. */
static void of_group_zero(void)
{
	struct sigaction action = { .sa_handler = catch };
	pid_t child, other;
	int fds[2];
	char byte;

	CHECK(pipe(fds) == 0);
	sigaction(SIGUSR1, &action, NULL);
	child = fork();
	if (child == 0) {
		_exit(getpgrp() == 0 && getsid(0) == 0 && getpgid(1) == 0 && !strcmp(columns(getpid()), "0 0 0 -1") ? 7 : 1);
	}
	CHECK_EQ(status_of(child), 7 << 8);
	child = fork();
	if (child == 0) {
		signal(SIGUSR1, SIG_DFL);
		close(fds[0]);
		close(fds[1]);
		for (;;)
			pause();
	}
	other = fork();
	if (other == 0) {
		CHECK(setpgid(0, 0) == 0 && getpgrp() == getpid() && getsid(0) == 0);
		CHECK_ERRNO(setpgid(0, 1), EPERM);
		(void)!write(fds[1], "x", 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK_EQ(getpgid(other), other);
	CHECK_EQ(getpriority(PRIO_PGRP, 0), 0);
	CHECK_EQ(kill(0, 0), 0);
	CHECK_EQ(kill(0, SIGUSR1), 0);
	CHECK_EQ(waitpid(0, NULL, 0), child);
	CHECK_EQ(caught, 1);
	CHECK_EQ(waitpid(other, NULL, WNOHANG), 0);
	CHECK_EQ(setpgid(other, 0), 0);
	CHECK_EQ(kill(-1, SIGKILL), 0);
	CHECK_EQ(status_of(other), SIGKILL);
	CHECK_ERRNO(waitpid(0, NULL, 0), ECHILD);
}

/* A terminal needs a session of one's own, which is to be had. */
static void own_session(void)
{
	pid_t group = -1;

	CHECK_ERRNO(ioctl(0, TIOCSCTTY, 0), EPERM);
	CHECK_ERRNO(ioctl(0, TIOCGPGRP, &group), ENOTTY);
	CHECK_EQ(setsid(), 1);
	CHECK_ERRNO(setsid(), EPERM);
	CHECK(!strcmp(columns(1), "1 1 0 -1"));
	CHECK_EQ(getpgrp(), 1);
	CHECK_EQ(getsid(0), 1);
	CHECK_ERRNO(setpgid(0, 0), EPERM);
	CHECK_EQ(ioctl(0, TIOCSCTTY, 0), 0);
	CHECK_EQ(ioctl(0, TIOCGPGRP, &group), 0);
	CHECK_EQ(group, 1);
}

int main(void)
{
	mkdir("/proc", 0755);
	CHECK_EQ(mount("proc", "/proc", "proc", 0, NULL), 0);
	CHECK_EQ(getpid(), 1);
	CHECK_EQ(getppid(), 0);
	CHECK_EQ(getpgrp(), 0);
	CHECK_EQ(getpgid(0), 0);
	CHECK_EQ(getpgid(1), 0);
	CHECK_EQ(getsid(0), 0);
	CHECK_EQ(getsid(1), 0);
	CHECK(!strcmp(columns(1), "0 0 0 -1"));
	of_group_zero();
	own_session();
	test_done();
	printf("@@done\n");
	fflush(stdout);
	for (;;)
		pause();
}
