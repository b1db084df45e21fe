/*
 * Contract of a port: the registers saved at entry to the kernel, and access to them. <arch/trap.h> defines
 * struct trap_frame and these inlines:
 *   unsigned long arch_syscall_arg(const struct trap_frame *f, unsigned int i)     i: 0..5
 *   long arch_syscall_number(const struct trap_frame *f)      -1 if the frame is not a system call's
 *   void arch_syscall_set_number(struct trap_frame *f, long nr)
 *   long arch_syscall_result(const struct trap_frame *f); void arch_syscall_set_result(struct trap_frame *f, long v)
 *   void arch_syscall_rewind(struct trap_frame *f)            the call will be executed again with the same number and arguments
 *   bool arch_frame_is_user(const struct trap_frame *f)
 *   uintptr_t arch_frame_pc(f), arch_frame_sp(f), arch_frame_fp(f); arch_frame_set_pc(f, v), arch_frame_set_sp(f, v)
 */
#pragma once

#include <arch/trap.h>

/* Is it the return address of the entry code that a trap of kernel code came through? Then that code's registers are on the stack above. */
bool arch_trap_from_kernel(uintptr_t pc);
/* Registers, stack and code bytes of a frame, to the log. */
void arch_trap_dump(const struct trap_frame *f);
/* Sanitises registers that user space supplied (sigreturn, ptrace): flags, segments, canonical addresses. */
void arch_trap_sanitize(struct trap_frame *f);
