/*
 * Settings: the calls of tcgetattr and tcsetattr in all their forms, window size, break, flow, queues.
 */
#include "internal.h"

#include <linux/capability.h>

const struct termios2 tty_default_termios = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD | HUPCL,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = {
		[VINTR] = 'C' & 0x1f, [VQUIT] = '\\' & 0x1f, [VERASE] = 0x7f, [VKILL] = 'U' & 0x1f, [VEOF] = 'D' & 0x1f,
		[VMIN] = 1, [VSTART] = 'Q' & 0x1f, [VSTOP] = 'S' & 0x1f, [VSUSP] = 'Z' & 0x1f,
		[VREPRINT] = 'R' & 0x1f, [VDISCARD] = 'O' & 0x1f, [VWERASE] = 'W' & 0x1f, [VLNEXT] = 'V' & 0x1f,
	},
	.c_ispeed = 38400,
	.c_ospeed = 38400,
};

static const struct { tcflag_t code; unsigned int speed; } speeds[] = {
	{ B0, 0 }, { B50, 50 }, { B75, 75 }, { B110, 110 }, { B134, 134 }, { B150, 150 }, { B200, 200 },
	{ B300, 300 }, { B600, 600 }, { B1200, 1200 }, { B1800, 1800 }, { B2400, 2400 }, { B4800, 4800 },
	{ B9600, 9600 }, { B19200, 19200 }, { B38400, 38400 }, { B57600, 57600 }, { B115200, 115200 },
	{ B230400, 230400 }, { B460800, 460800 }, { B500000, 500000 }, { B576000, 576000 }, { B921600, 921600 },
	{ B1000000, 1000000 }, { B1152000, 1152000 }, { B1500000, 1500000 }, { B2000000, 2000000 },
	{ B2500000, 2500000 }, { B3000000, 3000000 }, { B3500000, 3500000 }, { B4000000, 4000000 },
};

unsigned int tty_speed_of(tcflag_t cflag)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(speeds); i++)
		if (speeds[i].code == (cflag & CBAUD))
			return speeds[i].speed;
	return 0;
}

tcflag_t tty_speed_code(unsigned int speed)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(speeds); i++)
		if (speeds[i].speed == speed)
			return speeds[i].code;
	return B0;
}

#define WAIT_OUTPUT 1u			/* TCSADRAIN */
#define FLUSH_INPUT 2u			/* TCSAFLUSH */

/* The two speeds of what user space gave; old-style structures have only codes. */
static void fill_speeds(struct termios2 *n, bool given)
{
	tcflag_t in = (n->c_cflag >> IBSHIFT) & CBAUD;

	if (!given || (n->c_cflag & CBAUD) != BOTHER)
		n->c_ospeed = tty_speed_of(n->c_cflag);
	if (in == B0)
		n->c_ispeed = n->c_ospeed;
	else if (!given || in != BOTHER)
		n->c_ispeed = tty_speed_of(in);
}

/* Readers and writers look at the settings anew: a mode may have ended their wait. */
static void settings_changed(struct tty *t, const struct termios2 *old)
{
	tty_line_mode_locked(t, old->c_lflag);
	if (t->ops->configure)
		t->ops->configure(t, old);
	if ((old->c_iflag & IXON) && !tty_flag_i(t, IXON))
		tty_go_locked(t);
	if (t->packet) {
		bool was = (old->c_iflag & IXON) && old->c_cc[VSTOP] == 0x13 && old->c_cc[VSTART] == 0x11;
		bool is = tty_flag_i(t, IXON) && t->termios.c_cc[VSTOP] == 0x13 && t->termios.c_cc[VSTART] == 0x11;

		if (was != is)
			tty_packet_locked(t, is ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
		if ((old->c_lflag | t->termios.c_lflag) & EXTPROC)
			tty_packet_locked(t, TIOCPKT_IOCTL);
	}
	wait_queue_wake(&t->read_wait, ~0u, 0);
}

static int apply(struct tty *t, const struct termios2 *n, unsigned int how)
{
	struct termios2 old;
	unsigned long flags;
	int error;

	if (how & FLUSH_INPUT) {
		tty_input_flush(t);
		flags = spin_lock_irqsave(&t->lock);
		tty_line_flush_locked(t);
		spin_unlock_irqrestore(&t->lock, flags);
	}
	if (how & WAIT_OUTPUT) {
		error = tty_drain(t);
		if (error)
			return error;
	}
	flags = spin_lock_irqsave(&t->lock);
	old = t->termios;
	t->termios = *n;
	t->termios.c_line = 0;
	settings_changed(t, &old);
	spin_unlock_irqrestore(&t->lock, flags);
	tty_input_resume(t);
	return 0;
}

static void snapshot(struct tty *t, struct termios2 *out)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);

	*out = t->termios;
	spin_unlock_irqrestore(&t->lock, flags);
}

/* `size`: of struct termios or termios2; the first is the beginning of the second. */
static int set_settings(struct tty *t, uintptr_t arg, size_t size, unsigned int how)
{
	struct termios2 n;
	int error = tty_check_change(t, SIGTTOU);

	if (error)
		return error;
	snapshot(t, &n);
	if (copy_from_user(&n, arg, size))
		return -EFAULT;
	fill_speeds(&n, size == sizeof(n));
	return apply(t, &n, how);
}

static int get_settings(struct tty *t, uintptr_t arg, size_t size)
{
	struct termios2 now;

	snapshot(t, &now);
	return copy_to_user(arg, &now, size);
}

static int set_old_settings(struct tty *t, uintptr_t arg, unsigned int how)
{
	struct termios2 n;
	struct termio o;
	int error = tty_check_change(t, SIGTTOU);

	if (error)
		return error;
	if (copy_from_user(&o, arg, sizeof(o)))
		return -EFAULT;
	snapshot(t, &n);
	n.c_iflag = (n.c_iflag & ~0xffffu) | o.c_iflag;
	n.c_oflag = (n.c_oflag & ~0xffffu) | o.c_oflag;
	n.c_cflag = (n.c_cflag & ~0xffffu) | o.c_cflag;
	n.c_lflag = (n.c_lflag & ~0xffffu) | o.c_lflag;
	memcpy(n.c_cc, o.c_cc, NCC);
	fill_speeds(&n, false);
	return apply(t, &n, how);
}

static int get_old_settings(struct tty *t, uintptr_t arg)
{
	struct termio o = { 0 };
	struct termios2 now;

	snapshot(t, &now);
	o.c_iflag = (unsigned short)now.c_iflag;
	o.c_oflag = (unsigned short)now.c_oflag;
	o.c_cflag = (unsigned short)now.c_cflag;
	o.c_lflag = (unsigned short)now.c_lflag;
	memcpy(o.c_cc, now.c_cc, NCC);
	return copy_to_user(arg, &o, sizeof(o));
}

void tty_set_winsize(struct tty *t, const struct winsize *size)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	bool changed = memcmp(&t->winsize, size, sizeof(*size)) != 0;

	t->winsize = *size;
	spin_unlock_irqrestore(&t->lock, flags);
	if (!changed)
		return;
	tty_signal_foreground(t, SIGWINCH);
}

static int window_size(struct tty *t, unsigned int cmd, uintptr_t arg)
{
	struct winsize size;
	unsigned long flags;

	if (cmd == TIOCSWINSZ) {
		if (copy_from_user(&size, arg, sizeof(size)))
			return -EFAULT;
		tty_set_winsize(t, &size);
		return 0;
	}
	flags = spin_lock_irqsave(&t->lock);
	size = t->winsize;
	spin_unlock_irqrestore(&t->lock, flags);
	return copy_to_user(arg, &size, sizeof(size));
}

static int flow(struct tty *t, uintptr_t arg)
{
	unsigned int which = arg == TCIOFF ? VSTOP : VSTART;
	unsigned long flags;
	int error = tty_check_change(t, SIGTTOU);

	if (error)
		return error;
	if (arg > TCION)
		return -EINVAL;
	flags = spin_lock_irqsave(&t->lock);
	if (arg == TCOOFF)
		tty_stop_locked(t);
	else if (arg == TCOON)
		tty_go_locked(t);
	else if (t->termios.c_cc[which]) {
		tty_output_raw_locked(t, t->termios.c_cc[which]);
		tty_output_start_locked(t);
	}
	spin_unlock_irqrestore(&t->lock, flags);
	return 0;
}

static int flush_queues(struct tty *t, uintptr_t arg)
{
	unsigned long flags;
	int error = tty_check_change(t, SIGTTOU);

	if (error)
		return error;
	if (arg > TCIOFLUSH)
		return -EINVAL;
	if (arg != TCOFLUSH)
		tty_input_flush(t);
	flags = spin_lock_irqsave(&t->lock);
	if (arg != TCOFLUSH)
		tty_line_flush_locked(t);
	if (arg != TCIFLUSH)
		tty_output_flush_locked(t);
	spin_unlock_irqrestore(&t->lock, flags);
	return 0;
}

static void set_break(struct tty *t, bool on)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);

	if (t->ops->set_break)
		t->ops->set_break(t, on);
	spin_unlock_irqrestore(&t->lock, flags);
}

/* tcdrain, or a break of that length after draining. */
static int drain_and_break(struct tty *t, uint64_t ns)
{
	int error = tty_check_change(t, SIGTTOU);

	if (!error)
		error = tty_drain(t);
	if (error || !ns || !t->ops->set_break)
		return error;
	set_break(t, true);
	error = wait_event(&t->write_wait, READ_ONCE(t->closing), WAIT_INTERRUPTIBLE, clock_monotonic() + ns);
	set_break(t, false);
	return error == -EINTR ? -EINTR : 0;
}

static long set_carrier_mode(struct tty *t, uintptr_t arg)
{
	unsigned long flags;
	uint32_t on;

	if (user_load_u32(arg, &on))
		return -EFAULT;
	flags = spin_lock_irqsave(&t->lock);
	t->termios.c_cflag = on ? t->termios.c_cflag | CLOCAL : t->termios.c_cflag & ~(tcflag_t)CLOCAL;
	spin_unlock_irqrestore(&t->lock, flags);
	return 0;
}

static long line_ioctl(struct tty *t, unsigned int cmd, uintptr_t arg)
{
	switch (cmd) {
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		return window_size(t, cmd, arg);
	case TCXONC:
		return flow(t, arg);
	case TCFLSH:
		return flush_queues(t, arg);
	case TCSBRK:
		return drain_and_break(t, arg ? 0 : 250 * NSEC_PER_MSEC);
	case TCSBRKP:
		return drain_and_break(t, arg ? MIN(arg, 100ul) * 100 * NSEC_PER_MSEC : 250 * NSEC_PER_MSEC);
	case TIOCSBRK:
	case TIOCCBRK:
		if (!t->ops->set_break)
			return 0;
		set_break(t, cmd == TIOCSBRK);
		return 0;
	case TIOCGSOFTCAR:
		return user_store_u32(arg, !!(t->termios.c_cflag & CLOCAL));
	case TIOCSSOFTCAR:
		return set_carrier_mode(t, arg);
	default:
		return -ENOIOCTLCMD;
	}
}

long tty_termios_ioctl(struct tty *t, unsigned int cmd, uintptr_t arg)
{
	switch (cmd) {
	case TCGETS:
		return get_settings(t, arg, sizeof(struct termios));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_settings(t, arg, sizeof(struct termios), cmd == TCSETS ? 0 :
				    cmd == TCSETSW ? WAIT_OUTPUT : WAIT_OUTPUT | FLUSH_INPUT);
	case TCGETS2:
		return get_settings(t, arg, sizeof(struct termios2));
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set_settings(t, arg, sizeof(struct termios2), cmd == TCSETS2 ? 0 :
				    cmd == TCSETSW2 ? WAIT_OUTPUT : WAIT_OUTPUT | FLUSH_INPUT);
	case TCGETA:
		return get_old_settings(t, arg);
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
		return set_old_settings(t, arg, cmd == TCSETA ? 0 :
					cmd == TCSETAW ? WAIT_OUTPUT : WAIT_OUTPUT | FLUSH_INPUT);
	default:
		return line_ioctl(t, cmd, arg);
	}
}
