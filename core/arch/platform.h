/*
 * Contract of a port: clock event, early output, random numbers.
 */
#pragma once

#include "core/lib/types.h"

/* Programs this CPU's one-shot event for a monotonic time in ns (TIME_NEVER: none). Past times fire at once. Interrupts off. */
void arch_timer_program(uint64_t deadline);
/* Text to a serial line or debug port before any driver; polled, bounded. */
void arch_early_write(const char *text, size_t len);
/* Fills as much entropy as the hardware gives; returns the bits of entropy (0: none). */
unsigned int arch_random(uint64_t *out);
/* Ends an emulator run with a status (debug exit device); returns if there is none. */
void arch_debug_exit(unsigned int status);
/* Value for AT_HWCAP, AT_HWCAP2, and the strings AT_PLATFORM and uname's machine. */
unsigned long arch_hwcap(void);
unsigned long arch_hwcap2(void);
const char *arch_machine(void);
/* The vDSO image of the port; size 0: none. */
const void *arch_vdso_image(size_t *size);
