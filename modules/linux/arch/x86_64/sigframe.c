/*
 * x86_64: signal frames, as glibc, musl, gdb and unwinders know them (struct rt_sigframe: return address, ucontext, siginfo, and the extended
 * state below, in XSAVE or FXSAVE format with Linux's magic words).
 *
 * Everything read back in arch_signal_return comes from user space and is sanitised by the port before it is used.
 */
#include <asm/signal.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#include <asm/unistd_64.h>
#include <linux/signal.h>

#include <arch/fpu.h>

#include "core/arch/fpu.h"
#include "core/arch/thread.h"
#include "core/arch/trap.h"
#include "core/mem/uaccess.h"
#include "core/trap/trap.h"
#include "modules/linux/internal.h"

#define RED_ZONE 128
#define GENERAL_PROTECTION 13	/* exceptions' numbers */
#define PAGE_FAULT 14
#define SW_BYTES 464		/* where struct _fpx_sw_bytes lies in the state */
#define FLAG_DF 0x400ul
#define FLAG_TF 0x100ul
#define FLAG_RF 0x10000ul

/* The kernel's struct ucontext: UAPI's has the wrong name in C library terms, so it is spelled here by its documented layout. */
struct frame_ucontext {
	unsigned long uc_flags;
	uint64_t uc_link;
	struct sigaltstack uc_stack;
	struct sigcontext_64 uc_mcontext;
	uint64_t uc_sigmask;
};

struct rt_sigframe {
	uint64_t return_address;
	struct frame_ucontext uc;
	struct siginfo info;
};

long signal_restart_number(void)
{
	return __NR_restart_syscall;
}

/* Bytes of the extended state in a frame, with the second magic word behind an XSAVE area. */
static size_t state_size(void)
{
	return arch_fpu_size() + (arch_fpu_features() ? FP_XSTATE_MAGIC2_SIZE : 0);
}

size_t arch_signal_min_stack(void)
{
	return ALIGN_UP(sizeof(struct rt_sigframe) + RED_ZONE + state_size() + 64 + 16, 16);
}

static uintptr_t choose_stack(struct trap_frame *f, const struct signal_delivery *d, bool *overflow)
{
	struct task *t = current_task;
	uintptr_t sp = f->rsp - RED_ZONE;
	bool inside = f->rsp > t->altstack_base && f->rsp - t->altstack_base <= t->altstack_size;

	*overflow = false;
	if ((d->action.flags & SA_ONSTACK) && t->altstack_size && !(inside && !(t->altstack_flags & (int)SS_AUTODISARM)))
		return t->altstack_base + t->altstack_size;
	if (inside && t->altstack_size && sp - state_size() - sizeof(struct rt_sigframe) - 128 < t->altstack_base)
		*overflow = true;
	return sp;
}

static void save_registers(const struct trap_frame *f, const struct signal_delivery *d, struct sigcontext_64 *c)
{
	c->r8 = f->r8, c->r9 = f->r9, c->r10 = f->r10, c->r11 = f->r11;
	c->r12 = f->r12, c->r13 = f->r13, c->r14 = f->r14, c->r15 = f->r15;
	c->di = f->rdi, c->si = f->rsi, c->bp = f->rbp, c->bx = f->rbx;
	c->dx = f->rdx, c->ax = f->rax, c->cx = f->rcx, c->sp = f->rsp, c->ip = f->rip;
	c->flags = f->rflags;
	c->cs = (uint16_t)f->cs;
	c->gs = c->fs = 0;
	c->ss = (uint16_t)f->ss;
	c->oldmask = d->saved_mask;
	c->err = current_task->fault_error;
	c->trapno = current_task->fault_number;
	c->cr2 = current_task->fault_address;
	memset(c->reserved1, 0, sizeof(c->reserved1));
}

int arch_signal_setup_frame(struct trap_frame *f, const struct signal_delivery *d)
{
	struct task *t = current_task;
	struct rt_sigframe frame;
	uintptr_t sp, state, at;
	bool overflow;

	if (!(d->action.flags & 0x04000000))
		return -EFAULT;		/* without SA_RESTORER there is no way back */
	sp = choose_stack(f, d, &overflow);
	state = ALIGN_DOWN(sp - state_size(), 64);
	at = ALIGN_DOWN(state - sizeof(frame), 16) - 8;
	if (overflow || !user_range_ok(at, sp - at) || x86_fpu_save_user(state))
		return -EFAULT;
	frame.return_address = d->action.restorer;
	frame.uc.uc_link = 0;
	frame.uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (arch_fpu_features() ? UC_FP_XSTATE : 0);
	memset(&frame.uc.uc_stack, 0, sizeof(frame.uc.uc_stack));	/* its padding, too */
	frame.uc.uc_stack.ss_sp = (void *)t->altstack_base;
	frame.uc.uc_stack.ss_size = t->altstack_size;
	frame.uc.uc_stack.ss_flags = t->altstack_size ? t->altstack_flags : SS_DISABLE;
	save_registers(f, d, &frame.uc.uc_mcontext);
	frame.uc.uc_mcontext.fpstate = state;
	frame.uc.uc_sigmask = d->saved_mask;
	siginfo_copy(&frame.info, &d->info);
	memset((char *)&frame.info + SIGINFO_KEPT, 0, sizeof(frame.info) - SIGINFO_KEPT);
	if (copy_to_user(at, &frame, sizeof(frame)))
		return -EFAULT;
	if (t->altstack_flags & (int)SS_AUTODISARM) {
		t->altstack_base = t->altstack_size = 0;
		t->altstack_flags = SS_DISABLE;
	}
	f->rdi = (unsigned long)d->sig;
	f->rsi = at + offsetof(struct rt_sigframe, info);
	f->rdx = at + offsetof(struct rt_sigframe, uc);
	f->rax = 0;
	f->rip = d->action.handler;
	f->rsp = at;
	f->rflags &= ~(FLAG_DF | FLAG_TF | FLAG_RF);
	f->cs = X86_USER_CS;
	f->ss = X86_USER_SS;
	f->orig_rax = -1;
	return 0;
}

/* A state that is not as x86_fpu_save_user() wrote it: only what it says to hold, and only the legacy part without magic words. */
static int restore_foreign_state(uintptr_t at, const struct _fpx_sw_bytes *sw, bool extended)
{
	size_t size = arch_fpu_size();
	char *area = kmalloc(size, ALLOC_ZERO);

	if (!area)
		return -EFAULT;
	if (copy_from_user(area, at, extended ? sw->xstate_size : 512)) {
		kfree(area);
		return -EFAULT;
	}
	if (arch_fpu_features()) {
		uint64_t *present = (uint64_t *)(area + 512);

		*present = extended ? *present & sw->xfeatures : 3;
	}
	arch_fpu_load(area);
	kfree(area);
	return 0;
}

/* Loads the state behind a frame. */
static int restore_state(uintptr_t at)
{
	size_t size = arch_fpu_size();
	struct _fpx_sw_bytes sw;
	uint32_t magic2 = 0;
	bool extended;

	if (!at) {
		arch_fpu_reset();
		return 0;
	}
	if (IS_ALIGNED(at, 64) && user_range_ok(at, state_size()) && !x86_fpu_load_user(at))
		return 0;
	if (copy_from_user(&sw, at + SW_BYTES, sizeof(sw)))
		return -EFAULT;
	extended = arch_fpu_features() && sw.magic1 == FP_XSTATE_MAGIC1 && sw.xstate_size >= 576 && sw.xstate_size <= size &&
		   sw.xstate_size <= sw.extended_size && !user_load_u32(at + sw.xstate_size, &magic2) &&
		   magic2 == FP_XSTATE_MAGIC2;
	return restore_foreign_state(at, &sw, extended);
}

static void restore_registers(struct trap_frame *f, const struct sigcontext_64 *c)
{
	f->r8 = c->r8, f->r9 = c->r9, f->r10 = c->r10, f->r11 = c->r11;
	f->r12 = c->r12, f->r13 = c->r13, f->r14 = c->r14, f->r15 = c->r15;
	f->rdi = c->di, f->rsi = c->si, f->rbp = c->bp, f->rbx = c->bx;
	f->rdx = c->dx, f->rax = c->ax, f->rcx = c->cx, f->rsp = c->sp, f->rip = c->ip;
	f->rflags = (f->rflags & ~0x50dd5ul) | (c->flags & 0x50dd5ul);
	f->orig_rax = -1;
	arch_trap_sanitize(f);
}

/*
 * Would the processor refuse the frame's selectors on the way to user mode? There are one code and one stack segment for it. A stack segment
 * is put right where the frame does not insist on it, as for programs older than its field.
 */
static bool selectors_refused(const struct frame_ucontext *uc)
{
	uint16_t cs = uc->uc_mcontext.cs | 3, ss = uc->uc_mcontext.ss | 3, bad;

	if (cs != X86_USER_CS)
		bad = cs;
	else if (ss != X86_USER_SS && (uc->uc_flags & UC_STRICT_RESTORE_SS))
		bad = ss;
	else
		return false;
	current_task->fault_number = GENERAL_PROTECTION;
	current_task->fault_error = bad & ~3u;
	return true;
}

int arch_signal_return(struct trap_frame *f, uint64_t *mask)
{
	uintptr_t at = f->rsp - 8;
	struct frame_ucontext uc;

	if (!user_range_ok(at, sizeof(struct rt_sigframe)) ||
	    copy_from_user(&uc, at + offsetof(struct rt_sigframe, uc), sizeof(uc)))
		return -EFAULT;
	signal_set_altstack(&uc.uc_stack, f->rsp);	/* not the one that the handler ran on: what it refuses stays as it is */
	if (restore_state(uc.uc_mcontext.fpstate))
		return -EFAULT;
	*mask = uc.uc_sigmask & ~SIG_KILL_STOP;
	restore_registers(f, &uc.uc_mcontext);
	return selectors_refused(&uc);
}

/* Which of the exceptions that are not masked happened, in the x87 unit or with vectors. */
static int floating_code(enum trap_kind kind)
{
	const uint8_t *area = arch_fpu_sync();
	uint16_t control, status;
	uint32_t mxcsr;
	unsigned int happened;

	memcpy(&control, area, sizeof(control));
	memcpy(&status, area + 2, sizeof(status));
	memcpy(&mxcsr, area + 24, sizeof(mxcsr));
	happened = kind == TRAP_FPU ? status & ~(unsigned int)control : mxcsr & ~(mxcsr >> 7);
	if (happened & 0x01)
		return FPE_FLTINV;
	if (happened & 0x04)
		return FPE_FLTDIV;
	if (happened & 0x08)
		return FPE_FLTOVF;
	if (happened & 0x12)		/* a denormal operand, too */
		return FPE_FLTUND;
	return happened & 0x20 ? FPE_FLTRES : FPE_FLTUNK;
}

void arch_signal_fault_info(const struct trap_info *trap, struct siginfo *info)
{
	struct task *t = current_task;
	static const struct { unsigned char sig; signed char code; } table[] = {
		[TRAP_SEGV_MAP] = { SIGSEGV, SEGV_MAPERR }, [TRAP_SEGV_ACCESS] = { SIGSEGV, SEGV_ACCERR },
		[TRAP_SEGV_GENERAL] = { SIGSEGV, (signed char)SI_KERNEL }, [TRAP_BUS_ADDRESS] = { SIGBUS, BUS_ADRERR },
		[TRAP_BUS_ALIGN] = { SIGBUS, BUS_ADRALN }, [TRAP_BUS_OBJECT] = { SIGBUS, BUS_ADRERR },
		[TRAP_ILLEGAL] = { SIGILL, ILL_ILLOPN }, [TRAP_DIVIDE] = { SIGFPE, FPE_INTDIV },
		[TRAP_OVERFLOW_INT] = { SIGSEGV, (signed char)SI_KERNEL }, [TRAP_FPU] = { SIGFPE, FPE_FLTINV },
		[TRAP_SIMD] = { SIGFPE, FPE_FLTINV }, [TRAP_BREAKPOINT] = { SIGTRAP, (signed char)SI_KERNEL },
		[TRAP_SINGLE_STEP] = { SIGTRAP, TRAP_TRACE }, [TRAP_HW_BREAKPOINT] = { SIGTRAP, TRAP_HWBKPT },
		[TRAP_BOUND] = { SIGSEGV, SEGV_BNDERR }, [TRAP_STACK] = { SIGBUS, (signed char)SI_KERNEL },
	};

	t->fault_number = trap->number;
	t->fault_error = trap->error;
	if (trap->number == PAGE_FAULT)
		t->fault_address = trap->address;	/* cr2 keeps it over other exceptions */
	info->si_signo = table[trap->kind].sig;
	info->si_code = table[trap->kind].code == (signed char)SI_KERNEL ? SI_KERNEL : table[trap->kind].code;
	if (info->si_code != SI_KERNEL)
		info->si_addr = (void *)trap->address;
	if (trap->kind == TRAP_FPU || trap->kind == TRAP_SIMD)
		info->si_code = floating_code(trap->kind);
}
