/*
 * The screen and the keyboard as a terminal: /dev/tty0, which is /dev/tty1 too. There is one screen, so calls that switch between several know
 * number 1 only.
 *
 * Locking: tty->lock, then screen.lock. The log's writer takes screen.lock alone, in a panic only if it is free.
 */
#include "internal.h"
#include "screen.h"

#include <linux/capability.h>
#include <linux/kd.h>
#include <linux/major.h>
#include <linux/vt.h>

static struct screen screen;
static struct tty vt;
static struct display *display;
static unsigned int keyboard_mode = K_UNICODE, display_mode = KD_TEXT;

void vt_offer_display(struct display *d)
{
	display = d;
}

static void vt_start(struct tty *t)
{
	uint8_t bytes[128];
	size_t n;

	spin_lock_raw(&screen.lock);
	while ((n = tty_output_take(t, bytes, sizeof(bytes))) > 0)
		screen_feed(&screen, bytes, n);
	spin_unlock_raw(&screen.lock);
	render_soon(&screen);
}

void vt_input(const char *text, size_t n)
{
	if (!vt.driver)
		return;
	while (n--)
		tty_input_push(&vt, (uint8_t)*text++, TTY_NORMAL);
	tty_input_done(&vt);
}

bool vt_cursor_keys(void) { return screen.cursor_keys; }
bool vt_keypad_mode(void) { return screen.keypad; }

/* Those who may change the screen for everybody. */
static bool may_configure(struct tty *t)
{
	return session_tty() == t || service(authority)->capable(CAP_SYS_TTY_CONFIG);
}

static long set_value(struct tty *t, unsigned int *value, uintptr_t arg, unsigned int most)
{
	if (!may_configure(t))
		return -EPERM;
	if (arg > most)
		return -EINVAL;
	*value = (unsigned int)arg;
	return 0;
}

static long get_state(uintptr_t arg)
{
	struct vt_stat state = { .v_active = 1, .v_state = 3 };

	return copy_to_user(arg, &state, sizeof(state));
}

static long get_switching(uintptr_t arg)
{
	struct vt_mode mode = { .mode = VT_AUTO };

	return copy_to_user(arg, &mode, sizeof(mode));
}

static long set_switching(struct tty *t, uintptr_t arg)
{
	struct vt_mode mode;

	if (!may_configure(t))
		return -EPERM;
	if (copy_from_user(&mode, arg, sizeof(mode)))
		return -EFAULT;
	return mode.mode == VT_AUTO ? 0 : -EINVAL;
}

static long vt_ioctl(struct tty *t, struct file *f, unsigned int cmd, uintptr_t arg)
{
	(void)f;
	switch (cmd) {
	case KDGKBTYPE:
		return user_store_u8(arg, KB_101);
	case KDGETMODE:
		return user_store_u32(arg, display_mode);
	case KDSETMODE:
		return set_value(t, &display_mode, arg, KD_GRAPHICS);
	case KDGKBMODE:
		return user_store_u32(arg, keyboard_mode);
	case KDSKBMODE:
		if (arg != K_XLATE && arg != K_UNICODE)
			return -EINVAL;
		return set_value(t, &keyboard_mode, arg, K_UNICODE);
	case VT_GETSTATE:
		return get_state(arg);
	case VT_GETMODE:
		return get_switching(arg);
	case VT_SETMODE:
		return set_switching(t, arg);
	case VT_OPENQRY:
		return user_store_u32(arg, (uint32_t)-1);
	case VT_ACTIVATE:
	case VT_WAITACTIVE:
		if (!may_configure(t))
			return -EPERM;
		return arg == 1 ? 0 : -ENXIO;
	default:
		return -ENOIOCTLCMD;
	}
}

static const struct tty_ops vt_ops = {
	.start = vt_start,
	.ioctl = vt_ioctl,
};

static void vt_log(struct log_console *c, const char *text, size_t n)
{
	bool panicking = log_panicking(), locked = true;
	unsigned long flags = arch_irq_save();

	(void)c;
	if (panicking)
		locked = spin_trylock(&screen.lock);
	else
		spin_lock(&screen.lock);
	screen_feed_log(&screen, text, n);
	if (locked)
		spin_unlock_raw(&screen.lock);
	render_screen(&screen, panicking);
	arch_irq_restore(flags);
	if (locked)
		preempt_enable();
}

static struct log_console vt_console = { .name = "tty0", .write = vt_log };

int tty_screen_start(void)
{
	int error;

	if (!display)
		return 0;
	error = screen_setup(&screen, display);
	if (error)
		return error;
	screen.tty = &vt;
	str_copy(vt.name, "tty0", sizeof(vt.name));
	vt.ops = &vt_ops;
	vt.driver = &screen;
	vt.device = device_number(TTY_MAJOR, 0);
	tty_setup(&vt);
	vt.termios.c_iflag |= IUTF8;
	vt.winsize = (struct winsize){ (unsigned short)screen.rows, (unsigned short)screen.cols,
				       (unsigned short)display->width, (unsigned short)display->height };
	error = tty_register(&vt, 0620);
	if (!error)
		error = tty_register_alias(&vt, "tty1", device_number(TTY_MAJOR, 1), 0620);
	if (!error)
		error = render_start(&screen);
	if (error)
		return error;
	log_info("tty0: %s, %u columns, %u rows", display->name, screen.cols, screen.rows);
	tty_console_offer(&vt, &vt_console);
	return 0;
}
