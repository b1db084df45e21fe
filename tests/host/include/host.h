/*
 * What the kernel's pure logic wants of the rest of the kernel, for one host test program: include it in the test's only own file.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "core/sched/cpu.h"
#include "core/sched/thread.h"

struct cpu host_cpu;
static struct thread host_thread_storage;
struct thread *host_thread = &host_thread_storage;
int host_preempt;
bool host_need_resched;
uint64_t host_cycles;
char *host_memory;
struct cpu *cpus[CPU_MAX] = { &host_cpu };
unsigned int cpu_count = 1;
struct cpu_set cpus_online = { { 1 } };

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	abort();
}

void sched_preempt(void) { host_need_resched = false; }
void spin_lock_contended(struct spinlock *l, uint16_t ticket) { (void)l; panic("lock is taken (ticket %u)", ticket); }
