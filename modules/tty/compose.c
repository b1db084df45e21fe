/*
 * Accents and strings: which character an accent and a letter make together (dead keys, the Compose
 * key), and what function keys send. Both are tables that programs read and change (linux/kd.h).
 * keyboard_lock guards them; what user space gives is fetched first.
 */
#include "internal.h"
#include "keyboard.h"

#include <linux/capability.h>
#include <linux/kd.h>
#include <linux/keyboard.h>

#include "core/mem/vmap.h"

/* Accent, letter, result. */
static const uint16_t default_accents[] =
	u"`AÀ`aà`EÈ`eè`IÌ`iì`OÒ`oò`UÙ`uù'AÁ'aá'EÉ'eé'IÍ'ií'OÓ'oó'UÚ'uú'YÝ'yý"
	u"^AÂ^aâ^EÊ^eê^IÎ^iî^OÔ^oô^UÛ^uû~AÃ~aã~NÑ~nñ~OÕ~oõ"
	u"\"AÄ\"aä\"EË\"eë\"IÏ\"iï\"OÖ\"oö\"UÜ\"uü\"yÿ"
	u"OAÅoaåAAÅaaå,CÇ,cçAEÆaeæ/OØ/oøssß-DÐ-dðTHÞthþ=e€c=€L-£Y=¥";

static struct kbdiacruc accents[ACCENTS_MAX];
static unsigned int accent_count;
static bool accents_ready;

static const char *const default_strings[] = {
	"\033[[A", "\033[[B", "\033[[C", "\033[[D", "\033[[E", "\033[17~", "\033[18~", "\033[19~",
	"\033[20~", "\033[21~", "\033[23~", "\033[24~",
	"\033[25~", "\033[26~", "\033[28~", "\033[29~",
	"\033[31~", "\033[32~", "\033[33~", "\033[34~", "\033[1~", "\033[2~", "\033[3~", "\033[4~",
	"\033[5~", "\033[6~", "\033[M", "", "", "\033[P",
};

static char *strings[MAX_NR_FUNC];	/* what programs set */

const char *key_string_locked(unsigned int index)
{
	if (strings[index])
		return strings[index];
	if (index == STRING_BACK_TAB)
		return "\033[Z";
	return index < ARRAY_SIZE(default_strings) ? default_strings[index] : "";
}

/* The first use fills the table. Lock held. */
static void prepare_accents(void)
{
	if (accents_ready)
		return;
	accents_ready = true;
	for (const uint16_t *p = default_accents; *p; p += 3)
		accents[accent_count++] = (struct kbdiacruc){ p[0], p[1], p[2] };
}

uint32_t accent_combine_locked(uint32_t accent, uint32_t base)
{
	prepare_accents();
	for (unsigned int i = 0; i < accent_count; i++)
		if (accents[i].diacr == accent && accents[i].base == base)
			return accents[i].result;
	return 0;
}

/* The tables' two forms: characters of 8 and of 32 bits, behind a count of 32 bits. */
static size_t entry_size(bool wide)
{
	return wide ? sizeof(struct kbdiacruc) : sizeof(struct kbdiacr);
}

static struct kbdiacr narrow(const struct kbdiacruc *from)
{
	return (struct kbdiacr){
		(unsigned char)(from->diacr < 0x100 ? from->diacr : 0),
		(unsigned char)(from->base < 0x100 ? from->base : 0),
		(unsigned char)(from->result < 0x100 ? from->result : 0),
	};
}

static long get_accents(uintptr_t arg, bool wide)
{
	struct kbdiacruc *copy = kvmalloc(sizeof(accents), ALLOC_ZERO);
	uintptr_t to = arg + sizeof(uint32_t);
	unsigned long flags;
	unsigned int count;
	long error;

	if (!copy)
		return -ENOMEM;
	flags = spin_lock_irqsave(&keyboard_lock);
	prepare_accents();
	count = accent_count;
	memcpy(copy, accents, count * sizeof(*copy));
	spin_unlock_irqrestore(&keyboard_lock, flags);
	error = user_store_u32(arg, count);
	for (unsigned int i = 0; i < count && !error; i++, to += entry_size(wide)) {
		struct kbdiacr small = narrow(&copy[i]);

		error = copy_to_user(to, wide ? (const void *)&copy[i] : &small, entry_size(wide));
	}
	kvfree(copy);
	return error ? -EFAULT : 0;
}

static long set_accents(uintptr_t arg, bool wide)
{
	struct kbdiacruc *copy;
	uintptr_t from = arg + sizeof(uint32_t);
	unsigned long flags;
	uint32_t count;
	long error = 0;

	if (user_load_u32(arg, &count))
		return -EFAULT;
	if (count >= ACCENTS_MAX)
		return -EINVAL;
	copy = kvmalloc(sizeof(accents), ALLOC_ZERO);
	if (!copy)
		return -ENOMEM;
	for (unsigned int i = 0; i < count && !error; i++, from += entry_size(wide)) {
		struct kbdiacr small;

		error = copy_from_user(wide ? (void *)&copy[i] : &small, from, entry_size(wide));
		if (!error && !wide)
			copy[i] = (struct kbdiacruc){ small.diacr, small.base, small.result };
	}
	if (!error) {
		flags = spin_lock_irqsave(&keyboard_lock);
		memcpy(accents, copy, count * sizeof(*copy));
		accent_count = count;
		accents_ready = true;
		spin_unlock_irqrestore(&keyboard_lock, flags);
	}
	kvfree(copy);
	return error ? -EFAULT : 0;
}

long accent_ioctl(struct vt *v, unsigned int cmd, uintptr_t arg, bool may)
{
	(void)v;
	if (cmd == KDGKBDIACR || cmd == KDGKBDIACRUC)
		return get_accents(arg, cmd == KDGKBDIACRUC);
	if (!may || !service(authority)->capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	return set_accents(arg, cmd == KDSKBDIACRUC);
}

/* struct kbsentry: the number of the key in a byte, then the string. */
static long get_string(uintptr_t arg, char *text)
{
	unsigned long flags;
	uint8_t index;

	if (user_load_u8(arg, &index))
		return -EFAULT;
	flags = spin_lock_irqsave(&keyboard_lock);
	str_copy(text, key_string_locked(index), KEY_STRING_MAX);
	spin_unlock_irqrestore(&keyboard_lock, flags);
	return copy_to_user(arg + 1, text, strlen(text) + 1);
}

static long set_string(uintptr_t arg, char *text)
{
	unsigned long flags;
	uint8_t index, c = 1;
	char *old;

	if (user_load_u8(arg, &index))
		return -EFAULT;
	for (unsigned int i = 0; c; i++) {
		if (i == KEY_STRING_MAX)
			return -EINVAL;
		if (user_load_u8(arg + 1 + i, &c))
			return -EFAULT;
		text[i] = (char)c;
	}
	text = kstrdup(text, 0);
	if (!text)
		return -ENOMEM;
	flags = spin_lock_irqsave(&keyboard_lock);
	old = strings[index];
	strings[index] = text;
	spin_unlock_irqrestore(&keyboard_lock, flags);
	kfree(old);
	return 0;
}

long key_string_ioctl(unsigned int cmd, uintptr_t arg, bool may)
{
	char *text;
	long result;

	if (cmd == KDSKBSENT && (!may || !service(authority)->capable(CAP_SYS_TTY_CONFIG)))
		return -EPERM;
	text = kmalloc(KEY_STRING_MAX, 0);
	if (!text)
		return -ENOMEM;
	result = cmd == KDSKBSENT ? set_string(arg, text) : get_string(arg, text);
	kfree(text);
	return result;
}
