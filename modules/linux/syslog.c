/*
 * syslog(2): the kernel's log for dmesg and log daemons.
 */
#include "internal.h"

#include <gen/linux.h>

#include "core/debug/log.h"
#include "core/mem/vmap.h"

enum { ACTION_CLOSE, ACTION_OPEN, ACTION_READ, ACTION_READ_ALL, ACTION_READ_CLEAR, ACTION_CLEAR, ACTION_CONSOLE_OFF,
       ACTION_CONSOLE_ON, ACTION_CONSOLE_LEVEL, ACTION_SIZE_UNREAD, ACTION_SIZE_BUFFER };

#define LOG_BUFFER_SIZE (128 * 1024)

static struct mutex lock = MUTEX_INIT(lock);
static uint64_t read_next;		/* first record that ACTION_READ has not returned */
static uint64_t cleared;		/* ACTION_CLEAR hides what is before */
static int saved_level = -1;

#define TEXT_SIZE (64 * 1024)		/* the longest record, each byte a line of its own */

/* A record as text; each of its lines begins with level and time. Length; never more than fits. */
static int format(const struct log_record *r, char *buf, size_t size)
{
	const char *text = r->text, *end = text + r->length;
	size_t used = 0;

	for (;;) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		int n = (int)((stop ? stop : end) - text);

		used += (size_t)snprintf(buf + used, size - used, "<%d>[%5llu.%06llu] %.*s\n", r->level,
					 (unsigned long long)(r->time_ns / NSEC_PER_SEC),
					 (unsigned long long)(r->time_ns % NSEC_PER_SEC / 1000), n, text);
		if (!stop || used >= size)
			return (int)MIN(used, size - 1);
		text = stop + 1;
	}
}

/* Copies records from *next on that fit; advances it. Bytes, or -EFAULT. */
static long copy_records(uintptr_t to, size_t size, uint64_t *next)
{
	struct log_record *r = kmalloc(sizeof(*r), 0);
	char *line = kvmalloc(TEXT_SIZE, 0);
	size_t done = 0;
	long error = r && line ? 0 : -ENOMEM;

	while (!error) {
		uint64_t at = *next;
		int n;

		if (!log_read(&at, r))
			break;
		n = format(r, line, TEXT_SIZE);
		if (done + (size_t)n > size)
			break;
		if (copy_to_user(to + done, line, (size_t)n))
			error = -EFAULT;
		done += (size_t)n;
		*next = at;
	}
	kfree(r);
	kvfree(line);
	return error ? error : (long)done;
}

/* The number of the first record such that all from it on fit into `size`. */
static uint64_t first_that_fits(uint64_t from, size_t size)
{
	struct log_record *r = kmalloc(sizeof(*r), 0);
	char *line = kvmalloc(TEXT_SIZE, 0);
	uint64_t start = from, at = from, total = 0;

	while (r && line && log_read(&at, r))
		total += (uint64_t)format(r, line, TEXT_SIZE);
	at = start;
	while (r && line && total > size && log_read(&at, r)) {
		total -= (uint64_t)format(r, line, TEXT_SIZE);
		start = at;
	}
	kfree(r);
	kvfree(line);
	return start;
}

static long read_new(uintptr_t buf, int length)
{
	long n;
	int error = wait_event(&log_wait, log_next() > READ_ONCE(read_next), WAIT_INTERRUPTIBLE, TIME_NEVER);

	if (error)
		return error == -EINTR ? -ERESTARTSYS : error;
	mutex_lock(&lock);
	n = copy_records(buf, (size_t)length, &read_next);
	mutex_unlock(&lock);
	return n;
}

static long read_all(uintptr_t buf, int length, bool clear)
{
	uint64_t next;
	long n;

	mutex_lock(&lock);
	next = first_that_fits(MAX(cleared, log_first()), (size_t)length);
	n = copy_records(buf, (size_t)length, &next);
	if (clear && n >= 0)
		cleared = next;
	mutex_unlock(&lock);
	return n;
}

static int least_level(void) { return READ_ONCE(log_levels[LOG_CONSOLE_LEAST]); }

static long set_level(int level)
{
	if (level < 1 || level > 8)
		return -EINVAL;
	log_set_console_level(MAX(level, least_level()));
	saved_level = -1;
	return 0;
}

long sys_syslog(int32_t type, uintptr_t buf, int32_t length)
{
	bool open_to_all = !READ_ONCE(log_restricted) && (type == ACTION_READ_ALL || type == ACTION_SIZE_BUFFER);

	if (!open_to_all && !capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (type == ACTION_READ || type == ACTION_READ_ALL || type == ACTION_READ_CLEAR) {
		if (!buf || length < 0)
			return -EINVAL;
		if (!length)
			return 0;
		if (!user_range_ok(buf, (size_t)length))
			return -EFAULT;
	}
	switch (type) {
	case ACTION_CLOSE:
	case ACTION_OPEN:
		return 0;
	case ACTION_READ: return read_new(buf, length);
	case ACTION_READ_ALL: return read_all(buf, length, false);
	case ACTION_READ_CLEAR: return read_all(buf, length, true);
	case ACTION_CLEAR:
		cleared = log_next();
		return 0;
	case ACTION_CONSOLE_OFF:
		if (saved_level < 0)
			saved_level = log_set_console_level(least_level());
		return 0;
	case ACTION_CONSOLE_ON:
		if (saved_level >= 0)
			log_set_console_level(saved_level);
		saved_level = -1;
		return 0;
	case ACTION_CONSOLE_LEVEL: return set_level(length);
	case ACTION_SIZE_UNREAD: {
		uint64_t next = read_next;

		return (long)MIN((log_next() - next) * 80, (uint64_t)LOG_BUFFER_SIZE);
	}
	case ACTION_SIZE_BUFFER: return LOG_BUFFER_SIZE;
	}
	return -EINVAL;
}
