/*
 * x86_64: the start-up code's own parts.
 */
#pragma once

#include "core/lib/types.h"

enum boot_loader { LOADER_UNKNOWN, LOADER_MULTIBOOT2, LOADER_PVH };

/*
 * Chooses and applies the slide of the kernel image and the place of the direct map, fills the early tables of both. Called once from boot.asm by its physical address, on the
 * identity mapping. `info`: physical address of the loader's information. Returns the slide in bytes.
 */
uint64_t boot_relocate(unsigned int loader, uint32_t info);
/* C's entry at the final address; the same arguments. */
void boot_start(unsigned int loader, uint32_t info) __noreturn;
