/*
 * Terminals as files: registry, opening and closing, /dev/tty.
 *
 * Terminals of hardware live for ever; those of ptys until the last reference. file->private is a struct tty_file, which
 * remembers the generation it was opened in: after a hang-up reads see the end and everything else fails.
 */
#include "internal.h"
#include "screen.h"

#include <linux/capability.h>
#include <linux/major.h>

struct mutex tty_mutex = MUTEX_INIT(tty_mutex);
static struct spinlock ttys_lock = SPINLOCK_INIT(ttys_lock);
static struct list ttys = LIST_INIT(ttys);

void tty_setup(struct tty *t, struct tty_rings *rings)
{
	if (rings) {
		t->out = rings->out;
		t->out_mask = TTY_OUT_SIZE - 1;
		t->out_limit = TTY_OUT_SIZE;
		t->raw = rings->raw;
		t->raw_mask = TTY_RAW_SIZE - 1;
		t->raw_limit = TTY_RAW_SIZE;
	}
	refcount_init(&t->refs, 1);
	list_init(&t->link);
	list_init(&t->input_link);
	spin_init(&t->lock);
	spin_init(&t->raw_lock);
	mutex_init(&t->write_mutex);
	wait_queue_init(&t->read_wait);
	wait_queue_init(&t->write_wait);
	file_async_init(&t->async);
	t->termios = tty_default_termios;
}

void tty_list(struct tty *t)
{
	unsigned long flags = spin_lock_irqsave(&ttys_lock);

	list_add_tail(&ttys, &t->link);
	spin_unlock_irqrestore(&ttys_lock, flags);
}

void tty_put(struct tty *t)
{
	unsigned long flags;

	if (!refcount_put(&t->refs))
		return;
	flags = spin_lock_irqsave(&ttys_lock);
	list_remove(&t->link);
	spin_unlock_irqrestore(&ttys_lock, flags);
	if (t->session)
		pid_put(t->session);
	if (t->group)
		pid_put(t->group);
	if (t->ops->release)
		t->ops->release(t);
}

struct tty *tty_get_controlling(void)
{
	struct tty *wanted = session_tty(), *t, *found = NULL;
	unsigned long flags;

	if (!wanted)
		return NULL;
	/* The pointer may be stale by now: it counts only if the list has it. */
	flags = spin_lock_irqsave(&ttys_lock);
	list_for_each(t, &ttys, link)
		if (t == wanted && refcount_get_unless_zero(&t->refs)) {
			found = t;
			break;
		}
	spin_unlock_irqrestore(&ttys_lock, flags);
	return found;
}

struct tty *tty_find_name(const char *name, size_t length)
{
	struct tty *t, *found = NULL;
	unsigned long flags = spin_lock_irqsave(&ttys_lock);

	list_for_each(t, &ttys, link)
		if (strlen(t->name) == length && !memcmp(t->name, name, length) &&
		    refcount_get_unless_zero(&t->refs)) {
			found = t;
			break;
		}
	spin_unlock_irqrestore(&ttys_lock, flags);
	return found;
}

static int open_checks(struct tty *t, struct file *f)
{
	if (t->closing)
		return -EIO;
	if (t->exclusive && !service(authority)->capable(CAP_SYS_ADMIN))
		return -EBUSY;
	return t->ops->open ? t->ops->open(t, f) : 0;
}

int tty_open_file(struct tty *t, struct file *f, bool console)
{
	struct tty_file *tf = kzalloc(sizeof(*tf), 0);
	int error;

	if (!tf) {
		tty_put(t);
		return -ENOMEM;
	}
	f->mode &= ~(FILE_SEEK | FILE_POS | FILE_PREAD);
	mutex_lock(&tty_mutex);
	error = open_checks(t, f);
	if (error) {
		mutex_unlock(&tty_mutex);
		kfree(tf);
		tty_put(t);
		return error;
	}
	t->open_count++;
	tf->tty = t;
	tf->console = console;
	tf->generation = t->generation;
	f->private = tf;
	f->ops = &tty_file_ops;
	/* /dev/console and /dev/tty0 stand for a terminal of another name: they never become somebody's. */
	if (!console && !(f->flags & O_NOCTTY) && f->inode->rdev != device_number(TTY_MAJOR, 0))
		tty_open_session(t, f);
	mutex_unlock(&tty_mutex);
	return 0;
}

/* A device node of a terminal of hardware. */
static int open_node(struct inode *inode, struct file *f)
{
	struct tty *t = device_private(f);

	(void)inode;
	tty_get(t);
	return tty_open_file(t, f, false);
}

static int open_controlling(struct inode *inode, struct file *f)
{
	struct tty *t = tty_get_controlling();

	(void)inode;
	if (!t)
		return -ENXIO;
	return tty_open_file(t, f, false);
}

static void release_file(struct file *f)
{
	struct tty_file *tf = tty_file_of(f);
	struct tty *t = tf->tty;

	file_async_set(&t->async, f, 0);
	mutex_lock(&tty_mutex);
	t->open_count--;
	if (t->ops->close)
		t->ops->close(t, f);
	if (!t->open_count)
		t->exclusive = false;
	mutex_unlock(&tty_mutex);
	kfree(tf);
	tty_put(t);
}

static long read_file(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	(void)pos;
	return tty_read_bytes(tty_file_of(f), to, io_flags & IO_NONBLOCK);
}

static long write_file(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	struct tty_file *tf = tty_file_of(f);
	int error;

	(void)pos;
	if (tty_file_dead(tf))
		return -EIO;
	if (!tf->console && (READ_ONCE(tf->tty->termios.c_lflag) & TOSTOP)) {
		error = tty_check_change(tf->tty, SIGTTOU);
		if (error)
			return error;
	}
	return tty_write_bytes(tf, from, io_flags & IO_NONBLOCK);
}

static int set_file_flags(struct file *f, unsigned int flags)
{
	file_async_set(&tty_file_of(f)->tty->async, f, flags);
	return 0;
}

const struct file_ops tty_file_ops = {
	.read = read_file,
	.write = write_file,
	.ioctl = tty_ioctl_file,
	.poll = tty_poll_file,
	.release = release_file,
	.set_flags = set_file_flags,
};

static const struct file_ops node_ops = { .open = open_node };
static const struct file_ops controlling_ops = { .open = open_controlling };

int tty_register(struct tty *t, uint32_t mode)
{
	int error = devfs_add(t->name, mode, t->device, &node_ops, t);

	if (error) {
		log_err("%s: no device node (error %d)", t->name, -error);
		return error;
	}
	tty_list(t);
	return 0;
}

int tty_register_alias(struct tty *t, const char *name, uint64_t device, uint32_t mode)
{
	return devfs_add(name, mode, device, &node_ops, t);
}

int tty_init(void)
{
	int error = tty_input_start();

	if (error)
		return error;
	error = devfs_add("tty", 0666, device_number(TTYAUX_MAJOR, 0), &controlling_ops, NULL);
	if (error)
		return error;
	session_leader_exit = tty_leader_exit;
	session_tty_info = tty_session_info;
	tty_platform_start();
	framebuffer_start();
	error = tty_screen_start();
	if (error)
		log_err("tty: no console on the screen (error %d)", -error);
	error = tty_console_start();
	if (error)
		return error;
	return pty_start();
}
