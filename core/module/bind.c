/*
 * Connecting a module: data slots, system calls, services, hooks; and taking it out again.
 *
 * Binding has two phases: everything that can fail is checked, then single stores make it visible. A system call that enters meanwhile
 * sees the old or the new owner of its slot, nothing else. Called under module_lock.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/log.h"
#include "core/mem/aspace.h"
#include "core/module/hooks.h"
#include "core/module/services.h"
#include "core/sched/thread.h"
#include "core/trap/syscall.h"

#define HOOK_COUNT (sizeof(struct module_hooks) / sizeof(void *))
#define SERVICE_COUNT (sizeof(struct module_services) / sizeof(void *))

static unsigned long thread_slots, aspace_slots;	/* in use */

int module_claim_slots(struct module *m, const char **why)
{
	const struct module_descriptor *d = m->descriptor;

	for (unsigned int i = 0; i < d->data_slot_count; i++) {
		const struct module_data_slot *s = &d->data_slots[i];
		unsigned long *map = s->kind == DATA_THREAD ? &thread_slots : &aspace_slots;
		unsigned int limit = s->kind == DATA_THREAD ? THREAD_DATA_SLOTS : ASPACE_DATA_SLOTS;
		unsigned int slot = bitmap_next_clear(map, limit, 0);

		if (slot == limit) {
			*why = "no data slot is free";
			return -ENOSPC;
		}
		*map |= 1ul << slot;
		*s->slot = (int)slot;
		m->slots_claimed++;
	}
	return 0;
}

void module_release_slots(struct module *m)
{
	const struct module_descriptor *d = m->descriptor;

	while (m->slots_claimed) {
		const struct module_data_slot *s = &d->data_slots[--m->slots_claimed];

		*(s->kind == DATA_THREAD ? &thread_slots : &aspace_slots) &= ~(1ul << *s->slot);
	}
}

static int check_bind(const struct module *m, const char **why)
{
	const struct module_descriptor *d = m->descriptor;
	void *const *hooks = (void *const *)d->hooks;
	void *const *services = (void *const *)d->services;

	for (unsigned int i = 0; i < d->syscall_count; i++) {
		unsigned int nr = d->syscalls[i].number;

		if (nr >= SYSCALL_TABLE_SIZE || !d->syscalls[i].call) {
			*why = "system call number out of range";
			return -EINVAL;
		}
		if (syscall_table[nr] != syscall_absent) {
			log_err("module %s: system call %u is served already", m->name, nr);
			*why = "system call is served by another module";
			return -EBUSY;
		}
	}
	for (unsigned int i = 0; hooks && i < HOOK_COUNT; i++)
		if (hooks[i] && hook_table.list[i].count >= HOOK_LIMIT) {
			*why = "no room for a hook";
			return -ENOSPC;
		}
	for (unsigned int i = 0; services && i < SERVICE_COUNT; i++)
		if (services[i] && ((void **)&services_active)[i] != ((void *const *)&services_default)[i]) {
			*why = "service is provided by another module";
			return -EBUSY;
		}
	return 0;
}

int module_bind(struct module *m, const char **why)
{
	const struct module_descriptor *d = m->descriptor;
	void *const *hooks = (void *const *)d->hooks;
	void *const *services = (void *const *)d->services;
	int error = check_bind(m, why);

	if (error)
		return error;
	for (unsigned int i = 0; services && i < SERVICE_COUNT; i++)
		if (services[i])
			store_release(&((void **)&services_active)[i], services[i]);
	for (unsigned int i = 0; hooks && i < HOOK_COUNT; i++) {
		struct hook_list *l = &hook_table.list[i];

		if (!hooks[i])
			continue;
		store_release(&l->fn[l->count], hooks[i]);
		store_release(&l->count, l->count + 1);
	}
	for (unsigned int i = 0; i < d->syscall_count; i++)
		store_release(&syscall_table[d->syscalls[i].number], d->syscalls[i].call);
	return 0;
}

/* Takes fn out of a list. Readers that run past see a function twice or not at all, never a wrong one. */
static void remove_hook(struct hook_list *l, void *fn)
{
	for (unsigned int k = 0; k < l->count; k++) {
		if (l->fn[k] != fn)
			continue;
		for (; k + 1 < l->count; k++)
			store_release(&l->fn[k], l->fn[k + 1]);
		store_release(&l->count, l->count - 1);
		store_release(&l->fn[l->count], NULL);
		return;
	}
}

void module_unbind(struct module *m)
{
	const struct module_descriptor *d = m->descriptor;
	void *const *hooks = (void *const *)d->hooks;
	void *const *services = (void *const *)d->services;

	for (unsigned int i = 0; i < d->syscall_count; i++)
		store_release(&syscall_table[d->syscalls[i].number], syscall_absent);
	for (unsigned int i = 0; hooks && i < HOOK_COUNT; i++)
		if (hooks[i])
			remove_hook(&hook_table.list[i], hooks[i]);
	for (unsigned int i = 0; services && i < SERVICE_COUNT; i++)
		if (services[i])
			store_release(&((void **)&services_active)[i], ((void *const *)&services_default)[i]);
}
