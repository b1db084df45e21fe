/*
 * The walk with references: one component after the other, through mounts and symbolic links.
 *
 * w->at always holds references. A link in the middle pushes a frame with what is left of the text around it; the texts stay
 * until walk_end, because the last component may lie in one of them. Only a frame with a rest counts as pending: when none
 * is, the component that ends its text is the last of the whole name.
 *
 * A walk that may not leave its root (RESOLVE_BENEATH, RESOLVE_IN_ROOT) passes it unseen if a directory on its way is moved out from
 * below it and ".." follows. So such a step counts only if nothing was renamed and no mount moved since the walk began; else
 * -EAGAIN, as openat2(2) has it.
 */
#include <linux/openat2.h>

#include "modules/vfs/dentry.h"
#include "modules/vfs/walk.h"

#define RESOLVES(w, bit) ((w)->flags & WALK_RESOLVE(bit))

static int get_root(struct walk *w)
{
	return w->root.mount ? 0 : fs_get_root(&w->root);
}

static int get_start(int dirfd, const char *name, struct path *out)
{
	struct fd_ref r;
	int error;

	if (dirfd == AT_FDCWD)
		return fs_get_cwd(out);
	error = fd_get_raw(dirfd, &r);
	if (error)
		return error;
	*out = r.file->path;
	if (*name && !dentry_is_dir(out->dentry))
		error = -ENOTDIR;
	else
		path_get(out);
	fd_put(&r);
	return error;
}

static bool scoped(const struct walk *w)
{
	return RESOLVES(w, RESOLVE_BENEATH | RESOLVE_IN_ROOT);
}

static void note_sequences(struct walk *w)
{
	w->mounts = mount_sequence();
	while ((w->renames = dentry_sequence_begin()) & 1)
		arch_cpu_relax();
}

int walk_begin_at(struct walk *w, const struct path *start, const char *name, unsigned int flags)
{
	int error = 0;

	memset(w, 0, sizeof(*w));
	w->flags = flags;
	w->name = name;
	if (!*name && !(flags & WALK_EMPTY))
		return -ENOENT;
	if (*name == '/') {
		error = fs_get_root(&w->root);
		if (error)
			return error;
		start = &w->root;
	}
	w->at = *start;
	path_get(&w->at);
	return 0;
}

int walk_begin(struct walk *w, int dirfd, const char *name, unsigned int flags)
{
	int error;

	memset(w, 0, sizeof(*w));
	w->flags = flags;
	w->name = name;
	if (!*name && !(flags & WALK_EMPTY))
		return -ENOENT;
	if (*name == '/' && RESOLVES(w, RESOLVE_BENEATH))
		return -EXDEV;
	if (*name == '/' && !RESOLVES(w, RESOLVE_IN_ROOT)) {
		error = fs_get_root(&w->at);
		if (error)
			return error;
		w->root = w->at;
		path_get(&w->root);
		return 0;
	}
	if (scoped(w))
		note_sequences(w);
	error = get_start(dirfd, name, &w->at);
	if (!error && scoped(w)) {
		w->root = w->at;
		path_get(&w->root);
	}
	return error;
}

void walk_end(struct walk *w, bool keep)
{
	while (w->depth--) {
		kfree(w->frames[w->depth].buffer);
		dentry_put(w->frames[w->depth].link);
	}
	kfree(w->frames);
	if (w->root.mount)
		path_put(&w->root);
	if (!keep)
		path_put(&w->at);
}

/* The path's references pass to w->at. */
static void move_to(struct walk *w, const struct path *p)
{
	path_put(&w->at);
	w->at = *p;
}

static int check_directory(const struct walk *w)
{
	struct inode *inode = w->at.dentry->inode;

	if (!inode_is_dir(inode))
		return -ENOTDIR;
	return inode_permission(inode, MAY_EXEC);
}

static int move_up(struct walk *w)
{
	struct path p;

	while (!path_equal(&w->at, &w->root)) {
		if (w->at.dentry != w->at.mount->root) {
			p.mount = w->at.mount;
			p.dentry = dentry_get_parent(w->at.dentry);
			mount_get(p.mount);
			move_to(w, &p);
			if (path_follow_mounts(&w->at) && RESOLVES(w, RESOLVE_NO_XDEV))
				return -EXDEV;
			return 0;
		}
		if (RESOLVES(w, RESOLVE_NO_XDEV))
			return -EXDEV;
		if (!path_leave_mount(&w->at))
			return 0;
	}
	return RESOLVES(w, RESOLVE_BENEATH) ? -EXDEV : 0;
}

static int step_up(struct walk *w)
{
	int error = get_root(w);

	if (!error)
		error = move_up(w);
	if (!error && scoped(w) && (dentry_sequence_changed(w->renames) || mount_sequence() != w->mounts))
		error = -EAGAIN;
	return error;
}

/* dentry_lookup for RESOLVE_CACHED: -EAGAIN if the file system would have to be asked. */
static int lookup_cached(struct dentry *parent, const char *name, size_t n, uint32_t hash, struct dentry **out)
{
	const struct inode_ops *ops = parent->inode->ops;
	struct dentry *d;

	if (ops->revalidate)
		return -EAGAIN;
	d = dentry_lookup_cached(parent, name, n, hash);
	if (!d)
		return ops->no_negative ? -ENOENT : -EAGAIN;
	if (!load_acquire(&d->inode)) {
		dentry_put(d);
		return -ENOENT;
	}
	*out = d;
	return 0;
}

/* The child of w->at with what is mounted on it. */
static int find_child(struct walk *w, const char *name, size_t n, uint32_t hash, struct path *out)
{
	int error = RESOLVES(w, RESOLVE_CACHED) ? lookup_cached(w->at.dentry, name, n, hash, &out->dentry)
						: dentry_lookup(w->at.dentry, name, n, hash, &out->dentry);

	if (error)
		return error;
	out->mount = w->at.mount;
	mount_get(out->mount);
	if (path_follow_mounts(out) && RESOLVES(w, RESOLVE_NO_XDEV)) {
		path_put(out);
		return -EXDEV;
	}
	return 0;
}

/* Text of a link into a buffer of its own. */
static int read_link(struct path *link, char **out)
{
	struct inode *inode = link->dentry->inode;
	char *buf;
	long n;

	if (!inode->ops->readlink)
		return -EINVAL;
	buf = kmalloc(PATH_SIZE_MAX, 0);
	if (!buf)
		return -ENOMEM;
	n = inode->ops->readlink(link->dentry, buf, PATH_SIZE_MAX - 1);
	if (n < 0) {
		kfree(buf);
		return (int)n;
	}
	buf[n] = 0;
	*out = buf;
	return 0;
}

static int push_frame(struct walk *w, struct path *link, const char **text)
{
	struct inode *inode = link->dentry->inode;
	struct walk_frame *frame;
	char *buffer = NULL;
	int error;

	if (!w->frames) {
		w->frames = kmalloc_array(SYMLINKS_MAX, sizeof(*w->frames), 0);
		if (!w->frames)
			return -ENOMEM;
	}
	*text = inode->link_text;
	if (!*text) {
		error = read_link(link, &buffer);
		if (error)
			return error;
		*text = buffer;
	}
	frame = &w->frames[w->depth++];
	frame->rest = w->name;
	frame->buffer = buffer;
	frame->link = link->dentry;
	dentry_get(link->dentry);
	if (*w->name)
		w->pending++;
	return 0;
}

/* Goes to where an absolute link begins. */
static int go_to_root(struct walk *w)
{
	int error = get_root(w);
	struct path p;

	if (error)
		return error;
	if (RESOLVES(w, RESOLVE_BENEATH))
		return -EXDEV;
	if (RESOLVES(w, RESOLVE_NO_XDEV) && w->root.mount != w->at.mount)
		return -EXDEV;
	p = w->root;
	path_get(&p);
	move_to(w, &p);
	return 0;
}

/* Starts on the text of a link; its references are the caller's. w->name is what follows it. */
static int enter_link(struct walk *w, struct path *link)
{
	struct inode *inode = link->dentry->inode;
	const char *text;
	struct path p;
	int error;

	if (RESOLVES(w, RESOLVE_NO_SYMLINKS) || (link->mount->flags & MOUNT_NOSYMFOLLOW))
		return -ELOOP;
	if (w->links++ >= SYMLINKS_MAX)
		return -ELOOP;
	path_touch_atime(link);
	if (inode->ops->follow) {
		if (RESOLVES(w, RESOLVE_CACHED))
			return -EAGAIN;
		if (RESOLVES(w, RESOLVE_NO_MAGICLINKS))
			return -ELOOP;
		if (scoped(w))
			return -EXDEV;
		error = inode->ops->follow(link->dentry, &p);
		if (error)
			return error;
		if (RESOLVES(w, RESOLVE_NO_XDEV) && p.mount != w->at.mount) {
			path_put(&p);
			return -EXDEV;
		}
		move_to(w, &p);
		/* Nothing of a text is left: "last" is the place itself. */
		return 0;
	}
	error = push_frame(w, link, &text);
	if (error)
		return error;
	if (!*text)
		return -ENOENT;
	w->name = text;
	return *text == '/' ? go_to_root(w) : 0;
}

/* A component that is not the last. */
static int walk_component(struct walk *w, const char *name, size_t n, uint32_t hash)
{
	struct path child;
	int error;

	if (name[0] == '.' && n == 1)
		return 0;
	if (name[0] == '.' && name[1] == '.' && n == 2)
		return step_up(w);
	error = find_child(w, name, n, hash, &child);
	if (error)
		return error;
	if (!inode_is_link(child.dentry->inode)) {
		move_to(w, &child);
		return 0;
	}
	error = enter_link(w, &child);
	path_put(&child);
	return error;
}

/* Goes back to texts around links until there is something left to parse. */
static const char *next_text(struct walk *w, const char *p)
{
	while (*p == '/')
		p++;
	while (!*p && w->pending) {
		struct walk_frame *top = &w->frames[w->depth - 1];

		p = top->rest;
		if (*p)
			w->pending--;
		kfree(top->buffer);
		dentry_put(top->link);
		w->depth--;
		while (*p == '/')
			p++;
	}
	return p;
}

int walk_parent(struct walk *w)
{
	for (;;) {
		const char *start, *p = next_text(w, w->name);
		uint32_t hash = dentry_hash_name("", 0);
		size_t n;
		int error;

		if (!*p) {
			/* "/", "", or the end of a magic link: the place itself. */
			w->type = LAST_ROOT;
			w->slashes = w->trailing;
			w->last = p;
			w->length = 0;
			return 0;
		}
		error = check_directory(w);
		if (error)
			return error;
		for (start = p; *p && *p != '/'; p++)
			;
		n = (size_t)(p - start);
		if (n > NAME_LENGTH_MAX)
			return -ENAMETOOLONG;
		hash = dentry_hash_name(start, n);
		w->slashes = *p == '/';
		while (*p == '/')
			p++;
		w->name = p;
		if (!*p && !w->pending) {
			w->slashes |= w->trailing;
			w->last = start;
			w->length = n;
			w->hash = hash;
			w->type = LAST_NAME;
			if (start[0] == '.' && n == 1)
				w->type = LAST_DOT;
			else if (start[0] == '.' && start[1] == '.' && n == 2)
				w->type = LAST_DOTDOT;
			return 0;
		}
		error = walk_component(w, start, n, hash);
		if (error)
			return error;
	}
}

int walk_link(struct walk *w, struct path *link)
{
	int error = protected_may_follow(w->at.dentry->inode, link->dentry->inode);

	w->trailing = w->slashes;
	if (!error)
		error = enter_link(w, link);
	path_put(link);
	return error ? error : walk_parent(w);
}

int walk_last(struct walk *w)
{
	struct path child;
	int error = 0;

	while (w->type == LAST_NAME) {
		error = find_child(w, w->last, w->length, w->hash, &child);
		if (error)
			return error;
		if (!inode_is_link(child.dentry->inode) || !((w->flags & WALK_FOLLOW) || w->slashes)) {
			move_to(w, &child);
			break;
		}
		error = walk_link(w, &child);
		if (error)
			return error;
	}
	if (w->type == LAST_DOTDOT)
		error = step_up(w);
	if (error)
		return error;
	if ((w->slashes || (w->flags & WALK_DIRECTORY)) && !dentry_is_dir(w->at.dentry))
		return -ENOTDIR;
	return 0;
}

/* From the start that is set to the end. */
static int walk_all(struct walk *w, struct path *out)
{
	int error = walk_parent(w);

	if (!error)
		error = walk_last(w);
	if (!error)
		*out = w->at;
	walk_end(w, !error);
	return error;
}

int path_lookup(int dirfd, const char *name, unsigned int flags, struct path *out)
{
	struct walk w;
	int result = walk_fast(dirfd, name, flags, out);

	if (likely(result))
		return result > 0 ? 0 : result;
	result = walk_begin(&w, dirfd, name, flags);
	return result ? result : walk_all(&w, out);
}
MODAPI(path_lookup);

int path_lookup_from(const struct path *start, const char *name, unsigned int flags, struct path *out)
{
	struct walk w;
	int error = walk_begin_at(&w, start, name, flags);

	return error ? error : walk_all(&w, out);
}
MODAPI(path_lookup_from);

int path_lookup_user(int dirfd, struct ustr name, unsigned int flags, struct path *out)
{
	struct user_name n;
	int error = user_name_get(&n, name);

	if (error)
		return error;
	error = path_lookup(dirfd, n.text, flags, out);
	user_name_put(&n);
	return error;
}
MODAPI(path_lookup_user);

int user_name_get(struct user_name *n, struct ustr from)
{
	long length = copy_string_from_user(n->small, from, sizeof(n->small));

	n->text = n->small;
	if (likely(length != -ENAMETOOLONG))
		return length < 0 ? (int)length : 0;
	n->text = kmalloc(PATH_SIZE_MAX, 0);
	if (!n->text)
		return -ENOMEM;
	length = copy_string_from_user(n->text, from, PATH_SIZE_MAX);
	if (length < 0) {
		kfree(n->text);
		return (int)length;
	}
	return 0;
}
