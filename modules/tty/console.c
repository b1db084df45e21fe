/*
 * Which terminals are consoles: the log is printed on each that the command line names, /dev/console is the last of them.
 *
 * Drivers offer their terminals while they start. Without a console= word, all of the serial line and the screen that exist are taken. The serial line that
 * the early output used comes first, so that lines are not shown twice there.
 */
#include "internal.h"

#include <linux/major.h>
#include <linux/vt.h>

#include "core/boot/boot.h"

#define CONSOLES_MAX 8

struct console {
	struct tty *tty;		/* null: the screen */
	struct log_console *log;
	bool wanted;
};

static struct console consoles[CONSOLES_MAX];
static unsigned int console_count;
static struct console *last;		/* what /dev/console is */
static unsigned int last_number;	/* of the screen's terminals; 0: the one that is shown */

void tty_console_offer(struct tty *t, struct log_console *log)
{
	if (console_count < CONSOLES_MAX)
		consoles[console_count++] = (struct console){ t, log, false };
}

/* "115200n8r": speed, parity, bits, flow control, as far as they are given. */
static void set_line(struct tty *t, const char *options)
{
	struct termios2 old = t->termios;
	unsigned int speed = 0;
	unsigned long flags;

	while (*options >= '0' && *options <= '9' && speed < 10000000)
		speed = speed * 10 + (unsigned int)(*options++ - '0');
	if (!tty_speed_code(speed))
		return;
	flags = spin_lock_irqsave(&t->lock);
	t->termios.c_cflag = (t->termios.c_cflag & ~(tcflag_t)CBAUD) | tty_speed_code(speed);
	t->termios.c_ospeed = t->termios.c_ispeed = speed;
	if (*options == 'e' || *options == 'o')
		t->termios.c_cflag |= PARENB | (*options == 'o' ? PARODD : 0);
	if (*options && options[1] == '7')
		t->termios.c_cflag = (t->termios.c_cflag & ~(tcflag_t)CSIZE) | CS7;
	if (*options && options[1] && options[2] == 'r')
		t->termios.c_cflag |= CRTSCTS;
	if (t->ops->configure)
		t->ops->configure(t, &old);
	spin_unlock_irqrestore(&t->lock, flags);
}

/* "tty", "tty0" to "tty63": a terminal of the screen. */
static bool screen_number(const char *name, size_t n, unsigned int *number)
{
	*number = 0;
	if (n < 3 || n > 5 || memcmp(name, "tty", 3))
		return false;
	for (size_t i = 3; i < n; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		*number = *number * 10 + (unsigned int)(name[i] - '0');
	}
	return *number <= MAX_NR_CONSOLES;
}

static void take_word(const char *value, void *arg)
{
	const char *comma = strchr(value, ',');
	size_t n = comma ? (size_t)(comma - value) : strlen(value);
	bool *named = arg;

	*named = true;
	for (unsigned int i = 0; i < console_count; i++) {
		struct console *c = &consoles[i];
		unsigned int number = 0;

		if (c->tty ? strlen(c->tty->name) != n || memcmp(c->tty->name, value, n) :
			     !screen_number(value, n, &number))
			continue;
		c->wanted = true;
		last = c;
		last_number = number;
		if (comma && c->tty)
			set_line(c->tty, comma + 1);
		return;
	}
	log_warn("console=%s: there is no such terminal", value);
}

static void take_defaults(void)
{
	for (unsigned int i = 0; i < console_count; i++) {
		if (consoles[i].log->replaces_early || !consoles[i].tty) {
			consoles[i].wanted = true;
			/* A text mode that nobody spoke of may have no viewer. */
			if (!last || boot_info.framebuffer.type)
				last = &consoles[i];
		}
	}
}

static int open_console(struct inode *inode, struct file *f)
{
	(void)inode;
	if (!last)
		return -ENODEV;
	if (!last->tty)
		return vt_open_console(f, last_number);
	tty_get(last->tty);
	return tty_open_file(last->tty, f, true);
}

static const struct file_ops console_ops = { .open = open_console };

int tty_console_start(void)
{
	bool named = false;

	cmdline_for_each("console", take_word, &named);
	if (!named)
		take_defaults();
	for (unsigned int pass = 0; pass < 2; pass++)
		for (unsigned int i = 0; i < console_count; i++)
			if (consoles[i].wanted && consoles[i].log->replaces_early == (pass == 0))
				log_console_register(consoles[i].log);
	return devfs_add("console", 0600, device_number(TTYAUX_MAJOR, 1), &console_ops, NULL);
}
