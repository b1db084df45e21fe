/*
 * init_module(2), finit_module(2), delete_module(2): the ABI edge of the core's loader.
 *
 * An image is copied into kernel memory whole before anything of it is looked at, so nobody can change it meanwhile.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/elf.h>
#include <linux/module.h>

#include "core/mem/uaccess.h"
#include "core/mem/vmap.h"
#include "core/module/module.h"
#include "modules/linux/module_flags.h"
#include "modules/vfs/vfs.h"

#define IMAGE_MAX  (64ul << 20)
#define PARAMS_MAX (64 * 1024ul)

/* Parameters in memory of their own. -EFAULT, -EINVAL (too long), -ENOMEM. */
static int copy_params(struct ustr from, char **out)
{
	char *text = kvmalloc(PARAMS_MAX, 0);
	long n;

	if (!text)
		return -ENOMEM;
	n = copy_string_from_user(text, from, PARAMS_MAX);
	if (n >= 0) {
		*out = text;
		return 0;
	}
	kvfree(text);
	return n == -ENAMETOOLONG ? -EINVAL : (int)n;
}

static bool may_change(void)
{
	return capable(CAP_SYS_MODULE) && !module_changes_forbidden();
}

long sys_init_module(struct uin_u8 image, uintptr_t length, struct ustr parameters)
{
	char *params = NULL;
	void *copy;
	int error;

	if (!may_change())
		return -EPERM;
	if (length < sizeof(Elf64_Ehdr) || length > IMAGE_MAX)
		return -ENOEXEC;
	copy = kvmalloc(length, 0);
	if (!copy)
		return -ENOMEM;
	error = copy_from_user(copy, image.addr, length) ? -EFAULT : copy_params(parameters, &params);
	if (!error) {
		error = module_insert(copy, length, params);
		kvfree(params);
	}
	kvfree(copy);
	return error;
}

/* A whole regular file in memory. */
static int read_image(struct file *f, void **out, size_t *size)
{
	uint64_t length = inode_size(f->inode);
	int64_t pos = 0;
	void *copy;
	long n;

	if (!(f->mode & FILE_READ))
		return -EBADF;
	if (!S_ISREG(f->inode->mode))
		return -EINVAL;
	if (f->mode & FILE_WRITE)
		return -ETXTBSY;
	if (length < sizeof(Elf64_Ehdr) || length > IMAGE_MAX)
		return -ENOEXEC;
	copy = kvmalloc(length, 0);
	if (!copy)
		return -ENOMEM;
	do
		n = file_read_kernel(f, (char *)copy + pos, length - (size_t)pos, &pos);
	while (n > 0 && (uint64_t)pos < length);
	if (n <= 0) {
		kvfree(copy);
		return n < 0 ? (int)n : -ENOEXEC;
	}
	*out = copy;
	*size = length;
	return 0;
}

long sys_finit_module(int32_t fd, struct ustr parameters, int32_t flags)
{
	struct fd_ref ref;
	size_t size = 0;
	char *params = NULL;
	void *image = NULL;
	int error;

	if (!may_change())
		return -EPERM;
	if (flags & ~(MODULE_INIT_IGNORE_MODVERSIONS | MODULE_INIT_IGNORE_VERMAGIC | MODULE_INIT_REPLACE))
		return -EINVAL;
	error = fd_get(fd, &ref);
	if (error)
		return error;
	error = read_image(ref.file, &image, &size);
	fd_put(&ref);
	if (error)
		return error;
	error = copy_params(parameters, &params);
	if (!error) {
		error = flags & MODULE_INIT_REPLACE ? module_replace(image, size, params) : module_insert(image, size, params);
		kvfree(params);
	}
	kvfree(image);
	return error;
}

long sys_delete_module(struct ustr name, uint32_t flags)
{
	char text[MODULE_NAME_SIZE];
	long n;

	if (!may_change())
		return -EPERM;
	n = copy_string_from_user(text, name, sizeof(text));
	if (n < 0)
		return n == -ENAMETOOLONG ? -ENOENT : n;
	return module_unload(text, flags & O_TRUNC);
}
