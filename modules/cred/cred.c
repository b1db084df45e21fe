/*
 * The life of credentials, and the authority service.
 */
#include "internal.h"

int cred_slot;
struct cred *cred_boot;

int cred_init(void)
{
	cred_boot = kzalloc(sizeof(*cred_boot), 0);
	if (!cred_boot)
		return -ENOMEM;
	refcount_init(&cred_boot->refs, 1);
	cred_boot->permitted = cred_boot->effective = cred_boot->bounding = CAP_ALL;
	return 0;
}

void cred_exit(void)
{
	rcu_barrier();
	kfree(cred_boot);
}

/*
 * All objects come from kmalloc and are found through the threads' slots, so the one thing to hand over is the credentials that
 * threads share without counting. Version 1: word 0 is their address.
 */
void cred_state_export(struct module_blob *out)
{
	out->count = 1;
	out->word[0] = (uintptr_t)cred_boot;
}

int cred_state_import(struct module_blob *io)
{
	struct cred *theirs = (struct cred *)io->word[0];

	if (io->version != 1 || io->count != 1)
		return -EINVAL;
	io->word[0] = (uintptr_t)cred_boot;
	cred_boot = theirs;
	return 0;
}

static void cred_free_rcu(struct rcu_head *head)
{
	struct cred *c = container_of(head, struct cred, rcu);

	groups_put(c->groups);
	kfree(c);
}

void cred_put(struct cred *c)
{
	if (c && c != cred_boot && refcount_put(&c->refs))
		rcu_call(&c->rcu, cred_free_rcu);
}

static void cred_get(struct cred *c)
{
	if (c != cred_boot)
		refcount_get(&c->refs);
}

struct cred *cred_copy(void)
{
	const struct cred *old = current_cred();
	struct cred *c = kmalloc(sizeof(*c), 0);

	if (!c)
		return NULL;
	*c = *old;
	refcount_init(&c->refs, 1);
	if (c->groups)
		refcount_get(&c->groups->refs);
	return c;
}

/* The caller's state; a thread that came before the module gets one now. Null when out of memory. */
static struct cred_state *own_state(void)
{
	struct cred_state *s = state_of(current);

	if (s)
		return s;
	s = kzalloc(sizeof(*s), 0);
	if (!s)
		return NULL;
	s->cred = cred_boot;
	thread_set_data(current, cred_slot, s);
	return s;
}

void cred_commit(struct cred *c)
{
	struct cred_state *s = own_state();
	struct cred *old;
	bool reset;

	if (!s) {
		cred_put(c);		/* a boot thread without memory keeps what it has: all rights */
		return;
	}
	old = s->cred;
	reset = c->id.euid != old->id.euid || c->id.egid != old->id.egid || c->id.fsuid != old->id.fsuid ||
		c->id.fsgid != old->id.fsgid || (c->permitted & ~old->permitted);
	/* First: whoever sees the new ids must see that he may not look. */
	if (reset)
		service(process)->identity_changes();
	rcu_assign(s->cred, c);
	cred_put(old);
}

int cred_thread_create(struct thread *child, struct thread *parent, struct clone_request *request)
{
	struct cred_state *from = state_of(parent);
	struct cred_state *s = kzalloc(sizeof(*s), 0);

	(void)request;
	if (!s)
		return -ENOMEM;
	s->cred = from ? (from->saved ? from->saved : from->cred) : cred_boot;
	cred_get(s->cred);
	s->no_new_privs = from && from->no_new_privs;
	thread_set_data(child, cred_slot, s);
	return 0;
}

static void state_free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct cred_state, rcu));
}

void cred_thread_free(struct thread *t)
{
	struct cred_state *s = state_of(t);

	if (!s)
		return;
	thread_set_data(t, cred_slot, NULL);
	cred_put(s->cred);
	cred_put(s->saved);
	cred_put(s->pending);
	rcu_call(&s->rcu, state_free_rcu);
}

void cred_exec(struct thread *t)
{
	struct cred_state *s = state_of(t);
	struct cred *c = s ? s->pending : NULL;

	if (!c)
		return;
	s->pending = NULL;
	cred_commit(c);
}

int cred_set_pending(struct cred *c)
{
	struct cred_state *s = own_state();

	if (!s) {
		cred_put(c);
		return -ENOMEM;
	}
	cred_put(s->pending);
	s->pending = c;
	return 0;
}

static uint32_t fsuid(void) { return current_cred()->id.fsuid; }
static uint32_t fsgid(void) { return current_cred()->id.fsgid; }

static bool in_group(uint32_t gid)
{
	const struct cred *c = current_cred();

	return c->id.fsgid == gid || cred_in_groups(c, gid);
}

static bool capable(int cap) { return cred_has(current_cred(), cap); }

/* access(2) and faccessat(2): the real ids, and the capabilities that a program run by them would have. */
static void use_real_ids(bool on)
{
	struct cred_state *s = own_state();
	uint64_t effective;
	struct cred *c;

	if (!s)
		return;
	if (!on) {
		if (s->saved) {
			c = s->cred;
			rcu_assign(s->cred, s->saved);
			s->saved = NULL;
			cred_put(c);
		}
		return;
	}
	if (s->saved)
		return;
	c = s->cred;
	if (!(c->securebits & (1u << SECURE_NO_SETUID_FIXUP)))
		effective = c->id.uid == 0 ? c->permitted : 0;
	else
		effective = c->effective;
	if (c->id.fsuid == c->id.uid && c->id.fsgid == c->id.gid && c->effective == effective)
		return;
	c = cred_copy();
	if (!c)
		return;
	c->id.fsuid = c->id.uid;
	c->id.fsgid = c->id.gid;
	c->effective = effective;
	s->saved = s->cred;
	rcu_assign(s->cred, c);
}

/* Runs `part` with another thread's credentials under RCU. */
static const struct cred *other_cred(struct thread *t)
{
	struct cred_state *s = state_of(t);
	struct cred *c = s ? rcu_dereference(s->cred) : NULL;

	return c ? c : cred_boot;
}

static void identity(struct thread *t, struct identity *out)
{
	rcu_read_lock();
	*out = other_cred(t)->id;
	rcu_read_unlock();
}

static bool thread_capable(struct thread *t, int cap)
{
	bool result;

	rcu_read_lock();
	result = cred_has(other_cred(t), cap);
	rcu_read_unlock();
	return result;
}

static int may_signal(struct thread *t)
{
	const struct identity *me = &current_cred()->id;
	struct identity id;

	identity(t, &id);
	if (me->euid == id.suid || me->euid == id.uid || me->uid == id.suid || me->uid == id.uid || capable(CAP_KILL))
		return 0;
	return -EPERM;
}

static int may_schedule(struct thread *t)
{
	const struct identity *me = &current_cred()->id;
	struct identity id;

	identity(t, &id);
	return me->euid == id.uid || me->euid == id.euid || capable(CAP_SYS_NICE) ? 0 : -EPERM;
}

/* ptrace(2), "access mode checking": the real ids for attaching, the file-system ids for looking. */
static int may_trace(struct thread *t, bool attach)
{
	const struct cred *me = current_cred(), *other;
	uint32_t uid = attach ? me->id.uid : me->id.fsuid, gid = attach ? me->id.gid : me->id.fsgid;
	bool same, subset;

	if (t == current || capable(CAP_SYS_PTRACE))
		return 0;
	rcu_read_lock();
	other = other_cred(t);
	same = uid == other->id.euid && uid == other->id.suid && uid == other->id.uid && gid == other->id.egid &&
	       gid == other->id.sgid && gid == other->id.gid;
	subset = !(other->permitted & ~(attach ? me->permitted : me->effective));
	rcu_read_unlock();
	return same && subset ? 0 : -EPERM;
}

static int copy_groups(struct thread *t, uint32_t *out, int max)
{
	const struct groups *g;
	int n;

	rcu_read_lock();
	g = other_cred(t)->groups;
	n = g ? (int)g->count : 0;
	if (n)
		memcpy(out, g->gid, (size_t)MIN(n, max) * sizeof(*out));
	rcu_read_unlock();
	return n;
}

static void capabilities(struct thread *t, uint64_t sets[5])
{
	const struct cred *c;

	rcu_read_lock();
	c = other_cred(t);
	sets[0] = c->inheritable;
	sets[1] = c->permitted;
	sets[2] = c->effective;
	sets[3] = c->bounding;
	sets[4] = c->ambient;
	rcu_read_unlock();
}

static bool no_new_privs(void)
{
	struct cred_state *s = state_of(current);

	return s && s->no_new_privs;
}

static void set_no_new_privs(void)
{
	struct cred_state *s = own_state();

	if (s)
		s->no_new_privs = true;
}

const struct authority_ops cred_authority = {
	.fsuid = fsuid, .fsgid = fsgid, .in_group = in_group, .capable = capable, .use_real_ids = use_real_ids,
	.identity = identity, .thread_capable = thread_capable, .may_signal = may_signal, .may_trace = may_trace,
	.may_schedule = may_schedule, .exec_prepare = cred_exec_prepare, .groups = copy_groups,
	.capabilities = capabilities, .prctl = cred_prctl, .no_new_privs = no_new_privs,
	.set_no_new_privs = set_no_new_privs,
};
