/*
 * What is kept from attackers in directories that all may write to (/tmp): links and files that somebody else put there for a
 * program to fall over. proc_sys_fs(5) says what each switch means; here all are on from the start.
 *
 * The switches are numbers that root changes at any time; each decision reads its own once.
 */
#include <linux/capability.h>

#include "modules/vfs/walk.h"

int protected_symlinks = 1, protected_hardlinks = 1, protected_fifos = 1, protected_regular = 2;
MODAPI(protected_symlinks);
MODAPI(protected_hardlinks);
MODAPI(protected_fifos);
MODAPI(protected_regular);

int protected_may_follow(const struct inode *dir, const struct inode *link)
{
	if (!protected_is_shared(dir) || !READ_ONCE(protected_symlinks))
		return 0;
	return link->uid == service(authority)->fsuid() || link->uid == dir->uid ? 0 : -EACCES;
}

/* Could who makes the link have copied the file and written to it? */
static bool safe_to_link(struct inode *inode)
{
	uint32_t mode = READ_ONCE(inode->mode);

	if (!S_ISREG(mode) || (mode & S_ISUID) || (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return false;
	return !inode_permission(inode, MAY_READ | MAY_WRITE);
}

int protected_may_link(struct inode *inode)
{
	if (!READ_ONCE(protected_hardlinks) || safe_to_link(inode) || inode_owner_or_capable(inode))
		return 0;
	return -EPERM;
}

int protected_may_reuse(const struct inode *dir, const struct inode *inode)
{
	int fifos = READ_ONCE(protected_fifos), regular = READ_ONCE(protected_regular);
	uint32_t mode = READ_ONCE(dir->mode);
	bool group;

	if (!(mode & S_ISVTX) || (!fifos && S_ISFIFO(inode->mode)) || (!regular && S_ISREG(inode->mode)))
		return 0;
	if (inode->uid == dir->uid || inode->uid == service(authority)->fsuid())
		return 0;
	group = (fifos >= 2 && S_ISFIFO(inode->mode)) || (regular >= 2 && S_ISREG(inode->mode));
	return (mode & S_IWOTH) || ((mode & S_IWGRP) && group) ? -EACCES : 0;
}
