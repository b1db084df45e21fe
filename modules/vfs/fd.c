/*
 * Descriptor tables.
 *
 * The array is replaced as a whole when it grows, and freed after a grace period, so look-ups need no lock: a shared table is
 * read under RCU and the file's count raised unless it is zero; a table with one user is read plainly and the file is borrowed, because
 * only its user could close it. table->lock guards every change. `open` has a bit for each descriptor that is taken, also
 * for a reserved one whose file is not there yet.
 */
#include <linux/resource.h>

#include "modules/vfs/internal.h"

#define FD_ARRAY_FIRST 64u

/* The files are the caller's to fill in; no descriptor is open. */
static struct fd_array *fd_array_alloc(unsigned int size)
{
	size_t longs = size / BITS_PER_LONG;
	struct fd_array *a = kmalloc(sizeof(*a) + size * sizeof(struct file *) + 2 * longs * sizeof(long), 0);

	if (!a)
		return NULL;
	a->size = size;
	a->files = (struct file **)(a + 1);
	a->open = (unsigned long *)(a->files + size);
	a->cloexec = a->open + longs;
	memset(a->open, 0, 2 * longs * sizeof(long));
	return a;
}

static void fd_array_free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct fd_array, rcu));
}

static struct fd_table *fd_table_alloc(unsigned int size)
{
	struct fd_table *t = kzalloc(sizeof(*t), 0);

	if (!t)
		return NULL;
	t->array = fd_array_alloc(size);
	if (!t->array) {
		kfree(t);
		return NULL;
	}
	refcount_init(&t->refs, 1);
	spin_init(&t->lock);
	return t;
}

struct fd_table *fd_table_create(void)
{
	struct fd_table *t = fd_table_alloc(FD_ARRAY_FIRST);

	if (t)
		memset(t->array->files, 0, FD_ARRAY_FIRST * sizeof(struct file *));
	return t;
}

/* Slots that a copy needs. The lock is held. */
static unsigned int used_size(const struct fd_array *a)
{
	unsigned int longs = a->size / BITS_PER_LONG;

	while (longs > 1 && !a->open[longs - 1])
		longs--;
	return longs * BITS_PER_LONG;
}

/* 64 descriptors: what is open goes over with a reference, what is only reserved does not. False: there was such a one. */
static bool copy_word(const struct fd_array *from, struct fd_array *to, unsigned int word)
{
	struct file **source = from->files + word * BITS_PER_LONG, **target = to->files + word * BITS_PER_LONG;
	unsigned long bits = from->open[word];

	if (~bits)
		memset(target, 0, BITS_PER_LONG * sizeof(struct file *));
	for (unsigned long left = bits; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctzl(left);
		struct file *f = source[i];

		target[i] = f;
		if (likely(f))
			file_get(f);
		else
			bits &= ~(1ul << i);
	}
	to->open[word] = bits;
	to->cloexec[word] = from->cloexec[word] & bits;
	return bits == from->open[word];
}

struct fd_table *fd_table_copy(struct fd_table *old)
{
	struct fd_table *t;
	struct fd_array *from, *to;
	unsigned int size;

	spin_lock(&old->lock);
	for (;;) {
		size = used_size(old->array);
		spin_unlock(&old->lock);
		t = fd_table_alloc(size);
		if (!t)
			return NULL;
		spin_lock(&old->lock);
		if (used_size(old->array) <= size)
			break;
		spin_unlock(&old->lock);
		kfree(t->array);
		kfree(t);
		spin_lock(&old->lock);
	}
	from = old->array;
	to = t->array;
	t->lowest_free = old->lowest_free;
	for (unsigned int i = 0; i < MIN(size, from->size) / BITS_PER_LONG; i++) {
		if (!copy_word(from, to, i))
			t->lowest_free = 0;
	}
	if (size > from->size)
		memset(to->files + from->size, 0, (size - from->size) * sizeof(struct file *));
	t->was_shared = false;
	spin_unlock(&old->lock);
	return t;
}

/* Closes a file of a table that nobody uses any more; most have other holders, and nothing to be done but to count. */
static inline void close_of_ended(struct file *f, struct fd_table *t, bool was_shared)
{
	if (unlikely(was_shared))
		__atomic_fetch_or(&f->mode, FILE_RCU, __ATOMIC_RELAXED);
	if (unlikely(f->ops->flush || READ_ONCE(f->inode->locks)))
		file_close(f, t);
	else if (unlikely(refcount_put(&f->refs)))
		file_release(f);
}

void fd_table_put(struct fd_table *t)
{
	struct fd_array *a;
	bool was_shared;

	if (!refcount_put(&t->refs))
		return;
	a = t->array;
	was_shared = t->was_shared;
	for (unsigned int word = 0; word < a->size / BITS_PER_LONG; word++) {
		struct file **files = a->files + word * BITS_PER_LONG;

		for (unsigned long left = a->open[word]; left; left &= left - 1) {
			struct file *f = files[__builtin_ctzl(left)];

			if (f)
				close_of_ended(f, t, was_shared);
		}
	}
	kfree(a);
	kfree(t);
}

unsigned int fd_limit(void)
{
	uint64_t limit = service(process)->rlimit(RLIMIT_NOFILE);

	return (unsigned int)MIN(limit, (uint64_t)FD_LIMIT_MAX);
}

static struct fd_table *fd_table_self(void)
{
	struct vfs_thread *vt = vfs_thread_self();

	return likely(vt) ? vt->files : NULL;
}

/* A counted reference out of a table that others may change. */
static __noinline struct file *fd_lookup_shared(struct fd_table *t, unsigned int fd)
{
	struct file *f;

	rcu_read_lock();
	for (;;) {
		struct fd_array *a = rcu_dereference(t->array);

		f = fd < a->size ? rcu_dereference(a->files[arch_index_clamp(fd, a->size)]) : NULL;
		if (!f)
			break;
		if (refcount_get_unless_zero(&f->refs)) {
			/* Pairs with the release in fd_remove: it is still the descriptor's file. */
			if (load_acquire(&t->array) == a && load_acquire(&a->files[fd]) == f)
				break;
			rcu_read_unlock();
			file_put(f);
			rcu_read_lock();
		}
	}
	rcu_read_unlock();
	return f;
}

static __always_inline int lookup(int fd, struct fd_ref *out)
{
	struct fd_table *t = fd_table_self();
	struct file *f;

	if (unlikely(!t))
		return -EBADF;
	if (likely(refcount_read(&t->refs) == 1)) {
		struct fd_array *a = t->array;

		if (unlikely((unsigned int)fd >= a->size))
			return -EBADF;
		f = a->files[arch_index_clamp((unsigned int)fd, a->size)];
		out->counted = false;
	} else {
		f = fd_lookup_shared(t, (unsigned int)fd);
		out->counted = true;
	}
	out->file = f;
	return likely(f) ? 0 : -EBADF;
}

int fd_get_raw(int fd, struct fd_ref *out)
{
	return lookup(fd, out);
}
MODAPI(fd_get_raw);

int fd_get(int fd, struct fd_ref *out)
{
	int error = lookup(fd, out);

	if (unlikely(error))
		return error;
	if (unlikely(out->file->mode & FILE_PATH)) {
		fd_put(out);
		return -EBADF;
	}
	return 0;
}
MODAPI(fd_get);

int fd_get_file(int fd, struct file **out)
{
	struct fd_ref r;
	int error = fd_get(fd, &r);

	if (error)
		return error;
	if (!r.counted)
		file_get(r.file);
	*out = r.file;
	return 0;
}
MODAPI(fd_get_file);

/* Makes room for descriptor `fd`; the lock is held, dropped and taken again. */
static int fd_table_grow(struct fd_table *t, unsigned int fd)
{
	unsigned int size = t->array->size;
	struct fd_array *old, *new;

	while (size <= fd)
		size *= 2;
	spin_unlock(&t->lock);
	new = fd_array_alloc(size);
	spin_lock(&t->lock);
	old = t->array;
	if (!new)
		return old->size > fd ? 0 : -ENOMEM;
	if (old->size >= size) {
		kfree(new);
		return 0;
	}
	memcpy(new->files, old->files, old->size * sizeof(struct file *));
	memset(new->files + old->size, 0, (size - old->size) * sizeof(struct file *));
	memcpy(new->open, old->open, old->size / 8);
	memcpy(new->cloexec, old->cloexec, old->size / 8);
	rcu_assign(t->array, new);
	rcu_call(&old->rcu, fd_array_free_rcu);
	return 0;
}

/* Takes the lowest free descriptor >= from. */
static int fd_take(unsigned int from, unsigned int flags)
{
	struct fd_table *t = fd_table_self();
	unsigned int limit = fd_limit(), fd;

	if (!t)
		return -ENOMEM;
	if (from >= limit)
		return from ? -EINVAL : -EMFILE;
	spin_lock(&t->lock);
	for (;;) {
		struct fd_array *a = t->array;
		int error;

		fd = bitmap_next_clear(a->open, a->size, MAX(from, t->lowest_free));
		if (fd >= limit) {
			spin_unlock(&t->lock);
			return -EMFILE;
		}
		if (fd < a->size)
			break;
		error = fd_table_grow(t, fd);
		if (error) {
			spin_unlock(&t->lock);
			return error;
		}
	}
	bitmap_set(t->array->open, fd);
	if (flags & O_CLOEXEC)
		bitmap_set(t->array->cloexec, fd);
	else
		bitmap_clear(t->array->cloexec, fd);
	if (from <= t->lowest_free)
		t->lowest_free = fd + 1;
	spin_unlock(&t->lock);
	return (int)fd;
}

int fd_reserve(unsigned int flags)
{
	return fd_take(0, flags);
}
MODAPI(fd_reserve);

void fd_publish(int fd, struct file *f)
{
	struct fd_table *t = fd_table_self();

	spin_lock(&t->lock);
	rcu_assign(t->array->files[fd], f);
	spin_unlock(&t->lock);
}
MODAPI(fd_publish);

static void fd_free_locked(struct fd_table *t, unsigned int fd)
{
	bitmap_clear(t->array->open, fd);
	bitmap_clear(t->array->cloexec, fd);
	if (fd < t->lowest_free)
		t->lowest_free = fd;
}

void fd_cancel(int fd)
{
	struct fd_table *t = fd_table_self();

	spin_lock(&t->lock);
	fd_free_locked(t, (unsigned int)fd);
	spin_unlock(&t->lock);
}
MODAPI(fd_cancel);

int fd_install_from(struct file *f, unsigned int from, unsigned int flags)
{
	int fd = fd_take(from, flags);

	if (fd >= 0)
		fd_publish(fd, f);
	return fd;
}

int fd_install(struct file *f, unsigned int flags)
{
	return fd_install_from(f, 0, flags);
}
MODAPI(fd_install);

/* Takes the file out of a slot; the lock is held. Null if there is none. */
static struct file *fd_remove(struct fd_table *t, unsigned int fd)
{
	struct fd_array *a = t->array;
	struct file *f = fd < a->size ? a->files[fd] : NULL;

	if (!f)
		return NULL;
	if (t->was_shared)
		__atomic_fetch_or(&f->mode, FILE_RCU, __ATOMIC_RELAXED);
	store_release(&a->files[fd], NULL);
	fd_free_locked(t, fd);
	return f;
}

int fd_close(int fd)
{
	struct fd_table *t = fd_table_self();
	struct file *f;

	if (!t || fd < 0)
		return -EBADF;
	spin_lock(&t->lock);
	f = fd_remove(t, (unsigned int)fd);
	spin_unlock(&t->lock);
	return f ? file_close(f, t) : -EBADF;
}
MODAPI(fd_close);

int fd_replace(int fd, struct file *f, unsigned int flags)
{
	struct fd_table *t = fd_table_self();
	struct file *old;
	int error = 0;

	if (!t)
		return -ENOMEM;
	spin_lock(&t->lock);
	if ((unsigned int)fd >= t->array->size)
		error = fd_table_grow(t, (unsigned int)fd);
	if (!error && !t->array->files[fd] && bitmap_test(t->array->open, (unsigned int)fd))
		error = -EBUSY;
	if (error) {
		spin_unlock(&t->lock);
		return error;
	}
	old = fd_remove(t, (unsigned int)fd);
	bitmap_set(t->array->open, (unsigned int)fd);
	if (flags & O_CLOEXEC)
		bitmap_set(t->array->cloexec, (unsigned int)fd);
	rcu_assign(t->array->files[fd], f);
	spin_unlock(&t->lock);
	if (old)
		file_close(old, t);
	return fd;
}

int fd_set_cloexec(int fd, bool on)
{
	struct fd_table *t = fd_table_self();
	int error = -EBADF;

	if (!t || fd < 0)
		return -EBADF;
	spin_lock(&t->lock);
	if ((unsigned int)fd < t->array->size && t->array->files[fd]) {
		if (on)
			bitmap_set(t->array->cloexec, (unsigned int)fd);
		else
			bitmap_clear(t->array->cloexec, (unsigned int)fd);
		error = 0;
	}
	spin_unlock(&t->lock);
	return error;
}

int fd_get_cloexec(int fd)
{
	struct fd_table *t = fd_table_self();
	int result = -EBADF;

	if (!t || fd < 0)
		return -EBADF;
	spin_lock(&t->lock);
	if ((unsigned int)fd < t->array->size && t->array->files[fd])
		result = bitmap_test(t->array->cloexec, (unsigned int)fd);
	spin_unlock(&t->lock);
	return result;
}

void fd_table_close_on_exec(struct fd_table *t)
{
	unsigned int fd = 0;

	spin_lock(&t->lock);
	for (;;) {
		struct file *f;

		fd = bitmap_next_set(t->array->cloexec, t->array->size, fd);
		if (fd >= t->array->size)
			break;
		f = fd_remove(t, fd);
		if (f) {
			spin_unlock(&t->lock);
			file_close(f, t);
			spin_lock(&t->lock);
		}
		fd++;
	}
	spin_unlock(&t->lock);
}

void fd_close_range(unsigned int first, unsigned int last, bool only_mark)
{
	struct fd_table *t = fd_table_self();

	if (!t)
		return;
	spin_lock(&t->lock);
	for (unsigned int fd = first; fd <= last && fd < t->array->size; fd++) {
		struct file *f;

		fd = bitmap_next_set(t->array->open, t->array->size, fd);
		if (fd > last || fd >= t->array->size)
			break;
		if (only_mark) {
			bitmap_set(t->array->cloexec, fd);
			continue;
		}
		f = fd_remove(t, fd);
		if (f) {
			spin_unlock(&t->lock);
			file_close(f, t);
			spin_lock(&t->lock);
		}
	}
	spin_unlock(&t->lock);
}
