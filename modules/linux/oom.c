/*
 * The end of memory: one process dies so that the others can go on.
 *
 * Badness is resident memory and what the kernel has for the process alone: page tables, mappings, what stands in its pipes, sockets
 * and nameless files, so that the one who fills memory with those is found. It is shifted by oom_score_adj in thousandths of all memory. -1000 and init are spared. A victim that has not
 * gone yet is waited for instead of choosing another one.
 */
#include "internal.h"

#include "core/mem/aspace.h"
#include "core/sync/rcu.h"
#include "modules/vfs/fd.h"

static struct mutex lock = MUTEX_INIT(lock);
static struct process *victim;		/* with a reference */

/* Some thread that has not ended, with a reference; null: none. */
static struct task *living_task(struct process *p)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct task *t = list_empty(&p->tasks) ? NULL : list_first(&p->tasks, struct task, link);

	if (t)
		task_get(t);
	spin_unlock_irqrestore(&tree_lock, flags);
	return t;
}

/* Memory of a process in pages; 0: spared. */
static int64_t badness(struct process *p)
{
	struct task *t = living_task(p);
	struct aspace *as;
	int64_t points = 0;

	if (!t)
		return 0;
	as = t->thread ? thread_get_aspace(t->thread) : NULL;
	if (as) {
		points = (int64_t)(as->resident_anon + as->resident_file + READ_ONCE(as->mmu.tables)) + 1;
		points += (int64_t)((READ_ONCE(as->region_count) * sizeof(struct region) +
				     thread_fd_memory(t->thread)) >> PAGE_SHIFT);
		points += (int64_t)(page_total() / 1000) * p->oom_score_adj;
		if (p == init_process || p->oom_score_adj == -1000)
			points = 0;
		else
			points = MAX(points, 1);
		aspace_put(as);
	}
	task_put(t);
	return points;
}

static struct process *choose(void)
{
	struct process *p, *worst = NULL;
	int64_t most = 0;

	for (int nr = 1; (p = process_next(nr)); process_put(p)) {
		int64_t points = p->state == PROCESS_ALIVE ? badness(p) : 0;

		nr = p->pid->nr + 1;
		if (points > most) {
			if (worst)
				process_put(worst);
			most = points;
			worst = p;
			process_get(p);
		}
	}
	return worst;
}

bool oom_kill_one(void)
{
	struct process *p;
	bool again = true;

	if (!current_task || thread_has_work(current, WORK_KILL))
		return false;
	if (!mutex_trylock(&lock))
		goto wait;
	if (victim && READ_ONCE(victim->state) != PROCESS_ALIVE) {
		process_put(victim);
		victim = NULL;
	}
	if (!victim) {
		p = choose();
		if (p) {
			log_err("out of memory: killing process %d (%s)", p->pid->nr,
				p->leader && p->leader->thread ? p->leader->thread->name : "?");
			signal_send_process(p, SIGKILL, SIGINFO_KERNEL);
			victim = p;
		}
		again = p != NULL;
	}
	mutex_unlock(&lock);
wait:
	if (!again || thread_has_work(current, WORK_KILL))
		return false;
	rcu_barrier();		/* freed stacks and tables come back with it */
	wait_prepare(WAIT_KILLABLE);
	wait_sleep(clock_monotonic() + 10 * NSEC_PER_MSEC);
	wait_finish();
	return true;
}
