/*
 * Built-in keyboard layouts: what is printed on the keys, by level. A space is a key without a
 * meaning at that level; a combining accent (U+0300 and following) stands for its dead key.
 *
 * Each string goes through the rows of a keyboard with 105 keys: the key before 1, 1 to the key
 * before Backspace; Q to the second after P; A to the second after L, then the key at Return's
 * left; the key between left Shift and Z, then Z to the one before right Shift.
 */
#include "keyboard.h"

#include "core/lib/string.h"

const uint8_t layout_keycodes[LAYOUT_KEYS] = {
	41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
	30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43,
	86, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53,
};

static const uint16_t us[][LAYOUT_KEYS + 1] = {
	u"`1234567890-=" u"qwertyuiop[]" u"asdfghjkl;'\\" u"<zxcvbnm,./",
	u"~!@#$%^&*()_+" u"QWERTYUIOP{}" u"ASDFGHJKL:\"|" u">ZXCVBNM<>?",
};

static const uint16_t uk[][LAYOUT_KEYS + 1] = {
	u"`1234567890-=" u"qwertyuiop[]" u"asdfghjkl;'#" u"\\zxcvbnm,./",
	u"¬!\"£$%^&*()_+" u"QWERTYUIOP{}" u"ASDFGHJKL:@~" u"|ZXCVBNM<>?",
	u"¦   €        " u"  é   úíó   " u"á           " u"           ",
	u"             " u"  É   ÚÍÓ   " u"Á           " u"           ",
};

static const uint16_t de[][LAYOUT_KEYS + 1] = {
	u"\u03021234567890ß\u0301" u"qwertzuiopü+" u"asdfghjklöä#" u"<yxcvbnm,.-",
	u"°!\"§$%&/()=?\u0300" u"QWERTZUIOPÜ*" u"ASDFGHJKLÖÄ'" u">YXCVBNM;:_",
	u"¬¹²³¼½¬{[]}\\¸" u"@ €¶    øþ ~" u"æ       ł ^’" u"|»«¢   µ·…–",
	u"             " u"        ØÞ ¯" u"Æ       Ł   " u"        ×÷—",
};

static const uint16_t fr[][LAYOUT_KEYS + 1] = {
	u"²&é\"'(-è_çà)=" u"azertyuiop\u0302$" u"qsdfghjklmù*" u"<wxcvbn,;:!",
	u" 1234567890°+" u"AZERTYUIOP\u0308£" u"QSDFGHJKLM%µ" u">WXCVBN?./§",
	u"¬¹~#{[|`\\^@]}" u"æ«€       ¨¤" u"        ł   " u"|  ¢       ",
	u"             " u"Æ»          " u"        Ł   " u"           ",
};

static const struct layout layouts[] = {
	{ "us", { us[0], us[1] } },
	{ "de", { de[0], de[1], de[2], de[3] } },
	{ "fr", { fr[0], fr[1], fr[2], fr[3] } },
	{ "uk", { uk[0], uk[1], uk[2], uk[3] } },
	{ "gb", { uk[0], uk[1], uk[2], uk[3] } },
};

const struct layout *layout_find(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(layouts); i++)
		if (!strcmp(layouts[i].name, name))
			return &layouts[i];
	return NULL;
}
