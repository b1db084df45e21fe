/*
 * The life of threads: creation with the modules' consent, the end, references.
 *
 * References: one for being alive (dropped by the thread that runs after its last switch), one for each holder of a pointer.
 * The list of all threads has none: thread_put takes the thread off it before it is freed.
 *
 * Locking: all_lock (interrupts off) guards the list. Hooks are called without locks.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/arch/thread.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/aspace.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/module/export.h"
#include "core/module/gate.h"
#include "core/module/hooks.h"
#include "core/sync/mutex.h"
#include "core/sync/pi_mutex.h"
#include "core/time/clock.h"

static struct spinlock all_lock = SPINLOCK_INIT(all_lock);
static struct list all_threads = LIST_INIT(all_threads);
static unsigned int all_count;
static uint64_t all_made;
static struct kmem_cache *thread_cache;

void thread_set_name(struct thread *t, const char *name)
{
	char padded[THREAD_NAME_SIZE] = "";

	str_copy(padded, name, sizeof(padded));
	memcpy(t->name, padded, sizeof(padded));
}
KAPI(thread_set_name);

/* A thread with a stack and defaults, known to nobody. Null when out of memory. */
static struct thread *thread_allocate(const char *name)
{
	struct thread *t;

	if (!thread_cache) {
		thread_cache = kmem_cache_create("thread", sizeof(struct thread), 64);
		if (!thread_cache)
			return NULL;
	}
	t = kmem_cache_alloc(thread_cache, ALLOC_ZERO);
	if (!t)
		return NULL;
	t->stack_base = kernel_stack_alloc();
	if (!t->stack_base) {
		kmem_cache_free(thread_cache, t);
		return NULL;
	}
	refcount_init(&t->refs, 1);
	spin_init(&t->aspace_lock);
	list_init(&t->sched.rt_link);
	list_init(&t->all_link);
	t->sched.class = t->sched.base_class = SCHED_CLASS_FAIR;
	t->sched.weight = NICE_0_WEIGHT;
	t->sched.slice_left = FAIR_SLICE_NS;
	t->sched.fresh = true;
	t->cpu = arch_cpu_id();
	memset(&t->affinity, 0xff, sizeof(t->affinity));
	t->start_ns = clock_monotonic();
	thread_set_name(t, name);
	return t;
}

static void thread_publish(struct thread *t)
{
	unsigned long flags = spin_lock_irqsave(&all_lock);

	list_add_tail(&all_threads, &t->all_link);
	all_count++;
	all_made++;
	spin_unlock_irqrestore(&all_lock, flags);
}

static void thread_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(thread_cache, container_of(head, struct thread, rcu));
}

void thread_put(struct thread *t)
{
	unsigned long flags;

	if (!refcount_put(&t->refs))
		return;
	flags = spin_lock_irqsave(&all_lock);
	if (!list_empty(&t->all_link)) {
		list_remove(&t->all_link);
		all_count--;
	}
	spin_unlock_irqrestore(&all_lock, flags);
	hook_call_reverse(thread_free, t);
	arch_thread_free(t);
	kernel_stack_free(t->stack_base);
	rcu_call(&t->rcu, thread_free_rcu);
}
KAPI(thread_put);

int thread_start_kernel(const char *name, void (*fn)(void *), void *arg)
{
	struct thread *t = thread_allocate(name);

	if (!t)
		return -ENOMEM;
	t->kernel_fn = fn;
	t->kernel_arg = arg;
	arch_thread_setup_kernel(t);
	thread_publish(t);
	thread_start(t);
	return 0;
}
KAPI(thread_start_kernel);

void sched_kernel_entry(void)
{
	struct thread *t = current;

	arch_irq_enable();
	t->kernel_fn(t->kernel_arg);
	thread_exit();
}

static void inherit(struct thread *child, const struct thread *parent)
{
	struct sched_entity *e = &child->sched;

	thread_set_name(child, parent->name);
	child->affinity = parent->affinity;
	if (parent->sched.reset_on_fork && (parent->sched.base_class == SCHED_CLASS_RT || parent->sched.nice < 0))
		return;
	e->class = e->base_class = parent->sched.base_class;
	e->round_robin = parent->sched.round_robin;
	e->priority = e->base_priority = parent->sched.base_priority;
	e->policy = parent->sched.policy;
	e->nice = parent->sched.nice;
	e->weight = parent->sched.base_class == SCHED_CLASS_FAIR ? parent->sched.weight : NICE_0_WEIGHT;
	e->vruntime = parent->sched.vruntime;
	if (e->class == SCHED_CLASS_RT)
		e->slice_left = RR_SLICE_NS;
}

/* Asks the modules; on refusal those that agreed already are told of the child's end. */
static int run_create_hooks(struct thread *child, struct thread *parent, struct clone_request *request)
{
	const struct hook_list *create = HOOK_LIST(thread_create);
	int error;

	for (unsigned int i = 0; i < READ_ONCE(create->count); i++) {
		HOOK_TYPE(thread_create) fn = READ_ONCE(create->fn[i]);

		error = fn ? fn(child, parent, request) : 0;
		if (error) {
			hook_call_reverse(thread_exit, child);
			hook_call_reverse(thread_gone, child);
			return error;
		}
	}
	return 0;
}

int thread_create(struct thread *parent, struct aspace *as, struct clone_request *request,
		  struct thread **out)
{
	struct thread *t;
	int error;

	might_sleep();
	t = thread_allocate(parent->name);
	if (!t)
		return -ENOMEM;
	inherit(t, parent);
	error = arch_thread_setup_user(t, parent);
	if (error)
		goto undo_thread;
	t->aspace = as;
	aspace_get(as);
	thread_publish(t);
	error = run_create_hooks(t, parent, request);
	if (error)
		goto undo_aspace;
	*out = t;
	return 0;
undo_aspace:
	t->aspace = NULL;
	aspace_put(as);
undo_thread:
	WRITE_ONCE(t->state, THREAD_DEAD);
	thread_put(t);
	return error;
}
KAPI(thread_create);

void thread_abandon(struct thread *t)
{
	struct aspace *as = t->aspace;

	hook_call_reverse(thread_exit, t);
	t->aspace = NULL;
	if (as)
		aspace_put(as);
	hook_call_reverse(thread_gone, t);
	WRITE_ONCE(t->state, THREAD_DEAD);
	thread_put(t);
}
KAPI(thread_abandon);

void thread_switch_aspace(struct aspace *as)
{
	struct thread *t = current;
	struct aspace *old = t->aspace;
	struct cpu *cpu;

	preempt_disable();
	cpu = arch_cpu_self();
	if (as)
		bitmap_set_atomic(as->cpus.bits, cpu->id);
	spin_lock(&t->aspace_lock);
	WRITE_ONCE(t->aspace, as);
	spin_unlock(&t->aspace_lock);
	arch_mmu_load(as ? &as->mmu : NULL);
	if (cpu->aspace && cpu->aspace != as)
		bitmap_clear_atomic(cpu->aspace->cpus.bits, cpu->id);
	cpu->aspace = as;
	preempt_enable();
	if (old && old != as)
		aspace_put(old);
}
KAPI(thread_switch_aspace);

struct aspace *thread_get_aspace(struct thread *t)
{
	struct aspace *as;

	spin_lock(&t->aspace_lock);
	as = t->aspace;
	if (as)
		aspace_get(as);
	spin_unlock(&t->aspace_lock);
	return as;
}
KAPI(thread_get_aspace);

void thread_exit(void)
{
	struct thread *t = current;

	might_sleep();
	if (unlikely(thread_has_work(t, WORK_SETTLE)))
		gate_settled();
	hook_call_reverse(thread_exit, t);
	pi_thread_exit(t);
	if (t->aspace)
		thread_switch_aspace(NULL);
	hook_call_reverse(thread_gone, t);
	/* From here on a preemption would be taken for the last switch. */
	arch_irq_disable();
	WRITE_ONCE(t->state, THREAD_DEAD);
	sched_switch();
	panic("a dead thread runs");
}
KAPI(thread_exit);

void thread_for_each(bool (*fn)(struct thread *t, void *arg), void *arg)
{
	unsigned long flags = spin_lock_irqsave(&all_lock);
	struct thread *t;

	list_for_each(t, &all_threads, all_link)
		if (fn(t, arg))
			break;
	spin_unlock_irqrestore(&all_lock, flags);
}
KAPI(thread_for_each);

unsigned int thread_count(void)
{
	return READ_ONCE(all_count);
}
KAPI(thread_count);

uint64_t thread_made(void)
{
	return READ_ONCE(all_made);
}
KAPI(thread_made);

static bool dump_thread(struct thread *t, void *arg)
{
	static const char *const states[] = { "running", "sleeping", "dead" };
	uintptr_t pc, fp;

	(void)arg;
	log_err("thread %s state %s%s cpu %u mode %u work %x", t->name, states[t->state],
		t->on_cpu ? " (on cpu)" : "", t->cpu, t->wait_mode, t->work);
	if (t->on_cpu)
		return false;
	arch_thread_saved_context(t, &pc, &fp);
	backtrace_print(pc, fp);
	return false;
}

void thread_dump_all(void)
{
	thread_for_each(dump_thread, NULL);
}
KAPI(thread_dump_all);

/* An idle thread, or the boot stack's: never queued, in no list. */
struct thread *thread_make_idle(unsigned int cpu, bool with_stack)
{
	static struct thread boot_thread;
	struct thread *t = with_stack ? thread_allocate("idle") : &boot_thread;

	if (!t)
		return NULL;
	if (!with_stack) {
		refcount_init(&t->refs, 1);
		list_init(&t->all_link);
		list_init(&t->sched.rt_link);
	}
	snprintf(t->name, sizeof(t->name), "idle/%u", cpu);
	t->cpu = cpu;
	t->sched.class = t->sched.base_class = SCHED_CLASS_IDLE;
	t->sched.priority = t->sched.base_priority = RANK_IDLE;
	t->sched.fresh = false;
	t->sched.queued = true;
	t->on_cpu = 1;
	return t;
}
