/*
 * Start and end of the module: caches first, then the pseudo file systems that need them. The first mount comes from the
 * root file system's module, which is loaded after this one.
 */
#include "modules/vfs/account.h"
#include "modules/vfs/mount.h"

int vfs_init(void)
{
	int error = dentry_cache_init();

	account_start();
	file_limit_start();
	if (!error)
		error = inode_cache_init();
	if (!error)
		error = file_cache_init();
	if (!error)
		error = epoll_init();
	if (!error)
		error = anon_init();
	if (!error)
		error = mount_ns_init();
	if (!error)
		error = pipe_init();
	return error;
}

void vfs_exit(void)
{
	pipe_exit();
	mount_ns_exit();
	anon_exit();
	epoll_exit();
	file_cache_exit();
	inode_cache_exit();
	dentry_cache_exit();
}
