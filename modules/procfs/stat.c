/*
 * /proc/<pid>/stat, statm, status, limits, io, schedstat, syscall: figures of a process or a thread.
 *
 * What lies under tree_lock and process.lock is copied in one go (snapshot), then printed without locks.
 */
#include <linux/resource.h>

#include "core/arch/trap.h"
#include "core/sched/sched.h"
#include "core/time/clock.h"
#include "modules/linux/session.h"
#include "modules/linux/user.h"
#include "modules/procfs/internal.h"

#define NS_PER_TICK (NSEC_PER_SEC / 100)

struct snapshot {
	int nr, tgid, parent, group, session, threads, exit_signal, exit_code;
	char state;
	char name[THREAD_NAME_SIZE];
	uint64_t pending, shared_pending, blocked, ignored, caught;
	struct cpu_times self, children;
	uint64_t start_ns, limits_rss, signals_queued, signals_max;
	uint64_t tty_dev;
	int tty_group;
	struct thread *thread;		/* a reference, or null */
	struct aspace *as;		/* a reference, or null */
};

static char state_letter(const struct task *t, const struct thread *thread)
{
	if (!thread)
		return 'X';
	if (t && t->ended)
		return 'Z';
	if (t && READ_ONCE(t->stopped))
		return 'T';
	switch (READ_ONCE(thread->state)) {
	case THREAD_RUNNING:
		return 'R';
	case THREAD_SLEEPING:
		return READ_ONCE(thread->wait_mode) == WAIT_INTERRUPTIBLE ? 'S' : 'D';
	default:
		return 'X';
	}
}

/* process.lock held. */
static void copy_signals(struct process *p, const struct task *t, struct snapshot *s)
{
	s->shared_pending = p->pending.set;
	if (t) {
		s->signals_queued = READ_ONCE(t->user->signals);
		s->pending = t->pending.set;
		s->blocked = t->blocked;
	}
	for (int i = 0; p->sighand && i < SIGNALS; i++) {
		uintptr_t handler = READ_ONCE(p->sighand->action[i].handler);

		if (handler == 1)
			s->ignored |= 1ull << i;
		else if (handler)
			s->caught |= 1ull << i;
	}
}

static void take(const struct proc_target *who, struct snapshot *s)
{
	struct process *p = who->process;
	struct task *t;
	unsigned long flags;

	memset(s, 0, sizeof(*s));
	s->nr = proc_number(who);
	s->tgid = p->pid->nr;
	s->thread = proc_thread(who);
	flags = spin_lock_irqsave(&tree_lock);
	t = who->task ? who->task : p->leader;
	s->parent = p->parent ? p->parent->pid->nr : 0;
	s->group = p->group ? p->group->nr : -1;
	s->session = p->session ? p->session->nr : -1;
	s->threads = (int)proc_thread_count(p);
	s->tty_group = -1;
	if (p->tty && session_tty_info)
		session_tty_info(p->tty, &s->tty_dev, &s->tty_group);
	spin_lock(&p->lock);
	copy_signals(p, t, s);
	spin_unlock(&p->lock);
	s->state = state_letter(t, s->thread);
	spin_unlock_irqrestore(&tree_lock, flags);
	s->exit_signal = p->exit_signal;
	s->exit_code = p->exit_code;
	s->start_ns = s->thread && who->task ? s->thread->start_ns : p->start_ns;
	s->limits_rss = process_limit(p, RLIMIT_RSS);
	s->signals_max = process_limit(p, RLIMIT_SIGPENDING);
	str_copy(s->name, s->thread ? s->thread->name : p->last_name, sizeof(s->name));
	if (who->thread_only && s->thread) {
		s->self.run_ns = thread_runtime(s->thread);
		thread_times(s->thread, &s->self.user_ns, &s->self.system_ns);
		s->self.faults_minor = s->thread->faults_minor;
		s->self.faults_major = s->thread->faults_major;
		s->self.read_bytes = s->thread->read_bytes;
		s->self.write_bytes = s->thread->write_bytes;
		s->self.read_calls = s->thread->read_calls;
		s->self.write_calls = s->thread->write_calls;
		s->self.switches_voluntary = s->thread->switches_voluntary;
		s->self.switches_forced = s->thread->switches_forced;
	} else {
		process_cpu_times(p, &s->self);
	}
	process_children_times(p, &s->children);
	s->as = s->thread ? thread_get_aspace(s->thread) : NULL;
}

static void drop(struct snapshot *s)
{
	if (s->as)
		aspace_put(s->as);
	if (s->thread)
		thread_put(s->thread);
}

/* Linux's priority numbers: 20 + nice, or -1 - rt_priority. */
static int priority_of(const struct sched_params *p)
{
	return p->class == SCHED_CLASS_RT ? -1 - p->priority : 20 + p->nice;
}

int proc_show_stat(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;
	struct sched_params params = { 0 };
	struct snapshot s;
	bool inspect = !proc_inspect_begin(who);
	struct aspace *as;

	/* The addresses are those of the memory that was asked about. */
	take(who, &s);
	if (inspect)
		process_inspect_end(who->process);
	as = s.as;
	if (s.thread)
		sched_get_params(s.thread, &params);
	text_printf(t, "%d (%s) %c %d %d %d %llu %d 0 %llu %llu %llu %llu", s.nr, s.name, s.state, s.parent, s.group,
		    s.session, (unsigned long long)device_encode(s.tty_dev), s.tty_group,
		    (unsigned long long)s.self.faults_minor, (unsigned long long)s.children.faults_minor,
		    (unsigned long long)s.self.faults_major, (unsigned long long)s.children.faults_major);
	text_printf(t, " %llu %llu %llu %llu %d %d %d 0 %llu", (unsigned long long)(s.self.user_ns / NS_PER_TICK),
		    (unsigned long long)(s.self.system_ns / NS_PER_TICK),
		    (unsigned long long)(s.children.user_ns / NS_PER_TICK),
		    (unsigned long long)(s.children.system_ns / NS_PER_TICK), priority_of(&params), params.nice,
		    s.threads, (unsigned long long)(s.start_ns / NS_PER_TICK));
	text_printf(t, " %llu %llu %llu", as ? (unsigned long long)as->mapped_pages * PAGE_SIZE : 0ull,
		    as ? (unsigned long long)(as->resident_anon + as->resident_file) : 0ull,
		    (unsigned long long)s.limits_rss);
	if (as && inspect)
		text_printf(t, " %lu %lu %lu 0 0", as->code_start, as->code_end, as->stack_start);
	else
		text_printf(t, " 1 1 0 0 0");
	text_printf(t, " %llu %llu %llu %llu 0 0 0 %d %u %d %u 0 0 0", (unsigned long long)(s.pending & 0x7fffffff),
		    (unsigned long long)(s.blocked & 0x7fffffff), (unsigned long long)(s.ignored & 0x7fffffff),
		    (unsigned long long)(s.caught & 0x7fffffff), s.exit_signal, s.thread ? READ_ONCE(s.thread->cpu) : 0,
		    params.class == SCHED_CLASS_RT ? params.priority : 0, params.policy);
	if (as && inspect)
		text_printf(t, " %lu %lu %lu %lu %lu %lu %lu %d\n", as->data_start, as->data_end, as->brk_start, as->arg_start,
			    as->arg_end, as->env_start, as->env_end, s.exit_code);
	else
		text_printf(t, " 0 0 0 0 0 0 0 0\n");
	drop(&s);
	return 0;
}

/* Pages of regions with certain flags. */
static uint64_t pages_with(struct aspace *as, unsigned int flags, unsigned int mask)
{
	struct region *r;
	uint64_t pages = 0;

	rwlock_read_lock(&as->lock);
	list_for_each(r, &as->region_list, link) {
		if ((r->flags & mask) == flags)
			pages += (r->end - r->start) >> PAGE_SHIFT;
	}
	rwlock_read_unlock(&as->lock);
	return pages;
}

static uint64_t data_pages(struct aspace *as)
{
	return pages_with(as, REGION_WRITE, REGION_WRITE | REGION_SHARED | REGION_STACK);
}

int proc_show_statm(struct text_out *t, void *arg)
{
	struct aspace *as = proc_aspace(arg);

	if (!as) {
		text_printf(t, "0 0 0 0 0 0 0\n");
		return 0;
	}
	text_printf(t, "%llu %llu %llu %lu 0 %llu 0\n", (unsigned long long)as->mapped_pages,
		    (unsigned long long)(as->resident_anon + as->resident_file), (unsigned long long)as->resident_file,
		    DIV_UP(as->code_end - as->code_start, PAGE_SIZE), (unsigned long long)data_pages(as));
	aspace_put(as);
	return 0;
}

static void kib_line(struct text_out *t, const char *name, uint64_t pages)
{
	text_printf(t, "%s:\t%8llu kB\n", name, (unsigned long long)pages * (PAGE_SIZE / 1024));
}

static void show_memory(struct text_out *t, struct aspace *as)
{
	uint64_t resident = as->resident_anon + as->resident_file;
	uint64_t code = DIV_UP(as->code_end - as->code_start, PAGE_SIZE);
	uint64_t exec = pages_with(as, REGION_EXEC, REGION_EXEC);

	kib_line(t, "VmPeak", as->mapped_pages);
	kib_line(t, "VmSize", as->mapped_pages);
	kib_line(t, "VmLck", as->locked_pages);
	kib_line(t, "VmPin", 0);
	kib_line(t, "VmHWM", MAX(as->resident_peak, resident));
	kib_line(t, "VmRSS", resident);
	kib_line(t, "RssAnon", as->resident_anon);
	kib_line(t, "RssFile", as->resident_file);
	kib_line(t, "RssShmem", 0);
	kib_line(t, "VmData", data_pages(as));
	kib_line(t, "VmStk", pages_with(as, REGION_STACK, REGION_STACK));
	kib_line(t, "VmExe", code);
	kib_line(t, "VmLib", exec > code ? exec - code : 0);
	kib_line(t, "VmPTE", READ_ONCE(as->mmu.tables) + 1);
	kib_line(t, "VmSwap", 0);
	text_printf(t, "HugetlbPages:\t%8u kB\nCoreDumping:\t0\nTHP_enabled:\t0\n", 0u);
}

static void show_identity(struct text_out *t, const struct proc_target *who, struct thread *thread)
{
	struct identity id = { 0 };
	uint32_t *groups;
	int n = 0;

	if (thread)
		service(authority)->identity(thread, &id);
	text_printf(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", id.uid, id.euid, id.suid, id.fsuid, id.gid, id.egid,
		    id.sgid, id.fsgid);
	text_printf(t, "FDSize:\t%u\nGroups:\t", thread ? thread_fd_size(thread) : 0);
	groups = thread ? kmalloc(256 * sizeof(*groups), 0) : NULL;
	if (groups)
		n = service(authority)->groups(thread, groups, 256);
	for (int i = 0; i < MIN(n, 256) && groups; i++)
		text_printf(t, "%u ", groups[i]);
	kfree(groups);
	text_printf(t, "\nNStgid:\t%d\nNSpid:\t%d\n", who->process->pid->nr, proc_number(who));
}

static void show_cpu_set(struct text_out *t, const struct cpu_set *set)
{
	unsigned long mask = set->bits[0];
	const char *separator = "";

	if (cpu_count < 64)
		mask &= (1ul << cpu_count) - 1;
	text_printf(t, "Cpus_allowed:\t%lx\nCpus_allowed_list:\t", mask);
	for (unsigned int i = 0; i < cpu_count; i++) {
		unsigned int end = i;

		if (!(mask >> i & 1))
			continue;
		while (end + 1 < cpu_count && (mask >> (end + 1) & 1))
			end++;
		if (end > i)
			text_printf(t, "%s%u-%u", separator, i, end);
		else
			text_printf(t, "%s%u", separator, i);
		separator = ",";
		i = end;
	}
	text_printf(t, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

static const char *state_name(char c)
{
	switch (c) {
	case 'R': return "R (running)";
	case 'S': return "S (sleeping)";
	case 'D': return "D (disk sleep)";
	case 'T': return "T (stopped)";
	case 'Z': return "Z (zombie)";
	default: return "X (dead)";
	}
}

int proc_show_status(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;
	uint64_t caps[5] = { 0 };
	struct snapshot s;

	take(who, &s);
	text_printf(t, "Name:\t");
	text_add_name(t, s.name);
	text_printf(t, "\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
		    s.thread ? thread_umask(s.thread) : 0, state_name(s.state), s.tgid, s.nr, s.parent);
	show_identity(t, who, s.thread);
	text_printf(t, "NSpgid:\t%d\nNSsid:\t%d\n", s.group, s.session);
	if (s.as)
		show_memory(t, s.as);
	text_printf(t, "Threads:\t%d\nSigQ:\t%llu/%llu\nSigPnd:\t%016llx\nShdPnd:\t%016llx\n", MAX(s.threads, 1),
		    (unsigned long long)s.signals_queued, (unsigned long long)s.signals_max,
		    (unsigned long long)s.pending, (unsigned long long)s.shared_pending);
	text_printf(t, "SigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n", (unsigned long long)s.blocked,
		    (unsigned long long)s.ignored, (unsigned long long)s.caught);
	if (s.thread)
		service(authority)->capabilities(s.thread, caps);
	text_printf(t, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nCapAmb:\t%016llx\n",
		    (unsigned long long)caps[0], (unsigned long long)caps[1], (unsigned long long)caps[2],
		    (unsigned long long)caps[3], (unsigned long long)caps[4]);
	text_printf(t, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n"
		       "Speculation_Store_Bypass:\tunknown\nSpeculationIndirectBranch:\tunsupported\n",
		    s.thread == current ? service(authority)->no_new_privs() : 0);
	if (s.thread)
		show_cpu_set(t, &s.thread->affinity);
	text_printf(t, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
		    (unsigned long long)s.self.switches_voluntary, (unsigned long long)s.self.switches_forced);
	drop(&s);
	return 0;
}

static void show_limit(struct text_out *t, uint64_t value)
{
	if (value == UINT64_MAX)
		text_printf(t, "%-20s ", "unlimited");
	else
		text_printf(t, "%-20llu ", (unsigned long long)value);
}

int proc_show_limits(struct text_out *t, void *arg)
{
	static const struct { const char *name, *unit; } names[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = { "Max cpu time", "seconds" }, [RLIMIT_FSIZE] = { "Max file size", "bytes" },
		[RLIMIT_DATA] = { "Max data size", "bytes" }, [RLIMIT_STACK] = { "Max stack size", "bytes" },
		[RLIMIT_CORE] = { "Max core file size", "bytes" }, [RLIMIT_RSS] = { "Max resident set", "bytes" },
		[RLIMIT_NPROC] = { "Max processes", "processes" }, [RLIMIT_NOFILE] = { "Max open files", "files" },
		[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" }, [RLIMIT_AS] = { "Max address space", "bytes" },
		[RLIMIT_LOCKS] = { "Max file locks", "locks" }, [RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" }, [RLIMIT_NICE] = { "Max nice priority", "" },
		[RLIMIT_RTPRIO] = { "Max realtime priority", "" }, [RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
	};
	struct process *p = ((struct proc_target *)arg)->process;

	text_printf(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned int i = 0; i < RLIM_NLIMITS; i++) {
		text_printf(t, "%-25s ", names[i].name);
		show_limit(t, READ_ONCE(p->limits[i].rlim_cur));
		show_limit(t, READ_ONCE(p->limits[i].rlim_max));
		text_printf(t, *names[i].unit ? "%-10s\n" : "\n", names[i].unit);
	}
	return 0;
}

/* There is no storage that files are fetched from or put to, hence the zeroes. */
int proc_show_io(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;
	struct snapshot s;
	int error = proc_inspect_begin(who);

	if (error)
		return error;
	take(who, &s);
	process_inspect_end(who->process);
	text_printf(t, "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n",
		    (unsigned long long)s.self.read_bytes, (unsigned long long)s.self.write_bytes,
		    (unsigned long long)s.self.read_calls, (unsigned long long)s.self.write_calls);
	drop(&s);
	return 0;
}

int proc_show_schedstat(struct text_out *t, void *arg)
{
	struct snapshot s;

	take(arg, &s);
	text_printf(t, "%llu 0 %llu\n", (unsigned long long)s.self.run_ns,
		    (unsigned long long)(s.self.switches_voluntary + s.self.switches_forced));
	drop(&s);
	return 0;
}

/* What a thread's user registers say of the call it is in. False if it runs, so that they say nothing. */
static bool read_call(struct thread *t, long *number, uintptr_t *args, uintptr_t *sp, uintptr_t *pc)
{
	uint64_t switches = READ_ONCE(t->switches_voluntary) + READ_ONCE(t->switches_forced);

	if (!t->frame || (t != current && (READ_ONCE(t->on_cpu) || READ_ONCE(t->state) != THREAD_SLEEPING)))
		return false;
	full_barrier();
	*number = arch_syscall_number(t->frame);
	for (unsigned int i = 0; i < 6; i++)
		args[i] = arch_syscall_arg(t->frame, i);
	*sp = arch_frame_sp(t->frame);
	*pc = arch_frame_pc(t->frame);
	full_barrier();
	/* It has not run in between. */
	return t == current || (!READ_ONCE(t->on_cpu) && READ_ONCE(t->state) == THREAD_SLEEPING &&
				switches == READ_ONCE(t->switches_voluntary) + READ_ONCE(t->switches_forced));
}

int proc_show_syscall(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;
	struct thread *thread;
	uintptr_t args[6], sp, pc;
	long number;
	int error = process_inspect_begin(who->process, who->task, INSPECT_FS_IDS);
	bool sleeps;

	if (error)
		return error;
	thread = proc_thread(who);
	sleeps = thread && read_call(thread, &number, args, &sp, &pc);
	process_inspect_end(who->process);
	if (!thread)
		return -ESRCH;
	if (!sleeps)
		text_printf(t, "running\n");
	else if (number < 0)
		text_printf(t, "-1 0x%lx 0x%lx\n", sp, pc);
	else
		text_printf(t, "%ld 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n", number, args[0], args[1], args[2], args[3],
			    args[4], args[5], sp, pc);
	thread_put(thread);
	return 0;
}
