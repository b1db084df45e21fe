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
	uint32_t root;
};

/* The extended attribute security.capability. -EINVAL if it is malformed. */
static int parse(const struct exec_file *f, struct file_caps *out)
{
	const struct vfs_ns_cap_data *d = f->file_caps;
	uint32_t magic;
	unsigned int words;

	memset(out, 0, sizeof(*out));
	if (!f->file_caps)
		return 0;
	if (f->file_caps_size < 4)
		return -EINVAL;
	magic = d->magic_etc;
	switch (magic & VFS_CAP_REVISION_MASK) {
	case VFS_CAP_REVISION_1: words = 1; break;
	case VFS_CAP_REVISION_2:
	case VFS_CAP_REVISION_3: words = 2; break;
	default: return -EINVAL;
	}
	if (f->file_caps_size < 4 + words * 8)
		return -EINVAL;
	for (unsigned int i = 0; i < words; i++) {
		out->permitted |= (uint64_t)d->data[i].permitted << (32 * i);
		out->inheritable |= (uint64_t)d->data[i].inheritable << (32 * i);
	}
	out->permitted &= CAP_ALL;
	out->inheritable &= CAP_ALL;
	out->effective = magic & VFS_CAP_FLAGS_EFFECTIVE;
	out->present = true;
	return 0;
}

static bool no_root(const struct cred *c) { return c->securebits & (1u << SECURE_NOROOT); }

/* The new capability sets. -EPERM if the file asks for more than may be given. */
static int transform(struct cred *c, const struct cred *old, const struct file_caps *f, bool set_id)
{
	uint64_t permitted = f->present ? (f->permitted & c->bounding) | (f->inheritable & old->inheritable) : 0;
	bool effective = f->effective;

	if (f->present && f->effective && (f->permitted & ~permitted))
		return -EPERM;
	if (!no_root(c) && !(f->present && c->id.uid != 0 && c->id.euid == 0)) {
		if (c->id.euid == 0 || c->id.uid == 0)
			permitted = old->inheritable | c->bounding;
		if (c->id.euid == 0)
			effective = true;
	}
	if (f->present || set_id)
		c->ambient = 0;
	c->permitted = permitted | c->ambient;
	c->effective = effective ? c->permitted : c->ambient;
	return 0;
}

int cred_exec_prepare(const struct exec_file *f, bool *secure, bool *dumpable_reset)
{
	const struct cred *old = current_cred();
	bool privileged = !f->nosuid && !service(authority)->no_new_privs();
	struct file_caps caps;
	struct cred *c;
	bool set_id;
	int error;

	error = privileged ? parse(f, &caps) : (memset(&caps, 0, sizeof(caps)), 0);
	if (error)
		return error;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	if (privileged && (f->mode & S_ISUID))
		c->id.euid = f->uid;
	if (privileged && (f->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c->id.egid = f->gid;
	set_id = c->id.euid != old->id.euid || c->id.egid != old->id.egid;
	error = transform(c, old, &caps, set_id);
	if (error) {
		cred_put(c);
		return error;
	}
	c->id.suid = c->id.fsuid = c->id.euid;
	c->id.sgid = c->id.fsgid = c->id.egid;
	c->securebits &= ~(1u << SECURE_KEEP_CAPS);
	*secure = c->id.euid != c->id.uid || c->id.egid != c->id.gid ||
		  (c->id.uid != 0 && (caps.effective || (c->permitted & ~c->ambient)));
	*dumpable_reset = set_id || (c->permitted & ~old->permitted);
	return cred_set_pending(c);
}
