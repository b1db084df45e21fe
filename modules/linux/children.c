/*
 * Children of processes, and those among them that have something to report: found without a walk over all.
 *
 * A child that ended, stopped or went on, and was not waited for since, is in two trees of its parent: `events`, by what it is and when it became
 * a child, and `group_events`, by its group first. The parent counts the living of each kind. A child of a thread that lives is also in that thread's
 * list. What a child reports changes under tree_lock; only SIGKILL takes back, without it, that a child has stopped, so wait.c looks again
 * and calls child_note_locked() if there is nothing.
 *
 * Locking: all under tree_lock.
 */
#include "internal.h"

static uint64_t births;

/* What the child has to report; which of the two kinds of children it is, is the lowest bit. */
static unsigned int event_of(const struct process *c)
{
	unsigned int kind = child_is_clone(c);

	if (c->state == PROCESS_ZOMBIE)
		return CHILD_ENDED + kind;
	if (READ_ONCE(c->stopped) && READ_ONCE(c->stop_code))
		return CHILD_STOPPED + kind;
	return READ_ONCE(c->continued) ? CHILD_CONTINUED + kind : CHILD_QUIET + kind;
}

static bool earlier(const struct process *a, const struct process *b)
{
	return a->event != b->event ? a->event < b->event : a->birth < b->birth;
}

static bool event_before(const struct rb_node *a, const struct rb_node *b)
{
	return earlier(rb_entry(a, struct process, event_node), rb_entry(b, struct process, event_node));
}

static bool group_event_before(const struct rb_node *a, const struct rb_node *b)
{
	const struct process *x = rb_entry(a, struct process, group_event_node);
	const struct process *y = rb_entry(b, struct process, group_event_node);

	return x->event_group != y->event_group ? x->event_group < y->event_group : earlier(x, y);
}

/* Out of what the parent knows of its state. */
static void forget(struct process *c)
{
	if (c->event >= CHILD_ENDED) {
		rb_remove(&c->parent->events, &c->event_node);
		rb_remove(&c->parent->group_events, &c->group_event_node);
	}
	if (c->event && (c->event & ~1u) != CHILD_ENDED)
		c->parent->living_children[c->event & 1]--;
	c->event = 0;
}

void child_note_locked(struct process *c)
{
	struct process *parent = c->parent;

	if (!parent)
		return;
	forget(c);
	c->event = event_of(c);
	if ((c->event & ~1u) != CHILD_ENDED)
		parent->living_children[c->event & 1]++;
	if (c->event < CHILD_ENDED)
		return;
	c->event_group = (uintptr_t)c->group;
	rb_insert(&parent->events, &c->event_node, event_before);
	rb_insert(&parent->group_events, &c->group_event_node, group_event_before);
}

void child_add_locked(struct process *c, struct process *parent, struct task *parent_task)
{
	c->parent = parent;
	c->parent_task = parent_task;
	if (!parent)
		return;
	c->birth = ++births;
	list_add_tail(&parent->children, &c->sibling);
	if (parent_task)
		list_add_tail(&parent_task->children, &c->own_sibling);
	child_note_locked(c);
}

void child_leave_task_locked(struct process *c)
{
	c->parent_task = NULL;
	list_remove(&c->own_sibling);
}

void child_remove_locked(struct process *c)
{
	if (c->parent)
		forget(c);
	child_leave_task_locked(c);
	list_remove(&c->sibling);
	c->parent = NULL;
}

struct process *child_with_event_locked(struct process *parent, unsigned int event)
{
	struct rb_node *n = parent->events.top;
	struct process *found = NULL;

	while (n) {
		struct process *c = rb_entry(n, struct process, event_node);

		if (c->event == event)
			found = c;
		n = c->event < event ? n->right : n->left;
	}
	return found;
}

struct process *child_of_group_with_event_locked(struct process *parent, const struct pid *group, unsigned int event)
{
	struct rb_node *n = parent->group_events.top;
	struct process *found = NULL;

	while (n) {
		struct process *c = rb_entry(n, struct process, group_event_node);
		bool right = c->event_group == (uintptr_t)group ? c->event < event : c->event_group < (uintptr_t)group;

		if (c->event_group == (uintptr_t)group && c->event == event)
			found = c;
		n = right ? n->right : n->left;
	}
	return found;
}

bool child_of_group_lives_locked(struct process *parent, const struct pid *group, bool clones, bool others)
{
	struct list *a = parent->children.next, *b = group->group.next;

	/* Both hold all that may be meant: the shorter one decides. In the group's, the dead are behind. */
	for (; a != &parent->children && b != &group->group; a = a->next, b = b->next) {
		const struct process *c = list_entry(a, struct process, sibling);

		if (c->group != group || c->state != PROCESS_ALIVE || !(child_is_clone(c) ? clones : others))
			c = list_entry(b, struct process, group_link);
		if (c->parent == parent && c->group == group && c->state == PROCESS_ALIVE &&
		    (child_is_clone(c) ? clones : others))
			return true;
	}
	return false;
}
