/*
 * /dev/kmsg: the log's records for readers, one each read, and lines from user space for the log. Each open file keeps the number of
 * the record that it reads next, under its pos_lock or alone.
 */
#include <linux/capability.h>
#include <linux/fs.h>

#include "core/debug/log.h"
#include "core/time/clock.h"
#include "modules/devfs/internal.h"

struct kmsg_reader {
	struct mutex lock;
	uint64_t next;
	struct log_record record;
	char text[2048];
};

static int kmsg_open(struct inode *inode, struct file *f)
{
	struct kmsg_reader *r;

	f->mode &= ~(unsigned int)(FILE_POS | FILE_PREAD);
	f->private = NULL;
	if (!(f->mode & FILE_READ))
		return 0;
	if (READ_ONCE(log_restricted) && !service(authority)->capable(CAP_SYSLOG) &&
	    !service(authority)->capable(CAP_SYS_ADMIN))
		return -EPERM;
	r = kzalloc(sizeof(*r), 0);
	if (!r)
		return -ENOMEM;
	mutex_init(&r->lock);
	r->next = log_first();
	f->private = r;
	return 0;
}

static void kmsg_release(struct file *f)
{
	kfree(f->private);
}

/* "level,sequence,microseconds,-;text" with control characters as \xNN. Length. */
static size_t format_record(struct kmsg_reader *r)
{
	size_t n = (size_t)snprintf(r->text, sizeof(r->text), "%u,%llu,%llu,-;", (unsigned int)r->record.level,
				    (unsigned long long)r->record.sequence,
				    (unsigned long long)(r->record.time_ns / NSEC_PER_USEC));

	for (unsigned int i = 0; i < r->record.length && n + 6 < sizeof(r->text); i++) {
		unsigned char c = (unsigned char)r->record.text[i];

		if (c == '\n' && i + 1 == r->record.length)
			break;
		if (c < ' ' || c >= 127 || c == '\\')
			n += (size_t)snprintf(r->text + n, sizeof(r->text) - n, "\\x%02x", c);
		else
			r->text[n++] = (char)c;
	}
	r->text[n++] = '\n';
	return n;
}

static long kmsg_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct kmsg_reader *r = f->private;
	long result;
	size_t n;

	for (;;) {
		uint64_t before;
		int error;

		mutex_lock(&r->lock);
		before = r->next;
		if (before < log_first()) {
			r->next = log_first();
			mutex_unlock(&r->lock);
			return -EPIPE;
		}
		if (log_read(&r->next, &r->record))
			break;
		mutex_unlock(&r->lock);
		if (io_flags & IO_NONBLOCK)
			return -EAGAIN;
		error = wait_event(&log_wait, log_next() > before, WAIT_INTERRUPTIBLE, TIME_NEVER);
		if (error)
			return error == -EINTR ? -ERESTARTSYS : error;
	}
	n = format_record(r);
	if (n > to->count) {
		r->next = r->record.sequence;
		result = -EINVAL;
	} else {
		result = io_iter_write(to, r->text, n) == n ? (long)n : -EFAULT;
	}
	mutex_unlock(&r->lock);
	return result;
}

static long kmsg_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	char line[1024], *text = line;
	size_t n = from->count;
	unsigned int level = (unsigned int)READ_ONCE(log_levels[LOG_OF_MESSAGE]) & 7;

	if (n >= sizeof(line))
		return -EINVAL;
	if (io_iter_read(from, line, n) != n)
		return -EFAULT;
	line[n] = 0;
	if (line[0] == '<') {
		unsigned int number = 0;
		char *p = line + 1;

		while (*p >= '0' && *p <= '9' && number < 100000)
			number = number * 10 + (unsigned int)(*p++ - '0');
		if (*p == '>' && p > line + 1) {
			level = number & 7;
			text = p + 1;
		}
	}
	log_printf((enum log_level)level, "%s", text);
	return (long)n;
}

static int64_t kmsg_seek(struct file *f, int64_t offset, int whence)
{
	struct kmsg_reader *r = f->private;

	if (!r)
		return -EBADF;
	if (offset)
		return -ESPIPE;
	mutex_lock(&r->lock);
	if (whence == SEEK_END)
		r->next = log_next();
	else
		r->next = log_first();
	mutex_unlock(&r->lock);
	return whence == SEEK_SET || whence == SEEK_END || whence == SEEK_DATA ? 0 : -EINVAL;
}

static unsigned int kmsg_poll(struct file *f, struct poll_table *table)
{
	struct kmsg_reader *r = f->private;

	if (!r)
		return POLL_OUT_SET;
	poll_wait(table, f, &log_wait);
	return POLL_OUT_SET | (log_next() > READ_ONCE(r->next) ? POLL_IN_SET : 0);
}

const struct file_ops kmsg_ops = {
	.open = kmsg_open,
	.read = kmsg_read,
	.write = kmsg_write,
	.seek = kmsg_seek,
	.poll = kmsg_poll,
	.release = kmsg_release,
};
