/*
 * What is said of a process that a fault kills: one dump a fault, naming the program and the mapped file with the offset in it.
 */
#include "internal.h"

#include "core/arch/trap.h"
#include "core/mem/aspace.h"

/* "name+0x12" of the region that contains an address. */
static void describe_address(uintptr_t addr, char *buf, size_t size)
{
	struct aspace *as = current->aspace;
	uint64_t dev, inode;
	struct region *r;
	char *path = kmalloc(256, 0);
	uintptr_t offset = 0;
	bool named = false;

	rwlock_read_lock(&as->lock);
	r = region_find(as, addr, false);
	if (r && path) {
		offset = addr - r->start + (r->object ? r->offset : 0);
		if (r->owner)
			named = r->owner_ops->describe(r->owner, &dev, &inode, path, 256) > 0;
		else if (r->label)
			named = str_copy(path, r->label, 256) > 0;
	}
	rwlock_read_unlock(&as->lock);
	if (named)
		snprintf(buf, size, "%s+0x%lx", path, offset);
	else
		snprintf(buf, size, r ? "0x%lx" : "0x%lx (not mapped)", addr);
	kfree(path);
}

void signal_report_fatal(struct trap_frame *frame, int sig, const struct siginfo *info)
{
	struct task *t = current_task;
	char *where;

	/* Sent by somebody, not a fault: nothing to look at. */
	if (info->si_code <= 0 || sig == SIGQUIT || sig == SIGXCPU || sig == SIGXFSZ)
		return;
	where = kmalloc(320, 0);
	if (!where)
		return;
	describe_address(arch_frame_pc(frame), where, 320);
	log_info("%s[%d]: killed by signal %d (code %d) at %s, address %lx, sp %lx, trap %lu, error %lx", current->name,
		 t->pid->nr, sig, info->si_code, where, t->fault_address, arch_frame_sp(frame), t->fault_number,
		 t->fault_error);
	kfree(where);
	arch_trap_dump(frame);
}
