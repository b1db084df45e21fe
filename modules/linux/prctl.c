/*
 * prctl(2) and arch_prctl(2), personality(2): attributes of processes and threads. What concerns credentials is the authority's.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/prctl.h>

#include "core/arch/thread.h"

static long set_name(uintptr_t from)
{
	char name[THREAD_NAME_SIZE] = "";
	long n = copy_string_from_user(name, (struct ustr){ from }, sizeof(name) - 1);

	if (n == -ENAMETOOLONG)
		name[sizeof(name) - 1] = '\0';
	else if (n < 0)
		return n;
	thread_set_name(current, name);
	return 0;
}

static long store_int(uintptr_t to, int value)
{
	return user_store_u32(to, (uint32_t)value);
}

static long set_dumpable(unsigned long value)
{
	if (value > 1)
		return -EINVAL;
	current_process->dumpable = (int)value;
	return 0;
}

static long set_subreaper(bool on)
{
	struct process *p = current_process, *child;
	unsigned long flags = spin_lock_irqsave(&tree_lock);

	if (on && !p->subreaper)	/* what joined since then has it already */
		list_for_each(child, &p->children, sibling)
			child->has_subreaper_above = true;
	p->subreaper = on;
	spin_unlock_irqrestore(&tree_lock, flags);
	return 0;
}

static long set_timer_slack(long ns)
{
	current_task->timer_slack_ns = ns > 0 ? (uint64_t)ns : current_task->timer_slack_default_ns;
	return 0;
}

/* PR_SET_MM's parts that programs which rename themselves use. */
static long set_mm(unsigned long what, uintptr_t value, unsigned long a4, unsigned long a5)
{
	struct aspace *as = current->aspace;

	if (a5 || (a4 && what != PR_SET_MM_AUXV && what != PR_SET_MM_MAP && what != PR_SET_MM_MAP_SIZE))
		return -EINVAL;
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (value >= USER_END)
		return -EINVAL;
	switch (what) {
	case PR_SET_MM_ARG_START: as->arg_start = value; return 0;
	case PR_SET_MM_ARG_END: as->arg_end = value; return 0;
	case PR_SET_MM_ENV_START: as->env_start = value; return 0;
	case PR_SET_MM_ENV_END: as->env_end = value; return 0;
	}
	return -EINVAL;
}

static long process_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5, bool *known)
{
	struct task *t = current_task;

	*known = true;
	switch (option) {
	case PR_SET_NAME: return set_name(a2);
	case PR_GET_NAME: return copy_to_user(a2, current->name, sizeof(current->name));
	case PR_SET_PDEATHSIG:
		if (a2 > SIGNALS)
			return -EINVAL;
		t->parent_death_signal = (int)a2;
		return 0;
	case PR_GET_PDEATHSIG: return store_int(a2, t->parent_death_signal);
	case PR_GET_DUMPABLE: return t->process->dumpable;
	case PR_SET_DUMPABLE: return set_dumpable(a2);
	case PR_SET_CHILD_SUBREAPER: return set_subreaper(a2 != 0);
	case PR_GET_CHILD_SUBREAPER: return store_int(a2, t->process->subreaper);
	case PR_SET_TIMERSLACK: return set_timer_slack((long)a2);
	case PR_GET_TIMERSLACK: return (long)t->timer_slack_ns;
	case PR_GET_TIMING: return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING: return a2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_SET_MM: return set_mm(a2, a3, a4, a5);
	case PR_GET_TID_ADDRESS: return user_store_u64(a2, t->clear_child_tid);
	case PR_SET_NO_NEW_PRIVS:
		if (a2 != 1 || a3 || a4 || a5)
			return -EINVAL;
		service(authority)->set_no_new_privs();
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		if (a2 || a3 || a4 || a5)
			return -EINVAL;
		return service(authority)->no_new_privs();
	case PR_SET_THP_DISABLE:
		if (a3 || a4 || a5)
			return -EINVAL;
		t->process->huge_pages_disabled = a2 != 0;
		return 0;
	case PR_GET_THP_DISABLE: return a2 || a3 || a4 || a5 ? -EINVAL : t->process->huge_pages_disabled;
	case PR_MCE_KILL_GET: return a2 || a3 || a4 || a5 ? -EINVAL : PR_MCE_KILL_DEFAULT;
	case PR_GET_SECCOMP: return 0;
	}
	*known = false;
	return 0;
}

long sys_prctl(int32_t option, uintptr_t a2, uintptr_t a3, uintptr_t a4, uintptr_t a5)
{
	bool known;
	long result = process_prctl(option, a2, a3, a4, a5, &known);

	return known ? result : service(authority)->prctl(option, a2, a3, a4, a5);
}

long sys_personality(uint32_t persona)
{
	unsigned long old = current_process->personality;

	if (persona != 0xffffffff)
		current_process->personality = persona;
	return (long)old;
}
