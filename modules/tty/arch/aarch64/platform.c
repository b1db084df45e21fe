/*
 * aarch64: which terminals a machine has: its serial lines, and the screen if the firmware left one. No keyboard is known.
 */
#include "modules/tty/arch/aarch64/lines.h"

#include "modules/tty/keyboard.h"

void keyboard_lights(unsigned int lights)
{
	(void)lights;
}

void tty_platform_start(void)
{
	pl011_lines_start();
}
