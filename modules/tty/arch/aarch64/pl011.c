/*
 * aarch64: PL011 serial lines (Arm DDI 0183).
 *
 * Input goes from the interrupt into the terminal's raw queue; when that is full the receive interrupts are masked and the bytes stay in
 * the device. Output is put into the FIFO while there is room: at once, and in the transmit interrupt. A line without
 * an interrupt is looked at by a timer. The speed is the firmware's: the clock behind it is not told, so only the format is changed.
 * The log is written by polling, every wait bounded.
 *
 * Locking: `lock` below tty->lock, interrupts off: registers and their copies. The log's writer takes it after a bounded time also without
 * success, since in a panic its holder may have been stopped.
 */
#include "modules/tty/arch/aarch64/lines.h"

#include <arch/pl011.h>

#include "core/arch/cpu.h"
#include "core/mem/vmap.h"
#include "core/time/timer.h"
#include "core/trap/irq.h"

#define REG_DATA   (0x00 / 4)
#define REG_FLAGS  (0x18 / 4)
#define REG_FORMAT (0x2c / 4)
#define REG_CONTROL (0x30 / 4)
#define REG_LEVELS (0x34 / 4)
#define REG_MASK   (0x38 / 4)
#define REG_STATUS (0x40 / 4)
#define REG_CLEAR  (0x44 / 4)
#define DATA_FRAME  0x100u
#define DATA_PARITY 0x200u
#define DATA_BREAK  0x400u
#define FLAG_BUSY     0x08u
#define FLAG_RX_EMPTY 0x10u
#define FLAG_TX_FULL  0x20u
#define FLAG_CTS 0x01u
#define FLAG_DSR 0x02u
#define FLAG_DCD 0x04u
#define FORMAT_BREAK  0x01u
#define FORMAT_PARITY 0x02u
#define FORMAT_EVEN   0x04u
#define FORMAT_STOP2  0x08u
#define FORMAT_FIFO   0x10u
#define FORMAT_STICK  0x80u
#define CONTROL_ENABLE 0x001u
#define CONTROL_LOOP 0x080u
#define CONTROL_TX  0x100u
#define CONTROL_RX  0x200u
#define CONTROL_DTR 0x400u
#define CONTROL_RTS 0x800u
#define INT_RX      0x010u
#define INT_TX      0x020u
#define INT_TIMEOUT 0x040u
#define INT_INPUT (INT_RX | INT_TIMEOUT)
#define SPINS 200000u
#define POLL_NS (10 * NSEC_PER_MSEC)
#define LINES_MAX 8u
#define MAJOR 204u
#define MINOR 64u

struct line {
	struct tty tty;
	struct tty_rings rings;
	struct log_console log;
	struct spinlock lock;
	struct timer timer;
	volatile uint32_t *regs;
	uint32_t mask, format, control;
	bool interrupts;
	bool input_off;			/* the raw queue was full */
	bool log_lock_lost;
	uint64_t sysrq_until;		/* a break came: the next byte is a debug key */
};

static struct line *line_of(struct tty *t) { return t->driver; }

static void set_mask(struct line *u, uint32_t mask)
{
	if (mask != u->mask) {
		u->mask = mask;
		u->regs[REG_MASK] = mask;
	}
}

/* Puts what there is into the FIFO. tty->lock and u->lock held. */
static void fill(struct line *u)
{
	uint8_t byte;

	while (!(u->regs[REG_FLAGS] & FLAG_TX_FULL) && tty_output_take(&u->tty, &byte, 1))
		u->regs[REG_DATA] = byte;
	if (!u->interrupts)
		return;
	if (tty_output_pending(&u->tty) && !u->tty.stopped)
		set_mask(u, u->mask | INT_TX);
	else
		set_mask(u, u->mask & ~INT_TX);
}

static void line_start(struct tty *t)
{
	struct line *u = line_of(t);

	spin_lock_raw(&u->lock);
	fill(u);
	spin_unlock_raw(&u->lock);
	if (!u->interrupts && tty_output_pending(t) && !timer_armed(&u->timer))
		timer_arm(&u->timer, clock_monotonic() + NSEC_PER_MSEC);
}

static bool line_busy(struct tty *t)
{
	return line_of(t)->regs[REG_FLAGS] & FLAG_BUSY;
}

static void line_throttle(struct tty *t, bool on)
{
	struct line *u = line_of(t);

	spin_lock_raw(&u->lock);
	u->input_off = on;
	if (t->termios.c_cflag & CRTSCTS) {
		u->control = on ? u->control & ~CONTROL_RTS : u->control | CONTROL_RTS;
		u->regs[REG_CONTROL] = u->control;
	}
	if (u->interrupts)
		set_mask(u, on ? u->mask & ~INT_INPUT : u->mask | INT_INPUT);
	spin_unlock_raw(&u->lock);
}

static void line_configure(struct tty *t, const struct termios2 *old)
{
	struct line *u = line_of(t);
	struct termios2 *n = &t->termios;
	uint32_t format = FORMAT_FIFO | (n->c_cflag & CSIZE) >> 4 << 5;

	if (n->c_cflag & CSTOPB)
		format |= FORMAT_STOP2;
	if (n->c_cflag & PARENB)
		format |= FORMAT_PARITY | (n->c_cflag & PARODD ? 0 : FORMAT_EVEN) | (n->c_cflag & CMSPAR ? FORMAT_STICK : 0);
	spin_lock_raw(&u->lock);
	if (n->c_ospeed)
		u->control |= CONTROL_DTR | CONTROL_RTS;
	else
		u->control &= ~(CONTROL_DTR | CONTROL_RTS);	/* B0 hangs up */
	if (format != u->format) {
		u->format = format;
		u->regs[REG_FORMAT] = format;
	}
	u->regs[REG_CONTROL] = u->control;
	spin_unlock_raw(&u->lock);
	(void)old;
}

static unsigned int line_modem_get(struct tty *t)
{
	struct line *u = line_of(t);
	uint32_t flags = u->regs[REG_FLAGS];

	return (u->control & CONTROL_DTR ? TIOCM_DTR : 0) | (u->control & CONTROL_RTS ? TIOCM_RTS : 0) |
	       (u->control & CONTROL_LOOP ? TIOCM_LOOP : 0) | (flags & FLAG_CTS ? TIOCM_CTS : 0) |
	       (flags & FLAG_DSR ? TIOCM_DSR : 0) | (flags & FLAG_DCD ? TIOCM_CAR : 0);
}

static void line_modem_set(struct tty *t, unsigned int bits)
{
	struct line *u = line_of(t);

	spin_lock_raw(&u->lock);
	u->control = CONTROL_ENABLE | CONTROL_TX | CONTROL_RX | (bits & TIOCM_DTR ? CONTROL_DTR : 0) |
		     (bits & TIOCM_RTS ? CONTROL_RTS : 0) | (bits & TIOCM_LOOP ? CONTROL_LOOP : 0);
	u->regs[REG_CONTROL] = u->control;
	spin_unlock_raw(&u->lock);
}

static void line_set_break(struct tty *t, bool on)
{
	struct line *u = line_of(t);

	spin_lock_raw(&u->lock);
	u->regs[REG_FORMAT] = on ? u->format | FORMAT_BREAK : u->format;
	spin_unlock_raw(&u->lock);
}

static const struct tty_ops line_ops = {
	.start = line_start,
	.busy = line_busy,
	.throttle = line_throttle,
	.configure = line_configure,
	.modem_get = line_modem_get,
	.modem_set = line_modem_set,
	.set_break = line_set_break,
};

/* One byte with its errors. The debug key, or 0. u->lock held. */
static char receive_byte(struct line *u, uint32_t data)
{
	return tty_input_serial(&u->tty, &u->sysrq_until, (uint8_t)data, data & DATA_BREAK ? TTY_BREAK :
				data & DATA_PARITY ? TTY_PARITY : data & DATA_FRAME ? TTY_FRAME : TTY_NORMAL);
}

/* Takes the bytes out. u->lock held. True if there were some. */
static bool receive(struct line *u, char *key)
{
	bool some = false;

	for (unsigned int i = 0; i < 256 && !(u->regs[REG_FLAGS] & FLAG_RX_EMPTY); i++) {
		char k;

		if (tty_input_room(&u->tty) <= 1) {
			u->input_off = true;
			set_mask(u, u->mask & ~INT_INPUT);
			break;
		}
		k = receive_byte(u, u->regs[REG_DATA]);
		if (!*key)
			*key = k;
		some = true;
	}
	return some;
}

/* Interrupt, or timer in its place. */
static void line_interrupt(void *arg)
{
	struct line *u = arg;
	bool input = false;
	unsigned long flags;
	char key = 0;

	flags = spin_lock_irqsave(&u->lock);
	u->regs[REG_CLEAR] = u->regs[REG_STATUS] & ~(INT_INPUT | INT_TX);
	if (!u->input_off)
		input = receive(u, &key);
	spin_unlock_irqrestore(&u->lock, flags);
	if (input)
		tty_input_done(&u->tty);
	flags = spin_lock_irqsave(&u->tty.lock);
	if ((u->mask & INT_TX) || tty_output_pending(&u->tty)) {
		spin_lock_raw(&u->lock);
		fill(u);
		spin_unlock_raw(&u->lock);
	}
	spin_unlock_irqrestore(&u->tty.lock, flags);
	if (key)
		tty_sysrq(key);
}

static void line_timer(struct timer *timer)
{
	struct line *u = container_of(timer, struct line, timer);
	unsigned long flags;

	line_interrupt(u);
	/* Output that begins meanwhile may arm it, too: under the same lock. */
	flags = spin_lock_irqsave(&u->tty.lock);
	timer_arm(&u->timer, clock_monotonic() + (tty_output_pending(&u->tty) ? NSEC_PER_MSEC : POLL_NS));
	spin_unlock_irqrestore(&u->tty.lock, flags);
}

static bool put_polled(struct line *u, uint8_t c)
{
	for (unsigned int i = 0; i < SPINS; i++) {
		if (!(u->regs[REG_FLAGS] & FLAG_TX_FULL)) {
			u->regs[REG_DATA] = c;
			return true;
		}
		arch_cpu_relax();
	}
	return false;
}

static void line_log(struct log_console *c, const char *text, size_t n)
{
	struct line *u = container_of(c, struct line, log);
	unsigned long flags = arch_irq_save();
	bool locked = false;

	for (unsigned int i = 0; i < 2000000 && !u->log_lock_lost && !locked; i++) {
		locked = spin_trylock(&u->lock);
		if (!locked)
			arch_cpu_relax();
	}
	if (!locked)
		u->log_lock_lost = true;
	for (size_t i = 0; i < n; i++)
		if ((text[i] == '\n' && !put_polled(u, '\r')) || !put_polled(u, (uint8_t)text[i]))
			break;
	if (locked)
		spin_unlock(&u->lock);
	arch_irq_restore(flags);
}

static void add(unsigned int index, const struct pl011_line *where)
{
	struct line *u = kzalloc(sizeof(*u), 0);

	if (!u)
		return;
	u->regs = device_map(where->phys, PAGE_SIZE, MMU_READ | MMU_WRITE | MMU_DEVICE);
	if (!u->regs) {
		kfree(u);
		return;
	}
	u->format = FORMAT_FIFO | 3 << 5;
	u->control = CONTROL_ENABLE | CONTROL_TX | CONTROL_RX | CONTROL_DTR | CONTROL_RTS;
	u->regs[REG_MASK] = 0;
	u->regs[REG_CLEAR] = 0x7ff;
	u->regs[REG_FORMAT] = u->format;
	u->regs[REG_LEVELS] = 2 << 3 | 2;	/* at half of the FIFO */
	u->regs[REG_CONTROL] = u->control;
	spin_init(&u->lock);
	timer_init(&u->timer, line_timer);
	tty_setup(&u->tty, &u->rings);
	snprintf(u->tty.name, sizeof(u->tty.name), "ttyAMA%u", index);
	u->tty.ops = &line_ops;
	u->tty.driver = u;
	u->tty.device = device_number(MAJOR, MINOR + index);
	u->tty.termios.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
	u->tty.termios.c_ospeed = u->tty.termios.c_ispeed = 115200;
	if (tty_register(&u->tty, 0660)) {
		device_unmap((void *)u->regs, PAGE_SIZE);
		kfree(u);
		return;
	}
	u->interrupts = where->irq >= 0 && irq_request((unsigned int)where->irq, u->tty.name, line_interrupt, u) == 0;
	if (u->interrupts)
		set_mask(u, INT_INPUT);
	else
		timer_arm(&u->timer, clock_monotonic() + POLL_NS);
	log_info("%s: PL011 at 0x%llx, %s %d", u->tty.name, (unsigned long long)where->phys,
		 u->interrupts ? "interrupt" : "polled, no interrupt", where->irq);
	u->log.name = u->tty.name;
	u->log.write = line_log;
	u->log.replaces_early = where->early;
	tty_console_offer(&u->tty, &u->log);
}

void pl011_lines_start(void)
{
	struct pl011_line where;

	for (unsigned int i = 0; i < LINES_MAX && pl011_describe(i, &where); i++)
		add(i, &where);
}
