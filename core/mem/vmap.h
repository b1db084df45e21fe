/*
 * Kernel virtual memory outside the direct map: large buffers, kernel stacks with guard pages, device memory, modules.
 */
#pragma once

#include "core/mem/page.h"

/* Virtually contiguous pages with an unmapped page on each side. Null when out. May sleep. */
void *vmalloc(size_t size, unsigned int flags);
/* Bytes of the area that are taken, with their guard pages. */
uint64_t vmap_used(void);
/* Null is allowed. May sleep. */
void vfree(void *p);
/* kmalloc for small sizes, and for larger ones while a block is at hand; else vmalloc. kvfree takes either. May sleep. */
void *kvmalloc(size_t size, unsigned int flags);
void kvfree(void *p);

/* Maps device memory; any alignment of phys. Null when out. */
void *device_map(uint64_t phys, size_t size, unsigned int prot);
void device_unmap(void *p, size_t size);

/* Boot, before the first allocation here: chooses where the areas begin. */
void vmap_start(void);

/* A kernel stack (lowest address) with a guard page below. 0 when out. Cached per boot: cheap to reuse. */
uintptr_t kernel_stack_alloc(void);
void kernel_stack_free(uintptr_t base);
/* A stack of `size` bytes, whole pages, with a guard page below; 0 when out. May sleep; vfree() frees. */
uintptr_t guarded_stack_alloc(size_t size);
/* Gives back the stacks that are kept. May sleep; interrupts on. */
void kernel_stack_drain(void);
/* Is the address in a guard page of a kernel stack? (for the fault report) */
bool kernel_stack_guard(uintptr_t va);

/* Module area: pages within reach of the kernel image's calls, mapped read-write at first; module_area_protect sets the final rights. */
void *module_area_alloc(size_t size);
void module_area_free(void *p);
void module_area_protect(void *p, size_t size, unsigned int prot);
