/*
 * Device interrupts. Handlers run with interrupts off.
 */
#pragma once

#include "core/lib/types.h"

/* `line`: the platform's interrupt (ISA IRQ or GSI on x86_64, INTID on aarch64). -EBUSY, -EINVAL, -ENOMEM. May sleep. */
int irq_request(unsigned int line, const char *name, void (*handler)(void *arg), void *arg);
/* Waits until no handler runs. May sleep. */
void irq_free(unsigned int line, void (*handler)(void *arg), void *arg);
/* The port's interrupt entry found this line. */
void irq_dispatch(unsigned int line);
/* Calls fn for each line in use (for /proc/interrupts). */
void irq_for_each(void (*fn)(unsigned int line, const char *name, uint64_t count, void *arg), void *arg);

/* Handlers in [base, base + size). The machine is stopped. */
unsigned int irq_count_handlers(uintptr_t base, size_t size);

/* Port: unmask and route a line, mask it. */
int arch_irq_line_enable(unsigned int line);
void arch_irq_line_disable(unsigned int line);
