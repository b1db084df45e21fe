/*
 * Files that stand for the kinds of name spaces of which there is one for all: /proc/<pid>/ns/uts and its like lead here.
 *
 * An inode is made when one is looked at; its number says which name space it is, so two such files can be compared as on Linux.
 */
#include "modules/vfs/internal.h"

#include <linux/nsfs.h>
#include <linux/sched.h>

/* Numbers are those that Linux gives to the first name space of each kind. */
static const struct ns_kind {
	const char *name;
	uint32_t type;
	uint32_t ino;
	bool hierarchy;			/* has parents */
} kinds[] = {
	{ "cgroup", CLONE_NEWCGROUP, 0xeffffffb, false }, { "ipc", CLONE_NEWIPC, 0xefffffff, false },
	{ "net", CLONE_NEWNET, 0xeffffff9, false }, { "pid", CLONE_NEWPID, 0xeffffffc, true },
	{ "time", CLONE_NEWTIME, 0xeffffffa, false }, { "user", CLONE_NEWUSER, 0xeffffffd, true },
	{ "uts", CLONE_NEWUTS, 0xeffffffe, false },
};

static const struct ns_kind *kind_of(const struct file *f)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].ino == f->inode->ino)
			return &kinds[i];
	return NULL;
}

/* A descriptor for the owner of all of them, the one name space of users. */
static long open_owner(void)
{
	struct path p;
	struct file *f;
	int fd, error = ns_global_path(CLONE_NEWUSER, &p);

	if (error)
		return error;
	error = file_open_path(&p, O_RDONLY, &f);
	path_put(&p);
	if (error)
		return error;
	fd = fd_install(f, O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

static long global_ioctl(struct file *f, unsigned int cmd, uintptr_t arg)
{
	const struct ns_kind *k = kind_of(f);

	switch (cmd) {
	case NS_GET_NSTYPE:
		return (long)k->type;
	case NS_GET_PARENT:
		return k->hierarchy ? -EPERM : -EINVAL;		/* that of the first is nobody's to see */
	case NS_GET_USERNS:
		return k->type == CLONE_NEWUSER ? -EPERM : open_owner();
	case NS_GET_OWNER_UID:
		return k->type == CLONE_NEWUSER ? user_store_u32(arg, 0) : -EINVAL;
	}
	return -ENOTTY;
}

static const struct file_ops global_file_ops = { .ioctl = global_ioctl };

int ns_global_path(uint32_t type, struct path *out)
{
	const struct ns_kind *k = kinds;
	struct inode *inode;
	struct dentry *d;

	while (k->type != type)
		if (++k == kinds + ARRAY_SIZE(kinds))
			return -ENOENT;
	inode = inode_create(ns_mount->super, S_IFREG | 0444);
	if (!inode)
		return -ENOMEM;
	inode->ino = k->ino;
	inode->file_ops = &global_file_ops;
	inode->flags |= INODE_NO_TIMES;
	d = dentry_create_anon(ns_mount->super, inode, k->name);
	if (!d) {
		inode_put(inode);
		return -ENOMEM;
	}
	mount_get(ns_mount);
	out->mount = ns_mount;
	out->dentry = d;
	return 0;
}
MODAPI(ns_global_path);

uint32_t ns_global_type(const struct file *f)
{
	return f->ops == &global_file_ops ? kind_of(f)->type : 0;
}
MODAPI(ns_global_type);
