/*
 * aarch64: offsets and numbers that assembly and C share. Asserted in cpu.c and thread.c.
 */
#pragma once

#define CPU_THREAD       8
#define CPU_OVERFLOW     24		/* struct cpu.user_stack: top of the stack for reports of stack overflows */
#define CPU_NEED_RESCHED 36

#define THREAD_CANARY     8
#define THREAD_PREEMPT    20
#define THREAD_WORK       120
#define THREAD_STACK_BASE 144

#define THREAD_STACK_SHIFT 14

#define WORK_TRACE_BIT 5

#define FRAME_X(n)    (8 * (n))
#define FRAME_SP      248
#define FRAME_PC      256
#define FRAME_PSTATE  264
#define FRAME_ORIG_X0 272
#define FRAME_NUMBER  280
#define FRAME_SIZE    288

#define IMAGE_BASE 0xffffffffa0000000

#define SYSCALL_TABLE_LIMIT 1024
