/*
 * aarch64: signal frames, as glibc, musl, gdb and unwinders know them: siginfo, ucontext with its area of records (FP registers, syndrome of
 * a fault, end), and above it a frame record that continues the chain of frame pointers. Handlers return through the vDSO's entry point,
 * unless SA_RESTORER names another place.
 *
 * Everything read back in arch_signal_return comes from user space and is sanitised by the port before it is used.
 */
#include <asm/signal.h>
#include <asm/sigcontext.h>
#include <asm/unistd.h>
#include <linux/elf.h>
#include <linux/signal.h>

#include "core/arch/fpu.h"
#include "core/arch/platform.h"
#include "core/arch/thread.h"
#include "core/arch/trap.h"
#include "core/mem/uaccess.h"
#include "core/trap/trap.h"
#include "modules/linux/internal.h"

#define RESTORER_GIVEN 0x04000000u

/* The kernel's struct ucontext: the C library's has other names, so it is spelled here by its documented layout. */
struct frame_ucontext {
	unsigned long uc_flags;
	uint64_t uc_link;
	struct sigaltstack uc_stack;
	uint64_t uc_sigmask;
	uint8_t unused[1024 / 8 - sizeof(uint64_t)];
	struct sigcontext uc_mcontext;
};

struct rt_sigframe {
	struct siginfo info;
	struct frame_ucontext uc;
};

/* The part of struct sigcontext before its records. */
struct sigcontext_head {
	uint64_t fault_address, regs[31], sp, pc, pstate;
};
_Static_assert(sizeof(struct sigcontext_head) <= offsetof(struct sigcontext, __reserved), "the records come behind it");

struct frame_record {
	uint64_t fp, lr;
};

/* All records that we write, in the order in which Linux writes them. */
struct frame_records {
	struct fpsimd_context fpsimd;
	struct esr_context esr;
	struct _aarch64_ctx end;
};
_Static_assert(sizeof(struct frame_records) <= sizeof(((struct sigcontext *)0)->__reserved), "no extra area is needed");
_Static_assert(sizeof(struct fpsimd_state) == sizeof(struct fpsimd_context) - offsetof(struct fpsimd_context, fpsr), "one layout");

long signal_restart_number(void)
{
	return __NR_restart_syscall;
}

size_t arch_signal_min_stack(void)
{
	return ALIGN_UP(sizeof(struct rt_sigframe) + sizeof(struct frame_record) + 16, 16);
}

static uintptr_t choose_stack(struct trap_frame *f, const struct signal_delivery *d, bool *overflow)
{
	struct task *t = current_task;
	uintptr_t sp = f->sp;
	bool inside = sp > t->altstack_base && sp - t->altstack_base <= t->altstack_size;

	*overflow = false;
	if ((d->action.flags & SA_ONSTACK) && t->altstack_size && !(inside && !(t->altstack_flags & (int)SS_AUTODISARM)))
		return t->altstack_base + t->altstack_size;
	if (inside && t->altstack_size && sp - arch_signal_min_stack() < t->altstack_base)
		*overflow = true;
	return sp;
}

/* Where a handler returns to: the vDSO of this address space. */
static uintptr_t return_trampoline(const struct signal_delivery *d)
{
	const Elf64_Ehdr *h;
	size_t size;

	if (d->action.flags & RESTORER_GIVEN)
		return d->action.restorer;
	h = arch_vdso_image(&size);
	return h && current->aspace->vdso ? current->aspace->vdso + h->e_entry : 0;
}

static void fill_records(struct frame_records *r)
{
	struct task *t = current_task;
	struct _aarch64_ctx *end = (struct _aarch64_ctx *)&r->esr;

	memset(r, 0, sizeof(*r));
	r->fpsimd.head.magic = FPSIMD_MAGIC;
	r->fpsimd.head.size = sizeof(r->fpsimd);
	memcpy(&r->fpsimd.fpsr, arch_fpu_sync(), arch_fpu_size());
	if (t->fault_error) {
		r->esr.head.magic = ESR_MAGIC;
		r->esr.head.size = sizeof(r->esr);
		r->esr.esr = t->fault_error;
		end = &r->end;
	}
	end->magic = 0;
	end->size = 0;
}

static void save_registers(const struct trap_frame *f, struct sigcontext_head *c)
{
	c->fault_address = current_task->fault_address;
	memcpy(c->regs, f->x, sizeof(c->regs));
	c->sp = f->sp;
	c->pc = f->pc;
	c->pstate = f->pstate;
}

/* All but the records, which are by far the largest part and go out by themselves. */
static int write_frame(uintptr_t at, const struct trap_frame *f, const struct signal_delivery *d)
{
	struct task *t = current_task;
	struct frame_ucontext_head {
		struct siginfo info;
		unsigned long uc_flags;
		uint64_t uc_link;
		struct sigaltstack uc_stack;
		uint64_t uc_sigmask;
		uint8_t unused[1024 / 8 - sizeof(uint64_t)];
	} head;
	struct sigcontext_head c;

	memset(&head, 0, sizeof(head));
	siginfo_copy(&head.info, &d->info);	/* the rest stays zero */
	head.uc_stack.ss_sp = (void *)t->altstack_base;
	head.uc_stack.ss_size = t->altstack_size;
	head.uc_stack.ss_flags = t->altstack_size ? t->altstack_flags : SS_DISABLE;
	head.uc_sigmask = d->saved_mask;
	save_registers(f, &c);
	if (copy_to_user(at, &head, sizeof(head)) ||
	    copy_to_user(at + offsetof(struct rt_sigframe, uc.uc_mcontext), &c, sizeof(c)))
		return -EFAULT;
	return 0;
}

int arch_signal_setup_frame(struct trap_frame *f, const struct signal_delivery *d)
{
	struct frame_record record = { f->x[29], f->x[30] };
	struct task *t = current_task;
	struct frame_records *records;
	uintptr_t sp, at;
	bool overflow;
	int error;

	sp = ALIGN_DOWN(choose_stack(f, d, &overflow), 16);
	sp -= sizeof(record);
	at = sp - sizeof(struct rt_sigframe);
	if (overflow || !user_range_ok(at, sizeof(struct rt_sigframe) + sizeof(record)))
		return -EFAULT;
	records = kmalloc(sizeof(*records), 0);
	if (!records)
		return -EFAULT;
	fill_records(records);
	error = copy_to_user(at + offsetof(struct rt_sigframe, uc.uc_mcontext.__reserved), records, sizeof(*records));
	kfree(records);
	if (error || copy_to_user(sp, &record, sizeof(record)) || write_frame(at, f, d))
		return -EFAULT;
	if (t->altstack_flags & (int)SS_AUTODISARM) {
		t->altstack_base = t->altstack_size = 0;
		t->altstack_flags = SS_DISABLE;
	}
	f->x[0] = (unsigned long)d->sig;
	f->x[1] = at + offsetof(struct rt_sigframe, info);
	f->x[2] = at + offsetof(struct rt_sigframe, uc);
	f->x[29] = sp;
	f->x[30] = return_trampoline(d);
	f->sp = at;
	f->pc = d->action.handler;
	/* As if by an indirect call. */
	f->pstate = (f->pstate & ~(PSTATE_BTYPE | PSTATE_SS)) | 0x800;
	f->number = -1;
	return 0;
}

/* Finds the FP record among those of the frame, and loads it. */
static int restore_records(uintptr_t at)
{
	struct fpsimd_context *fp;
	size_t offset = 0, room = sizeof(((struct sigcontext *)0)->__reserved);
	int error = -EFAULT;

	fp = kmalloc(sizeof(*fp), 0);
	if (!fp)
		return -EFAULT;
	while (room - offset >= sizeof(struct _aarch64_ctx)) {
		struct _aarch64_ctx head;

		if (copy_from_user(&head, at + offset, sizeof(head)))
			break;
		if (!head.magic && !head.size)
			break;		/* the end, and no FP record: refused, as Linux does */
		if (head.size < sizeof(head) || head.size > room - offset || (head.size & 15))
			break;
		if (head.magic == FPSIMD_MAGIC) {
			if (head.size == sizeof(*fp) && !copy_from_user(fp, at + offset, sizeof(*fp))) {
				arch_fpu_load(&fp->fpsr);
				error = 0;
			}
			break;
		}
		if (head.magic != ESR_MAGIC)
			break;
		offset += head.size;
	}
	kfree(fp);
	return error;
}

int arch_signal_return(struct trap_frame *f, uint64_t *mask)
{
	uintptr_t at = f->sp;
	struct sigcontext_head c;
	struct sigaltstack stack;

	if ((at & 15) || !user_range_ok(at, sizeof(struct rt_sigframe)) ||
	    copy_from_user(&c, at + offsetof(struct rt_sigframe, uc.uc_mcontext), sizeof(c)) ||
	    copy_from_user(&stack, at + offsetof(struct rt_sigframe, uc.uc_stack), sizeof(stack)) ||
	    user_load_u64(at + offsetof(struct rt_sigframe, uc.uc_sigmask), mask) ||
	    restore_records(at + offsetof(struct rt_sigframe, uc.uc_mcontext.__reserved)))
		return -EFAULT;
	/* Only a state of 64-bit user code can have been saved. */
	if (c.pstate & (PSTATE_MODE_MASK | PSTATE_I | PSTATE_F | PSTATE_A | PSTATE_D))
		return -EFAULT;
	*mask &= ~SIG_KILL_STOP;
	memcpy(f->x, c.regs, sizeof(c.regs));
	f->sp = c.sp;
	f->pc = c.pc;
	f->pstate = c.pstate;
	f->number = -1;
	arch_trap_sanitize(f);
	signal_set_altstack(&stack, f->sp);	/* what it refuses stays as it is */
	return 0;
}

/* The syndrome tells what happened, if the processor says that it does. */
static int floating_code(unsigned long esr)
{
	if (!(esr & 1ul << 23))
		return FPE_FLTUNK;
	return esr & 0x01 ? FPE_FLTINV : esr & 0x02 ? FPE_FLTDIV : esr & 0x04 ? FPE_FLTOVF : esr & 0x08 ? FPE_FLTUND :
	       esr & 0x10 ? FPE_FLTRES : FPE_FLTUNK;
}

void arch_signal_fault_info(const struct trap_info *trap, struct siginfo *info)
{
	struct task *t = current_task;
	static const struct { unsigned char sig, code; } table[] = {
		[TRAP_SEGV_MAP] = { SIGSEGV, SEGV_MAPERR }, [TRAP_SEGV_ACCESS] = { SIGSEGV, SEGV_ACCERR },
		[TRAP_SEGV_GENERAL] = { SIGSEGV, 0 }, [TRAP_BUS_ADDRESS] = { SIGBUS, BUS_ADRERR },
		[TRAP_BUS_ALIGN] = { SIGBUS, BUS_ADRALN }, [TRAP_BUS_OBJECT] = { SIGBUS, BUS_ADRERR },
		[TRAP_ILLEGAL] = { SIGILL, ILL_ILLOPC }, [TRAP_DIVIDE] = { SIGFPE, FPE_INTDIV },
		[TRAP_OVERFLOW_INT] = { SIGSEGV, 0 }, [TRAP_FPU] = { SIGFPE, FPE_FLTINV },
		[TRAP_SIMD] = { SIGFPE, FPE_FLTINV }, [TRAP_BREAKPOINT] = { SIGTRAP, TRAP_BRKPT },
		[TRAP_SINGLE_STEP] = { SIGTRAP, TRAP_TRACE }, [TRAP_HW_BREAKPOINT] = { SIGTRAP, TRAP_HWBKPT },
		[TRAP_BOUND] = { SIGSEGV, SEGV_BNDERR }, [TRAP_STACK] = { SIGBUS, 0 },
	};

	t->fault_number = trap->number;
	t->fault_error = trap->error;
	t->fault_address = trap->address;
	info->si_signo = table[trap->kind].sig;
	info->si_code = table[trap->kind].code ? table[trap->kind].code : SI_KERNEL;
	if (info->si_code != SI_KERNEL)
		info->si_addr = (void *)trap->address;
	if (trap->kind == TRAP_FPU)
		info->si_code = floating_code(trap->error);
}
