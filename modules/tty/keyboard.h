/*
 * The keyboard: between its controller and the terminal that is shown.
 *
 * scan_code.c knows the keyboard's codes, keyboard.c the state of the keys and what each key does;
 * keymap.c has the tables that say what a key means, keymap_ioctl.c their calls, compose.c accents
 * and the strings of function keys, layouts.c the built-in layouts. One lock guards all of it.
 *
 * A key's meaning is a symbol as in linux/keyboard.h: K(type, value), or for types from KEY_TYPES
 * on a character, character ^ 0xf000.
 */
#pragma once

#include "core/lib/types.h"
#include "core/sync/spinlock.h"

struct vt;
struct vt_keys;

#define KEY_TYPES 15u			/* KT_LATIN to KT_BRL */
#define KEY_STRING_MAX 512u		/* with its end */
#define ACCENTS_MAX 256u
#define STRING_BACK_TAB 200u		/* of its own: what Shift-Tab sends */

extern struct spinlock keyboard_lock;

/* A byte of scan code set 1. In the controller's interrupt. */
void keyboard_scan_code(uint8_t code);
/* The controller's part: lights as K_SCROLLLOCK, K_NUMLOCK, K_CAPSLOCK. Any context. */
void keyboard_lights(unsigned int lights);

/* keyboard.c */
void keyboard_setup(struct vt_keys *k);
/* Nobody sends keys to a terminal that was taken away before. */
void keyboard_wait_turn(void);
/* The lights of the terminal that is shown. Any context. */
void keyboard_show_lights(void);
/* What KDSETLED shows instead of the locks; lights as they are. */
void keyboard_give_lights(struct vt *v, unsigned int lights);
unsigned int keyboard_lights_now(void);
unsigned int keyboard_shift_state(void);
/* Modifiers of keys held down, after the map of shift state 0 changed. Lock held. */
void keyboard_count_shifts_locked(void);
/* KDSIGACCEPT: the caller gets sig when K_SPAWNCONSOLE is pressed. */
void keyboard_set_spawn(int sig);

/* scan_code.c */
#define KEY_SYSRQ 99u
#define KEY_PAUSE 119u
/* Scan code to keycode, 0: none; beyond 0x7f: after E0. */
extern uint8_t keyboard_codes[256];
/* A byte, to keycode and direction. False: more is to come, or it means nothing. Lock held. */
bool scan_code_decode(uint8_t code, unsigned int *keycode, bool *down);

/* keymap.c */
/* Builds the maps of the layout that is asked for. -ENOMEM. */
int keymap_start(void);
/* 256 symbols, or null. Lock held. */
uint16_t *keymap_at_locked(unsigned int shift_state);
/* `map` may be null. Returns what was there. Lock held. */
uint16_t *keymap_exchange_locked(unsigned int shift_state, uint16_t *map);
/* The letter or digit of a key on a US keyboard, for the debug keys; 0. */
char keymap_debug_key(unsigned int keycode);

/* keymap_ioctl.c: -ENOIOCTLCMD if it is none of its calls. */
long keymap_ioctl(struct vt *v, unsigned int cmd, uintptr_t arg, bool may);

/* compose.c. Lock held. */
uint32_t accent_combine_locked(uint32_t accent, uint32_t base);
/* Never null. */
const char *key_string_locked(unsigned int index);
/* The calls, no lock held. */
long accent_ioctl(struct vt *v, unsigned int cmd, uintptr_t arg, bool may);
long key_string_ioctl(unsigned int cmd, uintptr_t arg, bool may);

/* layouts.c */
#define LAYOUT_KEYS 48u
#define LAYOUT_LEVELS 4u		/* plain, Shift, AltGr, Shift-AltGr */
struct layout {
	const char *name;
	const uint16_t *level[LAYOUT_LEVELS];	/* null: the layout has none */
};
/* Keycodes of a layout's keys, in the order of its levels. */
extern const uint8_t layout_keycodes[LAYOUT_KEYS];
/* Null: unknown name. */
const struct layout *layout_find(const char *name);
