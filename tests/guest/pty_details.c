/* Pseudo terminals: settings and sizes at first, status in packet mode, events at the master, and who is hung up with it. */
// libc: gcc
// calls: ioctl poll read write close
#include "include/proof.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <termios.h>

#ifndef EXTPROC
#define EXTPROC 0200000
#endif

static int master, slave;

/* Opened by the master, so that no devpts need be mounted. */
static int open_slave(int flags)
{
	return ioctl(master, TIOCGPTPEER, flags);
}

static void open_pair(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	CHECK(master >= 0);
	CHECK_EQ(grantpt(master), 0);
	CHECK_EQ(unlockpt(master), 0);
	slave = open_slave(O_RDWR | O_NOCTTY | O_NONBLOCK);
	CHECK(slave >= 0);
}

static void close_pair(void)
{
	close(slave);
	close(master);
}

static int events(int fd, short wanted)
{
	struct pollfd p = { fd, wanted, 0 };

	poll(&p, 1, 0);
	return p.revents;
}

static int status_byte(void)
{
	unsigned char c[8];

	return read(master, c, sizeof(c)) == 1 ? c[0] : -1;
}

static void settings(void)
{
	struct termios t;
	int on = 1;

	open_pair();
	CHECK_EQ(tcgetattr(slave, &t), 0);
	CHECK_EQ(t.c_cflag, B38400 | CS8 | CREAD);
	CHECK_EQ(ioctl(master, TIOCPKT, &on), 0);
	t.c_lflag |= EXTPROC;
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
	CHECK_EQ(status_byte(), TIOCPKT_IOCTL);
	t.c_lflag &= ~EXTPROC;
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
	CHECK_EQ(status_byte(), TIOCPKT_IOCTL);
	t.c_cc[VINTR] = 7;
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
	CHECK_EQ(status_byte(), -1);
	/* What the master does itself is not told to it. */
	CHECK_EQ(tcflush(master, TCIOFLUSH), 0);
	CHECK_EQ(status_byte(), -1);
	CHECK_EQ(tcflush(slave, TCIFLUSH), 0);
	CHECK_EQ(status_byte(), TIOCPKT_FLUSHREAD);
	close_pair();
}

/* With EXTPROC bytes go through as they are, whatever the other modes say. */
static void external_processing(void)
{
	struct termios t;
	char b[16];

	open_pair();
	tcgetattr(slave, &t);
	t.c_lflag |= EXTPROC;
	tcsetattr(slave, TCSANOW, &t);
	CHECK_EQ(write(master, "ab\177\003\r", 5), 5);
	for (int i = 0; i < 100 && !(events(slave, POLLIN) & POLLIN); i++)
		usleep(2000);
	usleep(5000);
	CHECK_EQ(read(slave, b, sizeof(b)), 5);
	CHECK(!memcmp(b, "ab\177\003\r", 5));
	close_pair();
}

static void closed_slave(void)
{
	struct timeval none = { 0, 0 };
	char b[8];
	fd_set set;

	open_pair();
	CHECK_EQ(events(master, POLLIN | POLLOUT), POLLOUT);
	CHECK_EQ(write(slave, "x", 1), 1);
	close(slave);
	CHECK_EQ(events(master, POLLIN | POLLOUT), POLLIN | POLLOUT | POLLHUP);
	CHECK_EQ(read(master, b, sizeof(b)), 1);
	CHECK_EQ(events(master, POLLIN | POLLOUT), POLLOUT | POLLHUP);
	FD_ZERO(&set);
	FD_SET(master, &set);
	CHECK_EQ(select(master + 1, &set, NULL, NULL, &none), 1);
	CHECK_ERRNO(read(master, b, sizeof(b)), EIO);
	slave = open_slave(O_RDWR | O_NOCTTY);
	CHECK_EQ(events(master, POLLIN | POLLOUT), POLLOUT);
	close_pair();
}

static void sizes(void)
{
	char big[16384];
	struct termios t;
	int n = 0;

	memset(big, 'a', sizeof(big));
	open_pair();
	/* A line that is too long is taken, and what does not fit is dropped; its end is kept. */
	tcgetattr(slave, &t);
	t.c_lflag &= ~ECHO;
	tcsetattr(slave, TCSANOW, &t);
	CHECK_EQ(write(master, big, 6000), 6000);
	CHECK_EQ(write(master, "\n", 1), 1);
	for (int i = 0; i < 200 && !(events(slave, POLLIN) & POLLIN); i++)
		usleep(2000);
	CHECK_EQ(read(slave, big, sizeof(big)), 4096);
	CHECK_EQ(big[4095], '\n');
	t.c_lflag &= ~ICANON;
	tcsetattr(slave, TCSANOW, &t);
	memset(big, 'a', sizeof(big));
	CHECK_EQ(write(master, big, 6000), 6000);
	for (int i = 0; i < 200 && n != 4095; i++) {
		usleep(2000);
		ioctl(slave, FIONREAD, &n);
	}
	CHECK_EQ(n, 4095);
	CHECK(write(slave, big, 11000) > 8192);
	CHECK_EQ(ioctl(slave, TIOCOUTQ, &n), 0);
	CHECK_EQ(n, 0);
	close_pair();
}

static volatile int hangups;
static void on_hangup(int sig) { (void)sig; hangups++; }

static int waited(int wanted)
{
	for (int i = 0; i < 250 && hangups < wanted; i++)
		usleep(4000);
	return hangups;
}

/* A session leader with the terminal and a member of its group; the leader reports by its status, the member by `report`. */
static void session(int report, int go)
{
	struct sigaction a = { .sa_handler = on_hangup };
	char c;

	setsid();
	slave = open_slave(O_RDWR | O_NOCTTY);
	ioctl(slave, TIOCSCTTY, 0);
	sigaction(SIGHUP, &a, NULL);
	if (!fork()) {
		int early, late;

		close(master);
		c = 'r';
		early = write(report, &c, 1) == 1 ? waited(1) : 9;
		late = waited(1);
		c = (char)('0' + early + late * 2);
		_exit(write(report, &c, 1) != 1);
	}
	close(master);
	c = waited(1) == 1 && open("/dev/tty", O_RDWR) < 0 && errno == ENXIO ? 'l' : 'x';
	if (write(report, &c, 1) != 1 || read(go, &c, 1) != 1)
		_exit(1);
	_exit(hangups == 1 ? 0 : 2);
}

/* The leader alone hears of it when the master closes; who was in the foreground, when the leader ends. */
static void hung_up(void)
{
	int report[2], go[2], status;
	struct pollfd p;
	char c = 0;
	pid_t child;

	if (pipe(report) || pipe(go))
		exit(2);
	open_pair();
	close(slave);
	fflush(stdout);
	child = fork();
	if (!child)
		session(report[1], go[0]);
	CHECK_EQ(read(report[0], &c, 1), 1);
	CHECK_EQ(c, 'r');
	usleep(50000);
	close(master);
	CHECK_EQ(read(report[0], &c, 1), 1);
	CHECK_EQ(c, 'l');
	p = (struct pollfd){ report[0], POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 100), 0);
	CHECK_EQ(write(go[1], "", 1), 1);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(read(report[0], &c, 1), 1);
	CHECK_EQ(c, '3');
}

int main(void)
{
	settings();
	external_processing();
	closed_slave();
	sizes();
	hung_up();
	return test_done();
}
