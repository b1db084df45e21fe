/*
 * What of a process is in its memory: mappings, arguments, environment, auxiliary vector, and the memory itself.
 */
#include <linux/fs.h>

#include "core/sync/wait.h"
#include "modules/procfs/internal.h"

/*
 * The region at or above `at`, with its file's name in `path`. The address space's lock is held while the name is made, as the owner must
 * not go; names take no lock that a fault holder waits for.
 */
static bool next_region(struct aspace *as, uintptr_t at, struct region_copy *out, char *path)
{
	struct region *r;

	path[0] = 0;
	memset(out, 0, sizeof(*out));
	rwlock_read_lock(&as->lock);
	r = region_find(as, at, true);
	if (r) {
		out->start = r->start;
		out->end = r->end;
		out->flags = r->flags;
		out->offset = r->object ? r->offset : 0;
		out->label = r->label;
		if (r->owner && r->owner_ops && r->owner_ops->describe) {
			out->file = true;
			if (r->owner_ops->describe(r->owner, &out->dev, &out->ino, path, PATH_SIZE_MAX) < 0)
				str_copy(path, "?", PATH_SIZE_MAX);
		}
	}
	rwlock_read_unlock(&as->lock);
	return r != NULL;
}

static const char *region_label(const struct aspace *as, const struct region_copy *r)
{
	if (r->label)
		return r->label;
	if (r->flags & REGION_HEAP)
		return "[heap]";
	if (r->flags & REGION_STACK)
		return "[stack]";
	if (as->vdso && r->start <= as->vdso && as->vdso < r->end)
		return "[vdso]";
	return "";
}

void proc_show_region(struct text_out *t, const struct aspace *as, const struct region_copy *r, const char *path)
{
	const char *name = path[0] ? path : region_label(as, r);
	size_t before = t->used;

	text_printf(t, "%08lx-%08lx %c%c%c%c %08llx %02x:%02x %llu", r->start, r->end,
		    r->flags & REGION_READ ? 'r' : '-', r->flags & REGION_WRITE ? 'w' : '-',
		    r->flags & REGION_EXEC ? 'x' : '-', r->flags & REGION_SHARED ? 's' : 'p',
		    (unsigned long long)r->offset, device_major(r->dev), device_minor(r->dev),
		    (unsigned long long)r->ino);
	if (name[0]) {
		do
			text_printf(t, " ");
		while (t->used - before < 73 && !t->error);
		text_add_path(t, name);
	}
	text_printf(t, "\n");
}

int proc_memory_open(const struct proc_target *who, struct proc_memory **out)
{
	struct proc_memory *m = kzalloc(sizeof(*m), 0);
	int error;

	if (!m)
		return -ENOMEM;
	error = process_take_aspace(who->process, who->task, INSPECT_FS_IDS, &m->as);
	if (!error) {
		aspace_keep(m->as);
		aspace_put(m->as);
	} else if (error == -ESRCH && READ_ONCE(who->process->state) != PROCESS_REAPED) {
		error = 0;		/* it ends, or has: nothing is there */
	}
	if (error) {
		kfree(m);
		return error == -EPERM ? -EACCES : error;
	}
	m->process = who->process;
	*out = m;
	return 0;
}

void proc_memory_close(void *memory)
{
	struct proc_memory *m = memory;

	if (m->as)
		aspace_release(m->as);
	kfree(m);
}

static bool memory_use(const struct proc_memory *m)
{
	return m->as && aspace_use(m->as);
}

int proc_each_region(struct proc_memory *m, struct text_out *t,
		     void (*fn)(struct text_out *t, struct aspace *as, const struct region_copy *r, const char *path))
{
	struct aspace *as = m->as;
	struct region_copy r;
	uintptr_t at = 0;
	char *path;

	if (READ_ONCE(m->process->state) == PROCESS_REAPED)
		return -ESRCH;
	if (!memory_use(m))
		return 0;
	path = kmalloc(PATH_SIZE_MAX, 0);
	while (path && next_region(as, at, &r, path)) {
		fn(t, as, &r, path);
		if (t->error || r.end <= at)
			break;
		at = r.end;
	}
	kfree(path);
	aspace_put(as);
	return path ? 0 : -ENOMEM;
}

static void maps_line(struct text_out *t, struct aspace *as, const struct region_copy *r, const char *path)
{
	proc_show_region(t, as, r, path);
}

int proc_show_maps(struct text_out *t, void *arg)
{
	return proc_each_region(arg, t, maps_line);
}

/* Adds the bytes of a range of the process's memory. */
static int add_memory(struct text_out *t, struct aspace *as, uintptr_t start, uintptr_t end)
{
	char *page = kmalloc(PAGE_SIZE, 0);
	int error = page ? 0 : -ENOMEM;

	while (!error && start < end && !t->error) {
		long n = aspace_read(as, start, page, MIN(end - start, PAGE_SIZE), false);

		if (n <= 0)
			break;
		text_add(t, page, (size_t)n);
		start += (uintptr_t)n;
	}
	kfree(page);
	return error;
}

/* A program that writes over its arguments (setproctitle) may run on into the environment: then the text up to its NUL counts. */
int proc_show_cmdline(struct text_out *t, void *arg)
{
	struct aspace *as = proc_aspace(arg);
	int error;

	if (!as)
		return 0;
	error = add_memory(t, as, as->arg_start, as->arg_end);
	if (!error && t->used && t->buf[t->used - 1] && as->env_start == as->arg_end) {
		error = add_memory(t, as, as->env_start, as->env_end);
		t->used = strnlen(t->buf, t->used);
	}
	aspace_put(as);
	return error;
}

int proc_show_environ(struct text_out *t, void *arg)
{
	struct proc_memory *m = arg;
	struct aspace *as = m->as;
	int error;

	if (!memory_use(m))
		return 0;
	error = add_memory(t, as, as->env_start, as->env_end);
	aspace_put(as);
	return error;
}

int proc_show_auxv(struct text_out *t, void *arg)
{
	const struct proc_memory *m = arg;

	if (m->as)
		text_add(t, m->as->auxv, m->as->auxv_words * sizeof(m->as->auxv[0]));
	return 0;
}

/* ---- mem ---- */

static int mem_open(struct inode *inode, struct file *f)
{
	struct proc_memory *m;
	int error = proc_memory_open(proc_target_of(inode), &m);

	if (!error)
		f->private = m;
	return error;
}

void proc_memory_file_release(struct file *f)
{
	proc_memory_close(f->private);
}

/* One page's part; bytes moved, or an error. */
static long mem_read_part(struct aspace *as, struct io_iter *to, int64_t pos, char *page)
{
	long n = aspace_read(as, (uintptr_t)pos, page, MIN(to->count, PAGE_SIZE), true);

	if (n <= 0)
		return n;
	n = (long)io_iter_write(to, page, (size_t)n);
	return n ? n : -EFAULT;
}

static long mem_write_part(struct aspace *as, struct io_iter *from, int64_t pos, char *page)
{
	size_t got = io_iter_read(from, page, MIN(from->count, PAGE_SIZE));

	return got ? aspace_write(as, (uintptr_t)pos, page, got, true) : -EFAULT;
}

/* What could not be reached is EIO; memory that has gone has nothing. */
static long mem_move(struct file *f, struct io_iter *it, int64_t *pos,
		     long (*part)(struct aspace *as, struct io_iter *it, int64_t pos, char *page))
{
	struct proc_memory *m = f->private;
	char *page = kmalloc(PAGE_SIZE, 0);
	long total = 0, n = 0;

	if (!page)
		return -ENOMEM;
	if (memory_use(m)) {
		while (it->count) {
			size_t wanted = MIN(it->count, PAGE_SIZE);

			n = part(m->as, it, *pos, page);
			if (n <= 0)
				break;
			*pos += n;
			total += n;
			if ((size_t)n < wanted || wait_interrupted(WAIT_KILLABLE))
				break;
		}
		aspace_put(m->as);
	}
	kfree(page);
	return total ? total : n == -EFAULT ? -EIO : n;
}

static long mem_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	(void)io_flags;
	return mem_move(f, to, pos, mem_read_part);
}

static long mem_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	(void)io_flags;
	return mem_move(f, from, pos, mem_write_part);
}

int64_t proc_memory_seek(struct file *f, int64_t offset, int whence)
{
	if (whence == 1)
		offset += f->pos;
	else if (whence != 0)
		return -EINVAL;
	return f->pos = offset;
}

const struct file_ops proc_mem_ops = {
	.open = mem_open, .release = proc_memory_file_release, .read = mem_read, .write = mem_write, .seek = proc_memory_seek,
};
