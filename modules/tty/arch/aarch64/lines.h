/*
 * Devices of aarch64 machines, found by the port's tty_platform_start.
 */
#pragma once

#include "modules/tty/internal.h"

void pl011_lines_start(void);
