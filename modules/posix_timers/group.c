/*
 * What a process has of timers, from its first timer to its end; hooks.
 *
 * The group hangs in the process until the last thread is gone. Exec ends POSIX timers, but interval timers go on.
 */
#include "internal.h"

static struct kmem_cache *group_cache;

int timers_init(void)
{
	group_cache = kmem_cache_create("timer-group", sizeof(struct timer_group), 0);
	if (!group_cache)
		return -ENOMEM;
	if (posix_timers_start()) {
		kmem_cache_destroy(group_cache);
		return -ENOMEM;
	}
	return 0;
}

void timers_fini(void)
{
	posix_timers_stop();
	kmem_cache_destroy(group_cache);
}

struct timer_group *timer_group_own(void)
{
	struct process *p = current_process;
	struct timer_group *g = timer_group_of(p), *expected = NULL;

	if (g)
		return g;
	g = kmem_cache_alloc(group_cache, ALLOC_ZERO);
	if (!g)
		return NULL;
	spin_init(&g->lock);
	g->process = p;
	list_init(&g->cpu_timers);
	timer_init(&g->real, itimer_real_expired);
	if (!__atomic_compare_exchange_n(&p->timers, (void **)&expected, g, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		kmem_cache_free(group_cache, g);
		return expected;
	}
	return g;
}

void timers_exec(struct thread *t)
{
	struct timer_group *g = timer_group_of(task_of(t)->process);

	if (g)
		posix_timers_delete_all(g);
}

void timers_group_gone(void *group)
{
	struct process *p = group;
	struct timer_group *g = timer_group_of(p);

	if (!g)
		return;
	posix_timers_delete_all(g);
	timer_cancel_sync(&g->real);
	WRITE_ONCE(p->timers, NULL);
	kmem_cache_free(group_cache, g);
}
