/*
 * x86_64: which terminals a PC has.
 */
#include "modules/tty/arch/x86_64/pc.h"

void tty_platform_start(void)
{
	pc_serial_start();
	pc_text_screen_start();
	pc_keyboard_start();
}
