/*
 * Mapping files: what mmap(2) checks of a file, and files as owners of regions.
 */
#include "modules/vfs/internal.h"

int file_map_prepare(struct file *f, struct map_request *r)
{
	struct file_mapping m = { .offset = r->offset, .length = r->length, .flags = r->flags,
				  .object_offset = r->offset };
	int error;

	if (f->mode & FILE_PATH)
		return -EBADF;
	if (r->offset > INT64_MAX || r->length > (uint64_t)INT64_MAX - r->offset)
		return -EOVERFLOW;
	if (!(f->mode & FILE_READ))
		return -EACCES;
	if (r->flags & REGION_SHARED) {
		if ((r->flags & REGION_WRITE) && (!(f->mode & FILE_WRITE) || (f->inode->flags & INODE_APPEND)))
			return -EACCES;
		if (f->mode & FILE_WRITE)
			m.flags |= REGION_MAY_WRITE;
	} else {
		m.flags |= REGION_MAY_WRITE;
	}
	if (f->path.mount->flags & MOUNT_NOEXEC) {
		if (r->flags & REGION_EXEC)
			return -EPERM;
		m.flags |= REGION_NOEXEC;
	}
	if (!f->ops->mmap)
		return -ENODEV;
	error = f->ops->mmap(f, &m);
	if (error)
		return error;
	file_touch_atime(f);
	r->flags = m.flags;
	r->object = m.object;
	r->offset = m.object_offset;
	r->owner = f;
	r->owner_ops = &file_region_owner_ops;
	return 0;
}
MODAPI(file_map_prepare);

static void count_writer(struct memobj *o, int by)
{
	mutex_lock(&o->regions_lock);
	o->shared_writers += (uint64_t)(int64_t)by;
	mutex_unlock(&o->regions_lock);
}

void file_map_writer(struct memobj *o)
{
	count_writer(o, 1);
}
MODAPI(file_map_writer);

void file_map_done(struct map_request *r)
{
	const unsigned int writer = REGION_SHARED | REGION_MAY_WRITE;

	if (!r->object)
		return;
	if ((r->flags & writer) == writer)
		count_writer(r->object, -1);
	memobj_put(r->object);
	r->object = NULL;
}
MODAPI(file_map_done);

static void owner_get(void *owner)
{
	file_get(owner);
}

static void owner_put(void *owner)
{
	file_put(owner);
}

static int owner_describe(void *owner, uint64_t *dev, uint64_t *inode, char *path, size_t size)
{
	struct file *f = owner;

	*dev = f->inode->super->dev;
	*inode = f->inode->ino;
	return file_format(f, path, size);
}

const struct region_owner_ops file_region_owner_ops = {
	.get = owner_get,
	.put = owner_put,
	.describe = owner_describe,
};
MODAPI(file_region_owner_ops);
