/* Key maps: entries, strings, accents, keycodes and lights; read, changed, refused as on Linux. */
// libc: gcc
// linux: no (it would change the build machine's keyboard)
// errors: ioctl
#include "include/proof.h"

#include <linux/kd.h>
#include <linux/keyboard.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define MAP 77			/* a state of the modifiers that no layout uses */

static int screen;

static int entry(int table, int index)
{
	struct kbentry e = { table, index, 0 };

	CHECK_EQ(ioctl(screen, KDGKBENT, &e), 0);
	return e.kb_value;
}

static long set(int table, int index, int value)
{
	struct kbentry e = { table, index, value };

	return ioctl(screen, KDSKBENT, &e);
}

static void entries(void)
{
	struct kbentry e = { 0, 30, 0 };
	int plain = entry(0, 30);

	CHECK_EQ(plain, K(KT_LETTER, 'a'));
	CHECK_EQ(entry(1 << KG_SHIFT, 30), K(KT_LETTER, 'A'));
	CHECK_EQ(entry(0, 28), K_ENTER);
	CHECK_EQ(entry(0, 42), K(KT_SHIFT, KG_SHIFT));
	CHECK_EQ(entry(1 << KG_ALT, 60), K(KT_CONS, 1));
	CHECK_EQ(entry(MAP, 0), K_NOSUCHMAP);
	CHECK_EQ(entry(MAP, 30), K_HOLE);
	CHECK_EQ(set(MAP, 30, 0x20ac ^ 0xf000), 0);
	CHECK_EQ(entry(MAP, 0), K_ALLOCATED);
	CHECK_EQ(entry(MAP, 31), K_HOLE);
	CHECK_EQ(entry(MAP, 30), 0x20ac ^ 0xf000);
	/* Without Unicode such a value is neither shown nor taken. */
	CHECK_EQ(ioctl(screen, KDSKBMODE, K_XLATE), 0);
	CHECK_EQ(entry(MAP, 30), K_HOLE);
	CHECK(set(MAP, 30, 0x20ad ^ 0xf000) == -1 && errno == EINVAL);
	CHECK_EQ(ioctl(screen, KDSKBMODE, K_UNICODE), 0);
	CHECK_EQ(set(MAP, 0, K_NOSUCHMAP), 0);
	CHECK_EQ(entry(MAP, 0), K_NOSUCHMAP);
	CHECK(set(0, 30, K(KT_SPEC, 20)) == -1 && errno == EINVAL);
	CHECK(set(0, 30, K(KT_CUR, 4)) == -1 && errno == EINVAL);
	CHECK(set(0, 0, K(KT_SHIFT, 9)) == -1 && errno == EINVAL);
	CHECK_EQ(set(0, 0, K(KT_SHIFT, 8)), 0);
	CHECK_EQ(entry(0, 30), plain);
	FAULTS(ioctl, 2, sizeof(e), screen, KDGKBENT, 0);
	FAULTS(ioctl, 2, sizeof(e), screen, KDSKBENT, 0);
}

static void strings(void)
{
	struct kbsentry s = { .kb_func = 0 }, set = { .kb_func = 99 };
	char *edge;

	CHECK_EQ(ioctl(screen, KDGKBSENT, &s), 0);
	CHECK(!strcmp((char *)s.kb_string, "\033[[A"));
	strcpy((char *)set.kb_string, "some text");
	CHECK_EQ(ioctl(screen, KDSKBSENT, &set), 0);
	s.kb_func = 99;
	CHECK_EQ(ioctl(screen, KDGKBSENT, &s), 0);
	CHECK(!strcmp((char *)s.kb_string, "some text"));
	set.kb_string[0] = 0;
	CHECK_EQ(ioctl(screen, KDSKBSENT, &set), 0);
	CHECK_EQ(ioctl(screen, KDGKBSENT, &s), 0);
	CHECK_EQ(s.kb_string[0], 0);
	/* Longer than there is room for. */
	edge = malloc(2000);
	memset(edge, 'x', 2000);
	FAILS(EINVAL, ioctl, screen, KDSKBSENT, edge);
	free(edge);
	FAILS(EFAULT, ioctl, screen, KDSKBSENT, 16l);
	FAILS(EFAULT, ioctl, screen, KDGKBSENT, 16l);
}

static void accents(void)
{
	struct kbdiacrsuc *old = calloc(1, sizeof(*old)), *new = calloc(1, sizeof(*new));
	struct kbdiacrs *narrow = calloc(1, sizeof(*narrow));

	CHECK_EQ(ioctl(screen, KDGKBDIACRUC, old), 0);
	CHECK(old->kb_cnt > 0 && old->kb_cnt < 256);
	CHECK_EQ(ioctl(screen, KDGKBDIACR, narrow), 0);
	CHECK_EQ(narrow->kb_cnt, old->kb_cnt);
	CHECK_EQ(narrow->kbdiacr[0].result, old->kbdiacruc[0].result);
	new->kb_cnt = 1;
	new->kbdiacruc[0] = (struct kbdiacruc){ '^', 'z', 0x17e };
	CHECK_EQ(ioctl(screen, KDSKBDIACRUC, new), 0);
	memset(new, 0, sizeof(*new));
	CHECK_EQ(ioctl(screen, KDGKBDIACRUC, new), 0);
	CHECK(new->kb_cnt == 1 && new->kbdiacruc[0].result == 0x17e);
	new->kb_cnt = 256;
	FAILS(EINVAL, ioctl, screen, KDSKBDIACRUC, new);
	FAILS(EINVAL, ioctl, screen, KDSKBDIACR, new);
	FAILS(EFAULT, ioctl, screen, KDGKBDIACRUC, 16l);
	FAILS(EFAULT, ioctl, screen, KDSKBDIACRUC, 16l);
	CHECK_EQ(ioctl(screen, KDSKBDIACRUC, old), 0);
	CHECK_EQ(ioctl(screen, KDGKBDIACRUC, new), 0);
	CHECK(!memcmp(old, new, sizeof(*old)));
	free(old);
	free(new);
	free(narrow);
}

static void codes(void)
{
	struct kbkeycode c = { 0x80 + 0x48, 0 };

	CHECK_EQ(ioctl(screen, KDGETKEYCODE, &c), 0);
	CHECK_EQ(c.keycode, 103);
	c = (struct kbkeycode){ 0x80 + 0x71, 190 };
	CHECK_EQ(ioctl(screen, KDSETKEYCODE, &c), 0);
	c.keycode = 0;
	CHECK_EQ(ioctl(screen, KDGETKEYCODE, &c), 0);
	CHECK_EQ(c.keycode, 190);
	c.keycode = 0;
	CHECK_EQ(ioctl(screen, KDSETKEYCODE, &c), 0);
	c.scancode = 100000;
	FAILS(EINVAL, ioctl, screen, KDGETKEYCODE, &c);
	FAILS(EFAULT, ioctl, screen, KDGETKEYCODE, 16l);
}

static void modes(void)
{
	char lights;
	int n;

	FAILS(EINVAL, ioctl, screen, KDSKBMODE, 5l);
	CHECK_EQ(ioctl(screen, KDGKBMODE, &n), 0);
	CHECK_EQ(n, K_UNICODE);
	CHECK_EQ(ioctl(screen, KDGKBMETA, &n), 0);
	CHECK_EQ(n, K_ESCPREFIX);
	FAILS(EINVAL, ioctl, screen, KDSKBMETA, 5l);
	CHECK_EQ(ioctl(screen, KDSKBMETA, K_METABIT), 0);
	CHECK_EQ(ioctl(screen, KDGKBMETA, &n), 0);
	CHECK_EQ(n, K_METABIT);
	CHECK_EQ(ioctl(screen, KDSKBMETA, K_ESCPREFIX), 0);
	CHECK_EQ(ioctl(screen, KDGKBTYPE, &lights), 0);
	CHECK_EQ(lights, KB_101);
	CHECK_EQ(ioctl(screen, KDSETLED, LED_SCR | LED_CAP), 0);
	CHECK_EQ(ioctl(screen, KDGETLED, &lights), 0);
	CHECK_EQ(lights, LED_SCR | LED_CAP);
	CHECK_EQ(ioctl(screen, KDSETLED, 8), 0);
	FAILS(EINVAL, ioctl, screen, KDSKBLED, 8l);
	CHECK_EQ(ioctl(screen, KDSKBLED, K_CAPSLOCK), 0);
	CHECK_EQ(ioctl(screen, KDGKBLED, &lights), 0);
	CHECK_EQ(lights, K_CAPSLOCK);
	CHECK_EQ(ioctl(screen, KDGETLED, &lights), 0);
	CHECK_EQ(lights, K_CAPSLOCK);
	CHECK_EQ(ioctl(screen, KDSKBLED, K_NUMLOCK | K_NUMLOCK << 4), 0);
	FAILS(EINVAL, ioctl, screen, KDSIGACCEPT, 65l);
	FAILS(EINVAL, ioctl, screen, KDSIGACCEPT, (long)SIGKILL);
}

static void refused(void)
{
	struct kbentry e = { 0, 30, K(KT_LATIN, 'b') };
	struct kbsentry s = { 0 };
	struct kbkeycode c = { 30, 31 };
	struct kbdiacrsuc *none = calloc(1, sizeof(*none));

	/* Its own terminal would not be enough for what all terminals share. */
	FAILS(EPERM, ioctl, screen, KDSKBENT, &e);
	FAILS(EPERM, ioctl, screen, KDSKBSENT, &s);
	FAILS(EPERM, ioctl, screen, KDSETKEYCODE, &c);
	FAILS(EPERM, ioctl, screen, KDSKBDIACRUC, none);
	FAILS(EPERM, ioctl, screen, KDSIGACCEPT, (long)SIGUSR1);
	GIVES(0, ioctl, screen, KDGKBENT, &e);
	free(none);
}

int main(void)
{
	mkdir("/dev", 0755);
	screen = open("/dev/tty23", O_RDWR | O_NOCTTY);
	if (screen < 0 && errno == ENOENT)
		mount("devtmpfs", "/dev", "devtmpfs", 0, "");
	screen = open("/dev/tty23", O_RDWR | O_NOCTTY);
	if (screen < 0) {
		CHECK(errno == ENOENT || errno == ENXIO);	/* a machine without a screen */
		return test_done();
	}
	close(screen);
	screen = open("/dev/tty0", O_RDWR | O_NOCTTY);
	entries();
	strings();
	accents();
	codes();
	modes();
	as_user(refused);
	return test_done();
}
