/*
 * Between keyboard controllers and the terminal on the screen.
 */
#pragma once

#include "core/lib/types.h"

/* A byte of scan code set 1. In the controller's interrupt. */
void keyboard_scan_code(uint8_t code);
/* The controller's part: bits 1 NumLock, 2 CapsLock. In interrupts. */
void keyboard_lights(unsigned int lights);
