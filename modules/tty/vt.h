/*
 * Virtual terminals: what the parts of the screen's driver share.
 *
 * A struct vt is a terminal with a grid of its own; one of them is shown and gets the keys. Each is
 * made when it is opened or activated first, number 1 at start, and stays until VT_DISALLOCATE.
 *
 * Locking: vt_mutex (sleeping) is held while one is made, opened or taken away, then tty_mutex.
 * vt_lock, interrupts off, guards the table, which one is shown, and who controls switching; then
 * screen.lock. Nothing is woken or logged under vt_lock: the log's writer takes it. The keyboard's
 * lock guards struct vt_keys, and keeps the shown one alive; render.c's turn does that for what is
 * drawn: vt_disallocate waits for both after it has taken one out of the table.
 */
#pragma once

#include <linux/vt.h>

#include "modules/tty/screen.h"

struct pid;

/* The keyboard's state for one terminal. Keyboard's lock. */
struct vt_keys {
	uint8_t mode;			/* K_* of linux/kd.h */
	bool meta_bit;			/* Alt sets bit 7 instead of sending ESC first */
	bool show_given;		/* lights show what KDSETLED said, not the locks */
	uint8_t locks, default_locks;	/* K_SCROLLLOCK, K_NUMLOCK, K_CAPSLOCK */
	unsigned int lock_state;	/* modifiers held by lock keys */
	unsigned int slock_state;	/* and for one key */
};

struct vt {
	struct tty tty;
	struct tty_rings rings;
	struct screen screen;
	unsigned int index;		/* its number less 1 */
	struct vt_keys keys;

	/* vt_lock */
	unsigned int mode;		/* KD_TEXT, KD_GRAPHICS */
	struct vt_mode control;
	struct pid *owner;		/* a reference: whom VT_PROCESS asks */
	int next;			/* what it was asked to make way for, or -1 */
};

extern struct mutex vt_mutex;
extern struct spinlock vt_lock;

static inline struct vt *vt_of(const struct tty *t) { return t->driver; }

/* The table; null: not there. vt_mutex, vt_lock, or only to look whether it is there. */
struct vt *vt_at(unsigned int index);
/* The index of the one that is shown. */
unsigned int vt_shown(void);
/* The same, made if need be; vt_mutex held. -ENOMEM. */
int vt_make(unsigned int index, struct vt **out);
/* Takes one out that nobody uses and that is not shown. vt_mutex held. -EBUSY. */
int vt_disallocate(unsigned int index);
/* Does a file or a session have it? A hint unless vt_mutex and tty_mutex are held. */
bool vt_in_use(unsigned int index);

/* vt_switch.c */
/* Asks for another one to be shown; what is not there or not allowed is ignored. Any context. */
void vt_request(unsigned int index);
/* The next one that is there, up or down from the one shown. Any context. */
void vt_request_near(int step);
void vt_request_last(void);
/* Does the part of a switch that may send signals; render.c's thread calls it. */
void vt_switch_wanted(void);
bool vt_switch_is_wanted(void);
/* The calls VT_*, KDSETMODE and KDGETMODE. `may`: the caller may change things for everybody. */
long vt_switch_ioctl(struct vt *v, unsigned int cmd, uintptr_t arg, bool may);

/* vt_ioctl.c */
long vt_ioctl(struct tty *t, struct file *f, unsigned int cmd, uintptr_t arg);
/* Which terminal gets the log: its number, or 0 for the one that is shown. */
unsigned int vt_log_number(void);

/* The screen that is to be drawn; null in graphics mode unless `force`. render.c's turn. */
struct screen *vt_screen_to_draw(bool force);
/* Is it this one? Any context that keeps it alive. */
bool vt_draws(const struct screen *s);
/* Does what is shown wait to be drawn? */
bool vt_has_changes(void);
/* Scrolls what is shown through its history; positive: back. Any context. */
void vt_scroll(struct vt *v, int lines);
