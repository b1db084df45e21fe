/*
 * Pseudo terminals: a terminal whose line is a file, the master behind /dev/ptmx.
 *
 * The slave is an ordinary struct tty: what it puts out waits in its queue until the master reads it, what the master writes goes into its raw
 * queue. The master file holds a reference of the slave; when it is closed the slave hangs up and can no more be opened. `table` finds slaves by number,
 * under table_lock, and holds no reference: an entry goes before the memory does.
 */
#include "internal.h"

#include <linux/tty.h>

#include "core/mem/vmap.h"

/* What the queues hold when nobody reads, as on Linux: 11,776 bytes to the master, and back 15,360 with the 4,095 of the line buffer. */
#define OUT_RING  16384u
#define OUT_LIMIT (11776u + TTY_OUT_RESERVE + 7)
#define RAW_RING  16384u
#define RAW_LIMIT (15360u - 4095)

struct pty {
	struct tty slave;
	uint8_t out[OUT_RING];
	uint16_t raw[RAW_RING];
	struct wait_queue master_wait;
	unsigned int index;
	bool locked;			/* TIOCSPTLCK: the slave cannot be opened yet */
	bool slave_closed;		/* it was open and no more is */
};

static struct pty *table[PTY_MAX];
static struct spinlock table_lock = SPINLOCK_INIT(table_lock);

static struct pty *pty_of(struct tty *t) { return t->driver; }

static void slave_start(struct tty *t)
{
	poll_wake(t->master_wait, POLL_IN_SET);
}

static void slave_throttle(struct tty *t, bool on)
{
	if (!on)
		poll_wake(t->master_wait, POLL_OUT_SET);
}

static int slave_open(struct tty *t, struct file *f)
{
	struct pty *p = pty_of(t);

	(void)f;
	if (READ_ONCE(p->locked))
		return -EIO;
	WRITE_ONCE(p->slave_closed, false);
	return 0;
}

/* tty_mutex held. */
static void slave_close(struct tty *t, struct file *f)
{
	struct pty *p = pty_of(t);

	(void)f;
	if (t->open_count)
		return;
	WRITE_ONCE(p->slave_closed, true);
	wait_queue_wake(&p->master_wait, ~0u, POLL_IN_SET | EPOLLHUP);
}

static void slave_release(struct tty *t)
{
	kvfree(pty_of(t));
}

static const struct tty_ops slave_ops = {
	.start = slave_start,
	.throttle = slave_throttle,
	.open = slave_open,
	.close = slave_close,
	.release = slave_release,
};

static int slave_node_open(struct inode *inode, struct file *f)
{
	unsigned int index = device_minor(inode->rdev);
	unsigned long flags = spin_lock_irqsave(&table_lock);
	struct pty *p = index < PTY_MAX ? table[index] : NULL;

	if (p && !refcount_get_unless_zero(&p->slave.refs))
		p = NULL;
	spin_unlock_irqrestore(&table_lock, flags);
	return p ? tty_open_file(&p->slave, f, false) : -EIO;
}

static const struct file_ops slave_node_ops = { .open = slave_node_open };

static int claim_index(struct pty *p)
{
	unsigned long flags = spin_lock_irqsave(&table_lock);
	int error = -ENOSPC;

	for (unsigned int i = 0; i < PTY_MAX && pty_count < READ_ONCE(pty_max); i++)
		if (!table[i]) {
			table[i] = p;
			p->index = i;
			WRITE_ONCE(pty_count, pty_count + 1);
			error = 0;
			break;
		}
	spin_unlock_irqrestore(&table_lock, flags);
	return error;
}

static void release_index(struct pty *p)
{
	unsigned long flags = spin_lock_irqsave(&table_lock);

	table[p->index] = NULL;
	WRITE_ONCE(pty_count, pty_count - 1);
	spin_unlock_irqrestore(&table_lock, flags);
}

static int master_open(struct inode *inode, struct file *f)
{
	struct pty *p = kvmalloc(sizeof(*p), ALLOC_ZERO);
	int error;

	(void)inode;
	if (!p)
		return -ENOMEM;
	error = claim_index(p);
	if (error) {
		kvfree(p);
		return error;
	}
	wait_queue_init(&p->master_wait);
	p->locked = true;
	tty_setup(&p->slave, NULL);
	p->slave.out = p->out;
	p->slave.out_mask = OUT_RING - 1;
	p->slave.out_limit = OUT_LIMIT;
	p->slave.raw = p->raw;
	p->slave.raw_mask = RAW_RING - 1;
	p->slave.raw_limit = RAW_LIMIT;
	p->slave.termios.c_cflag &= ~(tcflag_t)HUPCL;
	p->slave.ops = &slave_ops;
	p->slave.driver = p;
	p->slave.master_wait = &p->master_wait;
	p->slave.device = device_number(PTY_SLAVE_MAJOR, p->index);
	snprintf(p->slave.name, sizeof(p->slave.name), "pts/%u", p->index);
	tty_list(&p->slave);
	error = devpts_add(p->index);
	if (error) {
		release_index(p);
		tty_put(&p->slave);
		return error;
	}
	f->mode &= ~(FILE_SEEK | FILE_POS | FILE_PREAD);
	f->private = p;
	f->ops = &ptmx_ops;
	return 0;
}

static void master_release(struct file *f)
{
	struct pty *p = f->private;
	unsigned long flags;

	devpts_remove(p->index);
	mutex_lock(&tty_mutex);
	flags = spin_lock_irqsave(&p->slave.lock);
	p->slave.closing = true;
	p->slave.packet = false;
	spin_unlock_irqrestore(&p->slave.lock, flags);
	tty_hangup_locked(&p->slave);
	mutex_unlock(&tty_mutex);
	release_index(p);
	tty_put(&p->slave);
}

static bool readable(struct pty *p)
{
	struct tty *t = &p->slave;

	return (tty_output_pending(t) && !t->stopped) || (t->packet && t->packet_status);
}

/* What the master gets now: at most n bytes; in packet mode behind a byte of status. */
static size_t take(struct pty *p, uint8_t *buf, size_t n)
{
	struct tty *t = &p->slave;
	unsigned long flags = spin_lock_irqsave(&t->lock);
	size_t taken;

	if (t->packet && t->packet_status) {
		buf[0] = t->packet_status;
		t->packet_status = 0;
		taken = 1;
	} else if (t->packet) {
		taken = tty_output_take(t, buf + 1, n - 1);
		buf[0] = TIOCPKT_DATA;
		if (taken || (n == 1 && readable(p)))
			taken++;
	} else {
		taken = tty_output_take(t, buf, n);
	}
	spin_unlock_irqrestore(&t->lock, flags);
	return taken;
}

static long master_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct pty *p = f->private;
	size_t n = MIN(to->count, (size_t)OUT_LIMIT), taken;
	uint8_t small[256], *buf = small;
	long result = 0;

	(void)pos;
	if (!n)
		return 0;
	if (n > sizeof(small)) {
		buf = kmalloc(n, 0);
		if (!buf)
			return -ENOMEM;
	}
	while (!(taken = take(p, buf, n))) {
		/* Looked at before the queue, so that the last words of a slave are not lost. */
		if (READ_ONCE(p->slave_closed)) {
			taken = take(p, buf, n);
			if (!taken)
				result = -EIO;
			break;
		}
		result = io_flags & IO_NONBLOCK ? -EAGAIN :
			 wait_event(&p->master_wait, readable(p) || p->slave_closed, WAIT_INTERRUPTIBLE, TIME_NEVER);
		if (result == -EINTR)
			result = -ERESTARTSYS;
		if (result)
			break;
	}
	if (taken) {
		result = io_iter_write(to, buf, taken) == taken ? (long)taken : -EFAULT;
	}
	if (buf != small)
		kfree(buf);
	return result;
}

/* Into the slave's raw queue, waiting for room. *done counts. */
static long put(struct pty *p, const uint8_t *buf, size_t n, bool nonblock, long *done)
{
	struct tty *t = &p->slave;
	long error;

	for (;;) {
		while (n && tty_input_push(t, *buf, TTY_NORMAL)) {
			buf++;
			n--;
			(*done)++;
		}
		tty_input_done(t);
		if (!n)
			return 0;
		if (nonblock)
			return -EAGAIN;
		error = wait_event(&p->master_wait, tty_input_room(t) >= RAW_LIMIT / 2, WAIT_INTERRUPTIBLE, TIME_NEVER);
		if (error)
			return error == -EINTR ? -ERESTARTSYS : error;
	}
}

static long master_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	struct pty *p = f->private;
	uint8_t chunk[256];
	long done = 0, error = 0;

	(void)pos;
	while (from->count && !error) {
		size_t n = io_iter_read(from, chunk, MIN(from->count, sizeof(chunk)));

		error = n ? put(p, chunk, n, io_flags & IO_NONBLOCK, &done) : -EFAULT;
	}
	return done ? done : error;
}

static unsigned int master_poll(struct file *f, struct poll_table *table_of)
{
	struct pty *p = f->private;
	unsigned int events = 0;
	unsigned long flags;

	poll_wait(table_of, f, &p->master_wait);
	flags = spin_lock_irqsave(&p->slave.lock);
	if (readable(p))
		events |= POLL_IN_SET;
	if (p->slave.packet && p->slave.packet_status)
		events |= EPOLLPRI;
	if (p->slave_closed)
		events |= EPOLLHUP;
	if (tty_input_room(&p->slave) >= RAW_LIMIT / 2)
		events |= POLL_OUT_SET;
	spin_unlock_irqrestore(&p->slave.lock, flags);
	return events;
}

static int set_packet(struct pty *p, uintptr_t arg)
{
	unsigned long flags;
	uint32_t on;

	if (user_load_u32(arg, &on))
		return -EFAULT;
	flags = spin_lock_irqsave(&p->slave.lock);
	p->slave.packet = on;
	p->slave.packet_status = 0;
	spin_unlock_irqrestore(&p->slave.lock, flags);
	return 0;
}

/* Opens the slave by its name, or without one if devpts is not where it is expected. */
static long open_peer(struct pty *p, unsigned int flags)
{
	struct file *f = NULL;
	char name[32];
	int error, fd;

	snprintf(name, sizeof(name), "/dev/pts/%u", p->index);
	error = file_open(name, flags & ~(unsigned int)O_CREAT, 0, &f);
	if (!error && f->inode->rdev != p->slave.device) {
		file_put(f);
		error = -ENXIO;
	}
	if (error)
		error = file_open_device(S_IFCHR | 0600, p->slave.device, flags, &f);
	if (error)
		return error;
	fd = fd_install(f, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

static long send_signal(struct pty *p, int sig)
{
	if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
		return -EINVAL;
	tty_signal_foreground(&p->slave, sig);
	return 0;
}

static long flush_master(struct pty *p, uintptr_t arg)
{
	unsigned long flags;

	if (arg > TCIOFLUSH)
		return -EINVAL;
	if (arg != TCOFLUSH) {
		bool packet;

		/* Nothing that the master does is reported to it. */
		flags = spin_lock_irqsave(&p->slave.lock);
		packet = p->slave.packet;
		p->slave.packet = false;
		tty_output_flush_locked(&p->slave);
		p->slave.packet = packet;
		spin_unlock_irqrestore(&p->slave.lock, flags);
	}
	if (arg != TCIFLUSH)
		tty_input_flush(&p->slave);
	return 0;
}

static long lock_slave(struct pty *p, uintptr_t arg)
{
	uint32_t on;

	if (user_load_u32(arg, &on))
		return -EFAULT;
	WRITE_ONCE(p->locked, on != 0);
	return 0;
}

static long master_ioctl(struct file *f, unsigned int cmd, uintptr_t arg)
{
	struct pty *p = f->private;
	struct tty *slave = &p->slave;
	long result;

	switch (cmd) {
	case TIOCGPTN:
		return user_store_u32(arg, p->index);
	case TIOCSPTLCK:
		return lock_slave(p, arg);
	case TIOCGPTLCK:
		return user_store_u32(arg, p->locked);
	case TIOCPKT:
		return set_packet(p, arg);
	case TIOCGPKT:
		return user_store_u32(arg, slave->packet);
	case TIOCGPTPEER:
		return open_peer(p, (unsigned int)arg);
	case TIOCSIG:
		return send_signal(p, (int)arg);
	case TIOCINQ:
		return user_store_u32(arg, (uint32_t)MIN(tty_output_pending(slave), (size_t)TTY_READ_SIZE - 1));
	case TIOCOUTQ:
		return user_store_u32(arg, 0);	/* given away */
	case TCFLSH:
		return flush_master(p, arg);
	case TIOCGETD:
		return user_store_u32(arg, N_TTY);
	case TIOCGDEV:
		return user_store_u32(arg, (uint32_t)device_encode(slave->device));
	default:
		break;
	}
	result = tty_job_ioctl(NULL, slave, f, cmd, arg);
	if (result == -ENOIOCTLCMD)
		result = tty_termios_ioctl(slave, cmd, arg);
	return result == -ENOIOCTLCMD ? -ENOTTY : result;
}

const struct file_ops ptmx_ops = {
	.open = master_open,
	.read = master_read,
	.write = master_write,
	.ioctl = master_ioctl,
	.poll = master_poll,
	.release = master_release,
};

int pty_start(void)
{
	int error = devpts_start();

	if (!error)
		error = device_register(PTY_SLAVE_MAJOR, 0, PTY_MAX, "pts", &slave_node_ops, NULL);
	if (!error)
		error = devfs_add("ptmx", 0666, PTMX_DEVICE, &ptmx_ops, NULL);
	return error;
}
