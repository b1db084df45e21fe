/*
 * Who is inside of a module? The question is answered by looking, with all CPUs stopped, so that entering and leaving cost nothing.
 *
 * A thread that has to return into a function has the address on its stack, where the chain of frame pointers leads to it: every C
 * function keeps frame pointers, and what assembly calls keeps its caller's. The chain is exact for code that sleeps. Code that was
 * preempted or interrupted may not have made its frame yet, and may hold a pointer that it is about to call: then every word from the stack
 * pointer to the user's registers is taken for a pointer. Stale words can make an innocent thread look guilty; it is
 * runnable, or waits for a page, so it will be innocent when it is looked at again. A thread preempted on its way to user mode holds none.
 *
 * What holds a pointer into a module between reading it from a socket and calling it must not sleep in between; slots, hook_call and
 * service() read it just before the call.
 *
 * Context: module_lock held; the looking itself with interrupts off and without locks but those taken with interrupts off.
 */
#include "internal.h"

#include "core/arch/thread.h"
#include "core/arch/trap.h"
#include "core/module/hooks.h"
#include "core/sched/sched.h"
#include "core/sched/stop.h"
#include "core/sync/wait.h"
#include "core/time/timer.h"
#include "core/trap/irq.h"

#define CHAIN_MAX 256

struct look {
	struct module_inspection *result;
	void (*then)(struct module_inspection *i, void *arg);
	void *arg;
	void (*each)(struct thread *t, bool asleep);
	unsigned int running;		/* counted by the CPUs that were stopped */
};

static bool in_module(const struct module *m, uintptr_t address)
{
	return address - m->part[0].base < m->total_size;
}

static bool words_reach(const struct module *m, uintptr_t from, uintptr_t to)
{
	for (const uintptr_t *w = (const uintptr_t *)ALIGN_UP(from, sizeof(*w)); w < (const uintptr_t *)to; w++)
		if (in_module(m, *w))
			return true;
	return false;
}

/* The stack of `t` from `sp` up; `fp` is the innermost frame. */
static bool stack_reaches(const struct module *m, const struct thread *t, uintptr_t sp, uintptr_t fp)
{
	uintptr_t low = t->stack_base, end = t->frame ? (uintptr_t)t->frame : low + KERNEL_STACK_SIZE;

	if (!low || sp < low || sp > end)
		return false;		/* the boot CPU's idle thread, which calls no module */
	for (unsigned int n = 0; n < CHAIN_MAX; n++) {
		uintptr_t pc, next;

		if (fp < sp || fp > end - 2 * sizeof(uintptr_t) || (fp & 7))
			return fp != 0 && words_reach(m, sp, end);	/* a chain that does not end where it should proves nothing */
		next = ((const uintptr_t *)fp)[0];
		pc = ((const uintptr_t *)fp)[1];
		if (in_module(m, pc))
			return true;
		if (arch_trap_from_kernel(pc))
			return words_reach(m, sp, end);
		if (!next)
			return false;
		if (next <= fp)
			return words_reach(m, sp, end);
		fp = next;
	}
	return words_reach(m, sp, end);
}

/* On each stopped CPU: the thread that was interrupted. */
static void look_at_running(void *arg)
{
	struct look *l = arg;
	struct thread *t = current;
	uintptr_t fp = (uintptr_t)__builtin_frame_address(0);

	if (t != arch_cpu_self()->idle && stack_reaches(l->result->module, t, fp, fp))
		__atomic_fetch_add(&l->running, 1, __ATOMIC_RELAXED);
}

static bool reaches(const struct module *m, const struct thread *t)
{
	uintptr_t pc, fp;

	if (READ_ONCE(t->state) == THREAD_DEAD || t->on_cpu || !t->stack_base)
		return false;
	arch_thread_saved_context(t, &pc, &fp);
	if ((t->sched.queued || t->sched.incoming) && !t->leaving && t->frame)
		return words_reach(m, arch_thread_saved_sp(t), (uintptr_t)t->frame);
	/* A thread that never ran has no frame yet, and nothing of a module on its stack. */
	if (!fp)
		return false;
	return in_module(m, pc) || stack_reaches(m, t, arch_thread_saved_sp(t), fp);
}

static bool is_asleep(const struct thread *t)
{
	return !t->sched.queued && !t->sched.incoming && t->state == THREAD_SLEEPING && t->wait_mode == WAIT_INTERRUPTIBLE;
}

static bool look_at_thread(struct thread *t, void *arg)
{
	struct look *l = arg;
	struct module_inspection *r = l->result;
	const struct module_descriptor *d = r->module->descriptor;

	for (unsigned int i = 0; i < d->data_slot_count; i++)
		if (d->data_slots[i].kind == DATA_THREAD && thread_data(t, *d->data_slots[i].slot))
			r->objects++;
	if (t == current || !reaches(r->module, t))
		return false;
	if (is_asleep(t))
		r->asleep++;
	else
		r->running++;
	return false;
}

static void look_alone(void *arg)
{
	struct look *l = arg;
	struct module_inspection *r = l->result;
	const struct module *m = r->module;

	r->running = l->running;
	r->asleep = r->objects = 0;
	thread_for_each(look_at_thread, l);
	r->timers = timer_count_functions(m->part[0].base, m->total_size);
	r->interrupts = irq_count_handlers(m->part[0].base, m->total_size);
	r->busy = m->descriptor->busy && m->descriptor->busy();
	if (l->then)
		l->then(r, l->arg);
}

void module_inspect(struct module *m, struct module_inspection *out, void (*then)(struct module_inspection *i, void *arg),
		    void *arg)
{
	struct look l = { .result = out, .then = then, .arg = arg };

	*out = (struct module_inspection){ .module = m };
	cpus_stop(look_at_running, look_alone, &l);
}

static bool each_inside(struct thread *t, void *arg)
{
	struct look *l = arg;

	if (t != current && reaches(l->result->module, t))
		l->each(t, is_asleep(t));
	return false;
}

void module_for_each_inside(struct module *m, void (*fn)(struct thread *t, bool asleep))
{
	struct module_inspection i = { .module = m };
	struct look l = { .result = &i, .each = fn };

	thread_for_each(each_inside, &l);
}
