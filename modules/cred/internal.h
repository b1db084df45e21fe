/*
 * Private to modules/cred.
 *
 * A struct cred never changes once a thread uses it: a change makes a copy and swaps the thread's pointer, so that others read it
 * under RCU without a lock. Only the thread itself changes its pointer.
 */
#pragma once

#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>

#include "core/lib/refcount.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/mem/uaccess.h"
#include "core/module/descriptor.h"
#include "core/module/hooks.h"
#include "core/module/services.h"
#include "core/sched/thread.h"
#include "core/sync/rcu.h"

#define CAP_ALL ((1ull << (CAP_LAST_CAP + 1)) - 1)
#define CAP_BIT(c) (1ull << (c))
#define NO_ID ((uint32_t)-1)
#define GROUPS_MAX 65536

/* Supplementary groups in ascending order. */
struct groups {
	struct refcount refs;
	unsigned int count;
	uint32_t gid[];
};

struct cred {
	struct refcount refs;
	struct identity id;
	uint64_t inheritable, permitted, effective, bounding, ambient;
	unsigned int securebits;
	struct groups *groups;		/* null: none */
	struct rcu_head rcu;
};

/* What a thread has. */
struct cred_state {
	struct cred *cred;		/* read by others under RCU */
	struct cred *saved;		/* while use_real_ids is on: the thread's own */
	struct cred *pending;		/* made by exec_prepare, taken by the exec hook */
	bool no_new_privs;
	struct rcu_head rcu;
};

extern int cred_slot;
extern struct cred *cred_boot;		/* of threads without a state: everything allowed */

static inline struct cred_state *state_of(const struct thread *t) { return thread_data(t, cred_slot); }

/* The calling thread's, stable until it changes it itself. */
static inline const struct cred *current_cred(void)
{
	struct cred_state *s = state_of(current);

	return s ? s->cred : cred_boot;
}

/* A copy of the caller's to be changed and committed. Null when out of memory. */
struct cred *cred_copy(void);
/* Makes it the caller's; the old one goes. */
void cred_commit(struct cred *c);
void cred_put(struct cred *c);
void groups_put(struct groups *g);

static inline bool cred_has(const struct cred *c, int cap)
{
	return cap >= 0 && cap <= CAP_LAST_CAP && (c->effective & CAP_BIT(cap));
}

/* caps.c */
/* What a change of user ids does to capabilities (capabilities(7)). */
void cred_adjust_for_ids(struct cred *new, const struct cred *old);
long cred_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5);

/* exec.c */
int cred_set_pending(struct cred *c);	/* cred.c: for the next exec hook */
int cred_exec_prepare(const struct exec_file *f, struct exec_change *out);

/* groups.c */
bool cred_in_groups(const struct cred *c, uint32_t gid);
