/* Terminals and job control: sessions, foreground groups, hang-ups, pseudo terminals' own calls. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "include/test.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif
#ifndef TIOCPKT_FLUSHREAD
#define TIOCPKT_FLUSHREAD 1
#define TIOCPKT_STOP 4
#define TIOCPKT_START 8
#endif

static int master;
static char name[64];
static volatile int last_signal;
static void note(int sig) { last_signal = sig; }

static void open_master(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0);
	CHECK_EQ(unlockpt(master), 0);
	CHECK_EQ(ptsname_r(master, name, sizeof(name)), 0);
}

/* Runs fn in a child that leads a session whose terminal is the slave; its result is the number of failures. */
static int in_session(int (*fn)(int slave))
{
	pid_t child;
	int status, slave;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		setsid();
		slave = open(name, O_RDWR);
		if (slave < 0)
			_exit(99);
		alarm(20);
		_exit(fn(slave));
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Counts in children: their TAP lines would mix. The number says which line failed first. */
static int failed_line;
#define NEED(cond) do { if (!(cond) && !failed_line) failed_line = __LINE__; } while (0)
#define RESULT (failed_line ? failed_line & 127 ? failed_line & 127 : 1 : 0)

static int controlling(int slave)
{
	int tty, session = 0;

	NEED(tcgetpgrp(slave) == getpid());
	NEED(tcgetsid(slave) == getpid());
	tty = open("/dev/tty", O_RDWR);
	NEED(tty >= 0);
	NEED(ioctl(tty, TIOCGSID, &session) == 0 && session == getpid());
	NEED(tcsetpgrp(slave, 0x7ffffff) == -1 && errno == ESRCH);
	NEED(tcsetpgrp(slave, -5) == -1 && errno == EINVAL);
	NEED(tcsetpgrp(slave, getppid()) == -1 && errno == EPERM);
	NEED(ioctl(slave, TIOCSCTTY, 0) == 0);
	signal(SIGHUP, note);
	signal(SIGCONT, note);
	NEED(ioctl(slave, TIOCNOTTY) == 0);
	NEED(last_signal == SIGHUP || last_signal == SIGCONT);
	NEED(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
	NEED(tcgetpgrp(slave) == -1 && errno == ENOTTY);
	NEED(ioctl(slave, TIOCSCTTY, 0) == 0);
	NEED(tcgetsid(slave) == getpid());
	return RESULT;
}

/* Runs fn in a child that is in the background; its wait status up to its first stop or end. */
static int in_background(int (*fn)(int slave), int slave, pid_t *child)
{
	int status = 0;

	*child = fork();
	if (*child == 0) {
		setpgid(0, 0);
		_exit(fn(slave));
	}
	setpgid(*child, *child);
	waitpid(*child, &status, WUNTRACED);
	return status;
}

static int read_one(int slave)
{
	char c = 0;

	return read(slave, &c, 1) == 1 && c == 'k' ? 0 : errno;
}

static int read_ignoring(int slave)
{
	signal(SIGTTIN, SIG_IGN);
	return read_one(slave);
}

static int set_settings(int slave)
{
	struct termios t;

	tcgetattr(slave, &t);
	return tcsetattr(slave, TCSADRAIN, &t) == 0 ? 0 : errno;
}

static int set_blocking(int slave)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGTTOU);
	sigprocmask(SIG_BLOCK, &s, NULL);
	return set_settings(slave);
}

static int write_one(int slave)
{
	return write(slave, "x", 1) == 1 ? 0 : errno;
}

/* The parent of the reader ends: nobody could continue it. */
static int read_orphaned(int slave)
{
	int p[2], result = 50;

	if (pipe(p) != 0)
		return 51;
	if (fork() == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			setpgid(0, 0);
			while (getppid() == parent)
				usleep(1000);
			result = read_one(slave);
			_exit(write(p[1], &result, sizeof(result)) != sizeof(result));
		}
		_exit(0);
	}
	wait(NULL);
	return read(p[0], &result, sizeof(result)) == sizeof(result) ? result : 52;
}

static void finish(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static int background(int slave)
{
	struct termios t;
	pid_t child;
	int status;

	NEED(in_background(read_ignoring, slave, &child) == EIO << 8);
	NEED(in_background(set_blocking, slave, &child) == 0);
	NEED(in_background(write_one, slave, &child) == 0);
	status = in_background(set_settings, slave, &child);
	NEED(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	finish(child);
	tcgetattr(slave, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(slave, TCSANOW, &t);
	status = in_background(write_one, slave, &child);
	NEED(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	finish(child);
	t.c_lflag &= ~TOSTOP;
	tcsetattr(slave, TCSANOW, &t);
	/* In the foreground, the read is done again and finds the line. */
	status = in_background(read_one, slave, &child);
	NEED(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	NEED(write(master, "k\n", 2) == 2);
	NEED(tcsetpgrp(slave, child) == 0);
	NEED(kill(-child, SIGCONT) == 0);
	NEED(waitpid(child, &status, WUNTRACED) == child && status == 0);
	signal(SIGTTOU, SIG_IGN);
	NEED(tcsetpgrp(slave, getpgrp()) == 0);
	signal(SIGTTOU, SIG_DFL);
	NEED(read_orphaned(slave) == EIO);
	return RESULT;
}

/* The keys' signals go to the foreground group. */
static int keys(int slave)
{
	static const struct { char key; int sig; } k[] = { { 3, SIGINT }, { 034, SIGQUIT }, { 032, SIGTSTP } };
	struct winsize w = { 11, 22, 0, 0 };

	for (int i = 0; i < 3; i++) {
		last_signal = 0;
		signal(k[i].sig, note);
		if (write(master, &k[i].key, 1) != 1)
			return 97;
		for (int n = 0; n < 100 && !last_signal; n++)
			usleep(10000);
		NEED(last_signal == k[i].sig);
	}
	signal(SIGWINCH, note);
	last_signal = 0;
	ioctl(slave, TIOCSWINSZ, &w);
	NEED(last_signal == SIGWINCH);
	last_signal = 0;
	ioctl(slave, TIOCSWINSZ, &w);
	NEED(last_signal == 0);
	return RESULT;
}

/* A read interrupted by a handler: again with SA_RESTART, EINTR without. */
static int interrupted(int slave)
{
	struct sigaction a = { .sa_handler = note };
	char c;

	sigaction(SIGINT, &a, NULL);
	if (fork() == 0) {
		usleep(200000);
		_exit(write(master, "\003", 1) != 1);
	}
	NEED(read(slave, &c, 1) == -1 && errno == EINTR);
	NEED(last_signal == SIGINT);
	return RESULT;
}

/* The master is closed: HUP, reads see the end, the rest EIO. */
static int hung_up(int slave)
{
	struct pollfd p = { slave, POLLIN, 0 };
	struct termios t;
	char c;

	signal(SIGHUP, note);
	signal(SIGCONT, SIG_IGN);
	close(master);		/* this process's copy; the parent closes its own */
	for (int n = 0; n < 300 && last_signal != SIGHUP; n++)
		usleep(10000);
	NEED(last_signal == SIGHUP);
	NEED(read(slave, &c, 1) == 0);
	NEED(write(slave, "x", 1) == -1 && errno == EIO);
	NEED(tcgetattr(slave, &t) == -1 && errno == EIO);
	NEED(tcsetpgrp(slave, 1) == -1 && errno == ENOTTY);
	NEED(poll(&p, 1, 0) == 1 && (p.revents & POLLHUP));
	NEED(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
	NEED(open(name, O_RDWR | O_NOCTTY) == -1);
	return RESULT;
}

static void test_hang_up(void)
{
	pid_t child;
	int status, slave;

	open_master();
	fflush(stdout);
	child = fork();
	if (child == 0) {
		setsid();
		slave = open(name, O_RDWR);
		_exit(slave < 0 ? 99 : hung_up(slave));
	}
	usleep(300000);
	close(master);
	waitpid(child, &status, 0);
	CHECK_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status), 0);
}

/* The leader's end frees the terminal, and sends SIGHUP to who is in the foreground. */
static int leader_leaves(int slave)
{
	pid_t child = fork();

	if (child == 0) {
		char c = 0;

		setpgid(0, 0);
		signal(SIGTTOU, SIG_IGN);
		tcsetpgrp(slave, getpid());
		signal(SIGHUP, note);
		while (last_signal != SIGHUP)
			usleep(1000);
		c = open("/dev/tty", O_RDWR) == -1 && errno == ENXIO ? 'y' : 'n';
		_exit(write(slave, &c, 1) != 1);
	}
	setpgid(child, child);
	usleep(200000);
	return 0;
}

static void test_masters(void)
{
	struct pollfd p;
	char buf[100];
	int value, slave, other;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	ptsname_r(master, name, sizeof(name));
	CHECK_ERRNO(open(name, O_RDWR | O_NOCTTY), EIO);	/* locked */
	CHECK_EQ(ioctl(master, TIOCGPTN, &value), 0);
	CHECK_EQ(atoi(name + 9), value);
	CHECK_EQ(unlockpt(master), 0);
	other = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK_EQ(ioctl(other, TIOCGPTN, &value), 0);
	CHECK(atoi(name + 9) != value);
	close(other);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	CHECK(slave >= 0);
	CHECK_EQ(write(slave, "hi", 2), 2);
	CHECK_EQ(ioctl(master, FIONREAD, &value), 0);
	CHECK_EQ(value, 2);
	value = 1;
	CHECK_EQ(ioctl(master, TIOCPKT, &value), 0);
	CHECK_EQ(read(master, buf, 100), 3);
	CHECK(buf[0] == 0 && buf[1] == 'h');
	CHECK_EQ(tcflow(slave, TCOOFF), 0);
	p = (struct pollfd){ master, POLLIN | POLLPRI, 0 };
	CHECK_EQ(poll(&p, 1, 100), 1);
	CHECK(p.revents & POLLPRI);
	CHECK_EQ(read(master, buf, 100), 1);
	CHECK_EQ(buf[0], TIOCPKT_STOP);
	CHECK_EQ(tcflow(slave, TCOON), 0);
	CHECK_EQ(read(master, buf, 100), 1);
	CHECK_EQ(buf[0], TIOCPKT_START);
	tcflush(slave, TCIFLUSH);
	CHECK_EQ(read(master, buf, 100), 1);
	CHECK_EQ(buf[0], TIOCPKT_FLUSHREAD);
	value = 0;
	ioctl(master, TIOCPKT, &value);
	CHECK_EQ(write(slave, "last", 4), 4);
	close(slave);
	p = (struct pollfd){ master, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 100), 1);
	CHECK_EQ(p.revents, POLLIN | POLLHUP);
	CHECK_EQ(read(master, buf, 100), 4);
	CHECK_ERRNO(read(master, buf, 100), EIO);
	slave = open(name, O_RDWR | O_NOCTTY);
	CHECK(slave >= 0);
	fcntl(master, F_SETFL, O_NONBLOCK);
	CHECK_ERRNO(read(master, buf, 100), EAGAIN);
	close(slave);
	close(master);
	CHECK_ERRNO(open(name, O_RDWR | O_NOCTTY), ENOENT);
}

/* A slave whose line nobody reads fills up; the master's writes then wait or refuse. */
static void test_full(void)
{
	static char text[100000];
	ssize_t n, total = 0;
	int slave;

	open_master();
	slave = open(name, O_RDWR | O_NOCTTY);
	memset(text, '\n', sizeof(text));
	fcntl(master, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 50; i++) {
		n = write(master, text, sizeof(text));
		if (n > 0)
			total += n;
		usleep(2000);
	}
	CHECK_ERRNO(write(master, text, 1), EAGAIN);
	CHECK(total >= 4096 && total < 1000000);
	close(slave);
	close(master);
}

static void test_links(void)
{
	struct stat a, b;
	int slave;
	char buf[64];

	open_master();
	slave = open(name, O_RDWR | O_NOCTTY);
	CHECK_EQ(fstat(slave, &a), 0);
	CHECK_EQ(stat(name, &b), 0);
	CHECK(S_ISCHR(a.st_mode) && a.st_rdev == b.st_rdev && a.st_ino == b.st_ino);
	CHECK_EQ(a.st_uid, getuid());
	CHECK_EQ(ttyname_r(slave, buf, sizeof(buf)), 0);
	CHECK(!strcmp(buf, name));
	CHECK_EQ(chmod(name, 0600), 0);
	CHECK_EQ(stat(name, &b), 0);
	CHECK_EQ(b.st_mode & 0777, 0600);
	close(slave);
	close(master);
}

int main(void)
{
	char c = 0;
	int slave;

	alarm(60);
	if (access("/dev/pts/ptmx", F_OK))
		mount("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666");
	signal(SIGHUP, SIG_IGN);
	test_masters();
	test_links();
	open_master();
	slave = open(name, O_RDWR | O_NOCTTY);
	CHECK_EQ(in_session(controlling), 0);
	CHECK_EQ(in_session(background), 0);
	CHECK_EQ(in_session(keys), 0);
	CHECK_EQ(in_session(interrupted), 0);
	tcflush(slave, TCIOFLUSH);
	tcflush(master, TCIOFLUSH);
	CHECK_EQ(in_session(leader_leaves), 0);
	CHECK_EQ(read(master, &c, 1), 1);
	CHECK_EQ(c, 'y');
	close(slave);
	close(master);
	test_hang_up();
	test_full();
	return test_done();
}
