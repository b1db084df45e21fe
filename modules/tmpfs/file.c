/*
 * Contents of files: reading, writing, holes, preallocation, mapping, seals.
 *
 * Writers and everything that changes the size hold inode->lock; readers and page faults hold nothing: they see each page and the
 * size as they are at that moment. A page that is missing is made by the object's fill, from the archive or as zeroes. What fallocate
 * took and nobody has used yet (PAGE_AHEAD) counts as blocks, and as a hole.
 */
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "modules/tmpfs/internal.h"

void tmpfs_account(struct tmpfs_inode *ti)
{
	struct tmpfs_super *ts = tmpfs_super_of(ti->super);

	spin_lock(&ts->lock);
	ts->used_pages += READ_ONCE(ti->object.pages) - ti->accounted;
	ti->accounted = READ_ONCE(ti->object.pages);
	spin_unlock(&ts->lock);
}

/* Counts one page more, that is about to be the object's; false: the super block has no room. Two faults at once may pass by one page each. */
static bool take_page(struct tmpfs_inode *ti)
{
	struct tmpfs_super *ts = tmpfs_super_of(ti->super);
	bool room;

	tmpfs_account(ti);
	spin_lock(&ts->lock);
	room = !ts->max_pages || ts->used_pages < ts->max_pages;
	if (room) {
		ts->used_pages++;
		ti->accounted++;
	}
	spin_unlock(&ts->lock);
	return room;
}

static int object_fill(struct memobj *o, uint64_t index, struct page *page)
{
	struct tmpfs_inode *ti = container_of(o, struct tmpfs_inode, object);
	uint64_t at = index << PAGE_SHIFT, end = READ_ONCE(ti->source_size);

	/* What the archives hold has room always: a program there must not fail because /tmp is full. */
	if (at >= end && !take_page(ti))
		return -ENOSPC;
	if (at < end)
		memcpy(page_address(page), (const char *)ti->source + at, MIN(end - at, PAGE_SIZE));
	return 0;
}

static void object_release(struct memobj *o)
{
	struct tmpfs_inode *ti = container_of(o, struct tmpfs_inode, object);

	tmpfs_account(ti);
	kfree(ti->name);
	kfree(ti);
}

static void object_dirty(struct memobj *o)
{
	struct tmpfs_inode *ti = container_of(o, struct tmpfs_inode, object);

	/* The mapping holds the file, and so the inode. */
	if (ti->inode)
		inode_touch(ti->inode, TOUCH_MTIME | TOUCH_CTIME);
}

const struct memobj_ops tmpfs_object_ops = {
	.fill = object_fill,
	.release = object_release,
	.made_dirty = object_dirty,
};

/* n bytes of one page at `at`, whether it is there or not. Bytes copied. */
static size_t read_page(struct tmpfs_inode *ti, uint64_t at, size_t n, struct io_iter *to)
{
	struct page *page = memobj_lookup(&ti->object, at >> PAGE_SHIFT);
	size_t copied, part = 0;

	if (page) {
		copied = io_iter_write(to, (char *)page_address(page) + (at & PAGE_MASK), n);
		page_put(page);
		return copied;
	}
	if (at < READ_ONCE(ti->source_size)) {
		part = MIN(n, ti->source_size - at);
		copied = io_iter_write(to, (const char *)ti->source + at, part);
		if (copied < part)
			return copied;
	}
	return part < n ? part + io_iter_zero(to, n - part) : part;
}

static long tmpfs_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(f->inode);
	long total = 0;

	while (to->count) {
		uint64_t at = (uint64_t)*pos, size = READ_ONCE(ti->object.size);
		size_t n, copied;

		if (at >= size)
			break;
		n = MIN(MIN(PAGE_SIZE - (at & PAGE_MASK), to->count), size - at);
		copied = read_page(ti, at, n, to);
		*pos += (int64_t)copied;
		total += (long)copied;
		if (copied < n) {
			if (!total)
				return -EFAULT;
			break;
		}
	}
	file_touch_atime(f);
	return total;
}

/* Copies into one page at `at`: bytes, or an error. */
static long write_page(struct tmpfs_inode *ti, uint64_t at, size_t n, struct io_iter *from)
{
	struct page *page;
	size_t copied;
	int error = memobj_page_beyond(&ti->object, at >> PAGE_SHIFT, &page);

	if (error)
		return error;
	copied = io_iter_read(from, (char *)page_address(page) + (at & PAGE_MASK), n);
	page_put(page);
	return copied ? (long)copied : -EFAULT;
}

static long write_locked(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(f->inode);
	uint64_t at = io_flags & IO_APPEND ? ti->object.size : (uint64_t)*pos;
	size_t left = from->count;
	long total = 0, n = file_check_limit(f, at, &left);

	if (n)
		return n;
	if (ti->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if ((ti->seals & F_SEAL_GROW) && at + left > ti->object.size) {
		if (at >= ti->object.size)
			return -EPERM;
		left = ti->object.size - at;
	}
	inode_drop_privileges(f->inode);
	while (left) {
		size_t part = MIN(PAGE_SIZE - (at & PAGE_MASK), left);

		n = write_page(ti, at, part, from);
		if (n <= 0)
			break;
		at += (uint64_t)n;
		total += n;
		left -= (size_t)n;
		if (at > ti->object.size)
			WRITE_ONCE(ti->object.size, at);
		if ((size_t)n < part)
			break;
	}
	if (total) {
		*pos = (int64_t)at;
		inode_touch(f->inode, TOUCH_MTIME | TOUCH_CTIME);
	}
	return total ? total : n;
}

static long tmpfs_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	long n;

	if (!from->count)
		return 0;
	mutex_lock(&f->inode->lock);
	n = write_locked(f, from, pos, io_flags);
	mutex_unlock(&f->inode->lock);
	return n;
}

/* Gives every page of the archive that is not in memory yet a page of its own: holes may be cut afterwards. */
static int detach_source(struct tmpfs_inode *ti)
{
	uint64_t pages = DIV_UP(ti->source_size, PAGE_SIZE);

	for (uint64_t i = 0; i < pages; i++) {
		struct page *page;
		int error = memobj_page_beyond(&ti->object, i, &page);

		if (error)
			return error;
		page_put(page);
	}
	WRITE_ONCE(ti->source_size, 0);
	return 0;
}

static int zero_part(struct tmpfs_inode *ti, uint64_t start, uint64_t end)
{
	struct page *page = start < end ? memobj_lookup(&ti->object, start >> PAGE_SHIFT) : NULL;

	if (page) {
		memset((char *)page_address(page) + (start & PAGE_MASK), 0, end - start);
		page_put(page);
	}
	return 0;
}

static int punch_hole(struct tmpfs_inode *ti, uint64_t start, uint64_t end)
{
	uint64_t first = DIV_UP(start, PAGE_SIZE), last = end >> PAGE_SHIFT;
	int error = ti->source_size > start ? detach_source(ti) : 0;

	if (error)
		return error;
	if (first > last) {
		zero_part(ti, start, end);
		return 0;
	}
	zero_part(ti, start, MIN(end, first << PAGE_SHIFT));
	zero_part(ti, MAX(start, last << PAGE_SHIFT), end);
	if (first < last)
		memobj_drop(&ti->object, first, last, true);
	tmpfs_account(ti);
	return 0;
}

/* Makes all pages of the range present, or takes back those that it made and nobody has used meanwhile. */
static int preallocate(struct file *f, uint64_t start, uint64_t end, bool keep_size)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(f->inode);
	struct tmpfs_super *ts = tmpfs_super_of(ti->super);
	uint64_t first = start >> PAGE_SHIFT, last = DIV_UP(end, PAGE_SIZE);
	size_t n = end - start;
	int error = 0;

	/* What is kept beyond the end counts as if the file grew. */
	if (end > ti->object.size) {
		error = file_check_limit(f, start, &n);
		if (error || n < end - start)
			return error ? error : -EFBIG;
		if (ti->seals & F_SEAL_GROW)
			return -EPERM;
	}
	if (ts->max_pages && last - first > ts->max_pages)
		return -ENOSPC;
	for (uint64_t i = first; i < last; i++) {
		error = memobj_take_ahead(&ti->object, i);
		if (error >= 0)
			error = wait_interrupted(WAIT_INTERRUPTIBLE);
		if (error) {
			memobj_drop_ahead(&ti->object, first, i + 1);
			tmpfs_account(ti);
			return error;
		}
	}
	if (!keep_size && end > ti->object.size)
		WRITE_ONCE(ti->object.size, end);
	return 0;
}

static int tmpfs_fallocate(struct file *f, int mode, uint64_t offset, uint64_t length)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(f->inode);
	int error;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	mutex_lock(&f->inode->lock);
	if (mode & FALLOC_FL_PUNCH_HOLE)
		error = ti->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
				? -EPERM : punch_hole(ti, offset, offset + length);
	else
		error = preallocate(f, offset, offset + length, mode & FALLOC_FL_KEEP_SIZE);
	if (!error)
		inode_touch(f->inode, TOUCH_MTIME | TOUCH_CTIME);
	mutex_unlock(&f->inode->lock);
	return error == -EINTR ? -ERESTARTSYS : error;
}

/* Has something been put into this page? */
static bool page_has_data(struct tmpfs_inode *ti, uint64_t index)
{
	struct page *p = memobj_lookup(&ti->object, index);
	bool data = p && !(READ_ONCE(p->flags) & PAGE_AHEAD);

	if (p)
		page_put(p);
	return data;
}

/* First byte >= offset with (`data`) or without contents. */
static uint64_t find_data(struct tmpfs_inode *ti, uint64_t offset, uint64_t size, bool data)
{
	while (offset < size) {
		uint64_t index = offset >> PAGE_SHIFT, next;
		bool here = offset < ti->source_size;

		if (!here) {
			next = memobj_next_page(&ti->object, index);
			here = next == index && page_has_data(ti, index);
			if (data && next > index) {
				if (next >= DIV_UP(size, PAGE_SIZE))
					return size;
				offset = next << PAGE_SHIFT;
				continue;
			}
		}
		if (here == data)
			return offset;
		offset = (index + 1) << PAGE_SHIFT;
	}
	return size;
}

static int64_t tmpfs_seek(struct file *f, int64_t offset, int whence)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(f->inode);
	int64_t size = (int64_t)READ_ONCE(ti->object.size);

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		if (__builtin_add_overflow(offset, f->pos, &offset))
			return -EINVAL;
		break;
	case SEEK_END:
		if (__builtin_add_overflow(offset, size, &offset))
			return -EINVAL;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		if (offset < 0 || offset >= size)
			return -ENXIO;
		mutex_lock(&f->inode->lock);
		offset = (int64_t)find_data(ti, (uint64_t)offset, (uint64_t)size, whence == SEEK_DATA);
		mutex_unlock(&f->inode->lock);
		if (whence == SEEK_DATA && offset >= size)
			return -ENXIO;
		break;
	default:
		return -EINVAL;
	}
	if (offset < 0)
		return -EINVAL;
	f->pos = offset;
	return offset;
}

static int tmpfs_mmap(struct file *f, struct file_mapping *m)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(f->inode);

	if (m->flags & REGION_SHARED) {
		int error = 0;

		mutex_lock(&f->inode->lock);
		if (ti->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) {
			if (m->flags & REGION_WRITE)
				error = -EPERM;
			m->flags &= ~REGION_MAY_WRITE;
		}
		/* Before a seal can be added that would find no writer. */
		if (!error && (m->flags & REGION_MAY_WRITE))
			file_map_writer(&ti->object);
		mutex_unlock(&f->inode->lock);
		if (error)
			return error;
	}
	m->object = &ti->object;
	memobj_get(m->object);
	return 0;
}

static int tmpfs_fsync(struct file *f, uint64_t start, uint64_t end, bool data_only)
{
	return 0;
}

/* Adds seals; the inode is locked. */
static long add_seals(struct tmpfs_inode *ti, unsigned int seals)
{
	if (seals & ~(unsigned int)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EINVAL;
	if (ti->seals & F_SEAL_SEAL)
		return -EPERM;
	if ((seals & F_SEAL_WRITE) && !(ti->seals & F_SEAL_WRITE) && READ_ONCE(ti->object.shared_writers))
		return -EBUSY;
	ti->seals |= seals;
	return 0;
}

static long tmpfs_seals(struct file *f, bool add, unsigned int seals)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(f->inode);
	long result;

	mutex_lock(&f->inode->lock);
	result = add ? add_seals(ti, seals) : (long)ti->seals;
	mutex_unlock(&f->inode->lock);
	return result;
}

static int tmpfs_open(struct inode *inode, struct file *f)
{
	f->mode |= FILE_NOWAIT;
	return 0;
}

/* What has no name goes with its files. */
static uint64_t tmpfs_memory(const struct file *f)
{
	return READ_ONCE(f->inode->nlink) ? 0 : READ_ONCE(tmpfs_inode_of(f->inode)->object.pages) * PAGE_SIZE;
}

const struct file_ops tmpfs_file_ops = {
	.memory = tmpfs_memory,
	.read = tmpfs_read,
	.write = tmpfs_write,
	.mmap = tmpfs_mmap,
	.open = tmpfs_open,
	.fsync = tmpfs_fsync,
	.seek = tmpfs_seek,
	.fallocate = tmpfs_fallocate,
	.seals = tmpfs_seals,
};
