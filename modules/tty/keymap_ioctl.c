/*
 * The calls that change what keys mean: key maps, keycodes, modes of the keyboard, its lights. Each
 * answers as on Linux; a caller needs the terminal as its own or CAP_SYS_TTY_CONFIG, for what
 * concerns all terminals the capability.
 */
#include "internal.h"
#include "keyboard.h"
#include "vt.h"

#include <linux/capability.h>
#include <linux/kd.h>
#include <linux/keyboard.h>

static bool capable(int capability) { return service(authority)->capable(capability); }

static long get_entry(struct vt *v, struct kbentry *e)
{
	unsigned long flags = spin_lock_irqsave(&keyboard_lock);
	const uint16_t *map = keymap_at_locked(e->kb_table);

	if (!map)
		e->kb_value = e->kb_index ? K_HOLE : K_NOSUCHMAP;
	else if (v->keys.mode != K_UNICODE && KTYP(map[e->kb_index]) >= KEY_TYPES)
		e->kb_value = K_HOLE;
	else
		e->kb_value = map[e->kb_index];
	spin_unlock_irqrestore(&keyboard_lock, flags);
	return 0;
}

/* The highest value of each type. */
static bool valid_symbol(unsigned int value, bool unicode)
{
	static const uint8_t most[KEY_TYPES] = {
		[KT_LATIN] = 255, [KT_FN] = MAX_NR_FUNC - 1, [KT_SPEC] = 19, [KT_PAD] = NR_PAD - 1,
		[KT_DEAD] = NR_DEAD - 1, [KT_CONS] = 255, [KT_CUR] = 3, [KT_SHIFT] = NR_SHIFT - 1,
		[KT_META] = 255, [KT_ASCII] = NR_ASCII - 1, [KT_LOCK] = NR_LOCK - 1,
		[KT_LETTER] = 255, [KT_SLOCK] = NR_LOCK - 1,
		[KT_DEAD2] = 255, [KT_BRL] = NR_BRL - 1,
	};

	if (KTYP(value) >= KEY_TYPES)
		return unicode;
	return KVAL(value) <= most[KTYP(value)];
}

static void drop_map(unsigned int table)
{
	unsigned long flags = spin_lock_irqsave(&keyboard_lock);
	uint16_t *old = keymap_exchange_locked(table, NULL);

	spin_unlock_irqrestore(&keyboard_lock, flags);
	kfree(old);
}

static long set_entry(struct vt *v, const struct kbentry *e)
{
	bool unicode = READ_ONCE(v->keys.mode) == K_UNICODE, admin = capable(CAP_SYS_ADMIN);
	uint16_t *map, *fresh, old;
	unsigned long flags;
	long result = 0;

	if (!e->kb_index && e->kb_value == K_NOSUCHMAP) {
		drop_map(e->kb_table);
		return 0;
	}
	if (!valid_symbol(e->kb_value, unicode))
		return -EINVAL;
	if (!e->kb_index)
		return 0;	/* there is no such key: the value was checked */
	fresh = kmalloc(NR_KEYS * sizeof(*fresh), 0);
	if (!fresh)
		return -ENOMEM;
	for (unsigned int i = 0; i < NR_KEYS; i++)
		fresh[i] = i ? K_HOLE : K_ALLOCATED;
	flags = spin_lock_irqsave(&keyboard_lock);
	map = keymap_at_locked(e->kb_table);
	if (!map) {
		map = fresh;
		keymap_exchange_locked(e->kb_table, fresh);
		fresh = NULL;
	}
	old = map[e->kb_index];
	if (old != e->kb_value && (old == K_SAK || e->kb_value == K_SAK) && !admin) {
		result = -EPERM;
	} else {
		map[e->kb_index] = e->kb_value;
		if (!e->kb_table && (KTYP(old) == KT_SHIFT || KTYP(e->kb_value) == KT_SHIFT))
			keyboard_count_shifts_locked();
	}
	spin_unlock_irqrestore(&keyboard_lock, flags);
	kfree(fresh);
	return result;
}

static long entry_ioctl(struct vt *v, unsigned int cmd, uintptr_t arg, bool may)
{
	struct kbentry e;

	if (copy_from_user(&e, arg, sizeof(e)))
		return -EFAULT;
	if (cmd == KDSKBENT)
		return may && capable(CAP_SYS_TTY_CONFIG) ? set_entry(v, &e) : -EPERM;
	get_entry(v, &e);
	return copy_to_user(arg + offsetof(struct kbentry, kb_value), &e.kb_value,
			    sizeof(e.kb_value));
}

static long keycode_ioctl(unsigned int cmd, uintptr_t arg, bool may)
{
	uint32_t entry[2];		/* scan code, keycode */

	if (copy_from_user(entry, arg, sizeof(entry)))
		return -EFAULT;
	if (cmd == KDSETKEYCODE && (!may || !capable(CAP_SYS_TTY_CONFIG)))
		return -EPERM;
	if (entry[0] >= ARRAY_SIZE(keyboard_codes))
		return -EINVAL;
	if (cmd == KDGETKEYCODE)
		return user_store_u32(arg + 4, READ_ONCE(keyboard_codes[entry[0]]));
	if (entry[1] >= NR_KEYS)
		return -EINVAL;
	WRITE_ONCE(keyboard_codes[entry[0]], (uint8_t)entry[1]);
	return 0;
}

static long set_mode(struct vt *v, uintptr_t arg)
{
	unsigned long flags;

	if (arg > K_OFF)
		return -EINVAL;
	flags = spin_lock_irqsave(&keyboard_lock);
	v->keys.mode = (uint8_t)arg;
	keyboard_count_shifts_locked();
	spin_unlock_irqrestore(&keyboard_lock, flags);
	return 0;
}

static long set_locks(struct vt *v, uintptr_t arg)
{
	unsigned long flags;

	if (arg & ~0x77ul)
		return -EINVAL;
	flags = spin_lock_irqsave(&keyboard_lock);
	v->keys.locks = arg & 7;
	v->keys.default_locks = (arg >> 4) & 7;
	spin_unlock_irqrestore(&keyboard_lock, flags);
	keyboard_show_lights();
	return 0;
}

static long light_ioctl(struct vt *v, unsigned int cmd, uintptr_t arg, bool may)
{
	switch (cmd) {
	case KDGKBLED:
		return user_store_u8(arg, (uint8_t)(READ_ONCE(v->keys.locks) |
						    READ_ONCE(v->keys.default_locks) << 4));
	case KDSKBLED:
		return may ? set_locks(v, arg) : -EPERM;
	case KDGETLED:
		return user_store_u8(arg, (uint8_t)keyboard_lights_now());
	default:
		if (!may)
			return -EPERM;
		keyboard_give_lights(v, (unsigned int)MIN(arg, 8ul));
		return 0;
	}
}

static long accept_signal(uintptr_t sig, bool may)
{
	if (!may || !capable(CAP_KILL))
		return -EPERM;
	if (sig < 1 || sig > 64 || sig == SIGKILL)
		return -EINVAL;
	keyboard_set_spawn((int)sig);
	return 0;
}

static long meta_ioctl(struct vt *v, unsigned int cmd, uintptr_t arg)
{
	if (cmd == KDGKBMETA)
		return user_store_u32(arg, READ_ONCE(v->keys.meta_bit) ? K_METABIT : K_ESCPREFIX);
	if (arg != K_METABIT && arg != K_ESCPREFIX)
		return -EINVAL;
	WRITE_ONCE(v->keys.meta_bit, arg == K_METABIT);
	return 0;
}

long keymap_ioctl(struct vt *v, unsigned int cmd, uintptr_t arg, bool may)
{
	switch (cmd) {
	case KDGKBMODE:
		return user_store_u32(arg, READ_ONCE(v->keys.mode));
	case KDSKBMODE:
		return may ? set_mode(v, arg) : -EPERM;
	case KDGKBMETA:
	case KDSKBMETA:
		return meta_ioctl(v, cmd, arg);
	case KDGETKEYCODE:
	case KDSETKEYCODE:
		return keycode_ioctl(cmd, arg, may);
	case KDGKBENT:
	case KDSKBENT:
		return entry_ioctl(v, cmd, arg, may);
	case KDGKBSENT:
	case KDSKBSENT:
		return key_string_ioctl(cmd, arg, may);
	case KDGKBDIACR:
	case KDGKBDIACRUC:
	case KDSKBDIACR:
	case KDSKBDIACRUC:
		return accent_ioctl(v, cmd, arg, may);
	case KDGKBLED:
	case KDSKBLED:
	case KDGETLED:
	case KDSETLED:
		return light_ioctl(v, cmd, arg, may);
	case KDSIGACCEPT:
		return accept_signal(arg, may);
	default:
		return -ENOIOCTLCMD;
	}
}
