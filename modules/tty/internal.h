/*
 * Inside of the terminals: what the files of the line discipline, the calls and the drivers share.
 */
#pragma once

#include <asm/errno.h>
#include <asm/signal.h>

#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/module/services.h"
#include "core/sched/thread.h"
#include "core/time/clock.h"
#include "modules/devfs/devfs.h"
#include "modules/linux/session.h"
#include "modules/linux/signal.h"
#include "modules/tty/tty.h"
#include "modules/vfs/vfs.h"

/* What file->private of an open terminal is. */
struct tty_file {
	struct tty *tty;		/* a reference */
	unsigned int generation;
	bool console;			/* opened as /dev/console */
};

extern struct mutex tty_mutex;
extern const struct file_ops tty_file_ops;
int tty_init(void);

static inline bool tty_flag_i(const struct tty *t, tcflag_t bit) { return t->termios.c_iflag & bit; }
static inline bool tty_flag_o(const struct tty *t, tcflag_t bit) { return t->termios.c_oflag & bit; }
static inline bool tty_flag_l(const struct tty *t, tcflag_t bit) { return t->termios.c_lflag & bit; }
/* Lines are edited here, and not by the program behind the master of a pty (EXTPROC). */
static inline bool tty_canonical(const struct tty *t)
{
	return (READ_ONCE(t->termios.c_lflag) & (ICANON | EXTPROC)) == ICANON;
}
/* Is c the control character? 0 disables one. */
static inline bool tty_is_cc(const struct tty *t, unsigned int which, uint8_t c)
{
	return c && t->termios.c_cc[which] == c;
}

static inline struct tty_file *tty_file_of(const struct file *f) { return f->private; }
static inline bool tty_file_dead(const struct tty_file *tf)
{
	return !tf->console && READ_ONCE(tf->tty->generation) != tf->generation;
}

/* Makes it findable as somebody's controlling terminal; tty_register does it. */
void tty_list(struct tty *t);
/* tty.c: opens `t` through f; takes over a reference of t in every case. */
int tty_open_file(struct tty *t, struct file *f, bool console);
/* The caller's controlling terminal with a reference, or null. */
struct tty *tty_get_controlling(void);
/* By name, with a reference. */
struct tty *tty_find_name(const char *name, size_t length);

/* output.c; `_locked`: tty->lock held. */
unsigned int tty_output_room(const struct tty *t);
/* Is it worth while for a writer to try? */
bool tty_writable(const struct tty *t);
/* Through OPOST; bytes used up: fewer than n if the queue is full. `reserve`: leave that room. */
size_t tty_output_process_locked(struct tty *t, const uint8_t *buf, size_t n, unsigned int reserve);
/* One byte as it is; dropped if there is no room. */
void tty_output_raw_locked(struct tty *t, uint8_t c);
void tty_output_char_locked(struct tty *t, uint8_t c);
void tty_output_start_locked(struct tty *t);
void tty_output_flush_locked(struct tty *t);
void tty_stop_locked(struct tty *t);
void tty_go_locked(struct tty *t);
long tty_write_bytes(struct tty_file *tf, struct io_iter *from, bool nonblock);
/* Waits until everything has left. 0, -ERESTARTSYS. */
int tty_drain(struct tty *t);
/* Status for the master of a pty in packet mode. tty->lock of the slave held. */
void tty_packet_locked(struct tty *t, uint8_t status);

/* line.c */
/* One byte of input; the signal to send, or 0. tty->lock held. */
int tty_line_receive_locked(struct tty *t, uint8_t c, enum tty_flag flag);
/* May a byte of input be taken? False while readers must make room first. */
bool tty_line_room_locked(const struct tty *t);
void tty_line_flush_locked(struct tty *t);
/* ICANON or EXTPROC may have been switched. */
void tty_line_mode_locked(struct tty *t, tcflag_t old_lflag);
/* Bytes for FIONREAD. */
size_t tty_line_available_locked(const struct tty *t);

/* echo.c: tty->lock held. */
void tty_echo_locked(struct tty *t, uint8_t c);
void tty_echo_erase_locked(struct tty *t, uint8_t how);
void tty_echo_finish_erasing_locked(struct tty *t);

/* read.c */
long tty_read_bytes(struct tty_file *tf, struct io_iter *to, bool nonblock);
unsigned int tty_poll_file(struct file *f, struct poll_table *table);

/* input.c */
int tty_input_start(void);
void tty_input_flush(struct tty *t);
/* Readers made room. */
void tty_input_resume(struct tty *t);

/* job.c */
/* May the caller do this from where it stands? 0, -EIO, -ERESTARTSYS (sig was sent to its group). */
int tty_check_change(struct tty *t, int sig);
/* open(2) by a session leader without a terminal. tty_mutex held. */
void tty_open_session(struct tty *t, struct file *f);
/* A hang-up with tty_mutex held. */
void tty_hangup_locked(struct tty *t);
/* `t` is null for the master of a pty, whose slave is `real`. */
long tty_job_ioctl(struct tty *t, struct tty *real, struct file *f, unsigned int cmd, uintptr_t arg);
void tty_leader_exit(struct tty *t, struct pid *session);
void tty_session_info(struct tty *t, uint64_t *rdev, int *foreground_group);

/* termios.c: -ENOIOCTLCMD if it is none of its calls. */
long tty_termios_ioctl(struct tty *t, unsigned int cmd, uintptr_t arg);
extern const struct termios2 tty_default_termios;
unsigned int tty_speed_of(tcflag_t cflag);
/* B0 if it is none of those with a code. */
tcflag_t tty_speed_code(unsigned int speed);

/* ioctl.c */
long tty_ioctl_file(struct file *f, unsigned int cmd, uintptr_t arg);

/* console.c */
int tty_console_start(void);
/*
 * A driver's terminal that can show the log: known by name before tty_console_start. Null: the screen.
 */
void tty_console_offer(struct tty *t, struct log_console *log);

/* sysrq.c: a debug key. Any context. */
void tty_sysrq(char key);
/*
 * A byte of a serial line with what was wrong with it. After a break the next byte is a debug key, which is returned (else 0); a second
 * break is input. *until: the line's own, 0 at first. Under the line's lock; any context.
 */
char tty_input_serial(struct tty *t, uint64_t *until, uint8_t c, enum tty_flag flag);

/* pty.c */
int pty_start(void);
/* The mode and owner that devpts gives new slaves. */
int devpts_start(void);
int devpts_add(unsigned int index);
void devpts_remove(unsigned int index);
/* Opens the master behind /dev/ptmx and /dev/pts/ptmx. */
extern const struct file_ops ptmx_ops;
#define PTY_MAX 4096u
#define PTMX_DEVICE device_number(5, 2)
#define PTY_SLAVE_MAJOR 136u

/* vt.c: the screen and its keyboard. */
int tty_screen_start(void);
/* Opens number `number` of its terminals, or for 0 the one that is shown, as /dev/console. */
int vt_open_console(struct file *f, unsigned int number);

/* The port: finds serial lines, keyboard, text screen. */
void tty_platform_start(void);
