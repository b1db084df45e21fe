/*
 * The kernel image's own function symbols, made by the build.
 */
#pragma once

#include "core/lib/types.h"

/* The function that contains an address of the kernel image. False if none does. */
bool ksyms_find(uintptr_t address, const char **name, uintptr_t *offset, uintptr_t *length);
