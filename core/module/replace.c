/*
 * Replacing a module in use (the gate: gate.c; who is inside: inspect.c).
 *
 * The new one is built beside the old one, with its data slots, and initialised. Then the gate is shut and the old one drained. With the machine
 * stopped, nobody inside and nothing but the module's own objects referring to it, state is handed over and the sockets change hands: a
 * thread that runs before that moment meets the old one only, after it the new one only. Each step up to the hand-over
 * can fail and is undone; after it nothing fails.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/module/export.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"
#include "core/time/timer.h"

#define ATTEMPTS 8			/* at finding nobody inside after a drain */

struct change {
	struct module *old, *new;
	struct module_blob state;
	int error;
	const char *why;
};

static int check_kind(const struct module *old, const struct module *new, const char **why)
{
	const struct module_descriptor *a = old->descriptor, *b = new->descriptor;

	if (old->state != MODULE_LIVE || a->replace == REPLACE_NEVER || b->replace == REPLACE_NEVER) {
		*why = "says that it is never replaced";
		return -EBUSY;
	}
	if (old->export_count || new->export_count) {
		*why = "exports symbols: others are linked to it";
		return -EBUSY;
	}
	if (a->replace != b->replace || a->data_slot_count != b->data_slot_count ||
	    (b->replace == REPLACE_STATE && !(a->state_export && b->state_export && a->state_import && b->state_import))) {
		*why = "the new one does not take over what the old one keeps";
		return -EINVAL;
	}
	for (unsigned int i = 0; i < a->data_slot_count; i++)
		if (a->data_slots[i].kind != b->data_slots[i].kind) {
			*why = "keeps other data";
			return -EINVAL;
		}
	if (b->replace == REPLACE_RESTART && a->state_version != b->state_version) {
		*why = "keeps data of another version";
		return -EINVAL;
	}
	return 0;
}

static void hand_over_slots(struct module *old, struct module *new)
{
	for (unsigned int i = 0; i < old->slots_claimed; i++)
		*new->descriptor->data_slots[i].slot = *old->descriptor->data_slots[i].slot;
}

/* Both directions of the exchange; the second cannot be refused. */
static int hand_over_state(struct change *c)
{
	int error;

	if (c->new->descriptor->replace != REPLACE_STATE)
		return 0;
	memset(&c->state, 0, sizeof(c->state));
	c->state.version = c->old->descriptor->state_version;
	c->old->descriptor->state_export(&c->state);
	error = c->new->descriptor->state_import(&c->state);
	if (!error)
		c->old->descriptor->state_import(&c->state);
	return error;
}

static void take_back_state(struct change *c)
{
	struct change back = { .old = c->new, .new = c->old };

	hand_over_state(&back);
}

static void move_dependents(struct module *old, struct module *new)
{
	for (unsigned int i = 0; i < MODULES_MAX; i++)
		for (unsigned int k = 0; modules[i] && k < modules[i]->needs_count; k++)
			if (modules[i]->needs[k] == old) {
				refcount_get(&new->refs);
				modules[i]->needs[k] = new;
				refcount_put(&old->refs);
			}
}

/* The machine is stopped. */
static void change_hands(struct module_inspection *i, void *arg)
{
	struct change *c = arg;
	struct module *old = c->old, *new = c->new;

	c->error = -EAGAIN;
	c->why = "threads came back into it";
	if (i->running || i->asleep)
		return;
	c->error = -EBUSY;
	c->why = "timers or interrupts of the old one are left";
	if (i->interrupts || (i->timers && new->descriptor->replace != REPLACE_STATE))
		return;
	c->error = hand_over_state(c);
	if (c->error) {
		c->why = "the new one refuses the state";
		return;
	}
	if (i->timers && timer_count_functions(old->part[0].base, old->total_size)) {
		take_back_state(c);
		c->error = -EBUSY;
		return;
	}
	module_swap_sockets(old, new);
	for (unsigned int k = 0; k < MODULES_MAX; k++)
		if (modules[k] == old)
			store_release(&modules[k], new);
	WRITE_ONCE(new->state, MODULE_LIVE);
	WRITE_ONCE(old->state, MODULE_GOING);
}

/* Shuts the gate, changes hands, opens it. */
static int change_at_gate(struct change *c)
{
	struct module_inspection i;
	int error = -EAGAIN;

	sockets_open();		/* not with the machine stopped */
	gate_shut(c->old);
	for (unsigned int n = 0; error == -EAGAIN && n < ATTEMPTS; n++) {
		error = module_drain(c->old, true);
		c->why = module_why_not_drained(error);
		if (error)
			break;
		module_inspect(c->old, &i, change_hands, c);
		error = c->error;
	}
	gate_open(error ? c->old : c->new);
	sockets_close();
	return error == -EAGAIN ? -EBUSY : error;
}

static void retire(struct module *old, struct module *new)
{
	new->slots_claimed = old->slots_claimed;
	old->slots_claimed = 0;
	new->generation = old->generation + 1;
	new->loaded_ns = old->loaded_ns;
	move_dependents(old, new);
	/* Its callbacks run with its text still there. */
	rcu_barrier();
	if (old->descriptor->fini)
		old->descriptor->fini();
	module_discard(old);
}

static int replace_locked(struct module_request *r, const char *params)
{
	struct change c = { .old = module_find_locked(r->module->name), .new = r->module };
	const struct module_descriptor *d;
	int error;

	if (!c.old) {
		r->why = "is not loaded: nothing to replace";
		return -ENOENT;
	}
	error = module_construct(r);
	if (!error)
		error = check_kind(c.old, c.new, &r->why);
	if (error)
		return error;
	hand_over_slots(c.old, c.new);
	error = module_apply_params(c.new, params, &r->why);
	if (!error)
		error = module_check_swap(c.old, c.new, &r->why);
	if (error)
		return error;
	module_protect(c.new);
	d = c.new->descriptor;
	error = d->init ? d->init() : 0;
	if (error) {
		r->why = "init failed";
		return error;
	}
	error = change_at_gate(&c);
	if (error) {
		r->why = c.why;
		/* Its data slots are the old one's. */
		if (d->fini)
			d->fini();
		return error;
	}
	retire(c.old, c.new);
	return 0;
}

struct replacement {
	struct module_request request;
	const void *image;
	size_t size;
	const char *params;
};

static int replace(void *arg)
{
	struct replacement *p = arg;
	struct module_request *r = &p->request;
	int error = module_admit(p->image, &p->size);

	if (error)
		return error;
	error = module_prepare(p->image, p->size, r);
	if (module_work_lock())
		return -EINTR;
	if (!error)
		error = replace_locked(r, p->params);
	if (!error)
		log_debug("module %s: replaced, callers waited %llu us", r->module->name,
			  (unsigned long long)(gate_last_time() / NSEC_PER_USEC));
	if (error) {
		module_report(r, error);
		if (r->module)
			module_discard(r->module);
	}
	mutex_unlock(&module_lock);
	return error;
}

int module_replace(const void *image, size_t size, const char *params)
{
	struct replacement *p;
	int error;

	if (module_changes_forbidden())
		return -EPERM;
	p = kmalloc(sizeof(*p), 0);
	if (!p)
		return -ENOMEM;
	p->image = image;
	p->size = size;
	p->params = params;
	error = module_work(replace, p);
	kfree(p);
	return error;
}
KAPI(module_replace);
KAPI(module_gate_times);
