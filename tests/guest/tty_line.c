/* The line discipline, over a pseudo terminal: editing, modes, processing both ways, settings. */
// calls: ioctl
// errors: ioctl
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>

#include "include/test.h"

static int master, slave;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void open_pair(void)
{
	char name[64];

	if (access("/dev/pts/ptmx", F_OK))
		mount("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666");
	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0);
	CHECK_EQ(grantpt(master), 0);
	CHECK_EQ(unlockpt(master), 0);
	CHECK_EQ(ptsname_r(master, name, sizeof(name)), 0);
	slave = open(name, O_RDWR | O_NOCTTY);
	CHECK(slave >= 0);
}

/*
 * What comes out at the master: as much as is expected, however long that takes on a busy machine, and what else comes soon
 * after (nothing, if all is well).
 */
static const char *shown(const char *expected)
{
	static char buf[20000];
	struct pollfd p = { master, POLLIN, 0 };
	size_t n = 0, want = strlen(expected);

	while (n < sizeof(buf) - 1 && poll(&p, 1, n < want ? 5000 : 30) > 0 && (p.revents & POLLIN)) {
		ssize_t r = read(master, buf + n, sizeof(buf) - 1 - n);

		if (r <= 0)
			break;
		n += r;
	}
	buf[n] = 0;
	return buf;
}

static int readable(int expected)
{
	struct pollfd p = { slave, POLLIN, 0 };

	return poll(&p, 1, expected ? 5000 : 50) > 0 && (p.revents & POLLIN);
}

/* Types, and checks the echo and what a read returns ("-" : nothing to read). */
static void type(const char *keys, size_t n, const char *echo, const char *line)
{
	char buf[5000];
	const char *s;
	ssize_t r;

	if (write(master, keys, n) != (ssize_t)n)
		printf("# short write\n");
	s = shown(echo);
	if (!CHECK(!strcmp(s, echo))) {
		printf("# echo is");
		for (; *s; s++)
			printf(" %02x", (unsigned char)*s);
		printf("\n");
	}
	if (!strcmp(line, "-")) {
		CHECK(!readable(0));
		return;
	}
	if (!CHECK(readable(1)))
		return;
	r = read(slave, buf, sizeof(buf) - 1);
	buf[r > 0 ? r : 0] = 0;
	if (!CHECK(!strcmp(buf, line)))
		printf("# read is '%s'\n", buf);
}

#define TYPE(keys, echo, line) type(keys, sizeof(keys) - 1, echo, line)

static void change(tcflag_t i, tcflag_t o, tcflag_t l)
{
	struct termios t;

	tcgetattr(slave, &t);
	t.c_iflag = i;
	t.c_oflag = o;
	t.c_lflag = l;
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
}

#define L_USUAL (ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN)
#define O_USUAL (OPOST | ONLCR)

static void defaults(void)
{
	struct termios t;

	CHECK_EQ(tcgetattr(slave, &t), 0);
	CHECK_EQ(t.c_iflag, ICRNL | IXON);
	CHECK_EQ(t.c_oflag, OPOST | ONLCR);
	CHECK_EQ(t.c_lflag, L_USUAL);
	CHECK_EQ(t.c_cflag & (CSIZE | CREAD), CS8 | CREAD);
	CHECK_EQ(cfgetospeed(&t), B38400);
	CHECK_EQ(t.c_cc[VINTR], 3);
	CHECK_EQ(t.c_cc[VERASE], 0x7f);
	CHECK_EQ(t.c_cc[VMIN], 1);
	CHECK_EQ(t.c_cc[VTIME], 0);
	CHECK(isatty(slave));
	CHECK(isatty(master));
}

static void editing(void)
{
	TYPE("abc", "abc", "-");
	TYPE("\177d\r", "\b \bd\r\n", "abd\n");
	TYPE("a\tb\177\177", "a\tb\b \b\b\b\b\b\b\b\b", "-");
	TYPE("\r", "\r\n", "a\n");
	TYPE("foo bar  \027", "foo bar  \b \b\b \b\b \b\b \b\b \b", "-");
	TYPE("\n", "\r\n", "foo \n");
	TYPE("kill\025me\n", "kill\b \b\b \b\b \b\b \bme\r\n", "me\n");
	TYPE("x\001\177y\n", "x^A\b \b\b \by\r\n", "xy\n");
	TYPE("q\026\003w\n", "q^\b^Cw\r\n", "q\003w\n");
	TYPE("again\022!\n", "again^R\r\nagain!\r\n", "again!\n");
	TYPE("end\004", "end", "end");
	TYPE("\004", "", "");
	TYPE("\177\025\027\n", "\r\n", "\n");
	TYPE("one\ntwo\n", "one\r\ntwo\r\n", "one\n");
	TYPE("", "", "two\n");
}

static void partial_reads(void)
{
	char buf[10] = "";
	int n;

	TYPE("longer\n", "longer\r\n", "longer\n");
	if (write(master, "longer\n", 7) != 7)
		return;
	shown("");
	CHECK_EQ(ioctl(slave, FIONREAD, &n), 0);
	CHECK_EQ(n, 7);
	CHECK_EQ(read(slave, buf, 3), 3);
	CHECK_EQ(read(slave, buf, 10), 4);
	if (write(master, "abc\004", 4) != 4)
		return;
	shown("");
	CHECK_EQ(read(slave, buf, 3), 3);
	CHECK(!readable(0));		/* the end was taken with it */
}

static void echo_modes(void)
{
	change(ICRNL | IXON, O_USUAL, ISIG | ICANON | IEXTEN | ECHO);
	TYPE("ab\177c\025d\n", "ab\177c\025d\r\n", "d\n");
	change(ICRNL | IXON, O_USUAL, ISIG | ICANON | IEXTEN | ECHO | ECHOK | ECHOCTL);
	TYPE("ab\025d\n", "ab^U\r\nd\r\n", "d\n");
	change(ICRNL | IXON, O_USUAL, ISIG | ICANON | IEXTEN | ECHONL);
	TYPE("secret\n", "\r\n", "secret\n");
	change(ICRNL | IXON, O_USUAL, ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOPRT | ECHOCTL);
	TYPE("abc\177\177x\n", "abc\\cb/x\r\n", "ax\n");
	change(ICRNL | IXON | IUTF8, O_USUAL, L_USUAL);
	TYPE("\303\244\303\266\177\n", "\303\244\303\266\b \b\r\n", "\303\244\n");
	change(IXON, O_USUAL, L_USUAL);
	TYPE("a\rb\n", "a^Mb\r\n", "a\rb\n");
	change(IGNCR | IXON, O_USUAL, L_USUAL);
	TYPE("a\rb\n", "ab\r\n", "ab\n");
	change(INLCR | IXON, O_USUAL, L_USUAL);
	TYPE("a\nb\004", "a^Mb", "a\rb");
	change(ISTRIP | ICRNL, O_USUAL, L_USUAL);
	TYPE("\341\r", "a\r\n", "a\n");
	change(PARMRK | ICRNL, O_USUAL, L_USUAL & ~ECHO);
	TYPE("\377\r", "", "\377\377\n");
	change(ICRNL | IXON, O_USUAL, L_USUAL);
}

static void output(void)
{
	CHECK_EQ(write(slave, "a\nb\tc\r", 6), 6);
	CHECK(!strcmp(shown("a\r\nb\tc\r"), "a\r\nb\tc\r"));
	change(ICRNL, OPOST | XTABS, L_USUAL);
	CHECK_EQ(write(slave, "\r12345\tx\n", 9), 9);
	CHECK(!strcmp(shown("\r12345   x\n"), "\r12345   x\n"));
	change(ICRNL, OPOST | OCRNL, L_USUAL);
	CHECK_EQ(write(slave, "a\rb", 3), 3);
	CHECK(!strcmp(shown("a\nb"), "a\nb"));
	change(ICRNL, OPOST | ONOCR | ONLRET, L_USUAL);
	CHECK_EQ(write(slave, "\n\ra\r", 4), 4);
	CHECK(!strcmp(shown("\na\r"), "\na\r"));
	change(ICRNL, OPOST | OLCUC, L_USUAL);
	CHECK_EQ(write(slave, "Upper", 5), 5);
	CHECK(!strcmp(shown("UPPER"), "UPPER"));
	change(ICRNL, ONLCR, L_USUAL);
	CHECK_EQ(write(slave, "raw\n", 4), 4);
	CHECK(!strcmp(shown("raw\n"), "raw\n"));
	change(ICRNL | IXON, O_USUAL, L_USUAL);
}

static void set_raw(int min, int time)
{
	struct termios t;

	tcgetattr(slave, &t);
	cfmakeraw(&t);
	t.c_cc[VMIN] = min;
	t.c_cc[VTIME] = time;
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
}

static void raw(void)
{
	struct termios old;
	char buf[100];
	double start;

	tcgetattr(slave, &old);
	set_raw(1, 0);
	TYPE("a\r\003\177", "", "a\r\003\177");
	set_raw(3, 0);
	TYPE("ab", "", "-");
	TYPE("c", "", "abc");
	set_raw(0, 0);
	CHECK_EQ(read(slave, buf, 10), 0);
	set_raw(0, 3);
	start = now();
	CHECK_EQ(read(slave, buf, 10), 0);
	CHECK(now() - start > 0.25 && now() - start < 2);
	set_raw(5, 2);
	CHECK_EQ(write(master, "xy", 2), 2);
	start = now();
	CHECK_EQ(read(slave, buf, 10), 2);
	CHECK(now() - start > 0.15 && now() - start < 2);
	fcntl(slave, F_SETFL, O_NONBLOCK);
	set_raw(1, 0);
	CHECK_ERRNO(read(slave, buf, 10), EAGAIN);
	fcntl(slave, F_SETFL, 0);
	/* Typed ahead in raw mode, read as a line. */
	CHECK_EQ(write(master, "pq", 2), 2);
	usleep(50000);
	tcsetattr(slave, TCSANOW, &old);
	CHECK_EQ(read(slave, buf, 10), 2);
	/* And the other way. */
	CHECK_EQ(write(master, "rs", 2), 2);
	shown("");
	CHECK(!readable(0));
	set_raw(1, 0);
	CHECK(readable(1));
	CHECK_EQ(read(slave, buf, 10), 2);
	tcsetattr(slave, TCSANOW, &old);
}

static void flow(void)
{
	CHECK_EQ(write(master, "\023", 1), 1);
	usleep(50000);
	fcntl(slave, F_SETFL, O_NONBLOCK);
	CHECK_ERRNO(write(slave, "held", 4), EAGAIN);
	CHECK(!strcmp(shown(""), ""));
	CHECK_EQ(write(master, "\021", 1), 1);
	usleep(50000);
	CHECK_EQ(write(slave, "held", 4), 4);
	CHECK(!strcmp(shown("held"), "held"));
	CHECK_EQ(tcflow(slave, TCOOFF), 0);
	CHECK_ERRNO(write(slave, "more", 4), EAGAIN);
	CHECK_EQ(tcflow(slave, TCOON), 0);
	CHECK_EQ(write(slave, "more", 4), 4);
	CHECK(!strcmp(shown("more"), "more"));
	fcntl(slave, F_SETFL, 0);
	CHECK_EQ(tcflow(slave, TCIOFF), 0);
	CHECK(!strcmp(shown("\023"), "\023"));
	CHECK_EQ(tcflow(slave, TCION), 0);
	CHECK(!strcmp(shown("\021"), "\021"));
	CHECK_ERRNO(tcflow(slave, 9), EINVAL);
	CHECK_EQ(write(master, "gone", 4), 4);
	shown("");
	CHECK_EQ(tcflush(slave, TCIFLUSH), 0);
	TYPE("\n", "\r\n", "\n");
	CHECK_ERRNO(tcflush(slave, 9), EINVAL);
	CHECK_EQ(tcdrain(slave), 0);
	CHECK_EQ(tcsendbreak(slave, 0), 0);
}

static void long_line(void)
{
	static char text[6000], got[6000];
	ssize_t n;

	memset(text, 'x', sizeof(text));
	change(ICRNL | IXON, O_USUAL, L_USUAL & ~ECHO);
	CHECK_EQ(write(master, text, 4000), 4000);
	CHECK_EQ(write(master, text, 1000), 1000);
	CHECK_EQ(write(master, "\n", 1), 1);
	usleep(50000);
	n = read(slave, got, sizeof(got));
	CHECK_EQ(n, 4096);
	CHECK_EQ(got[4095], '\n');
	change(ICRNL | IXON, O_USUAL, L_USUAL);
	TYPE("next\n", "next\r\n", "next\n");
}

static void calls(void)
{
	struct winsize w = { 0 }, v = { 30, 100, 5, 6 };
	int value = -1;

	CHECK_EQ(ioctl(slave, TIOCGWINSZ, &w), 0);
	CHECK_EQ(w.ws_row, 0);
	CHECK_EQ(ioctl(master, TIOCSWINSZ, &v), 0);
	CHECK_EQ(ioctl(slave, TIOCGWINSZ, &w), 0);
	CHECK(w.ws_row == 30 && w.ws_col == 100 && w.ws_xpixel == 5 && w.ws_ypixel == 6);
	CHECK_EQ(ioctl(slave, TIOCGETD, &value), 0);
	CHECK_EQ(value, 0);
	CHECK_EQ(ioctl(slave, TIOCOUTQ, &value), 0);
	CHECK_EQ(value, 0);
	CHECK_ERRNO(ioctl(slave, TCGETS, 8), EFAULT);
	CHECK_ERRNO(ioctl(slave, TCSETS, 8), EFAULT);
	CHECK_ERRNO(ioctl(slave, 0x54ee, 0), ENOTTY);
	CHECK_ERRNO(ioctl(slave, TIOCGPTN, &value), ENOTTY);
	CHECK_EQ(ioctl(slave, TIOCEXCL), 0);
	CHECK_EQ(ioctl(slave, TIOCGEXCL, &value), 0);
	CHECK_EQ(value, 1);
	CHECK_EQ(ioctl(slave, TIOCNXCL), 0);
	CHECK_ERRNO(lseek(slave, 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(ioctl(slave, TIOCMGET, &value), ENOTTY);
}

int main(void)
{
	signal(SIGALRM, SIG_DFL);
	alarm(60);
	open_pair();
	defaults();
	editing();
	partial_reads();
	echo_modes();
	output();
	raw();
	flow();
	long_line();
	calls();
	return test_done();
}
