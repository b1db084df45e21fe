/*
 * Relocations of x86_64 modules (System V ABI, AMD64 supplement, table 4.9): those that the compiler emits for the kernel code model.
 */
#include "core/arch/module.h"

#include <asm/errno.h>
#include <linux/elf-em.h>

#include "core/lib/string.h"
#include "core/module/export.h"

enum {
	R_NONE = 0, R_64 = 1, R_PC32 = 2, R_PLT32 = 4, R_32 = 10, R_32S = 11, R_PC64 = 24,
};

unsigned int arch_module_machine(void)
{
	return EM_X86_64;
}
KAPI(arch_module_machine);

static int put(void *place, size_t room, const void *value, size_t size, const char **what)
{
	if (room < size) {
		*what = "relocation lies outside of its section";
		return -ENOEXEC;
	}
	memcpy(place, value, size);
	return 0;
}

int arch_module_relocate(unsigned int type, void *place, uintptr_t address, size_t room, uint64_t symbol,
			 int64_t addend, const char **what)
{
	uint64_t v = symbol + (uint64_t)addend;
	int64_t relative = (int64_t)(v - address);
	int32_t v32;

	switch (type) {
	case R_NONE:
		return 0;
	case R_64:
		return put(place, room, &v, 8, what);
	case R_PC64:
		return put(place, room, &relative, 8, what);
	case R_PC32:
	case R_PLT32:
		v32 = (int32_t)relative;
		if (v32 != relative)
			break;
		return put(place, room, &v32, 4, what);
	case R_32:
		if ((uint32_t)v != v)
			break;
		return put(place, room, &v, 4, what);
	case R_32S:
		v32 = (int32_t)v;
		if (v32 != (int64_t)v)
			break;
		return put(place, room, &v32, 4, what);
	default:
		*what = "relocation type is not known";
		return -ENOEXEC;
	}
	*what = "relocation does not reach its target";
	return -ENOEXEC;
}
