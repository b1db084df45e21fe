/*
 * ioctl(2) on virtual terminals: who may do what, and the calls that are neither about switching
 * (vt_switch.c) nor about key maps (keymap_ioctl.c). There is no speaker, no changing of fonts and
 * no selection: sounds are not heard, the others are refused.
 */
#include "internal.h"
#include "keyboard.h"
#include "vt.h"

#include <linux/capability.h>
#include <linux/kd.h>
#include <linux/tiocl.h>

#define TIOCL_GETBLANKED 15		/* TIOCL_BLANKEDSCREEN */

static unsigned int log_number;

unsigned int vt_log_number(void)
{
	return READ_ONCE(log_number);
}

/* What is shown is the whole display: other sizes cannot be had. */
static long resize(struct vt *v, unsigned int cmd, uintptr_t arg)
{
	uint16_t size[2];		/* rows, columns: both structures begin so */

	if (copy_from_user(size, arg, sizeof(size)))
		return -EFAULT;
	if (cmd == VT_RESIZEX && !size[0])
		size[0] = (uint16_t)v->screen.rows;
	if (cmd == VT_RESIZEX && !size[1])
		size[1] = (uint16_t)v->screen.cols;
	return size[0] == v->screen.rows && size[1] == v->screen.cols ? 0 : -EINVAL;
}

static long redirect_log(uintptr_t arg)
{
	uint8_t number;

	if (!service(authority)->capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (user_load_u8(arg + 1, &number))
		return -EFAULT;
	if (number > MAX_NR_CONSOLES)
		number = 0;
	WRITE_ONCE(log_number, number);
	return 0;
}

static long scroll_console(struct vt *v, uintptr_t arg)
{
	uint32_t lines;

	if (user_load_u32(arg + 4, &lines))
		return -EFAULT;
	/* 0: half a screen back is for the keys; here it means the end. */
	vt_scroll(v, lines ? -(int)MAX(MIN((int32_t)lines, 1 << 16), -(1 << 16)) : -(1 << 16));
	return 0;
}

static long tioclinux(struct vt *v, uintptr_t arg)
{
	uint8_t what;

	if (session_tty() != &v->tty && !service(authority)->capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (user_load_u8(arg, &what))
		return -EFAULT;
	switch (what) {
	case TIOCL_GETSHIFTSTATE:
		return user_store_u8(arg, (uint8_t)keyboard_shift_state());
	case TIOCL_GETMOUSEREPORTING:
		return user_store_u8(arg, 0);
	case TIOCL_GETKMSGREDIRECT:
		return user_store_u8(arg, (uint8_t)vt_log_number());
	case TIOCL_SETKMSGREDIRECT:
		return redirect_log(arg);
	case TIOCL_GETFGCONSOLE:
		return (long)vt_shown();
	case TIOCL_SCROLLCONSOLE:
		return scroll_console(v, arg);
	case TIOCL_UNBLANKSCREEN:
	case TIOCL_GETBLANKED:
		return 0;		/* it is never blank */
	default:
		return -EINVAL;
	}
}

long vt_ioctl(struct tty *t, struct file *f, unsigned int cmd, uintptr_t arg)
{
	struct vt *v = vt_of(t);
	bool may = session_tty() == t || service(authority)->capable(CAP_SYS_TTY_CONFIG);
	long result;

	(void)f;
	switch (cmd) {
	case TIOCLINUX:
		return tioclinux(v, arg);
	case KIOCSOUND:
	case KDMKTONE:
		return may ? 0 : -EPERM;
	case KDGKBTYPE:
		return user_store_u8(arg, KB_101);
	case KDMAPDISP:
	case KDUNMAPDISP:
		return -EINVAL;
	case KDFONTOP:
		return -ENOSYS;
	case VT_RESIZE:
	case VT_RESIZEX:
		return may ? resize(v, cmd, arg) : -EPERM;
	default:
		break;
	}
	result = vt_switch_ioctl(v, cmd, arg, may);
	return result == -ENOIOCTLCMD ? keymap_ioctl(v, cmd, arg, may) : result;
}
