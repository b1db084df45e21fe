/*
 * Connecting a module: data slots, system calls, services, hooks; and taking it out again.
 *
 * Binding has two phases: everything that can fail is checked, then single stores make it visible. A system call that enters meanwhile
 * sees the old or the new owner of its slot, nothing else. Called under module_lock.
 *
 * The tables lie in pages of their own, which are read-only between changes, in the image's mapping as
 * well as in the direct map.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/log.h"
#include "core/mem/aspace.h"
#include "core/mem/page_table.h"
#include "core/module/hooks.h"
#include "core/module/services.h"
#include "core/sched/thread.h"
#include "core/trap/syscall.h"

#define HOOK_COUNT (sizeof(struct module_hooks) / sizeof(void *))
#define SERVICE_COUNT (sizeof(struct module_services) / sizeof(void *))

static unsigned long thread_slots, aspace_slots;	/* in use */

extern char sockets_start[], sockets_end[];
static unsigned int sockets_opened = 1;		/* until the boot list is loaded */

void sockets_open(void)
{
	if (sockets_opened++ == 0)
		kernel_protect((uintptr_t)sockets_start, (size_t)(sockets_end - sockets_start),
			       MMU_READ | MMU_WRITE | MMU_GLOBAL);
}

void sockets_close(void)
{
	if (--sockets_opened == 0)
		kernel_protect((uintptr_t)sockets_start, (size_t)(sockets_end - sockets_start),
			       MMU_READ | MMU_GLOBAL);
}

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

/* Where a further function goes: at the end, or if that is taken into a hole. HOOK_LIMIT: nowhere. */
static unsigned int hook_place(const struct hook_list *l)
{
	unsigned int at = l->count;

	if (at == HOOK_LIMIT)
		for (at = 0; at < HOOK_LIMIT && l->fn[at]; at++)
			;
	return at;
}

static void add_hook(struct hook_list *l, void *fn)
{
	unsigned int at = hook_place(l);

	store_release(&l->fn[at], fn);
	if (at == l->count)
		store_release(&l->count, at + 1);
}

/* Readers that run along call the old function or the new one. */
static void change_hook(struct hook_list *l, void *from, void *to)
{
	for (unsigned int k = 0; k < l->count; k++)
		if (l->fn[k] == from)
			store_release(&l->fn[k], to);
}

/* Leaves a hole: others stay where they are, so that a reader who runs along meets each of them once. */
static void remove_hook(struct hook_list *l, void *fn)
{
	change_hook(l, fn, NULL);
	while (l->count && !l->fn[l->count - 1])
		store_release(&l->count, l->count - 1);
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
			module_complain("module %s: system call %u is served already", m->name, nr);
			*why = "system call is served by another module";
			return -EBUSY;
		}
	}
	for (unsigned int i = 0; hooks && i < HOOK_COUNT; i++)
		if (hooks[i] && hook_place(&hook_table.list[i]) == HOOK_LIMIT) {
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
	sockets_open();
	for (unsigned int i = 0; services && i < SERVICE_COUNT; i++)
		if (services[i])
			store_release(&((void **)&services_active)[i], services[i]);
	for (unsigned int i = 0; hooks && i < HOOK_COUNT; i++)
		if (hooks[i])
			add_hook(&hook_table.list[i], hooks[i]);
	for (unsigned int i = 0; i < d->syscall_count; i++)
		store_release(&syscall_table[d->syscalls[i].number], d->syscalls[i].call);
	sockets_close();
	return 0;
}

void module_unbind_sockets(struct module *m)
{
	const struct module_descriptor *d = m->descriptor;
	void *const *hooks = (void *const *)d->hooks;
	void *const *services = (void *const *)d->services;

	for (unsigned int i = 0; hooks && i < HOOK_COUNT; i++)
		if (hooks[i]) {
			remove_hook(&hook_table.list[i], hooks[i]);
			if (gate_hook(i))
				remove_hook(&hook_table.list[i], gate_hook(i));
		}
	for (unsigned int i = 0; services && i < SERVICE_COUNT; i++)
		if (services[i])
			store_release(&((void **)&services_active)[i], ((void *const *)&services_default)[i]);
}

void module_gate_hooks(struct module *m, bool shut)
{
	void *const *hooks = (void *const *)m->descriptor->hooks;

	sockets_open();
	for (unsigned int i = 0; hooks && i < HOOK_COUNT; i++) {
		void *stand_in = hooks[i] ? gate_hook(i) : NULL;

		if (stand_in)
			change_hook(&hook_table.list[i], shut ? hooks[i] : stand_in, shut ? stand_in : hooks[i]);
	}
	sockets_close();
}

int module_check_swap(const struct module *old, const struct module *new, const char **why)
{
	const struct module_descriptor *d = new->descriptor;
	void *const *had = (void *const *)old->descriptor->hooks, *const *hooks = (void *const *)d->hooks;
	void *const *gave = (void *const *)old->descriptor->services, *const *services = (void *const *)d->services;

	for (unsigned int i = 0; i < d->syscall_count; i++) {
		unsigned int nr = d->syscalls[i].number;
		bool ours = nr < SYSCALL_TABLE_SIZE && syscall_table[nr] == syscall_absent;

		for (unsigned int k = 0; k < old->descriptor->syscall_count; k++)
			ours |= old->descriptor->syscalls[k].number == nr;
		if (!ours || !d->syscalls[i].call) {
			*why = "a further system call of the new one is served by another module";
			return -EBUSY;
		}
	}
	for (unsigned int i = 0; hooks && i < HOOK_COUNT; i++)
		if (hooks[i] && !(had && had[i]) && hook_place(&hook_table.list[i]) == HOOK_LIMIT) {
			*why = "no room for a hook";
			return -ENOSPC;
		}
	for (unsigned int i = 0; services && i < SERVICE_COUNT; i++)
		if (services[i] && !(gave && gave[i]) &&
		    ((void **)&services_active)[i] != ((void *const *)&services_default)[i]) {
			*why = "service is provided by another module";
			return -EBUSY;
		}
	return 0;
}

void module_swap_sockets(struct module *old, struct module *new)
{
	void *const *had = (void *const *)old->descriptor->hooks, *const *hooks = (void *const *)new->descriptor->hooks;
	void *const *gave = (void *const *)old->descriptor->services;
	void *const *services = (void *const *)new->descriptor->services;

	for (unsigned int i = 0; i < HOOK_COUNT; i++) {
		void *before = had ? had[i] : NULL, *after = hooks ? hooks[i] : NULL;

		/* A gated hook leads to the gate until that opens. */
		if (before && gate_hook(i)) {
			if (!after)
				remove_hook(&hook_table.list[i], gate_hook(i));
		} else if (before && after) {
			change_hook(&hook_table.list[i], before, after);
		} else if (before) {
			remove_hook(&hook_table.list[i], before);
		} else if (after) {
			add_hook(&hook_table.list[i], after);
		}
	}
	for (unsigned int i = 0; i < SERVICE_COUNT; i++) {
		if (services && services[i])
			store_release(&((void **)&services_active)[i], services[i]);
		else if (gave && gave[i])
			store_release(&((void **)&services_active)[i], ((void *const *)&services_default)[i]);
	}
}
