/*
 * Capabilities (capabilities(7)): capget and capset, what changes of ids do to them, and the parts of prctl(2) that concern them.
 */
#include "internal.h"

#include <gen/cred.h>
#include <linux/prctl.h>

#define FS_CAPS (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_DAC_READ_SEARCH) | \
		 CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_LINUX_IMMUTABLE) | CAP_BIT(CAP_MAC_OVERRIDE))

static bool secure(const struct cred *c, int bit) { return c->securebits & (1u << bit); }

void cred_adjust_for_ids(struct cred *new, const struct cred *old)
{
	bool was_root = old->id.uid == 0 || old->id.euid == 0 || old->id.suid == 0;
	bool is_root = new->id.uid == 0 || new->id.euid == 0 || new->id.suid == 0;

	if (secure(new, SECURE_NO_SETUID_FIXUP))
		return;
	if (was_root && !is_root) {
		if (!secure(new, SECURE_KEEP_CAPS)) {
			new->permitted = 0;
			new->effective = 0;
		}
		new->ambient = 0;
	}
	if (old->id.euid == 0 && new->id.euid != 0)
		new->effective = 0;
	if (old->id.euid != 0 && new->id.euid == 0)
		new->effective = new->permitted;
	if (old->id.fsuid == 0 && new->id.fsuid != 0)
		new->effective &= ~FS_CAPS;
	if (old->id.fsuid != 0 && new->id.fsuid == 0)
		new->effective |= new->permitted & FS_CAPS;
}

/* The number of 32-bit words of a header's version; writes the preferred version where it is not known. */
static int words_of(uintptr_t header, uint32_t *pid, unsigned int *words)
{
	uint32_t version;

	if (user_load_u32(header, &version))
		return -EFAULT;
	switch (version) {
	case _LINUX_CAPABILITY_VERSION_1: *words = 1; break;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3: *words = 2; break;
	default:
		return user_store_u32(header, _LINUX_CAPABILITY_VERSION_3) ? -EFAULT : -EINVAL;
	}
	return user_load_u32(header + 4, pid);
}

/* Sets of a thread by number; 0: the caller's. -ESRCH. */
static int sets_of(uint32_t tid, uint64_t *sets)
{
	struct thread *t = tid ? service(process)->thread_find((int)tid) : current;

	if (!t)
		return -ESRCH;
	service(authority)->capabilities(t, sets);
	if (tid)
		thread_put(t);
	return 0;
}

long sys_capget(struct uinout_cap_header to, uintptr_t data)
{
	uintptr_t header = to.addr;
	struct __user_cap_data_struct out[2];
	uint64_t sets[5] = { 0 };
	unsigned int words = 0;
	uint32_t tid;
	int error = words_of(header, &tid, &words);

	if (error)
		return error == -EINVAL && !data ? 0 : error;
	if ((int)tid < 0)
		return -EINVAL;
	error = sets_of(tid, sets);
	if (error)
		return error;
	for (unsigned int i = 0; i < 2; i++)
		out[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(sets[2] >> (32 * i)), .permitted = (uint32_t)(sets[1] >> (32 * i)),
			.inheritable = (uint32_t)(sets[0] >> (32 * i)),
		};
	return data ? copy_to_user(data, out, words * sizeof(out[0])) : 0;
}

long sys_capset(struct uinout_cap_header from, uintptr_t data)
{
	uintptr_t header = from.addr;
	struct __user_cap_data_struct in[2] = { { 0 } };
	const struct cred *old = current_cred();
	uint64_t effective, permitted, inheritable;
	unsigned int words = 0;
	uint32_t tid;
	struct cred *c;
	int error = words_of(header, &tid, &words);

	if (error)
		return error;
	if (tid && tid != (uint32_t)service(process)->tid())
		return -EPERM;
	if (copy_from_user(in, data, words * sizeof(in[0])))
		return -EFAULT;
	effective = (in[0].effective | (uint64_t)in[1].effective << 32) & CAP_ALL;
	permitted = (in[0].permitted | (uint64_t)in[1].permitted << 32) & CAP_ALL;
	inheritable = (in[0].inheritable | (uint64_t)in[1].inheritable << 32) & CAP_ALL;
	if (!cred_has(old, CAP_SETPCAP) && (inheritable & ~(old->inheritable | old->permitted)))
		return -EPERM;
	if (inheritable & ~(old->inheritable | old->bounding))
		return -EPERM;
	if ((permitted & ~old->permitted) || (effective & ~permitted))
		return -EPERM;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	c->effective = effective;
	c->permitted = permitted;
	c->inheritable = inheritable;
	c->ambient &= permitted & inheritable;
	cred_commit(c);
	return 0;
}

static long bounding_drop(unsigned long cap)
{
	struct cred *c;

	if (!cred_has(current_cred(), CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	c->bounding &= ~CAP_BIT(cap);
	cred_commit(c);
	return 0;
}

static long set_securebits(unsigned long bits)
{
	const struct cred *old = current_cred();
	struct cred *c;

	/* Locked bits stay, locks are not opened, nothing unknown, and the right to do it at all. */
	if ((((old->securebits & SECURE_ALL_LOCKS) >> 1) & (old->securebits ^ bits)) ||
	    (old->securebits & SECURE_ALL_LOCKS & ~bits) || (bits & ~(unsigned long)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) ||
	    !cred_has(old, CAP_SETPCAP))
		return -EPERM;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	c->securebits = (unsigned int)bits;
	cred_commit(c);
	return 0;
}

static long set_keepcaps(unsigned long on)
{
	struct cred *c;

	if (on > 1)
		return -EINVAL;
	if (secure(current_cred(), SECURE_KEEP_CAPS_LOCKED))
		return -EPERM;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	c->securebits = (c->securebits & ~(1u << SECURE_KEEP_CAPS)) | (unsigned int)on << SECURE_KEEP_CAPS;
	cred_commit(c);
	return 0;
}

static long ambient(unsigned long what, unsigned long cap, unsigned long a4, unsigned long a5)
{
	const struct cred *old = current_cred();
	struct cred *c;

	if (what == PR_CAP_AMBIENT_CLEAR_ALL ? cap || a4 || a5 : a4 || a5 || cap > CAP_LAST_CAP)
		return -EINVAL;
	if (what == PR_CAP_AMBIENT_IS_SET)
		return !!(old->ambient & CAP_BIT(cap));
	if (what != PR_CAP_AMBIENT_CLEAR_ALL && what != PR_CAP_AMBIENT_RAISE && what != PR_CAP_AMBIENT_LOWER)
		return -EINVAL;
	if (what == PR_CAP_AMBIENT_RAISE &&
	    (!(old->permitted & old->inheritable & CAP_BIT(cap)) || secure(old, SECURE_NO_CAP_AMBIENT_RAISE)))
		return -EPERM;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	if (what == PR_CAP_AMBIENT_CLEAR_ALL)
		c->ambient = 0;
	else if (what == PR_CAP_AMBIENT_RAISE)
		c->ambient |= CAP_BIT(cap);
	else
		c->ambient &= ~CAP_BIT(cap);
	cred_commit(c);
	return 0;
}

long cred_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	switch (option) {
	case PR_CAPBSET_READ: return a2 > CAP_LAST_CAP ? -EINVAL : !!(current_cred()->bounding & CAP_BIT(a2));
	case PR_CAPBSET_DROP: return bounding_drop(a2);
	case PR_GET_SECUREBITS: return current_cred()->securebits;
	case PR_SET_SECUREBITS: return set_securebits(a2);
	case PR_GET_KEEPCAPS: return secure(current_cred(), SECURE_KEEP_CAPS);
	case PR_SET_KEEPCAPS: return set_keepcaps(a2);
	case PR_CAP_AMBIENT: return ambient(a2, a3, a4, a5);
	}
	return -EINVAL;
}
