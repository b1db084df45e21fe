/*
 * Device interrupt lines and their handlers; lines may be shared.
 *
 * Dispatch reads the lists under RCU with interrupts off; changes happen under a mutex, and freeing waits for a grace period.
 */
#include "core/trap/irq.h"

#include <asm/errno.h>

#include "core/lib/random.h"
#include "core/mem/slab.h"
#include "core/module/export.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"

#define LINES 1024

struct action {
	struct action *next;
	const char *name;
	void (*handler)(void *arg);
	void *arg;
	uint64_t count;
};

static struct action *lines[LINES];
static struct mutex lines_lock = MUTEX_INIT(lines_lock);

int irq_request(unsigned int line, const char *name, void (*handler)(void *arg), void *arg)
{
	struct action *a;
	int error = 0;

	if (line >= LINES)
		return -EINVAL;
	a = kzalloc(sizeof(*a), 0);
	if (!a)
		return -ENOMEM;
	a->name = name;
	a->handler = handler;
	a->arg = arg;
	mutex_lock(&lines_lock);
	a->next = lines[line];
	rcu_assign(lines[line], a);
	if (!a->next)
		error = arch_irq_line_enable(line);
	if (error)
		rcu_assign(lines[line], a->next);
	mutex_unlock(&lines_lock);
	if (error) {
		rcu_synchronize();
		kfree(a);
	}
	return error;
}
KAPI(irq_request);

void irq_free(unsigned int line, void (*handler)(void *arg), void *arg)
{
	struct action **link, *found = NULL;

	mutex_lock(&lines_lock);
	for (link = &lines[line]; *link; link = &(*link)->next)
		if ((*link)->handler == handler && (*link)->arg == arg) {
			found = *link;
			rcu_assign(*link, found->next);
			break;
		}
	if (found && !lines[line])
		arch_irq_line_disable(line);
	mutex_unlock(&lines_lock);
	if (found) {
		rcu_synchronize();
		kfree(found);
	}
}
KAPI(irq_free);

void irq_dispatch(unsigned int line)
{
	struct action *a;

	if (line >= LINES)
		return;
	for (a = rcu_dereference(lines[line]); a; a = rcu_dereference(a->next)) {
		a->count++;
		a->handler(a->arg);
	}
	random_interrupt(line);
}

void irq_for_each(void (*fn)(unsigned int line, const char *name, uint64_t count, void *arg), void *arg)
{
	mutex_lock(&lines_lock);
	for (unsigned int i = 0; i < LINES; i++)
		for (struct action *a = lines[i]; a; a = a->next)
			fn(i, a->name, a->count, arg);
	mutex_unlock(&lines_lock);
}
KAPI(irq_for_each);

unsigned int irq_count_handlers(uintptr_t base, size_t size)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < LINES; i++)
		for (struct action *a = rcu_dereference(lines[i]); a; a = rcu_dereference(a->next))
			found += (uintptr_t)a->handler - base < size;
	return found;
}
