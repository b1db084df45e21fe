/*
 * Relocations of aarch64 modules (ELF for the Arm 64-bit Architecture, chapter 5.7): those that the compiler emits for the small code
 * model without a global offset table. The module area lies so that every branch and page address in it reaches all of it and of the
 * kernel (arch/mmu.h), so no call needs a detour.
 */
#include "core/arch/module.h"

#include <asm/errno.h>
#include <linux/elf-em.h>

#include "core/arch/mmu.h"
#include "core/lib/string.h"
#include "core/module/export.h"

_Static_assert(KERNEL_IMAGE_BASE + (16ul << 20) - MODULE_AREA_BASE <= 128ul << 20, "branches reach");

enum {
	R_NONE = 0, R_NONE_OLD = 256, R_ABS64 = 257, R_ABS32, R_ABS16, R_PREL64, R_PREL32, R_PREL16,
	R_MOVW_UABS_G0, R_MOVW_UABS_G0_NC, R_MOVW_UABS_G1, R_MOVW_UABS_G1_NC, R_MOVW_UABS_G2, R_MOVW_UABS_G2_NC, R_MOVW_UABS_G3,
	R_LD_PREL_LO19 = 273, R_ADR_PREL_LO21, R_ADR_PREL_PG_HI21, R_ADR_PREL_PG_HI21_NC, R_ADD_ABS_LO12_NC,
	R_LDST8_ABS_LO12_NC, R_TSTBR14, R_CONDBR19, R_JUMP26 = 282, R_CALL26, R_LDST16_ABS_LO12_NC, R_LDST32_ABS_LO12_NC,
	R_LDST64_ABS_LO12_NC, R_LDST128_ABS_LO12_NC = 299,
};

unsigned int arch_module_machine(void)
{
	return EM_AARCH64;
}
KAPI(arch_module_machine);

static int refuse(const char **what, const char *why)
{
	*what = why;
	return -ENOEXEC;
}

static int put(void *place, size_t room, const void *value, size_t size, const char **what)
{
	if (room < size)
		return refuse(what, "relocation lies outside of its section");
	memcpy(place, value, size);
	return 0;
}

static bool fits_signed(int64_t v, unsigned int bits)
{
	return v >= -(1ll << (bits - 1)) && v < 1ll << (bits - 1);
}

/* Data: an absolute or relative value of `size` bytes, which may be meant as signed or not. */
static int put_data(void *place, size_t room, int64_t v, size_t size, const char **what)
{
	if (size < 8 && !fits_signed(v, (unsigned int)size * 8) && (uint64_t)v >> (8 * size))
		return refuse(what, "relocation does not reach its target");
	return put(place, room, &v, size, what);
}

/* Instructions: `v`, a multiple of 2^shift, into `bits` bits from bit `at` on. */
static int put_field(void *place, size_t room, int64_t v, unsigned int shift, unsigned int bits, unsigned int at, bool check,
		     const char **what)
{
	uint32_t mask = (uint32_t)((1ull << bits) - 1), code;

	if (room < 4)
		return refuse(what, "relocation lies outside of its section");
	if (v & ((1ll << shift) - 1))
		return refuse(what, "target of a relocation is not aligned");
	if (check && !fits_signed(v >> shift, bits))
		return refuse(what, "relocation does not reach its target");
	memcpy(&code, place, 4);
	code = (code & ~(mask << at)) | ((uint32_t)(v >> shift) & mask) << at;
	return put(place, room, &code, 4, what);
}

/* ADR and ADRP: 21 bits in two parts. */
static int put_adr(void *place, size_t room, int64_t v, bool check, const char **what)
{
	int error;

	if (check && !fits_signed(v, 21))
		return refuse(what, "relocation does not reach its target");
	error = put_field(place, room, v & 3, 0, 2, 29, false, what);
	return error ? error : put_field(place, room, v >> 2, 0, 19, 5, false, what);
}

static int put_movw(unsigned int type, void *place, size_t room, uint64_t v, const char **what)
{
	unsigned int group = (type - R_MOVW_UABS_G0) / 2;
	bool check = type == R_MOVW_UABS_G0 || type == R_MOVW_UABS_G1 || type == R_MOVW_UABS_G2;

	if (check && v >> (16 * group + 16))
		return refuse(what, "relocation does not reach its target");
	return put_field(place, room, (int64_t)(v >> (16 * group) & 0xffff), 0, 16, 5, false, what);
}

int arch_module_relocate(unsigned int type, void *place, uintptr_t address, size_t room, uint64_t symbol,
			 int64_t addend, const char **what)
{
	uint64_t v = symbol + (uint64_t)addend;
	int64_t relative = (int64_t)(v - address), low = v & 0xfff;

	switch (type) {
	case R_NONE:
	case R_NONE_OLD:
		return 0;
	case R_ABS64:
		return put(place, room, &v, 8, what);
	case R_ABS32:
		return put_data(place, room, (int64_t)v, 4, what);
	case R_ABS16:
		return put_data(place, room, (int64_t)v, 2, what);
	case R_PREL64:
		return put(place, room, &relative, 8, what);
	case R_PREL32:
		return put_data(place, room, relative, 4, what);
	case R_PREL16:
		return put_data(place, room, relative, 2, what);
	case R_MOVW_UABS_G0 ... R_MOVW_UABS_G3:
		return put_movw(type, place, room, v, what);
	case R_LD_PREL_LO19:
	case R_CONDBR19:
		return put_field(place, room, relative, 2, 19, 5, true, what);
	case R_TSTBR14:
		return put_field(place, room, relative, 2, 14, 5, true, what);
	case R_JUMP26:
	case R_CALL26:
		return put_field(place, room, relative, 2, 26, 0, true, what);
	case R_ADR_PREL_LO21:
		return put_adr(place, room, relative, true, what);
	case R_ADR_PREL_PG_HI21:
	case R_ADR_PREL_PG_HI21_NC:
		return put_adr(place, room, (int64_t)((v & ~0xffful) - (address & ~0xffful)) >> 12,
			       type == R_ADR_PREL_PG_HI21, what);
	case R_ADD_ABS_LO12_NC:
	case R_LDST8_ABS_LO12_NC:
		return put_field(place, room, low, 0, 12, 10, false, what);
	case R_LDST16_ABS_LO12_NC:
		return put_field(place, room, low, 1, 12, 10, false, what);
	case R_LDST32_ABS_LO12_NC:
		return put_field(place, room, low, 2, 12, 10, false, what);
	case R_LDST64_ABS_LO12_NC:
		return put_field(place, room, low, 3, 12, 10, false, what);
	case R_LDST128_ABS_LO12_NC:
		return put_field(place, room, low, 4, 12, 10, false, what);
	}
	return refuse(what, "relocation type is not known");
}
