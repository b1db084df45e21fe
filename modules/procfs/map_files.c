/*
 * /proc/<pid>/map_files: a link for each mapping of a file, named by its bounds, that leads to the very file.
 *
 * Mappings come and go: each use of a name finds the mapping again, under the address space's lock, and takes the file with it.
 */
#include <linux/capability.h>

#include "modules/procfs/internal.h"

#define NAME_SIZE 34

/* The first file mapping at or above `at`, with a reference to its file. False if there is none. Takes aspace.lock. */
static bool next_file(struct aspace *as, uintptr_t at, uintptr_t *start, uintptr_t *end, struct file **file)
{
	struct region *r;

	rwlock_read_lock(&as->lock);
	r = region_find(as, at, true);
	while (r && r->owner_ops != &file_region_owner_ops)
		r = region_next(as, r);
	if (r) {
		*start = r->start;
		*end = r->end;
		*file = r->owner;
		file_get(*file);
	}
	rwlock_read_unlock(&as->lock);
	return r != NULL;
}

/* The address space, if the caller may look at it. */
static int take_aspace(const struct proc_target *who, struct aspace **out)
{
	int error = process_take_aspace(who->process, NULL, INSPECT_FS_IDS, out);

	return error == -EPERM ? -EACCES : error == -ESRCH ? -ENOENT : error;
}

/* The file of a mapping with exactly these bounds, with a reference. -ENOENT, -EACCES, -EINTR. */
static int take_file(const struct proc_target *who, struct file **out)
{
	uintptr_t start, end;
	struct aspace *as;
	struct file *f = NULL;
	int error = take_aspace(who, &as);

	if (error)
		return error;
	if (next_file(as, who->start, &start, &end, &f) && (start != who->start || end != who->end)) {
		file_put(f);
		f = NULL;
	}
	aspace_put(as);
	*out = f;
	return f ? 0 : -ENOENT;
}

/* A hexadecimal number without superfluous zeros. */
static bool parse_address(const char *text, const char *end, uintptr_t *out)
{
	uint64_t value = 0;

	if (text == end || end - text > 16 || (*text == '0' && end - text > 1))
		return false;
	for (; text < end; text++) {
		unsigned int digit = (unsigned char)*text;

		if (digit - '0' < 10)
			digit -= '0';
		else if ((digit | 32) - 'a' < 6)
			digit = (digit | 32) - 'a' + 10;
		else
			return false;
		value = value << 4 | digit;
	}
	*out = value;
	return true;
}

static bool parse_name(const struct dentry *d, struct proc_target *who)
{
	const char *end = d->name + d->name_length, *dash = d->name;

	while (dash < end && *dash != '-')
		dash++;
	return dash < end && parse_address(d->name, dash, &who->start) && parse_address(dash + 1, end, &who->end);
}

/* Other ways to a file may be barred; this one goes past them, so it takes a privilege. */
static int map_follow(struct dentry *d, struct path *out)
{
	struct file *f;
	int error;

	if (!service(authority)->capable(CAP_SYS_ADMIN) && !service(authority)->capable(CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	error = take_file(proc_target_of(d->inode), &f);
	return error ? error : proc_file_follow(f, out);
}

static long map_readlink(struct dentry *d, char *buf, size_t size)
{
	struct file *f;
	int error = take_file(proc_target_of(d->inode), &f);

	return error ? error : proc_file_readlink(f, buf, size);
}

static const struct inode_ops map_link_ops = { .follow = map_follow, .readlink = map_readlink };

static int maps_lookup(struct inode *dir, struct dentry *d)
{
	struct proc_target who = *proc_target_of(dir);
	struct inode *inode;
	struct aspace *as;
	struct file *f;
	int error;

	who.entry = NULL;
	if (parse_name(d, &who)) {
		error = take_file(&who, &f);
	} else {
		error = take_aspace(&who, &as);
		if (!error) {
			aspace_put(as);
			error = -ENOENT;
		}
	}
	if (error)
		return error == -ENOENT ? 0 : error;
	inode = proc_inode_create(dir, S_IFLNK | (f->mode & FILE_READ ? 0400 : 0) | (f->mode & FILE_WRITE ? 0200 : 0), &who);
	file_put(f);
	if (!inode)
		return -ENOMEM;
	inode->ops = &map_link_ops;
	inode->size = 64;
	dentry_attach(d, inode);
	return 0;
}

static bool maps_revalidate(struct inode *dir, struct dentry *d)
{
	struct file *f;

	if (!d->inode || take_file(proc_target_of(d->inode), &f))
		return false;
	file_put(f);
	proc_inode_set_owner(d->inode);
	return true;
}

const struct inode_ops proc_map_files_ops = {
	.lookup = maps_lookup, .revalidate = maps_revalidate, .no_negative = true,
};

/* A position is a page number: that from which the next mapping is looked for. */
static int maps_readdir(struct file *f, struct dir_context *c)
{
	struct proc_target *who = proc_target_of(f->inode);
	struct aspace *as;
	uintptr_t start, end;
	struct file *mapped;
	int error = take_aspace(who, &as);

	if (error && error != -ENOENT)
		return error;
	if (!dir_emit_dots(f, c)) {
		if (as)
			aspace_put(as);
		return 0;
	}
	while (as && next_file(as, (uintptr_t)(c->pos - 2) << PAGE_SHIFT, &start, &end, &mapped)) {
		char name[NAME_SIZE];
		int n = snprintf(name, sizeof(name), "%lx-%lx", start, end);

		file_put(mapped);
		if (!c->emit(c, name, (size_t)n, f->inode->ino * 1000 + (start >> PAGE_SHIFT), dirent_type(S_IFLNK)))
			break;
		c->pos = (int64_t)(end >> PAGE_SHIFT) + 2;
	}
	if (as)
		aspace_put(as);
	return 0;
}

const struct file_ops proc_map_files_file_ops = { .readdir = maps_readdir };
