/*
 * What exec does to credentials: set-user-ID and set-group-ID bits, file capabilities, the superuser's privileges, the ambient set
 * (capabilities(7), "Transformation of capabilities during execve").
 *
 * Everything is computed before the point of no return; the exec hook only swaps the result in.
 */
#include "internal.h"

#include <asm/stat.h>
#include <linux/stat.h>

struct file_caps {
	bool present, effective;
	uint64_t permitted, inheritable;
};

/* The extended attribute security.capability. -EINVAL if it is malformed. */
static int parse(const struct exec_file *f, struct file_caps *out)
{
	const struct vfs_ns_cap_data *d = f->file_caps;
	size_t size = f->file_caps_size;
	unsigned int words = 2;

	memset(out, 0, sizeof(*out));
	if (!d)
		return 0;
	if (size < sizeof(d->magic_etc))
		return -EINVAL;
	switch (d->magic_etc & VFS_CAP_REVISION_MASK) {
	case VFS_CAP_REVISION_1:
		words = 1;
		if (size != XATTR_CAPS_SZ_1)
			return -EINVAL;
		break;
	case VFS_CAP_REVISION_2:
		if (size != XATTR_CAPS_SZ_2)
			return -EINVAL;
		break;
	case VFS_CAP_REVISION_3:
		if (size != XATTR_CAPS_SZ_3)
			return -EINVAL;
		if (d->rootid != 0)
			return 0;	/* for a user name space that does not exist here */
		break;
	default:
		return -EINVAL;
	}
	for (unsigned int i = 0; i < words; i++) {
		out->permitted |= (uint64_t)d->data[i].permitted << (32 * i);
		out->inheritable |= (uint64_t)d->data[i].inheritable << (32 * i);
	}
	out->permitted &= CAP_ALL;
	out->inheritable &= CAP_ALL;
	out->effective = d->magic_etc & VFS_CAP_FLAGS_EFFECTIVE;
	out->present = true;
	return 0;
}

static bool no_root(const struct cred *c) { return c->securebits & (1u << SECURE_NOROOT); }

/* What the file and being the superuser give, before the ambient set. -EPERM if a file that cannot know asks for more than may be given. */
static int gain(struct cred *c, const struct cred *old, const struct file_caps *f, bool *effective)
{
	uint64_t permitted = f->present ? (f->permitted & c->bounding) | (f->inheritable & old->inheritable) : 0;

	*effective = f->effective;
	c->permitted = permitted;
	if (f->effective && (f->permitted & ~permitted))
		return -EPERM;
	/* A set-user-ID program of the superuser with capabilities of its own gets those alone. */
	if (no_root(c) || (f->present && c->id.uid != 0 && c->id.euid == 0))
		return 0;
	if (c->id.euid == 0 || c->id.uid == 0)
		c->permitted = old->inheritable | c->bounding;
	if (c->id.euid == 0)
		*effective = true;
	return 0;
}

/*
 * All of it on the copy `c`, whose euid and egid are the file's already if those count. `*grew`: the program has rights that its caller's real ids
 * do not explain.
 */
static int transform(struct cred *c, const struct cred *old, const struct exec_file *file, const struct file_caps *f,
		     bool *grew)
{
	bool no_new = service(authority)->no_new_privs(), effective, set_id;
	int error = gain(c, old, f, &effective);

	if (error)
		return error;
	set_id = c->id.euid != old->id.uid || c->id.egid != old->id.gid;
	if ((set_id || (c->permitted & ~old->permitted)) && (no_new || file->shared)) {
		if (no_new || !cred_has(old, CAP_SETUID)) {
			c->id.euid = c->id.uid;
			c->id.egid = c->id.gid;
		}
		c->permitted &= old->permitted;
	}
	if (f->present || set_id)
		c->ambient = 0;
	c->permitted |= c->ambient;
	c->effective = effective ? c->permitted : c->ambient;
	*grew = set_id || (c->id.uid != 0 && (effective || (c->permitted & ~c->ambient)));
	return 0;
}

int cred_exec_prepare(const struct exec_file *f, struct exec_change *out)
{
	const struct cred *old = current_cred();
	bool set_ids = !f->nosuid && !service(authority)->no_new_privs();
	struct file_caps caps = { .present = false };
	struct cred *c;
	int error = f->nosuid ? 0 : parse(f, &caps);

	if (error)
		return error;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	if (set_ids && (f->mode & S_ISUID))
		c->id.euid = f->uid;
	if (set_ids && (f->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c->id.egid = f->gid;
	error = transform(c, old, f, &caps, &out->secure);
	if (error) {
		cred_put(c);
		return error;
	}
	c->id.suid = c->id.fsuid = c->id.euid;
	c->id.sgid = c->id.fsgid = c->id.egid;
	c->securebits &= ~(1u << SECURE_KEEP_CAPS);
	out->id = c->id;
	out->dumpable_reset = old->id.euid != old->id.uid || old->id.egid != old->id.gid ||
			      c->id.euid != old->id.euid || c->id.egid != old->id.egid ||
			      (c->permitted & ~old->permitted);
	return cred_set_pending(c);
}
