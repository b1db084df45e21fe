/*
 * From a path back to its absolute name. The chain of parents is read under RCU and the sequence of renames; when a rename came
 * between, it is read again.
 */
#include "modules/vfs/dentry.h"

/* Puts text before *at; false when there is no room. */
static bool prepend(char *buf, char **at, const char *text, size_t n)
{
	if ((size_t)(*at - buf) < n)
		return false;
	*at -= n;
	memcpy(*at, text, n);
	return true;
}

/* One try: 0, or -ENAMETOOLONG. *reached tells whether the root was met. */
static int format_once(const struct path *p, const struct path *root, char *buf, char **at, bool *reached)
{
	struct mount *m = p->mount;
	struct dentry *d = p->dentry;
	bool any = false;

	*reached = false;
	while (!(m == root->mount && d == root->dentry)) {
		const char *name;

		if (d == m->root) {
			struct mount *up = READ_ONCE(m->parent);

			d = READ_ONCE(m->mountpoint);
			if (up == m || !d)
				goto out;
			m = up;
			continue;
		}
		name = rcu_dereference(d->name);
		if (!prepend(buf, at, name, strlen(name)) || !prepend(buf, at, "/", 1))
			return -ENAMETOOLONG;
		any = true;
		if (rcu_dereference(d->parent) == d)
			goto out;
		d = rcu_dereference(d->parent);
	}
	*reached = true;
out:
	if (!any && !prepend(buf, at, "/", 1))
		return -ENAMETOOLONG;
	return 0;
}

int path_format_from(const struct path *p, const struct path *root, char *buf, size_t size, bool mark,
		     bool *reached)
{
	bool deleted = READ_ONCE(p->dentry->flags) & DENTRY_UNLINKED, inside = false;
	unsigned int sequence;
	char *at, *end;
	int error = 0;
	size_t n;

	if (!size)
		return -ENAMETOOLONG;
	rcu_read_lock();
	do {
		sequence = dentry_sequence_begin();
		at = end = buf + size - 1;
		*end = 0;
		if (mark && deleted && !prepend(buf, &at, " (deleted)", 10))
			error = -ENAMETOOLONG;
		else
			error = format_once(p, root, buf, &at, &inside);
	} while (dentry_sequence_changed(sequence));
	rcu_read_unlock();
	if (error)
		return error;
	if (reached)
		*reached = inside;
	n = (size_t)(end - at);
	memmove(buf, at, n + 1);
	return (int)n;
}
MODAPI(path_format_from);

int path_format(const struct path *p, char *buf, size_t size)
{
	const struct super_ops *ops = p->mount->super->ops;
	struct path root;
	int n;

	if (ops->format && (p->mount->flags & MOUNT_INTERNAL)) {
		n = ops->format(p->dentry, buf, size);
		return n < (int)size ? n : -ENAMETOOLONG;
	}
	n = fs_get_root(&root);
	if (n)
		return n;
	n = path_format_from(p, &root, buf, size, true, NULL);
	path_put(&root);
	return n;
}
MODAPI(path_format);
