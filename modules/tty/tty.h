/*
 * Terminals: what a driver of lines (serial, screen, pseudo terminal) sees of them.
 *
 * A struct tty has an input side (raw queue from the driver, line discipline, lines for readers) and an output side (one queue of
 * processed bytes which the driver takes out).
 *
 * Locking: `lock`, interrupts off, guards the line discipline, settings and the output queue; `raw_lock` inside it the raw input queue. A
 * driver's own lock comes below `lock`. Signals are sent with neither held. `write_mutex` keeps the bytes of one write(2) together.
 * tty_mutex (sleeping) guards sessions, opening and closing.
 */
#pragma once

#include <asm/termios.h>

#include "core/lib/list.h"
#include "core/lib/refcount.h"
#include "core/sync/mutex.h"
#include "core/sync/wait.h"
#include "modules/vfs/file.h"

struct pid;
struct tty;

#define TTY_NAME_SIZE 16
#define TTY_READ_SIZE 4096u		/* a line at most, with its end */
#define TTY_RAW_SIZE  4096u		/* of a terminal of hardware */
#define TTY_OUT_SIZE  4096u
#define TTY_OUT_RESERVE 256u		/* of it, for echo */

/* How a character came in: beside the byte in a raw queue entry. */
enum tty_flag { TTY_NORMAL, TTY_BREAK, TTY_PARITY, TTY_FRAME, TTY_OVERRUN };

/*
 * A driver. Functions up to set_break run with tty->lock held and interrupts off; the others may sleep. Null ones do nothing,
 * modem_get and ioctl: there is none.
 */
struct tty_ops {
	/* There is output in the queue and it is not stopped: take it with tty_output_take, now or from an interrupt. */
	void (*start)(struct tty *t);
	/* Throw away what the device holds. */
	void (*flush)(struct tty *t);
	/* The settings changed from *old: take over what the device can, and correct t->termios to it. */
	void (*configure)(struct tty *t, const struct termios2 *old);
	/* Bytes are still leaving. */
	bool (*busy)(struct tty *t);
	/* Input queue full; room again. */
	void (*throttle)(struct tty *t, bool on);
	unsigned int (*modem_get)(struct tty *t);
	void (*modem_set)(struct tty *t, unsigned int bits);
	void (*set_break)(struct tty *t, bool on);
	/* tty_mutex held. An error refuses the open; close is called for each opened file. */
	int (*open)(struct tty *t, struct file *f);
	void (*close)(struct tty *t, struct file *f);
	/* -ENOIOCTLCMD: not known. */
	long (*ioctl)(struct tty *t, struct file *f, unsigned int cmd, uintptr_t arg);
	/* The last reference is gone. */
	void (*release)(struct tty *t);
};

#define ENOIOCTLCMD 515

/* Line editing of the canonical mode, and what reads are served from. Positions run freely and are masked. */
struct tty_line {
	uint8_t data[TTY_READ_SIZE];
	unsigned long ends[TTY_READ_SIZE / 64];	/* this byte ends a line (or is the mark of an end of file) */
	uint32_t head, tail;
	uint32_t ready;			/* canonical: up to here readers may take */
	bool quote;			/* the next byte comes after LNEXT */
	bool erasing;			/* ECHOPRT is between its slashes */
	unsigned int start_column;	/* where the line under way began on the screen */
};

struct tty {
	char name[TTY_NAME_SIZE];
	const struct tty_ops *ops;
	void *driver;
	uint64_t device;		/* number, as device.h has it */
	struct refcount refs;
	struct list link;		/* all terminals */

	struct spinlock lock;
	struct termios2 termios;
	struct winsize winsize;
	struct tty_line line;
	uint8_t *out;			/* a ring of out_mask + 1 bytes, of which out_limit are used at most */
	uint32_t out_mask, out_limit;
	uint32_t out_head, out_tail;
	unsigned int column;		/* of the output, for tabs and erasing */
	bool stopped;			/* by STOP or TCOOFF */
	bool input_held;		/* raw bytes wait for room in the line buffer */
	bool packet;			/* pty: the master reads status bytes, too */
	uint8_t packet_status;
	bool exclusive;
	unsigned int generation;	/* hang-ups so far: older files are dead */
	struct pid *session, *group;	/* references; group: in the foreground */
	unsigned int open_count;	/* tty_mutex */
	bool closing;			/* pty: the master is gone */
	struct wait_queue *master_wait;	/* pty: where its master sleeps; null for hardware */
	struct file_async_list async;	/* who wants SIGIO */

	struct spinlock raw_lock;
	uint16_t *raw;			/* byte | tty_flag << 8; as `out` */
	uint32_t raw_mask, raw_limit;
	uint32_t raw_head, raw_tail;
	bool throttled;
	bool input_queued;		/* on the input thread's list */
	struct list input_link;

	struct mutex write_mutex;
	struct wait_queue read_wait, write_wait;
};

/* Rings for a terminal of hardware. */
struct tty_rings {
	uint8_t out[TTY_OUT_SIZE];
	uint16_t raw[TTY_RAW_SIZE];
};

/* Fills in the common parts; the driver has set name, ops, driver, device. One reference, the caller's. Null: it has rings of its own. */
void tty_setup(struct tty *t, struct tty_rings *rings);
/* Makes it known: device number and node ("ttyS0"). May sleep. */
int tty_register(struct tty *t, uint32_t mode);
/* A further number and name for it. */
int tty_register_alias(struct tty *t, const char *name, uint64_t device, uint32_t mode);
static inline void tty_get(struct tty *t) { refcount_get(&t->refs); }
void tty_put(struct tty *t);

/*
 * Input from the driver, any context. False if the queue is full: then throttle(on) was called or will be. After a batch: tty_input_done.
 */
bool tty_input_push(struct tty *t, uint8_t byte, enum tty_flag flag);
void tty_input_done(struct tty *t);
/* Entries that fit. */
unsigned int tty_input_room(struct tty *t);

/* Output for the driver: up to n bytes, 0 if there is nothing or it is stopped; wakes writers. tty->lock held. */
size_t tty_output_take(struct tty *t, uint8_t *buf, size_t n);
static inline size_t tty_output_pending(const struct tty *t) { return t->out_head - t->out_tail; }

/* Signals to the foreground group. No lock held; any context. */
void tty_signal_foreground(struct tty *t, int sig);
/* The size of the screen changed: SIGWINCH if it did. */
void tty_set_winsize(struct tty *t, const struct winsize *size);
/* The line is gone: signals, ends all files but those of /dev/console. May sleep. */
void tty_hangup(struct tty *t);
