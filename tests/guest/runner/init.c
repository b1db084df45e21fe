/*
 * The init of the guest tests: runs the programs of /tests/list one after another, each until it
 * ends or "stop" comes, and says on the console what became of them. `start=N` on the kernel's
 * command line (environment of init) begins with the N-th.
 *
 *	@@ run NAME          @@ end NAME exited CODE | killed SIGNAL | timeout          @@ done
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/*
 * Has the console said "stop NAME"? Waits for 2 ms at most; a word about another program came too
 * late.
 */
static int told_to_stop(const char *name)
{
	struct pollfd console = { .fd = 0, .events = POLLIN };
	char line[256], word[256];
	long n;

	if (poll(&console, 1, 2) != 1)
		return 0;
	n = console.revents & POLLIN ? read(0, line, sizeof(line) - 1) : 0;
	if (n <= 0) {
		usleep(2000);
		return 0;
	}
	line[n] = '\0';
	return sscanf(line, "stop %255s", word) == 1 && !strcmp(word, name);
}

/*
 * Waits for the child; orphans of earlier tests are reaped on the way. Returns false when it is
 * told to stop: who drives the machine knows how much time it really had.
 */
static int wait_child(pid_t child, const char *name, int *status)
{
	for (;;) {
		pid_t pid = waitpid(-1, status, WNOHANG);

		if (pid == child)
			return 1;
		if (pid <= 0 && told_to_stop(name))
			return 0;
	}
}

static void run(const char *name)
{
	char path[256];
	int status = 0;
	pid_t child;

	snprintf(path, sizeof(path), "/tests/%s", name);
	printf("@@ run %s\n", name);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		char *args[] = { path, NULL };

		setsid();
		if (chdir("/tmp") != 0)
			_exit(126);
		execv(path, args);
		_exit(127);
	}
	if (!wait_child(child, name, &status)) {
		kill(-child, SIGKILL);
		kill(child, SIGKILL);
		printf("\n@@ end %s timeout\n", name);
	} else if (WIFEXITED(status)) {
		printf("\n@@ end %s exited %d\n", name, WEXITSTATUS(status));
	} else {
		printf("\n@@ end %s killed %d\n", name, WTERMSIG(status));
	}
	fflush(stdout);
	tcdrain(1);		/* nothing of what comes next gets into the line */
	kill(-child, SIGKILL);
}

int main(void)
{
	const char *start = getenv("start");
	int first = start ? atoi(start) : 1, number = 0, seconds;
	char name[200];
	FILE *list;

	mkdir("/proc", 0755);
	mkdir("/tmp", 01777);
	mount("proc", "/proc", "proc", 0, "");
	mount("devtmpfs", "/dev", "devtmpfs", 0, "");
	mount("tmpfs", "/tmp", "tmpfs", 0, "");
	list = fopen("/tests/list", "r");
	if (!list)
		printf("@@ no list: errno %d\n", errno);
	while (list && fscanf(list, "%199s %d", name, &seconds) == 2) {
		if (++number >= first)
			run(name);
	}
	printf("@@ done\n");
	fflush(stdout);
	sync();
	tcdrain(1);		/* the last line must be out before the machine is off */
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
