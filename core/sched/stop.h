/*
 * Stopping all CPUs for a moment, to look at or change what they use without locks.
 */
#pragma once

#include "core/lib/types.h"

/*
 * Brings every other online CPU to a halt with interrupts off, runs each(arg) once on every one of them and then, on this CPU alone,
 * alone(arg). Both run with interrupts off; what interrupted code holds are locks that are taken with interrupts on, so neither
 * may take such a lock, allocate, log or sleep. Thread context, interrupts on. Callers exclude each other.
 */
void cpus_stop(void (*each)(void *arg), void (*alone)(void *arg), void *arg);
