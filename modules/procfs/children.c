/*
 * /proc/<pid>/task/<tid>/children: the processes that a thread started. Those of a thread that has ended are the first living one's.
 *
 * The list is copied under tree_lock, then printed without it.
 */
#include "modules/procfs/internal.h"

static bool is_child_of(const struct process *child, const struct task *t)
{
	const struct task *parent = child->parent_task;

	return parent ? parent == t : list_first(&t->process->tasks, struct task, link) == t;
}

/* How many there are; the numbers of the first `room` go to `out`. */
static unsigned int copy_children(const struct task *t, int *out, unsigned int room)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct process *child;
	unsigned int n = 0;

	list_for_each(child, &t->process->children, sibling) {
		if (t->ended || !is_child_of(child, t))
			continue;
		if (n < room)
			out[n] = child->pid->nr;
		n++;
	}
	spin_unlock_irqrestore(&tree_lock, flags);
	return n;
}

int proc_show_children(struct text_out *t, void *arg)
{
	const struct proc_target *who = arg;
	unsigned int room = copy_children(who->task, NULL, 0), n;
	int *numbers = kmalloc_array(room + 1, sizeof(*numbers), 0);

	if (!numbers)
		return -ENOMEM;
	n = copy_children(who->task, numbers, room);
	for (unsigned int i = 0; i < MIN(n, room); i++)
		text_printf(t, "%d ", numbers[i]);
	kfree(numbers);
	return 0;
}
