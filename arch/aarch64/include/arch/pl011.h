/*
 * aarch64: the PL011 serial lines that the device tree tells of, for the terminals' driver.
 */
#pragma once

#include "core/lib/types.h"

struct pl011_line {
	uint64_t phys;
	int irq;			/* -1: none */
	bool early;			/* the line that early messages go to */
};

/* Line `index`, in the order of the tree but the early one first. False if there are fewer. */
bool pl011_describe(unsigned int index, struct pl011_line *out);
