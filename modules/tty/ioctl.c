/*
 * ioctl(2) on terminals: those that every terminal answers; the rest goes to the driver.
 */
#include "internal.h"

#include <linux/capability.h>
#include <linux/tty.h>

/* Input as if typed. */
static int fake_input(struct tty *t, uintptr_t arg)
{
	uint8_t c;

	if (session_tty() != t && !service(authority)->capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (user_load_u8(arg, &c))
		return -EFAULT;
	tty_input_push(t, c, TTY_NORMAL);
	tty_input_done(t);
	return 0;
}

static long modem(struct tty *t, unsigned int cmd, uintptr_t arg)
{
	unsigned long flags;
	unsigned int now;
	uint32_t bits;

	if (!t->ops->modem_get)
		return -ENOTTY;
	if (cmd != TIOCMGET && user_load_u32(arg, &bits))
		return -EFAULT;
	flags = spin_lock_irqsave(&t->lock);
	now = t->ops->modem_get(t);
	if (cmd == TIOCMBIS)
		now |= bits;
	else if (cmd == TIOCMBIC)
		now &= ~bits;
	else if (cmd == TIOCMSET)
		now = bits;
	if (cmd != TIOCMGET && t->ops->modem_set)
		t->ops->modem_set(t, now & (TIOCM_DTR | TIOCM_RTS | TIOCM_OUT1 | TIOCM_OUT2 | TIOCM_LOOP));
	spin_unlock_irqrestore(&t->lock, flags);
	return cmd == TIOCMGET ? user_store_u32(arg, now) : 0;
}

static long count_queue(struct tty *t, bool output, uintptr_t arg)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	size_t n = !output ? tty_line_available_locked(t) : t->master_wait ? 0 : tty_output_pending(t);

	spin_unlock_irqrestore(&t->lock, flags);
	return user_store_u32(arg, (uint32_t)n);
}

static long set_discipline(struct tty *t, uintptr_t arg)
{
	uint32_t which;
	int error = tty_check_change(t, SIGTTOU);

	if (error)
		return error;
	if (user_load_u32(arg, &which))
		return -EFAULT;
	return which == N_TTY ? 0 : -EINVAL;
}

static long common_ioctl(struct tty *t, unsigned int cmd, uintptr_t arg)
{
	switch (cmd) {
	case TIOCINQ:
		return count_queue(t, false, arg);
	case TIOCOUTQ:
		return count_queue(t, true, arg);
	case TIOCEXCL:
		WRITE_ONCE(t->exclusive, true);
		return 0;
	case TIOCNXCL:
		WRITE_ONCE(t->exclusive, false);
		return 0;
	case TIOCGEXCL:
		return user_store_u32(arg, READ_ONCE(t->exclusive));
	case TIOCSTI:
		return fake_input(t, arg);
	case TIOCCONS:
		return -EPERM;		/* the kernel's output is not diverted to terminals */
	case TIOCGETD:
		return user_store_u32(arg, N_TTY);
	case TIOCSETD:
		return set_discipline(t, arg);
	case TIOCGDEV:
		return user_store_u32(arg, (uint32_t)device_encode(t->device));
	case TIOCMGET:
	case TIOCMSET:
	case TIOCMBIS:
	case TIOCMBIC:
		return modem(t, cmd, arg);
	default:
		return -ENOIOCTLCMD;
	}
}

long tty_ioctl_file(struct file *f, unsigned int cmd, uintptr_t arg)
{
	struct tty_file *tf = tty_file_of(f);
	struct tty *t = tf->tty;
	long result;

	if (tty_file_dead(tf))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	result = tty_job_ioctl(t, t, f, cmd, arg);
	if (result == -ENOIOCTLCMD && t->ops->ioctl)
		result = t->ops->ioctl(t, f, cmd, arg);
	if (result == -ENOIOCTLCMD)
		result = tty_termios_ioctl(t, cmd, arg);
	if (result == -ENOIOCTLCMD)
		result = common_ioctl(t, cmd, arg);
	return result == -ENOIOCTLCMD ? -ENOTTY : result;
}
