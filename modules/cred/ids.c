/*
 * The set*id family, per thread as the system calls are (the C library makes them process-wide).
 */
#include "internal.h"

#include <gen/cred.h>

long sys_getuid(void) { return current_cred()->id.uid; }
long sys_geteuid(void) { return current_cred()->id.euid; }
long sys_getgid(void) { return current_cred()->id.gid; }
long sys_getegid(void) { return current_cred()->id.egid; }

/* Commits a change of user ids with its effect on capabilities. */
static long commit_uids(struct cred *c)
{
	int error = c->id.uid == current_cred()->id.uid ? 0 : service(process)->user_change(c->id.uid);

	if (error) {
		cred_put(c);
		return error;
	}
	c->id.fsuid = c->id.euid;
	cred_adjust_for_ids(c, current_cred());
	cred_commit(c);
	return 0;
}

static long commit_gids(struct cred *c)
{
	c->id.fsgid = c->id.egid;
	cred_commit(c);
	return 0;
}

static long refuse(struct cred *c, long error)
{
	cred_put(c);
	return error;
}

long sys_setuid(uint32_t uid)
{
	struct cred *c;

	if (uid == NO_ID)
		return -EINVAL;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	if (cred_has(c, CAP_SETUID))
		c->id.uid = c->id.suid = uid;
	else if (uid != c->id.uid && uid != c->id.suid)
		return refuse(c, -EPERM);
	c->id.euid = uid;
	return commit_uids(c);
}

long sys_setgid(uint32_t gid)
{
	struct cred *c;

	if (gid == NO_ID)
		return -EINVAL;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	if (cred_has(c, CAP_SETGID))
		c->id.gid = c->id.sgid = gid;
	else if (gid != c->id.gid && gid != c->id.sgid)
		return refuse(c, -EPERM);
	c->id.egid = gid;
	return commit_gids(c);
}

long sys_setreuid(uint32_t ruid, uint32_t euid)
{
	const struct identity old = current_cred()->id;
	struct cred *c = cred_copy();
	bool free_choice;

	if (!c)
		return -ENOMEM;
	free_choice = cred_has(c, CAP_SETUID);
	if (ruid != NO_ID) {
		if (!free_choice && ruid != old.uid && ruid != old.euid)
			return refuse(c, -EPERM);
		c->id.uid = ruid;
	}
	if (euid != NO_ID) {
		if (!free_choice && euid != old.uid && euid != old.euid && euid != old.suid)
			return refuse(c, -EPERM);
		c->id.euid = euid;
	}
	if (ruid != NO_ID || (euid != NO_ID && euid != old.uid))
		c->id.suid = c->id.euid;
	return commit_uids(c);
}

long sys_setregid(uint32_t rgid, uint32_t egid)
{
	const struct identity old = current_cred()->id;
	struct cred *c = cred_copy();
	bool free_choice;

	if (!c)
		return -ENOMEM;
	free_choice = cred_has(c, CAP_SETGID);
	if (rgid != NO_ID) {
		if (!free_choice && rgid != old.gid && rgid != old.egid)
			return refuse(c, -EPERM);
		c->id.gid = rgid;
	}
	if (egid != NO_ID) {
		if (!free_choice && egid != old.gid && egid != old.egid && egid != old.sgid)
			return refuse(c, -EPERM);
		c->id.egid = egid;
	}
	if (rgid != NO_ID || (egid != NO_ID && egid != old.gid))
		c->id.sgid = c->id.egid;
	return commit_gids(c);
}

static bool is_one_of(uint32_t v, uint32_t a, uint32_t b, uint32_t c)
{
	return v == NO_ID || v == a || v == b || v == c;
}

long sys_setresuid(uint32_t ruid, uint32_t euid, uint32_t suid)
{
	const struct cred *old = current_cred();
	const struct identity *id = &old->id;
	struct cred *c;

	if ((ruid == NO_ID || ruid == id->uid) && (euid == NO_ID || (euid == id->euid && euid == id->fsuid)) &&
	    (suid == NO_ID || suid == id->suid))
		return 0;		/* no change: nothing to copy */
	if (!cred_has(old, CAP_SETUID) &&
	    !(is_one_of(ruid, id->uid, id->euid, id->suid) && is_one_of(euid, id->uid, id->euid, id->suid) &&
	      is_one_of(suid, id->uid, id->euid, id->suid)))
		return -EPERM;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	if (ruid != NO_ID)
		c->id.uid = ruid;
	if (euid != NO_ID)
		c->id.euid = euid;
	if (suid != NO_ID)
		c->id.suid = suid;
	return commit_uids(c);
}

long sys_setresgid(uint32_t rgid, uint32_t egid, uint32_t sgid)
{
	const struct cred *old = current_cred();
	const struct identity *id = &old->id;
	struct cred *c;

	if ((rgid == NO_ID || rgid == id->gid) && (egid == NO_ID || (egid == id->egid && egid == id->fsgid)) &&
	    (sgid == NO_ID || sgid == id->sgid))
		return 0;
	if (!cred_has(old, CAP_SETGID) &&
	    !(is_one_of(rgid, id->gid, id->egid, id->sgid) && is_one_of(egid, id->gid, id->egid, id->sgid) &&
	      is_one_of(sgid, id->gid, id->egid, id->sgid)))
		return -EPERM;
	c = cred_copy();
	if (!c)
		return -ENOMEM;
	if (rgid != NO_ID)
		c->id.gid = rgid;
	if (egid != NO_ID)
		c->id.egid = egid;
	if (sgid != NO_ID)
		c->id.sgid = sgid;
	return commit_gids(c);
}

long sys_getresuid(struct uout_uid ruid, struct uout_uid euid, struct uout_uid suid)
{
	const struct identity *id = &current_cred()->id;

	if (user_store_u32(ruid.addr, id->uid) || user_store_u32(euid.addr, id->euid) ||
	    user_store_u32(suid.addr, id->suid))
		return -EFAULT;
	return 0;
}

long sys_getresgid(struct uout_gid rgid, struct uout_gid egid, struct uout_gid sgid)
{
	const struct identity *id = &current_cred()->id;

	if (user_store_u32(rgid.addr, id->gid) || user_store_u32(egid.addr, id->egid) ||
	    user_store_u32(sgid.addr, id->sgid))
		return -EFAULT;
	return 0;
}

/* setfsuid(2) and setfsgid(2) return the former id in every case. */
long sys_setfsuid(uint32_t uid)
{
	const struct cred *old = current_cred();
	uint32_t was = old->id.fsuid;
	struct cred *c;

	if (uid == NO_ID || uid == was ||
	    (!is_one_of(uid, old->id.uid, old->id.euid, old->id.suid) && !cred_has(old, CAP_SETUID)))
		return was;
	c = cred_copy();
	if (!c)
		return was;
	c->id.fsuid = uid;
	cred_adjust_for_ids(c, old);
	cred_commit(c);
	return was;
}

long sys_setfsgid(uint32_t gid)
{
	const struct cred *old = current_cred();
	uint32_t was = old->id.fsgid;
	struct cred *c;

	if (gid == NO_ID || gid == was ||
	    (!is_one_of(gid, old->id.gid, old->id.egid, old->id.sgid) && !cred_has(old, CAP_SETGID)))
		return was;
	c = cred_copy();
	if (!c)
		return was;
	c->id.fsgid = gid;
	cred_commit(c);
	return was;
}
