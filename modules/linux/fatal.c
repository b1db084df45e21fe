/*
 * What is said of a process that a fault kills: one line, naming the program and the mapped file with the offset in it.
 * Reports are limited in number, as anybody can cause them, and have the registers only when the machine's owner wants them
 * (print-fatal-signals): they may hold secrets, and the log may be open to all.
 */
#include "internal.h"

#include "core/arch/trap.h"
#include "core/mem/aspace.h"
#include "core/module/export.h"

int report_faults = 1, report_registers, report_interval = 5, report_burst = 10;
MODAPI(report_faults);
MODAPI(report_registers);
MODAPI(report_interval);
MODAPI(report_burst);

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

/* A text of a user's as one word of a log line: what is not printed becomes '?'. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text >= 127)
			*text = '?';
}

/* May one more report be written now? What was left out is told with the next one. */
static bool may_report(void)
{
	static struct spinlock lock = SPINLOCK_INIT(lock);
	static uint64_t began;
	static int written, left_out;
	uint64_t now = clock_monotonic();
	int told = 0;
	bool may;

	spin_lock(&lock);
	if (!began || now - began >= (uint64_t)MAX(READ_ONCE(report_interval), 0) * NSEC_PER_SEC) {
		told = left_out;
		began = now;
		written = left_out = 0;
	}
	may = written < READ_ONCE(report_burst);
	if (may)
		written++;
	else
		left_out++;
	spin_unlock(&lock);
	if (told)
		log_warn("%d reports of fatal faults were left out", told);
	return may;
}

void signal_report_fatal(struct trap_frame *frame, int sig, const struct siginfo *info)
{
	struct task *t = current_task;
	char name[THREAD_NAME_SIZE], *where;

	/* Sent by somebody, not a fault: nothing to look at. */
	if (info->si_code <= 0 || sig == SIGQUIT || sig == SIGXCPU || sig == SIGXFSZ)
		return;
	if (!READ_ONCE(report_faults) || !may_report())
		return;
	where = kmalloc(320, 0);
	if (!where)
		return;
	describe_address(arch_frame_pc(frame), where, 320);
	make_printable(where);
	str_copy(name, current->name, sizeof(name));
	make_printable(name);
	log_info("%s[%d]: killed by signal %d (code %d) at %s, address %lx, sp %lx, trap %lu, error %lx", name,
		 t->pid->nr, sig, info->si_code, where, t->fault_address, arch_frame_sp(frame), t->fault_number,
		 t->fault_error);
	kfree(where);
	if (READ_ONCE(report_registers))
		arch_trap_dump(frame);
}
