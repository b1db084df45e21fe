/*
 * Taking a module out: the reverse of loading.
 *
 * The gate is shut first, so that nobody enters while we look. With the machine stopped and nobody inside, hooks and services go; then
 * the gate opens onto absent slots. From that moment nothing leads to the module: once its RCU callbacks have run, it is freed.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/log.h"
#include "core/module/export.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"

#define ATTEMPTS 8			/* at finding nobody inside */

struct removal {
	const char *name;
	bool force;
	int error;
	const char *why;
};

static bool drop_data(struct thread *t, void *arg)
{
	const struct module_descriptor *d = ((struct module *)arg)->descriptor;

	for (unsigned int i = 0; i < d->data_slot_count; i++)
		if (d->data_slots[i].kind == DATA_THREAD && thread_data(t, *d->data_slots[i].slot)) {
			d->drop(t);
			break;
		}
	return false;
}

/* The machine is stopped: takes the module's sockets out, or says why not. */
static void take_out(struct module_inspection *i, void *arg)
{
	struct module *m = i->module;
	struct removal *r = arg;

	r->error = -EBUSY;
	if (i->asleep && !r->force)
		r->why = "threads are inside";
	else if (i->running || i->asleep)
		r->error = -EAGAIN;
	else if (i->timers || i->interrupts)
		r->why = "timers are armed or interrupts requested";
	else if (i->busy)
		r->why = "objects refer to it";
	else if (i->objects && !(r->force && m->descriptor->drop))
		r->why = "threads keep data for it";
	else
		r->error = 0;
	if (r->error)
		return;
	WRITE_ONCE(m->state, MODULE_GOING);
	module_unbind_sockets(m);
	if (i->objects)
		thread_for_each(drop_data, m);
}

static int check_removable(const struct module *m, struct removal *r)
{
	if (refcount_read(&m->refs) > 1) {
		r->why = "other modules need it";
		return -EWOULDBLOCK;
	}
	if (m->state != MODULE_LIVE || m->descriptor->replace == REPLACE_NEVER ||
	    (m->descriptor->init && !m->descriptor->fini)) {
		r->why = "it stays for good";
		return -EBUSY;
	}
	return 0;
}

static int remove_locked(struct module *m, struct removal *r)
{
	struct module_inspection i;
	int error = check_removable(m, r);

	if (error)
		return error;
	sockets_open();		/* not with the machine stopped */
	gate_shut(m);
	/* Somebody may pass through a hook just then. */
	error = -EAGAIN;
	for (unsigned int n = 0; error == -EAGAIN && n < ATTEMPTS; n++) {
		error = r->force || n ? module_drain(m, r->force) : 0;
		r->why = module_why_not_drained(error);
		if (error)
			break;
		module_inspect(m, &i, take_out, r);
		error = r->error;
	}
	if (error == -EAGAIN)
		error = -EBUSY;
	gate_open(error ? m : NULL);
	sockets_close();
	if (error)
		return error;
	module_unpublish(m);
	/* Callbacks of its own, and readers of modules[]. */
	rcu_barrier();
	if (m->descriptor->fini)
		m->descriptor->fini();
	module_release_slots(m);
	module_discard(m);
	return 0;
}

static int remove_named(void *arg)
{
	struct removal *r = arg;
	struct module *m;
	int error = -ENOENT;

	if (module_work_lock())
		return -EINTR;
	m = module_find_locked(r->name);
	if (m)
		error = remove_locked(m, r);
	if (m && error)
		log_info("module %s: is not taken out: %s", r->name, r->why);
	mutex_unlock(&module_lock);
	return error;
}

int module_unload(const char *name, bool force)
{
	struct removal r = { .name = name, .force = force };

	return module_changes_forbidden() ? -EPERM : module_work(remove_named, &r);
}
KAPI(module_unload);
