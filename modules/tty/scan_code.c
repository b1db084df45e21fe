/*
 * Scan codes of set 1, a byte at a time, to Linux's keycodes. keyboard_lock guards the state; the
 * table is written by KDSETKEYCODE, an entry at once.
 */
#include "keyboard.h"

static bool extended;			/* E0 came */
static unsigned int pause;		/* bytes of Pause that are to come */

/* Up to 0x53 set 1 is the keycodes; here are the others, and those after E0. */
uint8_t keyboard_codes[256] = {
	[0x54] = KEY_SYSRQ, [0x56] = 86, [0x57] = 87, [0x58] = 88, [0x59] = 117, [0x70] = 93,
	[0x73] = 89, [0x79] = 92, [0x7b] = 94, [0x7d] = 124, [0x7e] = 121,
	[0x80 + 0x10] = 165, [0x80 + 0x19] = 163, [0x80 + 0x1c] = 96, [0x80 + 0x1d] = 97,
	[0x80 + 0x20] = 113, [0x80 + 0x21] = 140, [0x80 + 0x22] = 164, [0x80 + 0x24] = 166,
	[0x80 + 0x2e] = 114, [0x80 + 0x30] = 115, [0x80 + 0x32] = 172, [0x80 + 0x35] = 98,
	[0x80 + 0x37] = KEY_SYSRQ, [0x80 + 0x38] = 100, [0x80 + 0x46] = KEY_PAUSE,
	[0x80 + 0x47] = 102, [0x80 + 0x48] = 103,
	[0x80 + 0x49] = 104, [0x80 + 0x4b] = 105, [0x80 + 0x4d] = 106,
	[0x80 + 0x4f] = 107, [0x80 + 0x50] = 108, [0x80 + 0x51] = 109, [0x80 + 0x52] = 110,
	[0x80 + 0x53] = 111, [0x80 + 0x5b] = 125, [0x80 + 0x5c] = 126, [0x80 + 0x5d] = 127,
	[0x80 + 0x5e] = 116, [0x80 + 0x5f] = 142, [0x80 + 0x63] = 143, [0x80 + 0x65] = 217,
	[0x80 + 0x66] = 156, [0x80 + 0x67] = 173, [0x80 + 0x68] = 128, [0x80 + 0x69] = 159,
	[0x80 + 0x6a] = 158, [0x80 + 0x6b] = 157, [0x80 + 0x6c] = 155, [0x80 + 0x6d] = 226,
};

bool scan_code_decode(uint8_t code, unsigned int *keycode, bool *down)
{
	uint8_t plain = code & 0x7f;

	*down = !(code & 0x80);
	if (pause) {
		*keycode = KEY_PAUSE;
		return --pause == 0;
	}
	if (code == 0xe1) {
		pause = 2;
		return false;
	}
	if (code == 0xe0) {
		extended = true;
		return false;
	}
	*keycode = keyboard_codes[plain + (extended ? 0x80 : 0)];
	if (!extended && !*keycode && plain <= 0x53)
		*keycode = plain;
	/* Shift after E0 is made up by the keyboard. */
	if (extended && (plain == 0x2a || plain == 0x36))
		*keycode = 0;
	extended = false;
	return *keycode != 0;
}
