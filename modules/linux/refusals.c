/*
 * Calls about what this kernel has not got: accounting, quotas, swap. They check as Linux does and tell what is wrong with the request, or that
 * the file is none of the kind; nothing that was asked for in earnest is taken for done.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/capability.h>
#include <linux/quota.h>

#include "modules/vfs/fd.h"
#include "modules/vfs/vfs.h"

#define SWAP_FLAGS 0x7ffff		/* swapon(2)'s, priority included */
#define QUOTA_KINDS 3

/* What there is behind a name; or why it cannot be told. */
static int mode_of(struct ustr path, uint32_t *mode)
{
	struct file *f;
	int error = file_open_at_user(AT_FDCWD, path, O_PATH, 0, &f);

	if (error)
		return error;
	*mode = f->inode->mode;
	file_put(f);
	return 0;
}

/* Turning it off is always possible; it is never on. */
long sys_acct(struct ustr path)
{
	uint32_t mode;
	int error;

	if (!capable(CAP_SYS_PACCT))
		return -EPERM;
	if (!path.addr)
		return 0;
	error = mode_of(path, &mode);
	return error ? error : S_ISREG(mode) ? -ENOSYS : S_ISDIR(mode) ? -EISDIR : -EACCES;
}

/* Quotas belong to block devices, of which there are none. */
long sys_quotactl(uint32_t command, struct ustr special, uint32_t id, uintptr_t argument)
{
	uint32_t mode;
	int error;

	(void)id;
	(void)argument;
	if ((command & 0xff) >= QUOTA_KINDS)
		return -EINVAL;
	if (!special.addr)
		return command >> SUBCMDSHIFT == Q_SYNC ? 0 : -ENODEV;
	error = mode_of(special, &mode);
	return error ? error : -ENOTBLK;
}

/* No file here can hold swapped pages: those of tmpfs are memory themselves. */
long sys_swapon(struct ustr path, int32_t flags)
{
	uint32_t mode;
	int error;

	if (flags & ~SWAP_FLAGS)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	error = mode_of(path, &mode);
	return error ? error : -EINVAL;
}

long sys_swapoff(struct ustr path)
{
	uint32_t mode;
	int error;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	error = mode_of(path, &mode);
	return error ? error : -EINVAL;
}
