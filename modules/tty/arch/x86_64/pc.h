/*
 * Devices of PCs, found by the port's tty_platform_start.
 */
#pragma once

#include "modules/tty/internal.h"

void pc_serial_start(void);
void pc_keyboard_start(void);
void pc_text_screen_start(void);
