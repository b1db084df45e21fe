/*
 * Files of generated text. Each open file has a buffer under a mutex of its own.
 */
#include "core/mem/vmap.h"
#include "modules/vfs/internal.h"
#include "modules/vfs/text_file.h"

#define TEXT_FIRST 1024u
#define TEXT_MAX   (64u << 20)
#define STORE_MAX  (16u * 4096u)

struct text_state {
	struct mutex lock;
	const struct text_file_type *type;
	void *arg;
	struct text_out text;
	bool made;
	uint64_t seen;			/* generation that poll told last, or that of the opening */
};

/* Makes room for n more bytes. */
static bool grow(struct text_out *t, size_t n)
{
	size_t size = MAX(t->size, (size_t)TEXT_FIRST);
	char *buf;

	if (t->error)
		return false;
	if (n <= t->size - t->used)
		return true;
	while (size - t->used < n && size < TEXT_MAX)
		size *= 2;
	buf = size - t->used >= n ? kvmalloc(size, 0) : NULL;
	if (!buf) {
		t->error = -ENOMEM;
		return false;
	}
	if (t->used)
		memcpy(buf, t->buf, t->used);
	kvfree(t->buf);
	t->buf = buf;
	t->size = size;
	return true;
}

void text_add(struct text_out *t, const void *data, size_t n)
{
	if (!grow(t, n))
		return;
	memcpy(t->buf + t->used, data, n);
	t->used += n;
}
MODAPI(text_add);

void text_printf(struct text_out *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!grow(t, 128))
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->used, t->size - t->used, fmt, ap);
	va_end(ap);
	if ((size_t)n >= t->size - t->used) {
		if (!grow(t, (size_t)n + 1))
			return;
		va_start(ap, fmt);
		vsnprintf(t->buf + t->used, t->size - t->used, fmt, ap);
		va_end(ap);
	}
	t->used += (size_t)n;
}
MODAPI(text_printf);

static void add_replaced(struct text_out *t, const char *text, const char *newline, const char *backslash)
{
	for (size_t n; *text; text++) {
		for (n = 0; text[n] && text[n] != '\n' && text[n] != '\\'; n++)
			;
		text_add(t, text, n);
		text += n;
		if (!*text)
			return;
		text_printf(t, "%s", *text == '\n' ? newline : backslash);
	}
}

void text_add_name(struct text_out *t, const char *name)
{
	add_replaced(t, name, "\\n", "\\\\");
}
MODAPI(text_add_name);

void text_add_path(struct text_out *t, const char *path)
{
	add_replaced(t, path, "\\012", "\\");
}
MODAPI(text_add_path);

static int make_text(struct text_state *s)
{
	int error;

	s->text.used = 0;
	s->text.error = 0;
	error = s->type->show(&s->text, s->arg);
	s->made = !error && !s->text.error;
	return error ? error : s->text.error;
}

static long text_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct text_state *s = f->private;
	size_t n, done = 0;
	int error = 0;

	if (!s->type->show)
		return -EIO;
	mutex_lock(&s->lock);
	if (*pos == 0 || !s->made)
		error = make_text(s);
	if (!error && (uint64_t)*pos < s->text.used) {
		n = MIN(s->text.used - (size_t)*pos, to->count);
		done = io_iter_write(to, s->text.buf + *pos, n);
		*pos += (int64_t)done;
		if (!done && n)
			error = -EFAULT;
	}
	mutex_unlock(&s->lock);
	return error ? error : (long)done;
}

static long text_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	struct text_state *s = f->private;
	size_t n = MIN(from->count, (size_t)STORE_MAX);
	char *buf;
	long result;

	if (!s->type->store)
		return -EINVAL;
	buf = kvmalloc(n + 1, 0);
	if (!buf)
		return -ENOMEM;
	if (io_iter_read(from, buf, n) != n) {
		result = -EFAULT;
	} else {
		buf[n] = 0;
		result = s->type->store(buf, n, s->arg);
		if (result > 0)
			*pos += result;
	}
	kvfree(buf);
	return result;
}

static unsigned int text_poll(struct file *f, struct poll_table *table)
{
	struct text_state *s = f->private;
	unsigned int mask = POLL_IN_SET | POLL_OUT_SET;
	uint64_t now;

	if (!s->type->wait)
		return mask;
	poll_wait(table, f, s->type->wait);
	now = s->type->generation();
	if (__atomic_exchange_n(&s->seen, now, __ATOMIC_ACQ_REL) != now)
		mask |= EPOLLERR | EPOLLPRI;
	return mask;
}

static void text_release(struct file *f)
{
	struct text_state *s = f->private;

	kvfree(s->text.buf);
	if (s->type->close)
		s->type->close(s->arg);
	kfree(s);
}

static int64_t text_seek(struct file *f, int64_t offset, int whence)
{
	if (whence == 1)
		offset += f->pos;
	else if (whence != 0)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	f->pos = offset;
	return offset;
}

static uint64_t text_memory(const struct file *f)
{
	return READ_ONCE(((const struct text_state *)f->private)->text.size);
}

/* Without poll: poll(2) finds such a file ready, epoll refuses it. */
static const struct file_ops plain_ops = {
	.read = text_read, .write = text_write, .release = text_release, .seek = text_seek,
	.memory = text_memory,
};

static const struct file_ops polled_ops = {
	.read = text_read, .write = text_write, .poll = text_poll, .release = text_release, .seek = text_seek,
	.memory = text_memory,
};

int text_file_open(struct file *f, const struct text_file_type *type, void *arg, bool pollable)
{
	struct text_state *s;

	if ((f->mode & FILE_WRITE) && !type->store)
		return -EACCES;
	s = kzalloc(sizeof(*s), 0);
	if (!s)
		return -ENOMEM;
	mutex_init(&s->lock);
	s->type = type;
	s->arg = arg;
	if (type->generation)
		s->seen = type->generation();
	f->private = s;
	f->ops = type->wait || pollable ? &polled_ops : &plain_ops;
	return 0;
}
MODAPI(text_file_open);
