/*
 * POSIX access control lists: their form as extended attributes, what they allow, and what a new file inherits.
 *
 * A list is valid, has its entries in the order of their tags, and says more than the mode does: one that does not is folded into the mode.
 * The mode's group bits are those of the mask. Pointers in the inode change under inode->lock and are read under RCU; permissions
 * in a list change in place. The memory is charged to the super block.
 */
#include <linux/capability.h>
#include <linux/xattr.h>

#include "core/mem/vmap.h"
#include "modules/vfs/acl.h"
#include "modules/vfs/internal.h"

#define TAG_USER_OBJ  0x01
#define TAG_USER      0x02
#define TAG_GROUP_OBJ 0x04
#define TAG_GROUP     0x08
#define TAG_MASK      0x10
#define TAG_OTHER     0x20
#define NO_ID         UINT32_MAX
#define ACL_VERSION   2u
#define HEADER        sizeof(uint32_t)

static struct acl **place_of(struct inode *inode, enum acl_type type)
{
	return type == ACL_ACCESS ? &inode->access_acl : &inode->default_acl;
}

static size_t size_of(unsigned int count) { return sizeof(struct acl) + count * sizeof(struct acl_entry); }

static void free_rcu(struct rcu_head *head) { kvfree(container_of(head, struct acl, rcu)); }

bool acl_attribute(const char *name, enum acl_type *type)
{
	*type = !strcmp(name, XATTR_NAME_POSIX_ACL_DEFAULT) ? ACL_DEFAULT : ACL_ACCESS;
	return *type == ACL_DEFAULT || !strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS);
}

/* Puts a list (or none) into the inode in place of what is there; the memory passes, on an error too. */
static int store(struct inode *inode, enum acl_type type, struct acl *acl)
{
	struct acl **place = place_of(inode, type), *old = *place;
	const struct super_ops *ops = inode->super->ops;

	if (acl && !ops->charge(inode->super, (int64_t)size_of(acl->count))) {
		kvfree(acl);
		return -ENOSPC;
	}
	rcu_assign(*place, acl);
	if (old) {
		ops->charge(inode->super, -(int64_t)size_of(old->count));
		rcu_call(&old->rcu, free_rcu);
	}
	return 0;
}

void acl_release(struct inode *inode)
{
	if (inode->access_acl)
		store(inode, ACL_ACCESS, NULL);
	if (inode->default_acl)
		store(inode, ACL_DEFAULT, NULL);
}

/* Are the entries a whole list in order? The state is the tag that may come next. */
static bool valid(const struct acl *acl)
{
	unsigned int next = TAG_USER_OBJ;
	bool named = false;

	for (unsigned int i = 0; i < acl->count; i++) {
		const struct acl_entry *e = &acl->entries[i];

		if (e->perm & ~7u)
			return false;
		switch (e->tag) {
		case TAG_USER_OBJ:
			if (next != TAG_USER_OBJ)
				return false;
			next = TAG_USER;
			break;
		case TAG_GROUP_OBJ:
			if (next != TAG_USER)
				return false;
			next = TAG_GROUP;
			break;
		case TAG_USER:
		case TAG_GROUP:
			if (next != e->tag || e->id == NO_ID)
				return false;
			named = true;
			break;
		case TAG_MASK:
			if (next != TAG_GROUP)
				return false;
			next = TAG_OTHER;
			break;
		case TAG_OTHER:
			if (next != TAG_OTHER && (next != TAG_GROUP || named))
				return false;
			next = 0;
			break;
		default:
			return false;
		}
	}
	return !next;
}

/* An attribute's value as a list; *out null if it has no entries. */
static int parse(const void *value, size_t size, struct acl **out)
{
	const struct acl_entry *from = (const struct acl_entry *)((const char *)value + HEADER);
	struct acl *acl;
	uint32_t version;
	size_t count;

	*out = NULL;
	if (size < HEADER)
		return -EINVAL;
	memcpy(&version, value, HEADER);
	if (version != ACL_VERSION)
		return -EOPNOTSUPP;
	if ((size - HEADER) % sizeof(*from))
		return -EINVAL;
	count = (size - HEADER) / sizeof(*from);
	if (!count)
		return 0;
	acl = kvmalloc(size_of((unsigned int)count), 0);
	if (!acl)
		return -ENOMEM;
	acl->count = (unsigned int)count;
	memcpy(acl->entries, from, size - HEADER);
	for (size_t i = 0; i < count; i++) {
		if (acl->entries[i].tag != TAG_USER && acl->entries[i].tag != TAG_GROUP)
			acl->entries[i].id = NO_ID;
	}
	if (!valid(acl)) {
		kvfree(acl);
		return -EINVAL;
	}
	*out = acl;
	return 0;
}

/* What the mode's bits are under this list. */
static uint32_t mode_of(const struct acl *acl)
{
	uint32_t mode = 0, group = 0;

	for (unsigned int i = 0; i < acl->count; i++) {
		const struct acl_entry *e = &acl->entries[i];

		if (e->tag == TAG_USER_OBJ)
			mode |= (uint32_t)e->perm << 6;
		else if (e->tag == TAG_OTHER)
			mode |= e->perm;
		else if (e->tag == TAG_GROUP_OBJ || e->tag == TAG_MASK)
			group = (uint32_t)e->perm << 3;	/* a mask comes later, and counts */
	}
	return mode | group;
}

int acl_set(struct inode *inode, enum acl_type type, const void *value, size_t size)
{
	struct acl *acl = NULL;
	uint32_t mode = inode->mode;
	int error;

	if (!inode->super->ops->charge || inode_is_link(inode))
		return -EOPNOTSUPP;
	error = value ? parse(value, size, &acl) : 0;
	if (error)
		return error;
	if (type == ACL_DEFAULT && !inode_is_dir(inode))
		error = acl ? -EACCES : 0;
	else if (!inode_owner_or_capable(inode))
		error = -EPERM;
	else
		error = 1;
	if (error <= 0) {
		kvfree(acl);
		return error;
	}
	if (type == ACL_ACCESS) {
		if (acl)
			mode = (mode & ~0777u) | mode_of(acl);
		if (!service(authority)->in_group(inode->gid) && !capable(CAP_FSETID))
			mode &= ~(uint32_t)S_ISGID;
		if (acl && acl->count == 3) {	/* owner, group, others: that is the mode */
			kvfree(acl);
			acl = NULL;
		}
	}
	error = store(inode, type, acl);
	if (error)
		return error;
	WRITE_ONCE(inode->mode, mode);
	inode_touch(inode, TOUCH_CTIME);
	return 0;
}

long acl_get(const struct inode *inode, enum acl_type type, void *buf, size_t size)
{
	const struct acl *acl = *place_of((struct inode *)inode, type);
	uint32_t version = ACL_VERSION;
	size_t n;

	if (!inode->super->ops->charge || inode_is_link(inode))
		return -EOPNOTSUPP;
	if (!acl)
		return -ENODATA;
	n = HEADER + acl->count * sizeof(acl->entries[0]);
	if (!size)
		return (long)n;
	if (n > size)
		return -ERANGE;
	memcpy(buf, &version, HEADER);
	memcpy((char *)buf + HEADER, acl->entries, n - HEADER);
	return (long)n;
}

long acl_list(const struct inode *inode, char *buf, size_t size)
{
	size_t used = 0;

	for (enum acl_type type = ACL_ACCESS; type <= ACL_DEFAULT; type++) {
		const char *name = type == ACL_ACCESS ? XATTR_NAME_POSIX_ACL_ACCESS : XATTR_NAME_POSIX_ACL_DEFAULT;
		size_t n = strlen(name) + 1;

		if (!*place_of((struct inode *)inode, type))
			continue;
		if (size && used + n > size)
			return -ERANGE;
		if (size)
			memcpy(buf + used, name, n);
		used += n;
	}
	return (long)used;
}

/* The entry that is about the caller, who is not the owner; null: groups are his, and none of them allows it. */
static const struct acl_entry *entry_for_caller(const struct inode *inode, const struct acl *acl, unsigned int want)
{
	uint32_t me = service(authority)->fsuid();
	bool found = false;

	for (unsigned int i = 0; i < acl->count; i++) {
		const struct acl_entry *e = &acl->entries[i];
		bool group = e->tag == TAG_GROUP || e->tag == TAG_GROUP_OBJ;

		if (e->tag == TAG_USER && e->id == me)
			return e;
		if (group && service(authority)->in_group(e->tag == TAG_GROUP ? e->id : inode->gid)) {
			found = true;
			if ((READ_ONCE(e->perm) & want) == want)
				return e;
		}
		if (e->tag == TAG_OTHER)
			return found ? NULL : e;
	}
	return NULL;
}

static int check(const struct inode *inode, const struct acl *acl, unsigned int want)
{
	const struct acl_entry *e = entry_for_caller(inode, acl, want), *end = acl->entries + acl->count;
	unsigned int perm = e ? READ_ONCE(e->perm) : 0;

	if (e && e->tag != TAG_OTHER) {
		for (const struct acl_entry *m = e; m < end; m++) {
			if (m->tag == TAG_MASK)
				perm &= READ_ONCE(m->perm);
		}
	}
	return (perm & want) == want ? 0 : -EACCES;
}

int acl_permission(const struct inode *inode, int mask)
{
	const struct acl *acl;
	int result = -EAGAIN;

	rcu_read_lock();
	acl = rcu_dereference(inode->access_acl);
	if (acl)
		result = check(inode, acl, (unsigned int)mask & 7);
	rcu_read_unlock();
	return result;
}

/* Of owner, group class and others. The group class is the mask, or the group if there is none. */
static void set_classes(struct acl *acl, uint32_t mode)
{
	struct acl_entry *group = NULL;

	for (unsigned int i = 0; i < acl->count; i++) {
		struct acl_entry *e = &acl->entries[i];

		if (e->tag == TAG_USER_OBJ)
			WRITE_ONCE(e->perm, (uint16_t)(mode >> 6 & 7));
		else if (e->tag == TAG_OTHER)
			WRITE_ONCE(e->perm, (uint16_t)(mode & 7));
		else if (e->tag == TAG_GROUP_OBJ || e->tag == TAG_MASK)
			group = e;
	}
	if (group)
		WRITE_ONCE(group->perm, (uint16_t)(mode >> 3 & 7));
}

void acl_follow_mode(struct inode *inode)
{
	if (inode->access_acl)
		set_classes(inode->access_acl, inode->mode);
}

static struct acl *clone(const struct acl *acl)
{
	struct acl *copy = kvmalloc(size_of(acl->count), 0);

	if (copy)
		memcpy(copy, acl, size_of(acl->count));
	return copy;
}

int acl_inherit(const struct inode *dir, struct inode *inode)
{
	const struct acl *from = dir->default_acl;
	struct acl *access, *further = NULL;
	int error = 0;

	if (likely(!from) || inode_is_link(inode))
		return 0;
	inode->mode &= ~0777u | mode_of(from);
	access = from->count > 3 ? clone(from) : NULL;
	if (inode_is_dir(inode))
		further = clone(from);
	if ((from->count > 3 && !access) || (inode_is_dir(inode) && !further))
		error = -ENOMEM;
	if (!error && access) {
		set_classes(access, inode->mode);
		error = store(inode, ACL_ACCESS, access);
		access = NULL;
	}
	if (!error && further) {
		error = store(inode, ACL_DEFAULT, further);
		further = NULL;
	}
	kvfree(access);
	kvfree(further);
	return error;
}
MODAPI(acl_inherit);

uint32_t create_mode(const struct inode *dir, uint32_t mode)
{
	return dir->default_acl ? mode : mode & ~fs_umask();
}
