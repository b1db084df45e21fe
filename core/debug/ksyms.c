/*
 * Look-up in the symbol table that the build embeds: offsets from the image's start in ascending order. Read-only data, any context.
 */
#include "core/debug/ksyms.h"

extern const unsigned int ksyms_count;
extern const unsigned int ksyms_offsets[];
extern const unsigned int ksyms_names[];
extern const char ksyms_strings[];
extern const char kernel_image_start[], kernel_text_end[];

bool ksyms_find(uintptr_t address, const char **name, uintptr_t *offset, uintptr_t *length)
{
	uintptr_t base = (uintptr_t)kernel_image_start, rel = address - base;
	unsigned int low = 0, high = ksyms_count;

	if (address < base || address >= (uintptr_t)kernel_text_end || !high || rel < ksyms_offsets[0])
		return false;
	while (high - low > 1) {
		unsigned int mid = (low + high) / 2;

		if (ksyms_offsets[mid] <= rel)
			low = mid;
		else
			high = mid;
	}
	*name = ksyms_strings + ksyms_names[low];
	*offset = rel - ksyms_offsets[low];
	*length = (low + 1 < ksyms_count ? ksyms_offsets[low + 1] : (uintptr_t)kernel_text_end - base) - ksyms_offsets[low];
	return true;
}
