/*
 * The log: a ring of records in memory that every context may write, and consoles that print it.
 */
#pragma once

#include "core/lib/list.h"
#include "core/lib/types.h"

/* syslog(2)'s levels. */
enum log_level { LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* Appends one line (a missing final newline is added). Any context, interrupts and NMI included; never sleeps. */
void log_printf(enum log_level level, const char *fmt, ...) __printf(2, 3);

#define log_err(...)   log_printf(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  log_printf(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_printf(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)  log_printf(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_printf(LOG_DEBUG, __VA_ARGS__)

/* A device that shows log lines. write() is called with interrupts off and one lock held; it must not sleep or log. */
struct log_console {
	const char *name;
	void (*write)(struct log_console *self, const char *text, size_t len);
	bool replaces_early;		/* it is the device that arch_early_write used: no repetition */
	struct list link;
};

/* Prints what is in the ring to `c` and every later line below the level. Unregister waits for a write under way. */
void log_console_register(struct log_console *c);
void log_console_unregister(struct log_console *c);
/*
 * /proc/sys/kernel/printk: lines of a level below the first are printed on consoles; the level of
 * a line that names none (/dev/kmsg); the least that syslog(2) sets the first to; the first's at
 * the start.
 */
enum { LOG_OF_CONSOLE, LOG_OF_MESSAGE, LOG_CONSOLE_LEAST, LOG_CONSOLE_DEFAULT };
extern int log_levels[4];
/* Lines of a level below this are printed (loglevel=, quiet, syslog(2)). Returns the former. */
int log_set_console_level(int level);

struct log_record {
	uint64_t sequence;
	uint64_t time_ns;
	enum log_level level;
	uint16_t length;
	char text[1024];
};

/* Copies the first record with a number >= *sequence, sets *sequence past it. False if there is none yet. */
bool log_read(uint64_t *sequence, struct log_record *out);
/* Number of the oldest record in the ring, and of the next to be written. */
uint64_t log_first(void);
uint64_t log_next(void);
/* Not 0: only who has CAP_SYSLOG may read (/proc/sys/kernel/dmesg_restrict); those who open the log for readers ask. */
extern int log_restricted;
/* Threads that wait for a new record (syslog(2), /proc/kmsg) sleep here. */
struct wait_queue;
extern struct wait_queue log_wait;

/* From here on consoles are written without their locks: a panic must get out. */
void log_panic_mode(void);
/* Is that so? A console then takes no lock that a stopped CPU may hold. */
bool log_panicking(void);
