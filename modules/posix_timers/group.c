/*
 * What a process has of timers, from its first timer to its end; hooks.
 *
 * The group hangs in the process until the last thread is gone. Exec ends POSIX timers, but interval timers go on.
 */
#include "internal.h"

#include "core/module/descriptor.h"
#include "core/sync/rcu.h"

static struct spinlock groups_lock = SPINLOCK_INIT(groups_lock);
static struct list groups = LIST_INIT(groups);

void timers_fini(void)
{
	rcu_barrier();		/* timers that are being freed */
}

bool timers_busy(void)
{
	return !list_empty(&groups) || !list_empty(timerfd_all());
}

/*
 * All objects come from kmalloc; they are found from three lists, whose heads the first words of version 4 are: groups, timerfds, those of
 * them that are told when the clock is set. Then come the states of the discipline and of a leap second, and the
 * time zone, which are copied. Zero words hand over nothing.
 */
void timers_state_export(struct module_blob *out)
{
	out->count = 6;
	out->word[0] = (uintptr_t)&groups;
	out->word[1] = (uintptr_t)timerfd_all();
	out->word[2] = (uintptr_t)timerfd_watching();
	out->word[3] = (uintptr_t)ntp_state();
	out->word[4] = (uintptr_t)leap_state();
	out->word[5] = (uintptr_t)clock_time_zone();
}

int timers_state_import(struct module_blob *io)
{
	struct list *const to[] = { &groups, timerfd_all(), timerfd_watching() };
	struct timer_group *g;

	if (io->version != 4 || io->count != ARRAY_SIZE(to) + 3)
		return -EINVAL;
	for (unsigned int i = 0; i < ARRAY_SIZE(to); i++) {
		if (io->word[i])
			list_splice_tail(to[i], (struct list *)io->word[i]);
		io->word[i] = 0;
	}
	if (io->word[3]) {
		ntp_adopt((struct ntp_state *)io->word[3]);
		leap_adopt((struct leap_state *)io->word[4]);
		*clock_time_zone() = *(const struct timezone *)io->word[5];
		io->word[3] = io->word[4] = io->word[5] = 0;
	}
	list_for_each(g, &groups, link) {
		g->real.fn = itimer_real_expired;
		posix_timers_adopt(g);
	}
	timerfd_adopt();
	return 0;
}

struct timer_group *timer_group_own(void)
{
	struct process *p = current_process;
	struct timer_group *g = timer_group_of(p), *expected = NULL;
	unsigned long flags;

	if (g)
		return g;
	g = kzalloc(sizeof(*g), 0);
	if (!g)
		return NULL;
	spin_init(&g->lock);
	g->process = p;
	list_init(&g->cpu_timers);
	timer_init(&g->real, itimer_real_expired);
	if (!__atomic_compare_exchange_n(&p->timers, (void **)&expected, g, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		kfree(g);
		return expected;
	}
	flags = spin_lock_irqsave(&groups_lock);
	list_add_tail(&groups, &g->link);
	spin_unlock_irqrestore(&groups_lock, flags);
	return g;
}

void timers_exec(struct thread *t)
{
	struct timer_group *g = timer_group_of(task_of(t)->process);

	if (g)
		posix_timers_delete_all(g);
}

static void free_group(struct rcu_head *head)
{
	kfree(container_of(head, struct timer_group, rcu));
}

void timers_group_gone(void *group)
{
	struct process *p = group;
	struct timer_group *g = timer_group_of(p);
	unsigned long flags;

	if (!g)
		return;
	posix_timers_delete_all(g);
	timer_cancel_sync(&g->real);
	WRITE_ONCE(p->timers, NULL);
	flags = spin_lock_irqsave(&groups_lock);
	list_remove(&g->link);
	spin_unlock_irqrestore(&groups_lock, flags);
	rcu_call(&g->rcu, free_group);
}
