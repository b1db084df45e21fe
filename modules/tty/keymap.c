/*
 * Key maps: for each state of the modifiers a table from keycodes to symbols, as Linux has them.
 *
 * At start they are built from one layout (parameter keymap=) and from what all keyboards have in
 * common: function keys, keypad, cursor keys, switching of terminals. Programs change them entry by
 * entry. Maps that no layout fills do not exist until they are written. keyboard_lock guards all.
 */
#include "internal.h"
#include "keyboard.h"

#include <linux/kd.h>
#include <linux/keyboard.h>

#define SHIFT (1u << KG_SHIFT)
#define ALTGR (1u << KG_ALTGR)
#define CTRL  (1u << KG_CTRL)
#define ALT   (1u << KG_ALT)
#define HOLE  K_HOLE

const char *tty_keymap = "us";		/* parameter */

static uint16_t *maps[MAX_NR_KEYMAPS];

uint16_t *keymap_at_locked(unsigned int shift_state)
{
	return shift_state < MAX_NR_KEYMAPS ? maps[shift_state] : NULL;
}

uint16_t *keymap_exchange_locked(unsigned int shift_state, uint16_t *map)
{
	uint16_t *old = maps[shift_state];

	maps[shift_state] = map;
	return old;
}

char keymap_debug_key(unsigned int keycode)
{
	const struct layout *us = layout_find("us");

	for (unsigned int i = 0; i < LAYOUT_KEYS; i++)
		if (layout_keycodes[i] == keycode)
			return (char)us->level[0][i];
	return 0;
}

/* What Control makes of a character; -1: nothing. */
static int control_of(unsigned int c)
{
	if ((c >= 'a' && c <= 'z') || (c >= '@' && c <= '_'))
		return (int)(c & 0x1f);
	switch (c) {
	case ' ': case '`': return 0;
	case '-': case '/': return 0x1f;
	case '?': return 0x7f;
	default: return -1;
	}
}

/* The row of digits has what other keys may not: by place, whatever the layout prints there. */
static int control_of_key(unsigned int c, unsigned int keycode)
{
	static const uint8_t row[] = { 0, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x7f };	/* 2 to 8 */

	if (keycode >= 3 && keycode <= 9)
		return row[keycode - 3];
	return control_of(c);
}

static uint16_t dead_key(unsigned int accent)
{
	switch (accent) {
	case 0x300: return K_DGRAVE;
	case 0x301: return K_DACUTE;
	case 0x302: return K_DCIRCM;
	case 0x303: return K_DTILDE;
	case 0x308: return K_DDIERE;
	default: return HOLE;
	}
}

static bool is_letter(unsigned int small, unsigned int capital)
{
	return small - 0x20 == capital && small >= 'a' && capital >= 'A' && small < 0x100;
}

static uint16_t character(const struct layout *l, unsigned int level, unsigned int i)
{
	unsigned int c = l->level[level] ? l->level[level][i] : ' ';
	bool letter = l->level[level | 1] &&
		      is_letter(l->level[level & 2][i], l->level[level | 1][i]);

	if (c == ' ')
		return HOLE;
	if (c >= 0x300 && c < 0x370)
		return dead_key(c);
	if (c < 0x100)
		return (uint16_t)K(letter ? KT_LETTER : KT_LATIN, c);
	return (uint16_t)(c ^ 0xf000);
}

/* A key of the layout under `state`. */
static uint16_t layout_symbol(const struct layout *l, unsigned int state, unsigned int i)
{
	unsigned int level = state & (SHIFT | ALTGR), c;
	int control;

	if (!(state & (CTRL | ALT)))
		return character(l, level, i);
	if (layout_keycodes[i] == 52 && state == CTRL)
		return K_COMPOSE;
	c = l->level[level] ? l->level[level][i] : ' ';
	if (c == ' ' || c >= 0x80)
		c = 0;
	if (!(state & CTRL))
		return c ? (uint16_t)K(KT_META, c) : HOLE;
	control = level ? c ? control_of(c) : -1 : control_of_key(c, layout_keycodes[i]);
	if (control < 0)
		return HOLE;
	return (uint16_t)K(state & ALT ? KT_META : KT_LATIN, control);
}

static uint16_t function_key(unsigned int number, unsigned int state)
{
	if ((state & ~CTRL) == ALT)
		return (uint16_t)K(KT_CONS, number);
	if (state == ALTGR)
		return (uint16_t)K(KT_CONS, number + 12);
	if (state == 0)
		return (uint16_t)K(KT_FN, number);
	if (state == SHIFT)	/* F13 to F20, then those after the named keys */
		return (uint16_t)K(KT_FN, number < 8 ? number + 12 : number + 22);
	return state == CTRL ? (uint16_t)K(KT_FN, number + 34) : HOLE;
}

/* Keys that mean the same in every layout; 0: none of them. */
static uint16_t plain_symbol(unsigned int keycode)
{
	static const uint16_t pad[] = {
		K_P7, K_P8, K_P9, K_PMINUS, K_P4, K_P5, K_P6, K_PPLUS,
		K_P1, K_P2, K_P3, K_P0, K_PDOT,
	};
	static const uint16_t block[] = {
		K_FIND, K_UP, K_PGUP, K_LEFT, K_RIGHT, K_SELECT, K_DOWN, K_PGDN, K_INSERT, K_REMOVE,
	};

	if (keycode >= 71 && keycode <= 83)
		return pad[keycode - 71];
	if (keycode >= 102 && keycode <= 111)
		return block[keycode - 102];
	switch (keycode) {
	case 1: return K(KT_LATIN, 033);
	case 14: return K(KT_LATIN, 0177);
	case 15: return K(KT_LATIN, '\t');
	case 28: return K_ENTER;
	case 29: case 97: return K(KT_SHIFT, KG_CTRL);
	case 42: case 54: return K(KT_SHIFT, KG_SHIFT);
	case 55: return K_PSTAR;
	case 56: case 100: return K(KT_SHIFT, KG_ALT);
	case 57: return K(KT_LATIN, ' ');
	case 58: return K_CAPS;
	case 69: return K_NUM;
	case 70: return K_HOLD;
	case 96: return K_PENTER;
	case 98: return K_PSLASH;
	case 119: return K_PAUSE;
	case 127: return K_COMPOSE;
	default: return 0;
	}
}

/* With modifiers some of them mean something else. */
static uint16_t modified_symbol(unsigned int keycode, unsigned int state, uint16_t plain)
{
	static const uint8_t digits[] = { 7, 8, 9, 0, 4, 5, 6, 0, 1, 2, 3, 0 };

	if ((state & ~(SHIFT | ALTGR)) == (CTRL | ALT) && (keycode == 83 || keycode == 111))
		return K_BOOT;
	if (state == SHIFT && (keycode == 104 || keycode == 109))
		return keycode == 104 ? K_SCROLLBACK : K_SCROLLFORW;
	if (state == SHIFT && keycode == 15)
		return K(KT_FN, STRING_BACK_TAB);
	if (state == CTRL && keycode == 14)
		return K(KT_LATIN, '\b');
	if ((state & CTRL) && keycode == 57)
		return state & ALT ? K(KT_META, 0) : K(KT_LATIN, 0);
	if (state == CTRL && keycode == 119)
		return K_BREAK;
	if (state != ALT && state != (ALT | SHIFT))
		return plain;
	switch (keycode) {
	case 1: case 14: case 15: case 57:
		return (uint16_t)K(KT_META, KVAL(plain));
	case 28: return K(KT_META, '\r');
	case 103: return K_SPAWNCONSOLE;
	case 105: return K_DECRCONSOLE;
	case 106: return K_INCRCONSOLE;
	default:
		if (keycode >= 71 && keycode <= 82 && keycode != 74 && keycode != 78)
			return (uint16_t)K(KT_ASCII, digits[keycode - 71]);
		return plain;
	}
}

static void build(const struct layout *l, unsigned int state, uint16_t *map)
{
	for (unsigned int keycode = 0; keycode < NR_KEYS; keycode++) {
		uint16_t plain = plain_symbol(keycode);

		if (keycode == 100 && l->level[2])
			plain = K(KT_SHIFT, KG_ALTGR);
		if (keycode >= 59 && keycode <= 68)
			map[keycode] = function_key(keycode - 59, state);
		else if (keycode == 87 || keycode == 88)
			map[keycode] = function_key(keycode - 87 + 10, state);
		else
			map[keycode] = plain ? modified_symbol(keycode, state, plain) : HOLE;
	}
	for (unsigned int i = 0; i < LAYOUT_KEYS; i++)
		map[layout_keycodes[i]] = layout_symbol(l, state, i);
}

int keymap_start(void)
{
	static const uint8_t states[] = {
		0, SHIFT, CTRL, CTRL | SHIFT, ALT, ALT | SHIFT, CTRL | ALT,
		ALTGR, ALTGR | SHIFT, CTRL | ALTGR,	/* if the layout has a third level */
	};
	const struct layout *l = layout_find(tty_keymap);
	unsigned int count = ARRAY_SIZE(states);

	if (!l) {
		log_warn("tty: no keymap \"%s\", us is used (there are us, de, fr, uk)",
			 tty_keymap);
		l = layout_find("us");
	}
	if (!l->level[2])
		count -= 3;
	for (unsigned int i = 0; i < count; i++) {
		uint16_t *map = kmalloc(NR_KEYS * sizeof(*map), 0);

		if (!map)
			return -ENOMEM;
		build(l, states[i], map);
		maps[states[i]] = map;
	}
	return 0;
}
