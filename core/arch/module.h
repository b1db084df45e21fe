/*
 * Contract of a port: relocations of modules.
 */
#pragma once

#include "core/lib/types.h"

/* e_machine of the port's ELF files. */
#define ELF_MACHINE arch_module_machine()
unsigned int arch_module_machine(void);

/*
 * Applies one relocation: `place` is where to write now (the section's memory, writable), `address` the same place's final address;
 * `room` the bytes left in the section from there. 0; -ENOEXEC for a type that is not known or does not fit; *what then says why.
 */
int arch_module_relocate(unsigned int type, void *place, uintptr_t address, size_t room, uint64_t symbol,
			 int64_t addend, const char **what);
