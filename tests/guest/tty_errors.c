/* What terminals refuse: by ioctl, by opening, and to those in the background. */
// libc: gcc
// errors: ioctl open read write
#include "include/proof.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <termios.h>

static int master, slave;
static char name[64];

static void open_pair(void)
{
	int number;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (master < 0 && errno == ENOENT) {
		/* A bare machine: the file system of slaves is there, but nowhere. */
		mkdir("/dev/pts", 0755);
		mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666");
		master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	}
	if (master < 0 || ioctl(master, TIOCGPTN, &number))
		exit(2);
	sprintf(name, "/dev/pts/%d", number);
	if (access(name, F_OK)) {
		mkdir("/dev/pts", 0755);
		mount("devpts", "/dev/pts", "devpts", 0, "");
	}
	FAILS(EIO, open, name, O_RDWR | O_NOCTTY);		/* locked */
	number = 0;
	ioctl(master, TIOCSPTLCK, &number);
	slave = open(name, O_RDWR | O_NOCTTY);
	CHECK(slave >= 0);
}

static void arguments(void)
{
	struct termios t;
	struct winsize w;
	int n;

	FAULTS(ioctl, 2, 36, slave, TCGETS, 0);
	FAULTS(ioctl, 2, 36, slave, TCSETS, 0);
	FAULTS(ioctl, 2, sizeof(w), slave, TIOCGWINSZ, 0);
	FAULTS(ioctl, 2, sizeof(w), slave, TIOCSWINSZ, 0);
	FAULTS(ioctl, 2, 4, slave, TIOCOUTQ, 0);
	FAULTS(ioctl, 2, 4, slave, FIONREAD, 0);
	FAULTS(ioctl, 2, 4, master, TIOCGPTN, 0);
	FAULTS(ioctl, 2, 4, master, TIOCSPTLCK, 0);
	FAILS(ENOTTY, ioctl, slave, TIOCGPTN, &n);
	FAILS(ENOTTY, ioctl, slave, TIOCSPTLCK, &n);
	FAILS(ENOTTY, ioctl, slave, 0x5499, &n);
	FAILS(EINVAL, ioctl, slave, TCXONC, 77l);
	FAILS(EINVAL, ioctl, slave, TCFLSH, 77l);
	n = 1234;
	FAILS(EINVAL, ioctl, slave, TIOCSETD, &n);
	GIVES(0, ioctl, slave, TCGETS, &t);
	/* Not anybody's controlling terminal. */
	FAILS(ENOTTY, ioctl, slave, TIOCGPGRP, &n);
	FAILS(ENOTTY, ioctl, slave, TIOCGSID, &n);
	n = getpid();
	FAILS(ENOTTY, ioctl, slave, TIOCSPGRP, &n);
	FAILS(ENOTTY, ioctl, slave, TIOCNOTTY, NULL);
	FAILS(ESPIPE, lseek, slave, 0l, SEEK_SET);
	FAILS(ESPIPE, pread64, slave, &t, 1l, 0l);
}

static void controlling(void)
{
	int n, tty;
	pid_t child, background;

	setsid();
	FAILS(ENXIO, open, "/dev/tty", O_RDWR);
	GIVES(0, ioctl, slave, TIOCSCTTY, 0);
	tty = open("/dev/tty", O_RDWR);
	CHECK(tty >= 0);
	GIVES(0, ioctl, tty, TIOCGSID, &n);
	CHECK_EQ(n, getsid(0));
	FAULTS(ioctl, 2, 4, tty, TIOCSPGRP, 0);
	FAULTS(ioctl, 2, 4, tty, TIOCGPGRP, 0);
	n = -5;
	FAILS(EINVAL, ioctl, tty, TIOCSPGRP, &n);
	n = 0x7ffffff;
	FAILS(ESRCH, ioctl, tty, TIOCSPGRP, &n);
	n = getppid();
	if (getpgid(n) == n)
		FAILS(EPERM, ioctl, tty, TIOCSPGRP, &n);	/* a group of another session */
	child = fork();
	if (child == 0) {
		/* Of the session, but not its leader: no terminal can be taken or given back. */
		int other = posix_openpt(O_RDWR | O_NOCTTY), wrong = 0;

		wrong |= ioctl(other, TIOCSCTTY, 0) != -1 || errno != EPERM;
		_exit(wrong);
	}
	waitpid(child, &n, 0);
	CHECK_EQ(n, 0);
	/* Another session cannot take it; as the superuser it could by force. */
	child = fork();
	if (child == 0) {
		setsid();
		if (geteuid() == 0)
			become_user(1000);
		_exit(!(ioctl(slave, TIOCSCTTY, 0) == -1 && errno == EPERM));
	}
	waitpid(child, &n, 0);
	CHECK_EQ(n, 0);
	/* In the background: reading stops, or fails where a stop would be for ever or the signal is ignored. */
	background = fork();
	if (background == 0) {
		char c;

		setpgid(0, 0);
		signal(SIGTTIN, SIG_IGN);
		if (read(tty, &c, 1) != -1 || errno != EIO)
			_exit(1);
		signal(SIGTTIN, SIG_DFL);
		n = read(tty, &c, 1);
		_exit(2);
	}
	waitpid(background, &n, WUNTRACED);
	CHECK(WIFSTOPPED(n) && WSTOPSIG(n) == SIGTTIN);
	kill(background, SIGKILL);
	waitpid(background, &n, 0);
	/* Setting it from the background stops likewise, unless the signal is held back. */
	background = fork();
	if (background == 0) {
		struct termios t;
		sigset_t set;

		setpgid(0, 0);
		sigemptyset(&set);
		sigaddset(&set, SIGTTOU);
		sigprocmask(SIG_BLOCK, &set, NULL);
		if (tcgetattr(tty, &t) || tcsetattr(tty, TCSANOW, &t))
			_exit(1);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		tcsetattr(tty, TCSANOW, &t);
		_exit(2);
	}
	waitpid(background, &n, WUNTRACED);
	CHECK(WIFSTOPPED(n) && WSTOPSIG(n) == SIGTTOU);
	kill(background, SIGKILL);
	waitpid(background, &n, 0);
}

static void ends(void)
{
	struct pollfd p;
	char c;

	close(slave);
	FAILS(EIO, read, master, &c, 1l);
	slave = open(name, O_RDWR | O_NOCTTY);
	CHECK(slave >= 0);
	close(master);
	GIVES(0, read, slave, &c, 1l);
	FAILS(EIO, write, slave, &c, 1l);
	p = (struct pollfd){ slave, POLLIN, 0 };
	GIVES(1, poll, &p, 1, 0);
	CHECK(p.revents & POLLHUP);
	FAILS(EIO, ioctl, slave, TCGETS, &c) ;
	close(slave);
	CHECK(open(name, O_RDWR | O_NOCTTY) == -1);
}

int main(void)
{
	open_pair();
	arguments();
	in_child(controlling);
	ends();
	return test_done();
}
