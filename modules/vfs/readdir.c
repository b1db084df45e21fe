/*
 * getdents, and directories whose dentries are all pinned in memory.
 *
 * Entries are collected in kernel memory and copied out at the end, so a file system may emit under locks. Pinned directories are
 * read from the newest name to the oldest, so that what is added meanwhile is not met and every reading ends: position 0 is ".", 1 "..",
 * 2 the newest name of that moment, and p > 2 the first with a cursor of at most p - 3. file->private keeps the dentry that was emitted
 * last, so that the next call goes on from there without searching.
 */
#include <gen/vfs.h>

#include <linux/fs.h>

#include "modules/vfs/internal.h"

#define DIRENT_CHUNK 32768u

struct linux_dirent64 {
	uint64_t ino;
	int64_t next;
	uint16_t length;
	uint8_t type;
	char name[];
};

struct linux_dirent {
	unsigned long ino;
	unsigned long next;
	uint16_t length;
	char name[];			/* NUL, padding, and the type in the last byte */
};

struct dirent_buffer {
	struct dir_context context;
	char *buf;
	size_t size, used;
	int64_t *last_next;		/* field of the entry before: filled with the position after it */
	bool old, too_small;
};

/* The length of an entry of either form, and the position that it tells. */
static size_t entry_length(const struct dirent_buffer *b, size_t at)
{
	const char *e = b->buf + at;

	return b->old ? ((const struct linux_dirent *)e)->length : ((const struct linux_dirent64 *)e)->length;
}

static int64_t entry_next(const struct dirent_buffer *b, size_t at)
{
	const char *e = b->buf + at;

	return b->old ? (int64_t)((const struct linux_dirent *)e)->next : ((const struct linux_dirent64 *)e)->next;
}

static bool emit_dirent(struct dir_context *c, const char *name, size_t n, uint64_t ino, unsigned int type)
{
	struct dirent_buffer *b = container_of(c, struct dirent_buffer, context);
	size_t head = b->old ? offsetof(struct linux_dirent, name) + 2 : offsetof(struct linux_dirent64, name) + 1;
	size_t length = ALIGN_UP(head + n, 8);

	if (b->last_next)
		*b->last_next = c->pos;
	if (length > b->size - b->used) {
		b->too_small = !b->used;
		return false;
	}
	if (b->old) {
		struct linux_dirent *d = (struct linux_dirent *)(b->buf + b->used);

		memset((char *)d + length - 8, 0, 8);
		d->ino = ino;
		d->length = (uint16_t)length;
		memcpy(d->name, name, n);
		d->name[n] = 0;
		((char *)d)[length - 1] = (char)type;
		b->last_next = (int64_t *)&d->next;
	} else {
		struct linux_dirent64 *d = (struct linux_dirent64 *)(b->buf + b->used);

		memset((char *)d + length - 8, 0, 8);
		d->ino = ino;
		d->length = (uint16_t)length;
		d->type = (uint8_t)type;
		memcpy(d->name, name, n);
		d->name[n] = 0;
		b->last_next = &d->next;
	}
	b->used += length;
	return true;
}

/* Stores the entries: bytes of those that user memory took, with the position behind them in *pos, or -EFAULT. */
static long store_entries(const struct dirent_buffer *b, struct uout_u8 entries, int64_t *pos)
{
	size_t n, at = 0;

	if (likely(!copy_out_u8_array(entries, (uint8_t *)b->buf, b->used)))
		return (long)b->used;
	for (; at < b->used; at += n) {
		n = entry_length(b, at);
		if (copy_to_user(entries.addr + at, b->buf + at, n))
			break;
		*pos = entry_next(b, at);
	}
	return at ? (long)at : -EFAULT;
}

/* Collects entries and stores them: bytes, or an error with the position unchanged. */
static long read_directory(struct file *f, struct dirent_buffer *b, struct uout_u8 entries)
{
	struct dir_context *c = &b->context;
	struct inode *inode = f->inode;
	bool shared = refcount_read(&f->refs) > 1;
	long error;

	if (!f->ops->readdir || !inode_is_dir(inode))
		return -ENOTDIR;
	if (shared)
		mutex_lock(&f->pos_lock);
	c->pos = f->pos;
	mutex_lock(&inode->lock);
	error = inode->flags & INODE_DEAD ? -ENOENT : f->ops->readdir(f, c);
	mutex_unlock(&inode->lock);
	if (b->last_next)
		*b->last_next = c->pos;
	if (b->used)
		error = store_entries(b, entries, &c->pos);
	else if (!error && b->too_small)
		error = -EINVAL;
	if (error >= 0)
		f->pos = c->pos;
	if (shared)
		mutex_unlock(&f->pos_lock);
	if (error >= 0)
		file_touch_atime(f);
	return error;
}

static long get_entries(int32_t fd, struct uout_u8 entries, size_t count, bool old)
{
	struct dirent_buffer b = { .context.emit = emit_dirent, .old = old };
	struct fd_ref r;
	long error = fd_get(fd, &r);

	if (error)
		return error;
	/* The count is a signed number: one below 0 has room for nothing. */
	b.size = count > INT32_MAX ? 0 : MIN(count, (size_t)DIRENT_CHUNK);
	b.buf = kmalloc(MAX(b.size, (size_t)1), 0);
	error = b.buf ? read_directory(r.file, &b, entries) : -ENOMEM;
	kfree(b.buf);
	fd_put(&r);
	return error;
}

long sys_getdents64(int32_t fd, struct uout_u8 entries, uint32_t count)
{
	return get_entries(fd, entries, count, false);
}

long sys_getdents(int32_t fd, struct uout_u8 entries, uint32_t count)
{
	return get_entries(fd, entries, count, true);
}

bool dir_emit_dots(struct file *f, struct dir_context *c)
{
	struct dentry *d = f->path.dentry;

	if (c->pos == 0) {
		if (!c->emit(c, ".", 1, d->inode->ino, dirent_type(S_IFDIR)))
			return false;
		c->pos = 1;
	}
	if (c->pos == 1) {
		struct dentry *parent = dentry_get_parent(d);
		bool room = c->emit(c, "..", 2, parent->inode->ino, dirent_type(S_IFDIR));

		dentry_put(parent);
		if (!room)
			return false;
		c->pos = 2;
	}
	return true;
}
MODAPI(dir_emit_dots);

static void set_hint(struct file *f, struct dentry *d)
{
	struct dentry *old = f->private;

	f->private = d;
	if (old)
		dentry_put(old);
}

/* The child with the greatest cursor up to this one; dir->lock is held. */
static struct rb_node *find_child(struct dentry *dir, uint64_t cursor)
{
	struct rb_node *n = dir->children.top, *found = NULL;

	while (n) {
		if (rb_entry(n, struct dentry, sibling)->cursor <= cursor) {
			found = n;
			n = n->right;
		} else {
			n = n->left;
		}
	}
	return found;
}

/* The positive child at this position or the first behind it, with a reference; null after the last. */
static struct dentry *child_from(struct dentry *dir, struct dentry *hint, int64_t pos)
{
	uint64_t cursor = pos == 2 ? UINT64_MAX : (uint64_t)pos - 3;
	struct dentry *d = NULL;
	struct rb_node *n;

	spin_lock(&dir->lock);
	if (hint && READ_ONCE(hint->parent) == dir && dentry_is_child(hint) && hint->cursor == cursor + 1)
		n = rb_prev(&hint->sibling);
	else
		n = find_child(dir, cursor);
	for (; n && !d; n = rb_prev(n)) {
		d = rb_entry(n, struct dentry, sibling);
		if (!d->inode)
			d = NULL;
	}
	if (d)
		dentry_get(d);
	spin_unlock(&dir->lock);
	return d;
}

static int pinned_readdir(struct file *f, struct dir_context *c)
{
	struct dentry *dir = f->path.dentry, *d;

	if (!dir_emit_dots(f, c))
		return 0;
	while ((d = child_from(dir, f->private, c->pos))) {
		struct inode *inode = d->inode;

		c->pos = (int64_t)d->cursor + 3;
		if (!c->emit(c, d->name, d->name_length, inode->ino, dirent_type(inode->mode))) {
			dentry_put(d);
			break;
		}
		c->pos--;
		set_hint(f, d);
	}
	return 0;
}

static int64_t pinned_seek(struct file *f, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	f->pos = offset;
	return offset;
}

static void pinned_release(struct file *f)
{
	set_hint(f, NULL);
}

static int pinned_fsync(struct file *f, uint64_t start, uint64_t end, bool data_only)
{
	(void)f;
	(void)start;
	(void)end;
	(void)data_only;
	return 0;
}

const struct file_ops pinned_dir_ops = {
	.readdir = pinned_readdir,
	.seek = pinned_seek,
	.release = pinned_release,
	.fsync = pinned_fsync,
};
MODAPI(pinned_dir_ops);
