/*
 * memfd_create: files of a tmpfs that is mounted nowhere. Together they may have as much memory as any tmpfs may have.
 */
#include <gen/tmpfs.h>

#include <linux/fcntl.h>
#include <linux/memfd.h>

#include "modules/tmpfs/internal.h"

#define MEMFD_NAME_MAX 249		/* NAME_MAX without "memfd:" */

static struct mount *memfd_mount;

static int create(const char *name, unsigned int flags, struct file **out)
{
	int error;
	struct inode *inode = tmpfs_inode_create(memfd_mount->super, NULL, S_IFREG | 0777, 0, &error);
	struct tmpfs_inode *ti;

	if (!inode)
		return error;
	ti = tmpfs_inode_of(inode);
	ti->name = kstrdup(name, 0);
	if (!ti->name) {
		inode_put(inode);
		return -ENOMEM;
	}
	inode->uid = service(authority)->fsuid();
	inode->gid = service(authority)->fsgid();
	inode->nlink = 0;
	ti->seals = flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;
	error = file_create_pseudo(memfd_mount, inode, "memfd", &tmpfs_file_ops, NULL, O_RDWR | O_LARGEFILE, out);
	if (!error)
		(*out)->mode |= FILE_SEEK | FILE_POS | FILE_PREAD | FILE_NOWAIT;
	return error;
}

long sys_memfd_create(struct ustr name, uint32_t flags)
{
	char text[MEMFD_NAME_MAX + 1];
	struct file *f;
	long n;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB))
		return -EINVAL;
	if (flags & MFD_HUGETLB)
		return -ENOSYS;
	n = copy_string_from_user(text, name, sizeof(text));
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	n = create(text, flags, &f);
	if (n)
		return n;
	n = fd_install(f, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
	if (n < 0)
		file_put(f);
	return n;
}

int memfd_init(void)
{
	struct super *s;
	int error = tmpfs_super_create(&tmpfs_type, "nr_inodes=0", &s);

	if (error)
		return error;
	memfd_mount = mount_create_internal(s);
	return memfd_mount ? 0 : -ENOMEM;
}

void memfd_exit(void)
{
	if (memfd_mount)
		mount_put(memfd_mount);
}
