/*
 * From scan codes (set 1, as PC keyboards and the i8042's translation give them) to what a terminal's user types: US layout, Linux's
 * sequences for function keys. Called in the keyboard's interrupt, one at a time.
 */
#include "internal.h"
#include "keyboard.h"
#include "screen.h"


#include "core/boot/boot.h"
#include "core/lib/random.h"

enum { SHIFT = 1, CONTROL = 2, ALT = 4 };

static struct {
	unsigned int held;		/* left keys' bits, right keys' shifted by 4 */
	bool caps, num, extended;
	unsigned int skip;		/* bytes of Pause */
	bool sysrq;			/* SysRq is held with Alt */
} kb = { .num = true };

static const char plain[0x59] =
	"\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[0x59] =
	"\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static const char *const function_keys[12] = {
	"\033[[A", "\033[[B", "\033[[C", "\033[[D", "\033[[E", "\033[17~", "\033[18~", "\033[19~", "\033[20~", "\033[21~",
	"\033[23~", "\033[24~",
};

static unsigned int modifiers(void) { return (kb.held | kb.held >> 4) & 7; }

static void send(const char *text, size_t n)
{
	char buf[16];

	if (!(modifiers() & ALT) || n + 1 > sizeof(buf)) {
		vt_input(text, n);
		return;
	}
	buf[0] = 033;
	memcpy(buf + 1, text, n);
	vt_input(buf, n + 1);
}

static void send_text(const char *text) { vt_input(text, strlen(text)); }

static void send_arrow(char letter)
{
	char text[4] = { 033, vt_cursor_keys() ? 'O' : '[', letter, '\0' };

	send_text(text);
}

/* Keys of the block between letters and keypad, and of the keypad without NumLock; `code` is the keypad's. */
static bool navigation(uint8_t code)
{
	switch (code) {
	case 0x47: send_text("\033[1~"); break;
	case 0x48: send_arrow('A'); break;
	case 0x49: send_text("\033[5~"); break;
	case 0x4b: send_arrow('D'); break;
	case 0x4d: send_arrow('C'); break;
	case 0x4f: send_text("\033[4~"); break;
	case 0x50: send_arrow('B'); break;
	case 0x51: send_text("\033[6~"); break;
	case 0x52: send_text("\033[2~"); break;
	case 0x53: send_text("\033[3~"); break;
	default: return false;
	}
	return true;
}

/* Control and a character: the control character, or -1. */
static int control_of(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= '@' && c <= '_'))
		return c & 0x1f;
	switch (c) {
	case ' ': case '2': case '`': return 0;
	case '3': return 0x1b;
	case '4': return 0x1c;
	case '5': return 0x1d;
	case '6': return 0x1e;
	case '7': case '/': case '-': return 0x1f;
	case '8': case '?': return 0x7f;
	default: return -1;
	}
}

static void character(uint8_t code)
{
	bool shift = modifiers() & SHIFT;
	char c = plain[code];
	int control;

	if (kb.caps && c >= 'a' && c <= 'z')
		shift = !shift;
	if (shift)
		c = shifted[code];
	if (!c)
		return;
	if (c == '\t' && shift) {
		send_text("\033[Z");
		return;
	}
	if ((modifiers() & CONTROL) && c != '\r' && c != '\177' && c != 033) {
		control = control_of(c);
		if (control < 0)
			return;
		c = (char)control;
	}
	send(&c, 1);
}

static void keypad(uint8_t code)
{
	static const char digits[] = "789-456+1230.";

	if (code == 0x4a || code == 0x4e || kb.num)
		send(&digits[code - 0x47], 1);
	else
		navigation(code);
}

static void pressed(uint8_t code)
{
	if (kb.sysrq && code < sizeof(plain) && plain[code]) {
		tty_sysrq(plain[code]);
		return;
	}
	if (kb.extended) {
		if (code == 0x53 && (modifiers() & (CONTROL | ALT)) == (CONTROL | ALT))
			linux_ctrl_alt_del();
		else if (code == 0x1c)
			send("\r", 1);
		else if (code == 0x35)
			send("/", 1);
		else if (code == 0x37 && (modifiers() & ALT))
			kb.sysrq = true;
		else
			navigation(code);
		return;
	}
	if (code == 0x54)
		kb.sysrq = modifiers() & ALT;
	else if (code >= 0x3b && code <= 0x44)
		send_text(function_keys[code - 0x3b]);
	else if (code == 0x57 || code == 0x58)
		send_text(function_keys[code - 0x57 + 10]);
	else if (code >= 0x47 && code <= 0x53)
		keypad(code);
	else if (code == 0x56)
		send(modifiers() & SHIFT ? ">" : "<", 1);
	else if (code < sizeof(plain))
		character(code);
}

/* Modifier and lock keys. True if it is one. */
static bool modifier(uint8_t code, bool release)
{
	unsigned int bit;

	switch (code) {
	case 0x2a: bit = kb.extended ? 0 : SHIFT; break;	/* E0 2A is made up by the keyboard */
	case 0x36: bit = kb.extended ? 0 : SHIFT << 4; break;
	case 0x1d: bit = kb.extended ? CONTROL << 4 : CONTROL; break;
	case 0x38: bit = kb.extended ? ALT << 4 : ALT; break;
	case 0x3a:
	case 0x45:
		if (!release) {
			if (code == 0x3a)
				kb.caps = !kb.caps;
			else
				kb.num = !kb.num;
			keyboard_lights((kb.num ? 2 : 0) | (kb.caps ? 4 : 0));
		}
		return true;
	default:
		return false;
	}
	if (release)
		kb.held &= ~bit;
	else
		kb.held |= bit;
	if (!(modifiers() & ALT))
		kb.sysrq = false;
	return true;
}

void keyboard_scan_code(uint8_t code)
{
	uint64_t now = clock_monotonic();

	random_mix(&now, sizeof(now));
	if (kb.skip) {
		kb.skip--;
		return;
	}
	if (code == 0xe0) {
		kb.extended = true;
		return;
	}
	if (code == 0xe1) {
		kb.skip = 2;
		return;
	}
	if (!modifier(code & 0x7f, code & 0x80)) {
		if (!(code & 0x80))
			pressed(code);
		else if (code == 0xd4 || (kb.extended && code == 0xb7))
			kb.sysrq = false;
	}
	kb.extended = false;
}
