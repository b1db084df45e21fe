/*
 * Restartable sequences (linux/rseq.h): a thread's area in user memory always tells the CPU it runs on, and a critical section that was
 * interrupted by preemption, migration or a signal is continued at its abort address.
 *
 * A thread that was switched out has WORK_NOTIFY set; before it is in user mode again the notify hook rewrites the CPU numbers and looks
 * whether its program counter lies in a section. The same happens before a signal frame is built, so that the handler returns to the abort address.
 *
 * All is done by the thread itself, in its own context; the registration is immutable while it exists.
 *
 * The area, the descriptor and the word before the abort address are user memory: anything malformed kills with SIGSEGV, through the personality's
 * fault path, after the registration is dropped, so that a bad area cannot loop.
 */
#include <asm/errno.h>
#include <gen/rseq.h>
#include <linux/rseq.h>
#include <linux/sched.h>

#include "core/arch/trap.h"
#include "core/mem/slab.h"
#include "core/mem/uaccess.h"
#include "core/module/hooks.h"
#include "core/sched/clone.h"
#include "core/sched/thread.h"
#include "core/trap/trap.h"

#define AREA_SIZE 32u			/* the original size, also the alignment */

struct registration {
	uintptr_t area;
	uint32_t length;
	uint32_t signature;
};

/* Offsets of the area's fields. */
enum { CPU_ID_START = 0, CPU_ID = 4, RSEQ_CS = 8, FLAGS = 16, NODE_ID = 20, MM_CID = 24 };

int rseq_slot;			/* a struct registration, from kmalloc: a new build of the module frees it, too */

static struct registration *own(void) { return thread_data(current, rseq_slot); }

void rseq_drop(struct thread *t)
{
	struct registration *r = thread_data(t, rseq_slot);

	thread_set_data(t, rseq_slot, NULL);
	if (r)
		kfree(r);
}

int rseq_thread_create(struct thread *child, struct thread *parent, struct clone_request *request)
{
	struct registration *from = thread_data(parent, rseq_slot), *r;

	/* fork keeps the registration; a thread in the same memory has none. */
	if (!from || (request->flags & CLONE_VM))
		return 0;
	r = kmalloc(sizeof(*r), 0);
	if (!r)
		return -ENOMEM;
	*r = *from;
	thread_set_data(child, rseq_slot, r);
	__atomic_fetch_or(&child->work, WORK_NOTIFY, __ATOMIC_RELAXED);
	return 0;
}

void rseq_thread_exit(struct thread *t)
{
	rseq_drop(t);
}

static int store_cpu(const struct registration *r, uint32_t cpu, uint32_t start)
{
	/* CPU_ID_START and CPU_ID at once. */
	if (user_store_u64(r->area + CPU_ID_START, (uint64_t)cpu << 32 | start) || user_store_u32(r->area + NODE_ID, 0) ||
	    user_store_u32(r->area + MM_CID, start))
		return -EFAULT;
	return 0;
}

/* Reads and checks the descriptor of the section under way. 1: *cs is filled; 0: none; -EFAULT, -EINVAL. */
static int load_section(const struct registration *r, struct rseq_cs *cs)
{
	uint64_t pointer;
	uint32_t signature;

	if (user_load_u64(r->area + RSEQ_CS, &pointer))
		return -EFAULT;
	if (!pointer)
		return 0;
	if (copy_from_user(cs, pointer, sizeof(*cs)))
		return -EFAULT;
	if (cs->start_ip >= USER_END || cs->start_ip + cs->post_commit_offset >= USER_END || cs->abort_ip >= USER_END ||
	    cs->version > 0)
		return -EINVAL;
	if (cs->start_ip + cs->post_commit_offset < cs->start_ip)
		return -EINVAL;
	/* An abort address inside of the section would abort for ever. */
	if (cs->abort_ip - cs->start_ip < cs->post_commit_offset)
		return -EINVAL;
	if (user_load_u32(cs->abort_ip - sizeof(uint32_t), &signature))
		return -EFAULT;
	return signature == r->signature ? 1 : -EINVAL;
}

/* Aborts the section if the frame is in one. */
static int fix_frame(const struct registration *r, struct trap_frame *frame)
{
	uint64_t pc = arch_frame_pc(frame);
	uint32_t flags;
	struct rseq_cs cs;
	int found = load_section(r, &cs);

	if (found <= 0)
		return found;
	if (user_load_u32(r->area + FLAGS, &flags))
		return -EFAULT;
	/* The flags that once kept sections from being aborted are refused, as Linux does since 6.1. */
	if ((flags | cs.flags) & (RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT | RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL |
				  RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE))
		return -EINVAL;
	if (user_store_u64(r->area + RSEQ_CS, 0))
		return -EFAULT;
	if (pc - cs.start_ip < cs.post_commit_offset)
		arch_frame_set_pc(frame, cs.abort_ip);
	return 0;
}

static void kill_caller(struct trap_frame *frame, uintptr_t address)
{
	struct trap_info info = { .kind = TRAP_SEGV_GENERAL, .address = address };

	rseq_drop(current);
	trap_user_fault(frame, &info);
}

static __noinline void bring_up_to_date(const struct registration *r, struct trap_frame *frame)
{
	uint32_t cpu;

	if (fix_frame(r, frame)) {
		kill_caller(frame, r->area);
		return;
	}
	cpu = arch_cpu_id();
	if (store_cpu(r, cpu, cpu))
		kill_caller(frame, r->area);
}

void rseq_notify(struct trap_frame *frame)
{
	const struct registration *r = own();

	if (r)
		bring_up_to_date(r, frame);
}

static long unregister(struct uaddr_rseq area, uint32_t length, uint32_t signature)
{
	struct registration *r = own();

	if (!r || r->area != area.addr || r->length != length)
		return -EINVAL;
	if (r->signature != signature)
		return -EPERM;
	if (store_cpu(r, (uint32_t)RSEQ_CPU_ID_UNINITIALIZED, 0) || user_store_u64(r->area + RSEQ_CS, 0))
		return -EFAULT;
	rseq_drop(current);
	return 0;
}

long sys_rseq(struct uaddr_rseq area, uint32_t length, int32_t flags, uint32_t signature)
{
	struct registration *r = own();
	uint64_t pointer;

	if (flags & RSEQ_FLAG_UNREGISTER) {
		if (flags & ~(int32_t)RSEQ_FLAG_UNREGISTER)
			return -EINVAL;
		return unregister(area, length, signature);
	}
	if (flags)
		return -EINVAL;
	if (r) {
		if (r->area != area.addr || r->length != length)
			return -EINVAL;
		return r->signature == signature ? -EBUSY : -EPERM;
	}
	if (length != AREA_SIZE || (area.addr & (AREA_SIZE - 1)))
		return -EINVAL;
	if (!user_range_ok(area.addr, length))
		return -EFAULT;
	/* A section that claims to be under way cannot be ours. */
	if (user_load_u64(area.addr + RSEQ_CS, &pointer))
		return -EFAULT;
	if (pointer && user_store_u64(area.addr + RSEQ_CS, 0))
		return -EFAULT;
	r = kmalloc(sizeof(*r), 0);
	if (!r)
		return -ENOMEM;
	*r = (struct registration){ area.addr, length, signature };
	thread_set_data(current, rseq_slot, r);
	/* The exit work writes the CPU number before the caller can look. */
	thread_set_work(current, WORK_NOTIFY);
	return 0;
}
