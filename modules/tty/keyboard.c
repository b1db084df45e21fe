/*
 * The keyboard: scan codes to keycodes, keycodes by the map of the modifiers held to symbols, and
 * what each symbol does: characters and strings for the terminal that is shown, locks, switching.
 *
 * keyboard_scan_code runs in the keyboard's interrupt under keyboard_lock; bytes go into the
 * terminal's raw queue there. What takes other locks (switching, signals, scrolling, restarting) is
 * noted in `later` and done after the lock is given back.
 */
#include "internal.h"
#include "keyboard.h"
#include "vt.h"

#include <linux/kd.h>
#include <linux/keyboard.h>

#include "core/lib/bits.h"
#include "core/lib/random.h"

struct spinlock keyboard_lock = SPINLOCK_INIT(keyboard_lock);

/* What a key asks for besides bytes. */
enum action { NOTHING, SWITCH, SWITCH_NEAR, SWITCH_LAST, SCROLL, RESTART, DEBUG_KEY, HOLD, SPAWN };

static struct {
	unsigned int shift;		/* states held by keys, bits KG_* */
	uint8_t held[NR_SHIFT];		/* how many keys hold each */
	unsigned long down[NR_KEYS / 64];
	bool sysrq;			/* SysRq is held with Alt */
	uint32_t accent;		/* of the dead key before */
	bool compose;			/* the next character is an accent */
	int number;			/* typed with Alt on the keypad, or -1 */
	unsigned int given_lights, lights;
	struct pid *spawn;		/* whom K_SPAWNCONSOLE signals */
	int spawn_sig;
} kb = { .number = -1 };

/* What keyboard_scan_code does at its end. */
struct later {
	enum action action;
	int value;
	bool lights;
	bool input;			/* bytes were put */
};

void keyboard_setup(struct vt_keys *k)
{
	*k = (struct vt_keys){ .mode = K_UNICODE, .locks = K_NUMLOCK, .default_locks = K_NUMLOCK };
}

void keyboard_wait_turn(void)
{
	unsigned long flags = spin_lock_irqsave(&keyboard_lock);

	spin_unlock_irqrestore(&keyboard_lock, flags);
}

static void show_lights_locked(void)
{
	struct vt *v = vt_at(vt_shown());
	unsigned int lights = v ? v->keys.show_given ? kb.given_lights : v->keys.locks : 0;

	if (lights == kb.lights)
		return;
	kb.lights = lights;
	keyboard_lights(lights);
}

void keyboard_show_lights(void)
{
	unsigned long flags = spin_lock_irqsave(&keyboard_lock);

	show_lights_locked();
	spin_unlock_irqrestore(&keyboard_lock, flags);
}

void keyboard_give_lights(struct vt *v, unsigned int lights)
{
	unsigned long flags = spin_lock_irqsave(&keyboard_lock);

	v->keys.show_given = lights < 8;
	if (lights < 8)
		kb.given_lights = lights;
	show_lights_locked();
	spin_unlock_irqrestore(&keyboard_lock, flags);
}

unsigned int keyboard_lights_now(void) { return READ_ONCE(kb.lights); }
unsigned int keyboard_shift_state(void) { return READ_ONCE(kb.shift); }

void keyboard_set_spawn(int sig)
{
	struct pid *mine = current_process->pid, *old;
	unsigned long flags;

	pid_get(mine);
	flags = spin_lock_irqsave(&keyboard_lock);
	old = kb.spawn;
	kb.spawn = mine;
	kb.spawn_sig = sig;
	spin_unlock_irqrestore(&keyboard_lock, flags);
	if (old)
		pid_put(old);
}

void keyboard_count_shifts_locked(void)
{
	const uint16_t *map = keymap_at_locked(0);

	memset(kb.held, 0, sizeof(kb.held));
	kb.shift = 0;
	for (unsigned int i = 0; map && i < NR_KEYS; i++) {
		unsigned int state = KVAL(map[i]);

		if (!bitmap_test(kb.down, i) || KTYP(map[i]) != KT_SHIFT || state >= NR_SHIFT)
			continue;
		kb.held[state]++;
		kb.shift |= 1u << state;
	}
}

static void put(struct vt *v, struct later *later, uint8_t byte)
{
	tty_input_push(&v->tty, byte, TTY_NORMAL);
	later->input = true;
}

static void put_text(struct vt *v, struct later *later, const char *text)
{
	while (*text)
		put(v, later, (uint8_t)*text++);
}

/* A character in the terminal's encoding. */
static void put_character(struct vt *v, struct later *later, uint32_t c)
{
	if (v->keys.mode != K_UNICODE) {
		if (c < 0x100)
			put(v, later, (uint8_t)c);
		return;
	}
	if (c < 0x80) {
		put(v, later, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		put(v, later, (uint8_t)(0xc0 | c >> 6));
	} else {
		put(v, later, (uint8_t)(0xe0 | (c >> 12 & 0x0f)));
		put(v, later, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	}
	put(v, later, (uint8_t)(0x80 | (c & 0x3f)));
}

/* A character that was typed: an accent before it, or Compose, changes what it means. */
static void type_character(struct vt *v, struct later *later, uint32_t c)
{
	uint32_t accent = kb.accent, result;

	if (kb.compose && !accent) {
		kb.compose = false;
		kb.accent = c;
		return;
	}
	kb.accent = 0;
	kb.compose = false;
	if (accent) {
		result = accent_combine_locked(accent, c);
		if (!result && c != ' ' && c != accent)
			put_character(v, later, accent);
		c = result ? result : c == ' ' ? accent : c;
	}
	put_character(v, later, c);
}

static void dead_key(struct vt *v, struct later *later, uint32_t accent)
{
	if (kb.accent) {
		type_character(v, later, accent);
	} else {
		kb.accent = accent;
		kb.compose = false;
	}
}

static void cursor_key(struct vt *v, struct later *later, char letter, bool application)
{
	char text[4] = { 033, application ? 'O' : '[', letter, '\0' };

	put_text(v, later, text);
}

static void arrow(struct vt *v, struct later *later, unsigned int value)
{
	cursor_key(v, later, "BDCA"[value & 3], v->screen.cursor_keys);
}

/* The keypad without NumLock: cursor keys and the block above them. */
static void keypad_block(struct vt *v, struct later *later, unsigned int value)
{
	static const uint8_t string[] = { 21, 23, 0, 25, 0, 0, 0, 20, 0, 24 };

	switch (value) {
	case 2: arrow(v, later, 0); break;
	case 4: arrow(v, later, 1); break;
	case 6: arrow(v, later, 2); break;
	case 8: arrow(v, later, 3); break;
	case 5: cursor_key(v, later, 'G', v->screen.keypad); break;
	default:
		put_text(v, later, key_string_locked(value < 10 ? string[value] : KVAL(K_REMOVE)));
		break;
	}
}

static void keypad(struct vt *v, struct later *later, unsigned int value)
{
	static const char plain[] = "0123456789+-*/\r,.?()#";
	static const char application[] = "pqrstuvwxylSRQMnnmPQS";

	if (value >= NR_PAD)
		return;
	if (v->screen.keypad && !kb.held[KG_SHIFT]) {
		cursor_key(v, later, application[value], true);
	} else if (!(v->keys.locks & K_NUMLOCK) &&
		   (value < 10 || value == KVAL(K_PDOT) || value == KVAL(K_PCOMMA))) {
		keypad_block(v, later, value);
	} else {
		put(v, later, (uint8_t)plain[value]);
		if (value == KVAL(K_PENTER) && v->screen.newline)
			put(v, later, '\n');
	}
}

static void toggle_lock(struct vt *v, struct later *later, unsigned int lock, bool repeated)
{
	if (repeated)
		return;
	v->keys.locks ^= (uint8_t)lock;
	later->lights = true;
}

static void enter(struct vt *v, struct later *later)
{
	if (kb.accent)
		put_character(v, later, kb.accent);
	kb.accent = 0;
	kb.compose = false;
	put(v, later, '\r');
	if (v->screen.newline)
		put(v, later, '\n');
}

static void ask(struct later *later, enum action action, int value)
{
	later->action = action;
	later->value = value;
}

/* KT_SPEC */
static void special(struct vt *v, struct later *later, unsigned int value, bool repeated)
{
	if (v->keys.mode == K_RAW || v->keys.mode == K_MEDIUMRAW || v->keys.mode == K_OFF)
		if (value != KVAL(K_SAK))
			return;
	switch (K(KT_SPEC, value)) {
	case K_ENTER: enter(v, later); break;
	case K_CAPS: toggle_lock(v, later, K_CAPSLOCK, repeated); break;
	case K_CAPSON:
		if (!(v->keys.locks & K_CAPSLOCK))
			toggle_lock(v, later, K_CAPSLOCK, repeated);
		break;
	case K_NUM:
		if (v->screen.keypad)
			cursor_key(v, later, 'P', true);
		else
			toggle_lock(v, later, K_NUMLOCK, repeated);
		break;
	case K_BARENUMLOCK: toggle_lock(v, later, K_NUMLOCK, repeated); break;
	case K_HOLD:
		if (!repeated)
			ask(later, HOLD, 0);
		break;
	case K_SCROLLFORW: ask(later, SCROLL, -(int)v->screen.rows / 2); break;
	case K_SCROLLBACK: ask(later, SCROLL, (int)v->screen.rows / 2); break;
	case K_COMPOSE: kb.compose = true; break;
	case K_BOOT: ask(later, RESTART, 0); break;
	case K_BREAK:
		tty_input_push(&v->tty, 0, TTY_BREAK);
		later->input = true;
		break;
	case K_CONS: ask(later, SWITCH_LAST, 0); break;
	case K_DECRCONSOLE: ask(later, SWITCH_NEAR, -1); break;
	case K_INCRCONSOLE: ask(later, SWITCH_NEAR, 1); break;
	case K_SPAWNCONSOLE: ask(later, SPAWN, 0); break;
	case K_SH_MEM: ask(later, DEBUG_KEY, 'm'); break;
	case K_SH_STAT: ask(later, DEBUG_KEY, 't'); break;
	default: break;
	}
}

/* KT_SHIFT: pressed, released or repeated. */
static void shift_key(struct vt *v, struct later *later, unsigned int value, bool down,
		      bool repeated)
{
	unsigned int before = kb.shift;

	if (repeated || value >= NR_SHIFT)
		return;
	if (value == KVAL(K_CAPSSHIFT)) {
		value = KG_SHIFT;
		if (down && (v->keys.locks & K_CAPSLOCK))
			toggle_lock(v, later, K_CAPSLOCK, false);
	}
	if (down)
		kb.held[value]++;
	else if (kb.held[value])
		kb.held[value]--;
	kb.shift = kb.held[value] ? kb.shift | 1u << value : kb.shift & ~(1u << value);
	/* Alt is released: the number typed with it is a character. */
	if (!down && kb.shift != before && kb.number >= 0) {
		if (v->keys.mode == K_UNICODE)
			put_character(v, later, (uint32_t)kb.number);
		else
			put(v, later, (uint8_t)kb.number);
		kb.number = -1;
	}
	if (!(kb.shift & (1u << KG_ALT)))
		kb.sysrq = false;
}

/* KT_ASCII: a digit of a decimal number, from 10 on of a hexadecimal one. */
static void number_key(unsigned int value)
{
	int base = value < 10 ? 10 : 16;

	if (value >= NR_ASCII)
		return;
	value = value < 10 ? value : value - 10;
	kb.number = kb.number < 0 ? (int)value : (kb.number * base + (int)value) % 0x10000;
}

static void meta_key(struct vt *v, struct later *later, unsigned int value)
{
	if (v->keys.meta_bit) {
		put_character(v, later, value | 0x80);
		return;
	}
	put(v, later, 033);
	put(v, later, (uint8_t)value);
}

static uint32_t accent_of(unsigned int value)
{
	/* What stands for each K_D* in the table of accents. */
	static const char accent[] = "`'^~\",_U.*=cki#o!?+-)(:n;$@";

	return value < NR_DEAD ? (uint8_t)accent[value] : ' ';
}

static void symbol_key(struct vt *v, struct later *later, unsigned int symbol, bool down,
		       bool repeated)
{
	unsigned int type = KTYP(symbol), value = KVAL(symbol);

	if (type == KT_SHIFT) {
		shift_key(v, later, value, down, repeated);
		return;
	}
	if (type == KT_SLOCK) {
		if (down && value < NR_LOCK)
			v->keys.slock_state ^= 1u << value;
		return;
	}
	if (!down)
		return;
	switch (type) {
	case KT_LATIN: case KT_LETTER: type_character(v, later, value); break;
	case KT_FN: put_text(v, later, key_string_locked(value)); break;
	case KT_SPEC: special(v, later, value, repeated); break;
	case KT_PAD: keypad(v, later, value); break;
	case KT_DEAD: dead_key(v, later, accent_of(value)); break;
	case KT_DEAD2: dead_key(v, later, value); break;
	case KT_CONS: ask(later, SWITCH, (int)value); break;
	case KT_CUR: arrow(v, later, value); break;
	case KT_META: meta_key(v, later, value); break;
	case KT_ASCII: number_key(value); break;
	case KT_LOCK:
		if (!repeated && value < NR_LOCK)
			v->keys.lock_state ^= 1u << value;
		break;
	default: break;
	}
}

/* The symbol of a key under the modifiers held; CapsLock is Shift for letters. */
static unsigned int symbol_of(struct vt *v, unsigned int keycode, unsigned int state,
			      const uint16_t *map)
{
	unsigned int symbol = map[keycode];

	if (KTYP(symbol) == KT_LETTER && (v->keys.locks & K_CAPSLOCK)) {
		const uint16_t *other = keymap_at_locked(state ^ 1u << KG_SHIFT);

		if (other)
			symbol = other[keycode];
	}
	return symbol;
}

static void put_keycode(struct vt *v, struct later *later, unsigned int keycode, bool down)
{
	uint8_t up = down ? 0 : 0x80;

	if (keycode < 0x80) {
		put(v, later, (uint8_t)(keycode | up));
		return;
	}
	put(v, later, up);
	put(v, later, (uint8_t)(keycode >> 7 | 0x80));
	put(v, later, (uint8_t)(keycode | 0x80));
}

/* The debug keys come first. True if it was one. */
static bool debug_key(struct later *later, unsigned int keycode, bool down)
{
	if (keycode == KEY_SYSRQ) {
		kb.sysrq = down && (kb.shift & (1u << KG_ALT));
		return kb.sysrq;
	}
	if (!kb.sysrq || !down || !keymap_debug_key(keycode))
		return false;
	ask(later, DEBUG_KEY, keymap_debug_key(keycode));
	return true;
}

static void key(struct vt *v, struct later *later, unsigned int keycode, bool down)
{
	bool repeated = down && bitmap_test(kb.down, keycode);
	unsigned int state, symbol, mode = v->keys.mode;
	const uint16_t *map;

	if (down)
		bitmap_set(kb.down, keycode);
	else
		bitmap_clear(kb.down, keycode);
	if (debug_key(later, keycode, down))
		return;
	if (mode == K_MEDIUMRAW)
		put_keycode(v, later, keycode, down);
	state = kb.shift ^ v->keys.lock_state ^ v->keys.slock_state;
	map = keymap_at_locked(state);
	if (!map) {
		keyboard_count_shifts_locked();
		v->keys.slock_state = 0;
		return;
	}
	symbol = symbol_of(v, keycode, state, map);
	if (mode != K_XLATE && mode != K_UNICODE && KTYP(symbol) != KT_SPEC &&
	    KTYP(symbol) != KT_SHIFT)
		return;
	if (KTYP(symbol) >= KEY_TYPES) {
		if (down)
			type_character(v, later, symbol ^ 0xf000);
	} else {
		symbol_key(v, later, symbol, down, repeated);
	}
	if (KTYP(symbol) != KT_SLOCK)
		v->keys.slock_state = 0;
}

/* Scroll Lock stops and goes on like Ctrl-S and Ctrl-Q. */
static void hold(struct vt *v)
{
	unsigned long flags = spin_lock_irqsave(&v->tty.lock);

	if (v->tty.stopped)
		tty_go_locked(&v->tty);
	else
		tty_stop_locked(&v->tty);
	v->keys.locks = (uint8_t)(v->tty.stopped ? v->keys.locks | K_SCROLLLOCK :
						   v->keys.locks & ~K_SCROLLLOCK);
	spin_unlock_irqrestore(&v->tty.lock, flags);
}

/* With keyboard_lock, which keeps the terminal. */
static void act_locked(struct vt *v, struct later *later)
{
	if (later->action == HOLD)
		hold(v);
	else if (later->action == SCROLL)
		vt_scroll(v, later->value);
	else if (later->input && READ_ONCE(v->screen.view))
		vt_scroll(v, -(1 << 16));	/* typing shows what is typed */
	if (later->lights || later->action == HOLD)
		show_lights_locked();
	if (later->input)
		tty_input_done(&v->tty);
}

static void signal_spawn(void)
{
	unsigned long flags = spin_lock_irqsave(&keyboard_lock);
	struct pid *to = kb.spawn;
	int sig = kb.spawn_sig;
	struct process *p;

	if (to)
		pid_get(to);
	spin_unlock_irqrestore(&keyboard_lock, flags);
	if (!to)
		return;
	p = process_find(to->nr);
	if (p && p->pid == to)
		signal_send_process(p, sig, SIGINFO_KERNEL);
	if (p)
		process_put(p);
	pid_put(to);
}

static void act(const struct later *later)
{
	switch (later->action) {
	case SWITCH: vt_request((unsigned int)later->value); break;
	case SWITCH_NEAR: vt_request_near(later->value); break;
	case SWITCH_LAST: vt_request_last(); break;
	case RESTART: linux_ctrl_alt_del(); break;
	case DEBUG_KEY: tty_sysrq((char)later->value); break;
	case SPAWN: signal_spawn(); break;
	default: break;
	}
}

void keyboard_scan_code(uint8_t code)
{
	struct later later = { .action = NOTHING };
	uint64_t now = clock_monotonic();
	unsigned int keycode;
	unsigned long flags;
	struct vt *v;
	bool down;

	random_mix(&now, sizeof(now));
	flags = spin_lock_irqsave(&keyboard_lock);
	v = vt_at(vt_shown());
	if (v) {
		if (v->keys.mode == K_RAW)
			put(v, &later, code);
		if (scan_code_decode(code, &keycode, &down))
			key(v, &later, keycode, down);
		act_locked(v, &later);
	}
	spin_unlock_irqrestore(&keyboard_lock, flags);
	act(&later);
}
