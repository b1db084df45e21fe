/*
 * A module of the tests: says hello, keeps parameters.
 */
#include <asm/errno.h>

#include "core/debug/log.h"
#include "core/lib/types.h"

unsigned int sample_depth = 1;
const char *sample_label = "none";
int sample_sizes[4];
unsigned int sample_sizes_count;
unsigned long sample_wide;
bool sample_loud;

int sample_init(void)
{
	log_debug("sample: depth %u, label %s", sample_depth, sample_label);
	return sample_depth > 100 ? -EINVAL : 0;
}

void sample_exit(void)
{
}
