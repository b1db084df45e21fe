/*
 * System calls: the dispatch table, indexed by the port's numbers, and what is known of each number.
 */
#pragma once

#include "core/arch/trap.h"
#include "core/module/descriptor.h"

#define SYSCALL_BLOCK    0x01u		/* may sleep; restartable */
#define SYSCALL_FRAME    0x02u
#define SYSCALL_NORETURN 0x04u
#define SYSCALL_PATH     0x08u
#define SYSCALL_PARTIAL  0x10u

/* Generated: name and owner of each number; name null: no such call. module null: refused on purpose. */
struct syscall_info {
	const char *name;
	const char *module;
	unsigned int flags;
};
extern const struct syscall_info syscall_info[SYSCALL_TABLE_SIZE];

/* The port's entry code calls syscall_table[nr](frame) for nr < SYSCALL_TABLE_SIZE, syscall_absent(frame) otherwise. */
extern long (*syscall_table[SYSCALL_TABLE_SIZE])(struct trap_frame *frame);
long syscall_absent(struct trap_frame *frame);
