/* Virtual terminals: switching by calls and with an owner, what is in use, who is refused. */
// libc: gcc
// linux: no (it would switch the build machine's screen)
// errors: ioctl open
#include "include/proof.h"

#include <linux/kd.h>
#include <linux/keyboard.h>
#include <linux/tiocl.h>
#include <linux/vt.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

#define A 21			/* two that nobody else uses */
#define B 22

static int screen;

static int open_number(int n)
{
	char name[32];

	sprintf(name, "/dev/tty%d", n);
	return open(name, O_RDWR | O_NOCTTY);
}

static int active(void)
{
	struct vt_stat s = { 0 };

	CHECK_EQ(ioctl(screen, VT_GETSTATE, &s), 0);
	return s.v_active;
}

static void opening(void)
{
	struct stat s;
	int a = open_number(A), unused;

	CHECK(a >= 0);
	CHECK(fstat(a, &s) == 0 && s.st_rdev == makedev(4, A));
	CHECK_EQ(ioctl(screen, VT_OPENQRY, &unused), 0);
	CHECK(unused > 0 && unused != A);
	FAILS(EBUSY, ioctl, screen, VT_DISALLOCATE, (long)A);
	close(a);
	CHECK_EQ(ioctl(screen, VT_DISALLOCATE, A), 0);
	CHECK_EQ(ioctl(screen, VT_DISALLOCATE, A), 0);
	FAILS(ENXIO, ioctl, screen, VT_DISALLOCATE, 64l);
	FAILS(EBUSY, ioctl, screen, VT_DISALLOCATE, (long)active());
	FAILS(ENXIO, ioctl, screen, VT_ACTIVATE, 0l);
	FAILS(ENXIO, ioctl, screen, VT_ACTIVATE, 64l);
	FAILS(ENXIO, ioctl, screen, VT_WAITACTIVE, 0l);
	FAILS(ENXIO, ioctl, screen, VT_WAITACTIVE, 64l);
}

/* Each has its own settings and lines. */
static void apart(void)
{
	struct termios first, second;
	int a = open_number(A), b = open_number(B), n = 1;

	CHECK_EQ(tcgetattr(a, &first), 0);
	CHECK(first.c_iflag & IUTF8);
	first.c_lflag &= ~(ECHO | ICANON);
	CHECK_EQ(tcsetattr(a, TCSANOW, &first), 0);
	CHECK_EQ(tcgetattr(b, &second), 0);
	CHECK((second.c_lflag & (ECHO | ICANON)) == (ECHO | ICANON));
	CHECK_EQ(ioctl(a, TIOCSTI, "x"), 0);
	for (int i = 0; i < 100 && (ioctl(a, FIONREAD, &n) || n != 1); i++)
		usleep(10000);
	CHECK_EQ(n, 1);
	CHECK_EQ(ioctl(b, FIONREAD, &n), 0);
	CHECK_EQ(n, 0);
	close(a);
	close(b);
}

static volatile sig_atomic_t asked, got;

static void on_ask(int sig) { asked++; }
static void on_get(int sig) { got++; }

static void wait_for(volatile sig_atomic_t *what, int value)
{
	for (int i = 0; i < 500 && *what != value; i++)
		usleep(10000);
	CHECK_EQ(*what, value);
}

static void owned(int before)
{
	struct vt_mode mode = { .mode = VT_PROCESS, .relsig = SIGUSR1, .acqsig = SIGUSR2 }, now;
	int a = open_number(A), b = open_number(B);

	signal(SIGUSR1, on_ask);
	signal(SIGUSR2, on_get);
	CHECK_EQ(ioctl(b, VT_GETMODE, &now), 0);
	CHECK_EQ(now.mode, VT_AUTO);
	FAILS(EINVAL, ioctl, b, VT_RELDISP, 1l);
	mode.mode = 7;
	FAILS(EINVAL, ioctl, b, VT_SETMODE, &mode);
	mode.mode = VT_PROCESS;
	CHECK_EQ(ioctl(b, VT_SETMODE, &mode), 0);
	CHECK_EQ(ioctl(b, VT_GETMODE, &now), 0);
	CHECK(now.mode == VT_PROCESS && now.relsig == SIGUSR1 && now.acqsig == SIGUSR2);
	CHECK_EQ(ioctl(screen, VT_ACTIVATE, B), 0);
	wait_for(&got, 1);
	CHECK_EQ(ioctl(b, VT_RELDISP, VT_ACKACQ), 0);
	CHECK_EQ(active(), B);
	/* It is asked, refuses, is asked again, and agrees. */
	CHECK_EQ(ioctl(screen, VT_ACTIVATE, A), 0);
	wait_for(&asked, 1);
	CHECK_EQ(active(), B);
	CHECK_EQ(ioctl(b, VT_RELDISP, 0), 0);
	FAILS(EINVAL, ioctl, b, VT_RELDISP, 1l);
	CHECK_EQ(ioctl(screen, VT_ACTIVATE, A), 0);
	wait_for(&asked, 2);
	CHECK_EQ(ioctl(b, VT_RELDISP, 1), 0);
	CHECK_EQ(ioctl(screen, VT_WAITACTIVE, A), 0);
	CHECK_EQ(active(), A);
	/* Who controls nothing any more is not asked. */
	mode.mode = VT_AUTO;
	CHECK_EQ(ioctl(b, VT_SETMODE, &mode), 0);
	CHECK_EQ(ioctl(screen, VT_ACTIVATE, before), 0);
	CHECK_EQ(ioctl(screen, VT_WAITACTIVE, before), 0);
	CHECK_EQ(asked, 2);
	close(a);
	close(b);
}

/* An owner that ended does not hold its terminal for ever. */
static void orphaned(int before)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct vt_mode mode = { .mode = VT_PROCESS, .relsig = SIGUSR1, .acqsig = SIGUSR2 };
		int a = open_number(A);

		_exit(ioctl(a, VT_SETMODE, &mode) || ioctl(a, KDSETMODE, KD_GRAPHICS) ||
		      ioctl(a, VT_ACTIVATE, A) || ioctl(a, VT_WAITACTIVE, A));
	}
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(ioctl(screen, VT_ACTIVATE, before), 0);
	CHECK_EQ(ioctl(screen, VT_WAITACTIVE, before), 0);
	CHECK_EQ(active(), before);
	CHECK_EQ(ioctl(screen, VT_DISALLOCATE, A), 0);
}

static void modes(int before)
{
	int a = open_number(A), n = 77;

	CHECK_EQ(ioctl(a, KDGETMODE, &n), 0);
	CHECK_EQ(n, KD_TEXT);
	FAILS(EINVAL, ioctl, a, KDSETMODE, 4l);
	CHECK_EQ(ioctl(screen, VT_ACTIVATE, A), 0);
	CHECK_EQ(ioctl(screen, VT_WAITACTIVE, A), 0);
	CHECK_EQ(ioctl(a, KDSETMODE, KD_GRAPHICS), 0);
	CHECK_EQ(ioctl(a, KDGETMODE, &n), 0);
	CHECK_EQ(n, KD_GRAPHICS);
	/* From a screen of graphics that nobody answers for one is not led away. */
	CHECK_EQ(ioctl(screen, VT_ACTIVATE, before), 0);
	CHECK_EQ(active(), A);
	CHECK_EQ(ioctl(a, KDSETMODE, KD_TEXT), 0);
	CHECK_EQ(ioctl(screen, VT_LOCKSWITCH), 0);
	CHECK_EQ(ioctl(screen, VT_ACTIVATE, before), 0);
	CHECK_EQ(active(), A);
	CHECK_EQ(ioctl(screen, VT_UNLOCKSWITCH), 0);
	CHECK_EQ(ioctl(screen, VT_ACTIVATE, before), 0);
	CHECK_EQ(ioctl(screen, VT_WAITACTIVE, before), 0);
	CHECK_EQ(active(), before);
	n = TIOCL_GETFGCONSOLE;
	CHECK_EQ(ioctl(screen, TIOCLINUX, &n), before - 1);
	close(a);
}

static int shared;

static void refused(void)
{
	struct vt_mode mode = { .mode = VT_AUTO };
	int n = TIOCL_GETFGCONSOLE;

	FAILS(EPERM, ioctl, shared, VT_ACTIVATE, (long)A);
	FAILS(EPERM, ioctl, shared, VT_WAITACTIVE, (long)A);
	FAILS(EPERM, ioctl, shared, VT_SETMODE, &mode);
	FAILS(EPERM, ioctl, shared, VT_RELDISP, 1l);
	FAILS(EPERM, ioctl, shared, KDSETMODE, (long)KD_GRAPHICS);
	FAILS(EPERM, ioctl, shared, KDSKBMODE, (long)K_RAW);
	FAILS(EPERM, ioctl, shared, KDSETLED, 1l);
	FAILS(EPERM, ioctl, shared, KDSKBLED, 1l);
	FAILS(EPERM, ioctl, shared, KIOCSOUND, 1l);
	FAILS(EPERM, ioctl, shared, VT_LOCKSWITCH, 0l);
	FAILS(EPERM, ioctl, shared, VT_UNLOCKSWITCH, 0l);
	FAILS(EPERM, ioctl, shared, TIOCLINUX, &n);
	GIVES(0, ioctl, shared, KDGETMODE, &n);
	GIVES(0, ioctl, shared, VT_GETMODE, &mode);
	FAILS(EACCES, openat, AT_FDCWD, "/dev/tty22", O_RDWR);
}

/* Whose own terminal it is may, without any capability. */
static void allowed(void)
{
	int n;

	setsid();
	if (ioctl(shared, TIOCSCTTY, 0))
		test_result(0, "it becomes the session's", __FILE__, __LINE__, errno);
	become_user(1000);
	GIVES(0, ioctl, shared, KDSKBMODE, (long)K_XLATE);
	GIVES(0, ioctl, shared, KDGKBMODE, &n);
	CHECK_EQ(n, K_XLATE);
	GIVES(0, ioctl, shared, KDSKBMODE, (long)K_UNICODE);
	FAILS(EPERM, ioctl, shared, VT_LOCKSWITCH, 0l);
}

static void ordinary_user(void)
{
	shared = open_number(A);
	as_user(refused);
	in_child(allowed);
	close(shared);
	CHECK_EQ(ioctl(screen, VT_DISALLOCATE, A), 0);
}

static void arguments(void)
{
	FAULTS(ioctl, 2, sizeof(struct vt_mode), screen, VT_GETMODE, 0);
	FAULTS(ioctl, 2, sizeof(struct vt_mode), screen, VT_SETMODE, 0);
	FAULTS(ioctl, 2, 4, screen, VT_OPENQRY, 0);
	FAULTS(ioctl, 2, 4, screen, KDGETMODE, 0);
	FAILS(EINVAL, ioctl, screen, TIOCLINUX, "\x63");
	FAILS(EINVAL, ioctl, screen, KDMAPDISP, 0l);
	FAILS(ENOTTY, ioctl, screen, 0x56ff, 0l);
}

int main(void)
{
	int before;

	mkdir("/dev", 0755);
	screen = open("/dev/tty0", O_RDWR | O_NOCTTY);
	if (screen < 0 && errno == ENOENT)
		mount("devtmpfs", "/dev", "devtmpfs", 0, "");
	screen = open("/dev/tty0", O_RDWR | O_NOCTTY);
	if (screen < 0) {
		CHECK(errno == ENOENT || errno == ENXIO);	/* a machine without a screen */
		return test_done();
	}
	before = active();
	opening();
	apart();
	arguments();
	owned(before);
	orphaned(before);
	modes(before);
	ordinary_user();
	return test_done();
}
