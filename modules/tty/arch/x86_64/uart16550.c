/*
 * x86_64: the serial lines COM1 to COM4, 16550 or older.
 *
 * Input goes from the receive interrupt into the terminal's raw queue; when that is full the interrupt is switched off and the bytes stay in the
 * device (RTS is dropped with CRTSCTS). Output is put into the FIFO whenever it is empty: at once, and in the transmit
 * interrupt. A line without an interrupt is looked at by a timer. The log is written by polling, every wait bounded.
 *
 * Locking: `lock` below tty->lock, interrupts off: registers and their copies. The log's writer takes it after a bounded time also without
 * success, since in a panic its holder may have been stopped.
 */
#include "modules/tty/arch/x86_64/pc.h"

#include <arch/port.h>
#include <linux/serial.h>

#include "core/arch/cpu.h"
#include "core/time/timer.h"
#include "core/trap/irq.h"

#define REG_DATA 0
#define REG_IER  1
#define REG_IIR  2
#define REG_FCR  2
#define REG_LCR  3
#define REG_MCR  4
#define REG_LSR  5
#define REG_MSR  6
#define REG_SCRATCH 7
#define IER_RX   0x01
#define IER_TX   0x02
#define IER_LINE 0x04
#define IIR_NONE 0x01
#define LCR_BREAK 0x40
#define LCR_DIVISOR 0x80
#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08			/* lets the interrupt out on PCs */
#define MCR_LOOP 0x10
#define LSR_DATA 0x01
#define LSR_OVERRUN 0x02
#define LSR_PARITY 0x04
#define LSR_FRAME 0x08
#define LSR_BREAK 0x10
#define LSR_THRE 0x20
#define LSR_TEMT 0x40
#define CLOCK 115200u
#define FIFO 16u
#define SPINS 20000u			/* about 1 us each on real hardware */
#define POLL_NS (10 * NSEC_PER_MSEC)

struct uart {
	struct tty tty;
	struct tty_rings rings;
	struct log_console log;
	struct spinlock lock;
	struct timer timer;
	uint16_t base;
	uint8_t index, irq;
	uint8_t ier, lcr, mcr;
	bool fifo, interrupts;
	bool input_off;			/* the raw queue was full */
	bool log_lock_lost;
	uint64_t sysrq_until;		/* a break came: the next byte is a debug key */
};

static uint8_t get(const struct uart *u, unsigned int reg) { return port_in8((uint16_t)(u->base + reg)); }

static void set(const struct uart *u, unsigned int reg, uint8_t v) { port_out8((uint16_t)(u->base + reg), v); }

static struct uart *uart_of(struct tty *t) { return t->driver; }

static void set_interrupts(struct uart *u, uint8_t ier)
{
	if (ier != u->ier) {
		u->ier = ier;
		set(u, REG_IER, ier);
	}
}

/* Puts what there is into an empty FIFO. tty->lock and u->lock held. */
static void fill(struct uart *u)
{
	uint8_t bytes[FIFO];
	size_t n;

	if (get(u, REG_LSR) & LSR_THRE) {
		n = tty_output_take(&u->tty, bytes, u->fifo ? FIFO : 1);
		for (size_t i = 0; i < n; i++)
			set(u, REG_DATA, bytes[i]);
	}
	if (!u->interrupts)
		return;
	if (tty_output_pending(&u->tty) && !u->tty.stopped)
		set_interrupts(u, u->ier | IER_TX);
	else
		set_interrupts(u, u->ier & (uint8_t)~IER_TX);
}

static void uart_start(struct tty *t)
{
	struct uart *u = uart_of(t);

	spin_lock_raw(&u->lock);
	fill(u);
	spin_unlock_raw(&u->lock);
	if (!u->interrupts && tty_output_pending(t) && !timer_armed(&u->timer))
		timer_arm(&u->timer, clock_monotonic() + NSEC_PER_MSEC);
}

static void uart_flush(struct tty *t)
{
	struct uart *u = uart_of(t);

	spin_lock_raw(&u->lock);
	if (u->fifo)
		set(u, REG_FCR, 0x05);	/* clear the transmit FIFO */
	spin_unlock_raw(&u->lock);
}

static bool uart_busy(struct tty *t)
{
	return !(get(uart_of(t), REG_LSR) & LSR_TEMT);
}

static void uart_throttle(struct tty *t, bool on)
{
	struct uart *u = uart_of(t);

	spin_lock_raw(&u->lock);
	u->input_off = on;
	if (t->termios.c_cflag & CRTSCTS) {
		u->mcr = (uint8_t)(on ? u->mcr & ~MCR_RTS : u->mcr | MCR_RTS);
		set(u, REG_MCR, u->mcr);
	}
	if (u->interrupts)
		set_interrupts(u, (uint8_t)(on ? u->ier & ~(IER_RX | IER_LINE) : u->ier | IER_RX | IER_LINE));
	spin_unlock_raw(&u->lock);
}

static void uart_configure(struct tty *t, const struct termios2 *old)
{
	struct uart *u = uart_of(t);
	struct termios2 *n = &t->termios;
	unsigned int divisor;
	uint8_t lcr = (uint8_t)((n->c_cflag & CSIZE) >> 4);	/* CS5..CS8 count as the register does */

	if (n->c_cflag & CSTOPB)
		lcr |= 0x04;
	if (n->c_cflag & PARENB)
		lcr |= (n->c_cflag & PARODD ? 0x08 : 0x18) | (n->c_cflag & CMSPAR ? 0x20 : 0);
	if (n->c_ospeed > CLOCK) {
		n->c_ospeed = n->c_ispeed = old->c_ospeed;
		n->c_cflag = (n->c_cflag & ~(tcflag_t)CBAUD) | (old->c_cflag & CBAUD);
	}
	spin_lock_raw(&u->lock);
	if (n->c_ospeed) {
		divisor = MAX(DIV_UP(CLOCK, n->c_ospeed), 1u);
		if (CLOCK / n->c_ospeed)
			divisor = CLOCK / n->c_ospeed;
		set(u, REG_LCR, lcr | LCR_DIVISOR);
		set(u, REG_DATA, (uint8_t)divisor);
		set(u, REG_IER, (uint8_t)(divisor >> 8));
		u->mcr |= MCR_DTR | MCR_RTS;
	} else {
		u->mcr &= (uint8_t)~(MCR_DTR | MCR_RTS);	/* B0 hangs up */
	}
	u->lcr = lcr;
	set(u, REG_LCR, lcr);
	set(u, REG_IER, u->ier);
	set(u, REG_MCR, u->mcr);
	spin_unlock_raw(&u->lock);
}

static unsigned int uart_modem_get(struct tty *t)
{
	struct uart *u = uart_of(t);
	uint8_t msr = get(u, REG_MSR);

	return (u->mcr & MCR_DTR ? TIOCM_DTR : 0) | (u->mcr & MCR_RTS ? TIOCM_RTS : 0) |
	       (u->mcr & MCR_OUT1 ? TIOCM_OUT1 : 0) | (u->mcr & MCR_OUT2 ? TIOCM_OUT2 : 0) |
	       (u->mcr & MCR_LOOP ? TIOCM_LOOP : 0) | (msr & 0x80 ? TIOCM_CAR : 0) |
	       (msr & 0x40 ? TIOCM_RNG : 0) | (msr & 0x20 ? TIOCM_DSR : 0) | (msr & 0x10 ? TIOCM_CTS : 0);
}

static void uart_modem_set(struct tty *t, unsigned int bits)
{
	struct uart *u = uart_of(t);

	spin_lock_raw(&u->lock);
	u->mcr = (uint8_t)((bits & TIOCM_DTR ? MCR_DTR : 0) | (bits & TIOCM_RTS ? MCR_RTS : 0) |
			   (bits & TIOCM_OUT1 ? MCR_OUT1 : 0) | (bits & TIOCM_LOOP ? MCR_LOOP : 0) | MCR_OUT2);
	set(u, REG_MCR, u->mcr);
	spin_unlock_raw(&u->lock);
}

static void uart_set_break(struct tty *t, bool on)
{
	struct uart *u = uart_of(t);

	spin_lock_raw(&u->lock);
	set(u, REG_LCR, on ? u->lcr | LCR_BREAK : u->lcr);
	spin_unlock_raw(&u->lock);
}

/* What and where the line is. Programs that only know /dev/console find its own name by it. */
static long uart_ioctl(struct tty *t, struct file *f, unsigned int cmd, uintptr_t arg)
{
	struct uart *u = uart_of(t);
	struct serial_struct s = {
		.type = u->fifo ? PORT_16550A : PORT_16450, .line = u->index, .port = u->base, .irq = u->interrupts ? u->irq : 0,
		.flags = (int)ASYNC_SKIP_TEST, .xmit_fifo_size = u->fifo ? FIFO : 1, .baud_base = CLOCK, .close_delay = 50,
		.closing_wait = 3000,
	};

	if (cmd != TIOCGSERIAL)
		return -ENOIOCTLCMD;
	return copy_to_user(arg, &s, sizeof(s)) ? -EFAULT : 0;
}

static const struct tty_ops uart_ops = {
	.ioctl = uart_ioctl,
	.start = uart_start,
	.flush = uart_flush,
	.busy = uart_busy,
	.throttle = uart_throttle,
	.configure = uart_configure,
	.modem_get = uart_modem_get,
	.modem_set = uart_modem_set,
	.set_break = uart_set_break,
};

/* One byte with its line status. The debug key, or 0. u->lock held. */
static char receive_byte(struct uart *u, uint8_t lsr)
{
	uint8_t c = get(u, REG_DATA);

	return tty_input_serial(&u->tty, &u->sysrq_until, c, lsr & LSR_BREAK ? TTY_BREAK : lsr & LSR_PARITY ? TTY_PARITY :
				lsr & LSR_FRAME ? TTY_FRAME : TTY_NORMAL);
}

/* Takes the bytes out. u->lock held. True if there were some. */
static bool receive(struct uart *u, char *key)
{
	bool some = false;

	for (unsigned int i = 0; i < 256; i++) {
		uint8_t lsr = get(u, REG_LSR);

		if (!(lsr & (LSR_DATA | LSR_BREAK)) || lsr == 0xff)
			break;
		if (tty_input_room(&u->tty) <= FIFO) {
			u->input_off = true;
			set_interrupts(u, u->ier & (uint8_t)~(IER_RX | IER_LINE));
			break;
		}
		if (!(*key))
			*key = receive_byte(u, lsr);
		else
			receive_byte(u, lsr);
		some = true;
	}
	return some;
}

/* Interrupt, or timer in its place. */
static void uart_interrupt(void *arg)
{
	struct uart *u = arg;
	unsigned long flags;
	bool input = false;
	char key = 0;

	flags = spin_lock_irqsave(&u->lock);
	for (unsigned int i = 0; i < 64; i++) {
		uint8_t iir = get(u, REG_IIR);

		if (!u->input_off && receive(u, &key))
			input = true;
		if (iir & IIR_NONE)
			break;
		if ((iir & 0x0e) == 0)
			get(u, REG_MSR);
	}
	spin_unlock_irqrestore(&u->lock, flags);
	if (input)
		tty_input_done(&u->tty);
	flags = spin_lock_irqsave(&u->tty.lock);
	if (u->ier & IER_TX || tty_output_pending(&u->tty)) {
		spin_lock_raw(&u->lock);
		fill(u);
		spin_unlock_raw(&u->lock);
	}
	spin_unlock_irqrestore(&u->tty.lock, flags);
	if (key)
		tty_sysrq(key);
}

static void uart_timer(struct timer *timer)
{
	struct uart *u = container_of(timer, struct uart, timer);
	unsigned long flags;

	uart_interrupt(u);
	/* Output that begins meanwhile may arm it, too: under the same lock. */
	flags = spin_lock_irqsave(&u->tty.lock);
	timer_arm(&u->timer, clock_monotonic() + (tty_output_pending(&u->tty) ? NSEC_PER_MSEC : POLL_NS));
	spin_unlock_irqrestore(&u->tty.lock, flags);
}

static bool wait_empty(struct uart *u)
{
	for (unsigned int i = 0; i < SPINS; i++) {
		if (get(u, REG_LSR) & LSR_THRE)
			return true;
		arch_cpu_relax();
	}
	return false;
}

static void write_polled(struct uart *u, const char *text, size_t n)
{
	unsigned int room = 0;

	for (size_t i = 0; i < n; i++) {
		if (room < 2) {
			if (!wait_empty(u))
				return;
			room = u->fifo ? FIFO : 2;
		}
		if (text[i] == '\n') {
			set(u, REG_DATA, '\r');
			if (!u->fifo && !wait_empty(u))
				return;
			room--;
		}
		set(u, REG_DATA, (uint8_t)text[i]);
		room--;
		if (!u->fifo)
			room = 0;
	}
}

static void uart_log(struct log_console *c, const char *text, size_t n)
{
	struct uart *u = container_of(c, struct uart, log);
	unsigned long flags = arch_irq_save();
	bool locked = false;

	for (unsigned int i = 0; i < 2000000 && !u->log_lock_lost && !locked; i++) {
		locked = spin_trylock(&u->lock);
		if (!locked)
			arch_cpu_relax();
	}
	if (!locked)
		u->log_lock_lost = true;
	write_polled(u, text, n);
	if (locked)
		spin_unlock(&u->lock);
	arch_irq_restore(flags);
}

/* A scratch register, and a loop-back that returns what was sent. */
static bool probe(const struct uart *u)
{
	uint8_t got = 0;

	set(u, REG_SCRATCH, 0x5a);
	if (get(u, REG_SCRATCH) != 0x5a)
		return false;
	set(u, REG_IER, 0);
	for (unsigned int i = 0; i < SPINS && !(get(u, REG_LSR) & LSR_TEMT); i++)
		arch_cpu_relax();
	set(u, REG_LCR, 0x83);
	set(u, REG_DATA, 1);
	set(u, REG_IER, 0);
	set(u, REG_LCR, 0x03);
	set(u, REG_FCR, 0x07);
	set(u, REG_MCR, MCR_LOOP | MCR_OUT1 | MCR_OUT2 | MCR_RTS);
	set(u, REG_DATA, 0xae);
	for (unsigned int i = 0; i < SPINS && got != 0xae; i++)
		if (get(u, REG_LSR) & LSR_DATA)
			got = get(u, REG_DATA);
	set(u, REG_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
	return got == 0xae;
}

static void add(unsigned int index, uint16_t base, unsigned int irq)
{
	struct uart *u = kzalloc(sizeof(*u), 0);

	if (!u)
		return;
	u->base = base;
	u->index = (uint8_t)index;
	u->irq = (uint8_t)irq;
	if (!probe(u)) {
		kfree(u);
		return;
	}
	set(u, REG_FCR, 0x01);
	u->fifo = (get(u, REG_IIR) & 0xc0) == 0xc0;
	set(u, REG_FCR, u->fifo ? 0x87 : 0);	/* cleared, interrupt at 8 bytes or after a pause */
	u->lcr = 0x03;
	u->mcr = MCR_DTR | MCR_RTS | MCR_OUT2;
	spin_init(&u->lock);
	timer_init(&u->timer, uart_timer);
	tty_setup(&u->tty, &u->rings);
	snprintf(u->tty.name, sizeof(u->tty.name), "ttyS%u", index);
	u->tty.ops = &uart_ops;
	u->tty.driver = u;
	u->tty.device = device_number(4, 64 + index);
	u->tty.termios.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
	u->tty.termios.c_ospeed = u->tty.termios.c_ispeed = 115200;
	if (tty_register(&u->tty, 0660)) {
		kfree(u);
		return;
	}
	u->interrupts = irq_request(irq, u->tty.name, uart_interrupt, u) == 0;
	if (u->interrupts)
		set_interrupts(u, IER_RX | IER_LINE);
	else
		timer_arm(&u->timer, clock_monotonic() + POLL_NS);
	log_info("%s: 16550%s at port 0x%x, %s %u", u->tty.name, u->fifo ? "A" : "", base,
		 u->interrupts ? "interrupt" : "polled, no interrupt", irq);
	u->log.name = u->tty.name;
	u->log.write = uart_log;
	u->log.replaces_early = base == 0x3f8;
	tty_console_offer(&u->tty, &u->log);
}

void pc_serial_start(void)
{
	static const struct { uint16_t base; uint8_t irq; } ports[] = {
		{ 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++)
		add(i, ports[i].base, ports[i].irq);
}
