/*
 * Names of sockets: in the file system, where the name is an inode of type S_IFSOCK, and abstract ones, which are bytes.
 *
 * One hash table has both, by inode or by bytes and type; name_lock guards it and is innermost. A bound socket stands in it until it is
 * released: a look-up takes its reference under the lock, and unbinding comes before everything else in release.
 */
#include "modules/unix/internal.h"

#define BUCKETS 256u

static struct spinlock name_lock = SPINLOCK_INIT(name_lock);
static struct list buckets[BUCKETS];
static bool buckets_ready;

/* name_lock is held. */
static struct list *bucket(uint32_t hash)
{
	if (unlikely(!buckets_ready)) {
		for (unsigned int i = 0; i < BUCKETS; i++)
			list_init(&buckets[i]);
		buckets_ready = true;
	}
	return &buckets[hash % BUCKETS];
}

static uint32_t hash_bytes(const struct sockaddr_un *name, unsigned int length, int type)
{
	uint32_t h = 2166136261u ^ (uint32_t)type;

	for (unsigned int i = UNIX_PATH_AT; i < length; i++)
		h = (h ^ ((const uint8_t *)name)[i]) * 16777619u;
	return h;
}

static uint32_t hash_inode(const struct inode *inode)
{
	return (uint32_t)((uintptr_t)inode >> 6) * 2654435761u >> 8;
}

void unix_address_put(struct unix_address *a)
{
	if (refcount_put(&a->refs))
		kfree(a);
}

static struct unix_address *address_create(const struct sockaddr_un *name, unsigned int length)
{
	struct unix_address *a = kzalloc(sizeof(*a) + 1, 0);

	if (!a)
		return NULL;
	refcount_init(&a->refs, 1);
	a->length = length;
	memcpy(&a->name, name, length);
	return a;
}

static int check_name(const struct sockaddr_un *name, unsigned int length)
{
	if (length <= UNIX_PATH_AT || length > sizeof(*name) || name->sun_family != AF_UNIX)
		return -EINVAL;
	return 0;
}

static struct unix_socket *find_bytes_locked(const struct sockaddr_un *name, unsigned int length, int type,
					     uint32_t hash)
{
	struct unix_socket *s;

	list_for_each(s, bucket(hash), name_link) {
		if (s->name_hash == hash && !s->path.dentry && s->type == type && s->address->length == length &&
		    !memcmp(&s->address->name, name, length))
			return s;
	}
	return NULL;
}

static struct unix_socket *find_inode_locked(const struct inode *inode, uint32_t hash)
{
	struct unix_socket *s;

	list_for_each(s, bucket(hash), name_link) {
		if (s->name_hash == hash && s->path.dentry && s->path.dentry->inode == inode)
			return s;
	}
	return NULL;
}

/* The socket gets its name; it has none and bind_mutex is held. False: somebody has it. */
static bool publish(struct unix_socket *s, struct unix_address *a, uint32_t hash, const struct path *path)
{
	bool ok;

	spin_lock(&name_lock);
	ok = path || !find_bytes_locked(&a->name, a->length, s->type, hash);
	if (ok) {
		if (path)
			s->path = *path;
		s->name_hash = hash;
		/* Pairs with the readers of `address`, who take no lock. */
		store_release(&s->address, a);
		list_add_head(bucket(hash), &s->name_link);
	}
	spin_unlock(&name_lock);
	return ok;
}

static int bind_path_locked(struct unix_socket *s, struct sockaddr_un *name, unsigned int length)
{
	char text[sizeof(name->sun_path) + 1];
	struct unix_address *a;
	struct path path;
	int error;

	memcpy(text, name->sun_path, length - UNIX_PATH_AT);
	text[length - UNIX_PATH_AT] = '\0';
	length = UNIX_PATH_AT + (unsigned int)strlen(text) + 1;
	a = address_create(name, MIN(length, (unsigned int)sizeof(*name)));
	if (!a)
		return -ENOMEM;
	a->length = length;
	error = path_mknod_path(text, S_IFSOCK | 0777, &path);
	if (error) {
		unix_address_put(a);
		return error == -EEXIST ? -EADDRINUSE : error;
	}
	publish(s, a, hash_inode(path.dentry->inode), &path);
	return 0;
}

static int bind_bytes_locked(struct unix_socket *s, const struct sockaddr_un *name, unsigned int length)
{
	struct unix_address *a = address_create(name, length);

	if (!a)
		return -ENOMEM;
	if (publish(s, a, hash_bytes(name, length, s->type), NULL))
		return 0;
	unix_address_put(a);
	return -EADDRINUSE;
}

int unix_bind_any(struct unix_socket *s)
{
	static uint32_t next;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	unsigned int length = UNIX_PATH_AT + 6;
	int error = 0;

	mutex_lock(&s->bind_mutex);
	for (unsigned int tries = 0; !s->address; tries++) {
		uint32_t n = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) & 0xfffff;

		snprintf(name.sun_path + 1, 6, "%05x", n);
		error = bind_bytes_locked(s, &name, length);
		if (error != -EADDRINUSE)
			break;
		if (tries > 0xfffff) {
			error = -ENOSPC;
			break;
		}
	}
	mutex_unlock(&s->bind_mutex);
	return error;
}

int unix_bind(struct unix_socket *s, struct sockaddr_un *name, unsigned int length)
{
	int error;

	if (length == UNIX_PATH_AT && name->sun_family == AF_UNIX)
		return unix_bind_any(s);
	error = check_name(name, length);
	if (error)
		return error;
	mutex_lock(&s->bind_mutex);
	if (s->address)
		error = -EINVAL;
	else if (name->sun_path[0])
		error = bind_path_locked(s, name, length);
	else
		error = bind_bytes_locked(s, name, length);
	mutex_unlock(&s->bind_mutex);
	return error;
}

bool unix_name_path(struct unix_socket *s, struct path *out)
{
	spin_lock(&name_lock);
	*out = s->path;
	if (out->dentry)
		path_get(out);
	spin_unlock(&name_lock);
	return out->dentry;
}

void unix_unbind(struct unix_socket *s)
{
	struct path path = { 0 };

	spin_lock(&name_lock);
	list_remove(&s->name_link);
	path = s->path;
	s->path.dentry = NULL;
	spin_unlock(&name_lock);
	if (path.dentry)
		path_put(&path);
}

static int find_path(const char *text, int type, struct unix_socket **out)
{
	struct unix_socket *s;
	struct inode *inode;
	struct path path;
	int error = path_lookup(AT_FDCWD, text, WALK_FOLLOW, &path);

	if (error)
		return error;
	inode = path.dentry->inode;
	error = inode_permission(inode, MAY_WRITE);
	if (error)
		goto out;
	error = -ECONNREFUSED;
	if (!S_ISSOCK(inode->mode))
		goto out;
	spin_lock(&name_lock);
	s = find_inode_locked(inode, hash_inode(inode));
	if (s) {
		unix_socket_get(s);
		*out = s;
		error = s->type == type ? 0 : -EPROTOTYPE;
	}
	spin_unlock(&name_lock);
	if (!error)
		path_touch_atime(&path);
	else if (error == -EPROTOTYPE)
		unix_socket_put(s);
out:
	path_put(&path);
	return error;
}

int unix_find(struct sockaddr_un *name, unsigned int length, int type, struct unix_socket **out)
{
	char text[sizeof(name->sun_path) + 1];
	int error = check_name(name, length);

	if (error)
		return error;
	if (name->sun_path[0]) {
		memcpy(text, name->sun_path, length - UNIX_PATH_AT);
		text[length - UNIX_PATH_AT] = '\0';
		return find_path(text, type, out);
	}
	spin_lock(&name_lock);
	*out = find_bytes_locked(name, length, type, hash_bytes(name, length, type));
	if (*out)
		unix_socket_get(*out);
	spin_unlock(&name_lock);
	return *out ? 0 : -ECONNREFUSED;
}
