/*
 * Virtual terminals: the table of them, their making and taking away, their files, the log.
 *
 * /dev/tty0 is whichever is shown at the moment of the open; /dev/tty1 to /dev/tty63 are made when
 * they are opened first. Locking and lifetime: vt.h. vt_make publishes a terminal when it is whole.
 */
#include "internal.h"
#include "keyboard.h"
#include "vt.h"

#include <linux/kd.h>
#include <linux/major.h>

#define SCROLLBACK_MAX 4096u

struct mutex vt_mutex = MUTEX_INIT(vt_mutex);
struct spinlock vt_lock = SPINLOCK_INIT(vt_lock);
unsigned int tty_scrollback = 256;	/* parameter: lines kept of each */

static struct vt *vts[MAX_NR_CONSOLES];
static struct display *display;

void vt_offer_display(struct display *d)
{
	display = d;
}

struct vt *vt_at(unsigned int index)
{
	return READ_ONCE(vts[index]);
}

static void vt_start(struct tty *t)
{
	struct screen *s = &vt_of(t)->screen;
	uint8_t bytes[128];
	size_t n;

	spin_lock_raw(&s->lock);
	while ((n = tty_output_take(t, bytes, sizeof(bytes))) > 0)
		screen_feed(s, bytes, n);
	spin_unlock_raw(&s->lock);
	render_soon(s);
}

static void vt_release(struct tty *t)
{
	struct vt *v = vt_of(t);

	screen_free(&v->screen);
	if (v->owner)
		pid_put(v->owner);
	kfree(v);
}

static const struct tty_ops vt_ops = {
	.start = vt_start,
	.ioctl = vt_ioctl,
	.release = vt_release,
};

int vt_make(unsigned int index, struct vt **out)
{
	struct vt *v = vts[index];
	unsigned long flags;

	*out = v;
	if (v)
		return 0;
	v = kzalloc(sizeof(*v), 0);
	if (!v)
		return -ENOMEM;
	if (screen_setup(&v->screen, display, MIN(tty_scrollback, SCROLLBACK_MAX))) {
		kfree(v);
		return -ENOMEM;
	}
	v->index = index;
	v->next = -1;
	v->screen.tty = &v->tty;
	snprintf(v->tty.name, sizeof(v->tty.name), "tty%u", index + 1);
	v->tty.ops = &vt_ops;
	v->tty.driver = v;
	v->tty.device = device_number(TTY_MAJOR, index + 1);
	tty_setup(&v->tty, &v->rings);
	v->tty.termios.c_iflag |= IUTF8;
	v->tty.winsize = (struct winsize){
		(unsigned short)v->screen.rows, (unsigned short)v->screen.cols,
		(unsigned short)display->width, (unsigned short)display->height,
	};
	keyboard_setup(&v->keys);
	tty_list(&v->tty);
	flags = spin_lock_irqsave(&vt_lock);
	WRITE_ONCE(vts[index], v);
	spin_unlock_irqrestore(&vt_lock, flags);
	*out = v;
	return 0;
}

bool vt_in_use(unsigned int index)
{
	unsigned long flags = spin_lock_irqsave(&vt_lock);
	struct vt *v = vts[index];
	bool used = v && (READ_ONCE(v->tty.open_count) || READ_ONCE(v->tty.session));

	spin_unlock_irqrestore(&vt_lock, flags);
	return used;
}

int vt_disallocate(unsigned int index)
{
	struct vt *v = vts[index];
	unsigned long flags;
	bool busy;

	if (!v)
		return 0;
	mutex_lock(&tty_mutex);
	busy = vt_in_use(index);
	flags = spin_lock_irqsave(&vt_lock);
	busy = busy || vt_shown() == index;
	if (!busy && index > 0) {
		v->tty.closing = true;	/* who found it by another way gets EIO */
		WRITE_ONCE(vts[index], NULL);
	}
	spin_unlock_irqrestore(&vt_lock, flags);
	mutex_unlock(&tty_mutex);
	if (busy)
		return -EBUSY;
	if (index == 0)
		return 0;		/* the first one stays, silently */
	keyboard_wait_turn();
	render_wait_turn();
	tty_put(&v->tty);
	return 0;
}

struct screen *vt_screen_to_draw(bool force)
{
	struct vt *v = vt_at(vt_shown());

	return v && (force || READ_ONCE(v->mode) == KD_TEXT) ? &v->screen : NULL;
}

bool vt_draws(const struct screen *s)
{
	const struct vt *v = container_of(s, struct vt, screen);

	return vt_shown() == v->index && READ_ONCE(v->mode) == KD_TEXT;
}

bool vt_has_changes(void)
{
	unsigned long flags = spin_lock_irqsave(&vt_lock);
	const struct screen *s = vt_screen_to_draw(false);
	bool changes = s && READ_ONCE(s->dirty);

	spin_unlock_irqrestore(&vt_lock, flags);
	return changes;
}

void vt_scroll(struct vt *v, int lines)
{
	unsigned long flags = spin_lock_irqsave(&v->screen.lock);

	history_scroll(&v->screen, lines);
	spin_unlock_irqrestore(&v->screen.lock, flags);
	render_soon(&v->screen);
}

/* Opens number `index`; a negative one: what is shown. */
static int open_number(int index, struct file *f, bool console)
{
	struct vt *v;
	int error;

	mutex_lock(&vt_mutex);
	error = vt_make(index < 0 ? vt_shown() : (unsigned int)index, &v);
	if (!error) {
		tty_get(&v->tty);
		error = tty_open_file(&v->tty, f, console);
	}
	mutex_unlock(&vt_mutex);
	return error;
}

static int open_node(struct inode *inode, struct file *f)
{
	return open_number((int)device_minor(inode->rdev) - 1, f, false);
}

static const struct file_ops node_ops = { .open = open_node };

int vt_open_console(struct file *f, unsigned int number)
{
	return open_number((int)number - 1, f, true);
}

/* The log goes to the one that is shown, or where TIOCL_SETKMSGREDIRECT sent it. */
static void vt_log(struct log_console *c, const char *text, size_t n)
{
	bool panicking = log_panicking(), table, locked;
	unsigned long flags = arch_irq_save();
	unsigned int number = vt_log_number();
	struct vt *v;

	(void)c;
	preempt_disable();
	table = !panicking || spin_trylock(&vt_lock);
	if (!panicking)
		spin_lock(&vt_lock);
	v = number ? vt_at(number - 1) : NULL;
	if (!v)
		v = vt_at(vt_shown());
	locked = !panicking || spin_trylock(&v->screen.lock);
	if (!panicking)
		spin_lock(&v->screen.lock);
	screen_feed_log(&v->screen, text, n);
	if (locked)
		spin_unlock(&v->screen.lock);
	if (table)
		spin_unlock(&vt_lock);
	render_screen(panicking);
	arch_irq_restore(flags);
	preempt_enable();
}

static struct log_console vt_console = { .name = "tty0", .write = vt_log };

static int add_nodes(void)
{
	char name[TTY_NAME_SIZE];
	int error = device_register(TTY_MAJOR, 0, MAX_NR_CONSOLES + 1, "tty", &node_ops, NULL);

	for (unsigned int i = 0; !error && i <= MAX_NR_CONSOLES; i++) {
		snprintf(name, sizeof(name), "tty%u", i);
		error = devfs_add_node(name, 0620, 0, 0, device_number(TTY_MAJOR, i));
		if (error == -EEXIST)
			error = 0;
	}
	return error;
}

int tty_screen_start(void)
{
	struct vt *v;
	int error;

	if (!display)
		return 0;
	error = keymap_start();
	if (error)
		return error;
	mutex_lock(&vt_mutex);
	error = vt_make(0, &v);
	mutex_unlock(&vt_mutex);
	if (!error)
		error = render_start(display);
	if (!error)
		error = add_nodes();
	if (error)
		return error;
	log_info("tty0: %s, %u columns, %u rows", display->name, v->screen.cols, v->screen.rows);
	tty_console_offer(NULL, &vt_console);
	return 0;
}
