/*
 * Signal actions: the table that CLONE_SIGHAND shares, rt_sigaction, and what exec leaves of it.
 */
#include "internal.h"

#include <gen/linux.h>

static struct kmem_cache *cache;

int sighand_start(void)
{
	cache = kmem_cache_create("sighand", sizeof(struct sighand), 0);
	return cache ? 0 : -ENOMEM;
}

struct sighand *sighand_create(void)
{
	struct sighand *s = kmem_cache_alloc(cache, ALLOC_ZERO);

	if (!s)
		return NULL;
	refcount_init(&s->refs, 1);
	spin_init(&s->lock);
	return s;
}

struct sighand *sighand_copy(struct sighand *from)
{
	struct sighand *s = kmem_cache_alloc(cache, 0);
	unsigned long flags;

	if (!s)
		return NULL;
	refcount_init(&s->refs, 1);
	spin_init(&s->lock);
	flags = spin_lock_irqsave(&from->lock);
	memcpy(s->action, from->action, sizeof(s->action));
	spin_unlock_irqrestore(&from->lock, flags);
	return s;
}

void sighand_put(struct sighand *s)
{
	if (refcount_put(&s->refs))
		kmem_cache_free(cache, s);
}

void signal_exec(void)
{
	struct process *p = current_process;
	struct sighand *s = p->sighand;
	unsigned long flags;

	if (refcount_read(&s->refs) > 1) {
		/* Shared with another process: from now on our own. Without memory the shared one must not change. */
		struct sighand *own = sighand_copy(s);

		if (!own) {
			signal_force_fatal(SIGKILL);
			return;
		}
		flags = spin_lock_irqsave(&p->lock);
		p->sighand = own;
		spin_unlock_irqrestore(&p->lock, flags);
		sighand_put(s);
		s = own;
	}
	flags = spin_lock_irqsave(&s->lock);
	for (unsigned int i = 0; i < SIGNALS; i++) {
		struct signal_action *a = &s->action[i];

		a->handler = a->handler == (uintptr_t)SIG_IGN ? a->handler : (uintptr_t)SIG_DFL;
		a->flags = 0;
		a->mask = 0;
		a->restorer = 0;
	}
	spin_unlock_irqrestore(&s->lock, flags);
}

/* An action that ignores throws away what is pending. */
static void drop_ignored(struct process *p, int sig)
{
	struct list dead = LIST_INIT(dead);
	unsigned long flags = spin_lock_irqsave(&p->lock);

	signal_remove_locked(p, SIGNAL_BIT(sig), &dead);
	spin_unlock_irqrestore(&p->lock, flags);
	signal_release_list(&dead);
}

/* The layout of the system call's structure (not libc's). */
struct kernel_sigaction {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

long sys_rt_sigaction(int32_t sig, struct uin_sigaction action, struct uout_sigaction old, size_t size)
{
	struct process *p = current_process;
	struct kernel_sigaction k;
	struct signal_action was, *slot;
	unsigned long flags;

	if (size != sizeof(uint64_t) || sig < 1 || sig > SIGNALS || (action.addr && (SIGNAL_BIT(sig) & SIG_KILL_STOP)))
		return -EINVAL;
	if (action.addr && copy_from_user(&k, action.addr, sizeof(k)))
		return -EFAULT;
	slot = &p->sighand->action[sig - 1];
	flags = spin_lock_irqsave(&p->sighand->lock);
	was = *slot;
	if (action.addr)
		*slot = (struct signal_action){
			.handler = k.handler, .flags = k.flags, .restorer = k.restorer, .mask = k.mask & ~SIG_KILL_STOP,
		};
	spin_unlock_irqrestore(&p->sighand->lock, flags);
	if (action.addr && signal_ignored(p, sig))
		drop_ignored(p, sig);
	if (old.addr) {
		k = (struct kernel_sigaction){ was.handler, was.flags, was.restorer, was.mask };
		if (copy_to_user(old.addr, &k, sizeof(k)))
			return -EFAULT;
	}
	return 0;
}
