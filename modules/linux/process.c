/*
 * Creation, references and look-up of processes and tasks.
 *
 * The tree holds one reference to a process from its start until it is reaped; each of its tasks holds one, too, and one to its thread.
 * A living thread holds one reference to its task, dropped at the end of thread_gone.
 */
#include "internal.h"

#include "modules/vfs/file.h"

struct spinlock tree_lock = SPINLOCK_INIT(tree_lock);
MODAPI(tree_lock);
struct process *init_process;
MODAPI(init_process);
int linux_slot;
MODAPI(linux_slot);
struct kmem_cache *process_cache, *task_cache;

static void default_limits(struct process *p)
{
	uint64_t threads = page_total() * PAGE_SIZE / (8 * KERNEL_STACK_SIZE);

	for (unsigned int i = 0; i < RLIM_NLIMITS; i++)
		p->limits[i] = (struct rlimit64){ RLIM64_INFINITY, RLIM64_INFINITY };
	p->limits[RLIMIT_STACK].rlim_cur = 8ul << 20;
	p->limits[RLIMIT_CORE].rlim_cur = 0;
	p->limits[RLIMIT_NOFILE] = (struct rlimit64){ 1024, 4096 };
	p->limits[RLIMIT_NPROC] = (struct rlimit64){ threads, threads };
	p->limits[RLIMIT_SIGPENDING] = (struct rlimit64){ threads, threads };
	p->limits[RLIMIT_MEMLOCK] = (struct rlimit64){ 8ul << 20, 8ul << 20 };
	p->limits[RLIMIT_MSGQUEUE] = (struct rlimit64){ 819200, 819200 };
	p->limits[RLIMIT_NICE] = (struct rlimit64){ 0, 0 };
	p->limits[RLIMIT_RTPRIO] = (struct rlimit64){ 0, 0 };
}

static void process_init_fields(struct process *p)
{
	refcount_init(&p->refs, 1);
	spin_init(&p->lock);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->own_sibling);
	list_init(&p->tasks);
	list_init(&p->group_link);
	list_init(&p->session_link);
	signal_pending_init(&p->pending);
	wait_queue_init(&p->child_wait);
	wait_queue_init(&p->exec_wait);
	wait_queue_init(&p->signalfd_wait);
	mutex_init(&p->exec_lock);
	p->dumpable = 1;
	p->start_ns = clock_monotonic();
}

/* What a child has of its parent. */
static int inherit(struct process *p, struct process *parent, const struct linux_clone *request)
{
	unsigned long flags;

	if (request->head.flags & CLONE_SIGHAND) {
		p->sighand = parent->sighand;
		refcount_get(&p->sighand->refs);
	} else {
		p->sighand = sighand_copy(parent->sighand);
		if (!p->sighand)
			return -ENOMEM;
	}
	flags = spin_lock_irqsave(&parent->lock);
	memcpy(p->limits, parent->limits, sizeof(p->limits));
	spin_unlock_irqrestore(&parent->lock, flags);
	mutex_lock(&parent->exec_lock);
	p->exe = parent->exe;
	if (p->exe)
		file_exec_get(p->exe);
	mutex_unlock(&parent->exec_lock);
	p->dumpable = parent->dumpable;
	p->oom_score_adj = parent->oom_score_adj;
	p->personality = parent->personality;
	p->huge_pages_disabled = parent->huge_pages_disabled;
	if (request->head.flags & CLONE_VM)
		memcpy(p->membarrier_registered, parent->membarrier_registered, sizeof(p->membarrier_registered));
	return 0;
}

struct process *process_create(struct process *parent, const struct linux_clone *request)
{
	struct process *p = kmem_cache_alloc(process_cache, ALLOC_ZERO);

	if (!p)
		return NULL;
	process_init_fields(p);
	if (!parent) {
		default_limits(p);
		p->sighand = sighand_create();
		p->exit_signal = SIGCHLD;
	} else if (inherit(p, parent, request)) {
		p->sighand = NULL;
	} else {
		p->exit_signal = request->exit_signal;
	}
	if (!p->sighand) {
		kmem_cache_free(process_cache, p);
		return NULL;
	}
	return p;
}

void process_put(struct process *p)
{
	struct list dead = LIST_INIT(dead);

	if (!refcount_put(&p->refs))
		return;
	signal_flush_locked(&p->pending, &dead);
	signal_release_list(&dead);
	if (p->sighand)
		sighand_put(p->sighand);
	if (p->exe)
		file_exec_put(p->exe);
	pid_put(p->tty_old_group);
	pid_put(p->pid);
	kmem_cache_free(process_cache, p);
}
MODAPI(process_put);

/* A task keeps its thread and its process: whoever holds a task may look at both, ended or not. */
struct task *task_create(struct thread *thread, struct process *p, struct user *user)
{
	struct task *t = kmem_cache_alloc(task_cache, ALLOC_ZERO);

	if (!t) {
		user_put(user);
		return NULL;
	}
	t->user = user;
	refcount_init(&t->refs, 1);
	t->thread = thread;
	thread_get(thread);
	t->process = p;
	process_get(p);
	list_init(&t->link);
	list_init(&t->children);
	signal_pending_init(&t->pending);
	wait_queue_init(&t->stop_wait);
	t->timer_slack_ns = t->timer_slack_default_ns = 50000;
	t->login_uid = t->login_session = NO_LOGIN_ID;
	t->altstack_flags = SS_DISABLE;
	return t;
}

/* In the RCU thread, where sleeping is allowed: the process may be gone with it. */
static void task_free_rcu(struct rcu_head *head)
{
	struct task *t = container_of(head, struct task, rcu);

	pid_put(t->pid);
	process_put(t->process);
	thread_put(t->thread);
	user_put(t->user);
	kmem_cache_free(task_cache, t);
}

/* Any context. */
void task_put(struct task *t)
{
	if (refcount_put(&t->refs))
		rcu_call(&t->rcu, task_free_rcu);
}
MODAPI(task_put);

void task_attach_locked(struct task *t)
{
	struct process *p = t->process;

	list_add_tail(&p->tasks, &t->link);
	p->task_count++;
	p->none_takes &= t->blocked;
	t->pid->task = t;
}

void process_join_list_locked(struct process *p, struct pid *group)
{
	list_remove(&p->group_link);
	if (p->state == PROCESS_ALIVE)
		list_add_head(&group->group, &p->group_link);
	else
		list_add_tail(&group->group, &p->group_link);
}

void process_attach_locked(struct process *p, struct process *parent, struct task *parent_task)
{
	child_add_locked(p, parent, parent_task);
	p->pid->process = p;
	pid_use_locked(p->group);
	pid_get(p->group);
	process_join_list_locked(p, p->group);
	pid_use_locked(p->session);
	pid_get(p->session);
	list_add_tail(&p->session->session, &p->session_link);
	process_get(p);		/* the tree's */
}

void process_uncharge_leader_locked(struct process *p)
{
	if (p->user) {
		user_uncharge_task(p->user);
		user_put(p->user);
		p->user = NULL;
	}
}

void process_detach_locked(struct process *p)
{
	struct task *leader = p->leader;

	WRITE_ONCE(p->leader, NULL);
	if (leader && p->pid->task == leader)
		p->pid->task = NULL;
	child_remove_locked(p);
	p->state = PROCESS_REAPED;
	list_remove(&p->group_link);
	list_remove(&p->session_link);
	pid_unuse_locked(p->group);
	pid_unuse_locked(p->session);
	pid_put(p->group);
	pid_put(p->session);
	p->group = p->session = NULL;
	p->pid->process = NULL;
	pid_unuse_locked(p->pid);
	process_uncharge_leader_locked(p);
	if (leader)
		task_put(leader);
}

struct process *process_find(int nr)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *pid = pid_find_locked(nr);
	struct process *p = pid ? pid->process : NULL;

	if (p)
		process_get(p);
	spin_unlock_irqrestore(&tree_lock, flags);
	return p;
}
MODAPI(process_find);

struct task *task_find(int tid)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *pid = pid_find_locked(tid);
	struct task *t = pid ? pid->task : NULL;

	if (t)
		task_get(t);
	spin_unlock_irqrestore(&tree_lock, flags);
	return t;
}
MODAPI(task_find);

struct process *process_find_any(int tid)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *pid = pid_find_locked(tid);
	struct process *p = !pid ? NULL : pid->process ? pid->process : pid->task ? pid->task->process : NULL;

	if (p)
		process_get(p);
	spin_unlock_irqrestore(&tree_lock, flags);
	return p;
}
MODAPI(process_find_any);

struct task *process_leader(struct process *p)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct task *t = p->leader;

	if (t)
		task_get(t);
	spin_unlock_irqrestore(&tree_lock, flags);
	return t;
}
MODAPI(process_leader);

struct process *process_next(int nr)
{
	for (;;) {
		struct pid *pid = pid_next(nr);
		struct process *p;
		unsigned long flags;

		if (!pid)
			return NULL;
		nr = pid->nr + 1;
		flags = spin_lock_irqsave(&tree_lock);
		p = pid->process;
		if (p)
			process_get(p);
		spin_unlock_irqrestore(&tree_lock, flags);
		pid_put(pid);
		if (p)
			return p;
	}
}
MODAPI(process_next);

/* tree_lock held. */
static struct task *next_task(struct process *p, int tid)
{
	struct task *t, *best = p->leader && p->pid->nr > tid ? p->leader : NULL;

	/* Mostly one of the next numbers is a thread's: looked for in as many as there are threads. */
	for (unsigned int tries = p->task_count + 1; tries--;) {
		struct pid *pid = pid_next_locked(tid + 1);

		if (!pid)
			return NULL;
		tid = pid->nr;
		if (pid->task && pid->task->process == p)
			return pid->task;
	}
	list_for_each(t, &p->tasks, link)
		if (t->pid->nr > tid && (!best || t->pid->nr < best->pid->nr))
			best = t;
	return best;
}

struct task *process_next_task(struct process *p, int tid)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct task *best = next_task(p, tid);

	if (best)
		task_get(best);
	spin_unlock_irqrestore(&tree_lock, flags);
	return best;
}
MODAPI(process_next_task);

static void add_thread(struct cpu_times *to, struct thread *t)
{
	to->run_ns += thread_runtime(t);
	to->user_ns += READ_ONCE(t->user_ns);
	to->system_ns += READ_ONCE(t->system_ns);
	to->read_bytes += t->read_bytes;
	to->write_bytes += t->write_bytes;
	to->read_calls += t->read_calls;
	to->write_calls += t->write_calls;
	to->faults_minor += t->faults_minor;
	to->faults_major += t->faults_major;
	to->switches_voluntary += t->switches_voluntary;
	to->switches_forced += t->switches_forced;
}

void process_add_thread_times(struct process *p, struct thread *t)
{
	struct aspace *as = t->aspace;

	add_thread(&p->dead_threads, t);
	if (as) {
		uint64_t pages = MAX(as->resident_peak, as->resident_anon + as->resident_file);

		p->dead_threads.peak_pages = MAX(p->dead_threads.peak_pages, pages);
	}
}

void process_cpu_times_locked(struct process *p, struct cpu_times *out)
{
	struct task *t;

	*out = p->dead_threads;
	list_for_each(t, &p->tasks, link)
		if (t->thread && !t->counted)
			add_thread(out, t->thread);
	cpu_split_adjust(&p->told, out->run_ns, out->user_ns, out->system_ns);
	out->user_ns = p->told.user;
	out->system_ns = p->told.system;
}

void process_cpu_times(struct process *p, struct cpu_times *out)
{
	unsigned long flags = spin_lock_irqsave(&p->lock);

	process_cpu_times_locked(p, out);
	spin_unlock_irqrestore(&p->lock, flags);
}
MODAPI(process_cpu_times);

uint64_t process_runtime(struct process *p)
{
	unsigned long flags = spin_lock_irqsave(&p->lock);
	uint64_t total = p->dead_threads.run_ns;
	struct task *t;

	list_for_each(t, &p->tasks, link)
		if (t->thread && !t->counted)
			total += thread_runtime(t->thread);
	spin_unlock_irqrestore(&p->lock, flags);
	return total;
}
MODAPI(process_runtime);

void process_children_times(struct process *p, struct cpu_times *out)
{
	unsigned long flags = spin_lock_irqsave(&p->lock);

	*out = p->children_times;
	spin_unlock_irqrestore(&p->lock, flags);
}
MODAPI(process_children_times);
