/*
 * Running a function on other CPUs.
 */
#pragma once

#include "core/lib/bits.h"

/* A function that other CPUs are asked to run. The asking CPU owns it; `pending` counts those who have not answered. */
struct cpu_request {
	void (*fn)(void *arg);
	void *arg;
	unsigned int pending;
};

/* Runs fn(arg) on each CPU of the mask but this one, with interrupts off there, and waits. Interrupts must be on here. */
void cpu_call(const struct cpu_set *mask, void (*fn)(void *), void *arg);
/*
 * Runs fn(arg) on this CPU and on each other of the mask, with interrupts off, and waits. The caller stays where it is from the first
 * to the last of them: calling fn and then cpu_call() would leave out the CPU that the caller moved to in between. Interrupts must be on.
 */
void cpu_call_each(const struct cpu_set *mask, void (*fn)(void *), void *arg);
/* The halves of cpu_call(): begin asks and returns at once with preemption disabled, end waits for the answers and enables it. */
void cpu_call_begin(const struct cpu_set *mask, void (*fn)(void *), void *arg);
void cpu_call_end(void);
/* Runs what other CPUs asked this one to do. The port's handler of the interrupt that arch_cpu_send_call() makes; interrupts off. */
void cpu_call_answer(void);
