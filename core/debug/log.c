/*
 * The log ring and its consoles.
 *
 * Records lie one after the other in a ring of bytes; `first` and `next` are their numbers, `head` and `tail` the places. The oldest
 * go when room is needed. One lock with interrupts off guards ring and consoles; a panic does without it. Readers are woken
 * outside of the lock, and not from a context that holds a run queue: those records are seen with the next ones.
 */
#include "core/debug/log.h"

#include "core/arch/platform.h"
#include "core/lib/string.h"
#include "core/module/export.h"
#include "core/sched/cpu.h"
#include "core/sync/spinlock.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"

#define RING_SIZE (128u * 1024)
#define LINE_MAX 1000

struct header {
	uint64_t time_ns;
	uint16_t length;		/* of the text */
	uint8_t level;
	uint8_t wrap;			/* the rest of the ring up to its end is unused */
	uint32_t unused;
};

static char ring[RING_SIZE] __aligned(16);
static uint32_t head, tail;		/* offsets of the oldest record and of the next place */
static uint64_t first, next;
static struct spinlock lock = SPINLOCK_INIT(lock);
static struct list consoles = LIST_INIT(consoles);
int log_levels[4] = { LOG_INFO + 1, LOG_WARNING, LOG_EMERG + 1, LOG_INFO + 1 };
KAPI(log_levels);
static bool panicking;
struct wait_queue log_wait = WAIT_QUEUE_INIT(log_wait);
KAPI(log_wait);
int log_restricted = 1;
KAPI(log_restricted);

static uint32_t record_size(const struct header *h) { return (uint32_t)ALIGN_UP(sizeof(*h) + h->length, 16); }

static struct header *at(uint32_t offset) { return (struct header *)(void *)(ring + offset); }

static void drop_oldest(void)
{
	struct header *h = at(head);

	if (h->wrap) {
		head = 0;
		return;
	}
	head += record_size(h);
	if (head == RING_SIZE)
		head = 0;
	first++;
}

/* Makes room for `need` bytes in one piece at `tail`. */
static void make_room(uint32_t need)
{
	if (RING_SIZE - tail < need) {
		/* The oldest records beyond the tail go, then the rest of the ring is skipped. */
		while (first != next && head > tail)
			drop_oldest();
		if (first != next && head == tail && tail != 0)
			drop_oldest();
		if (tail < RING_SIZE)
			at(tail)->wrap = 1;
		tail = 0;
		if (first == next)
			head = 0;
	}
	while (first != next && head >= tail && head < tail + need)
		drop_oldest();
}

static void append(enum log_level level, uint64_t now, const char *text, size_t len)
{
	struct header *h;

	make_room((uint32_t)ALIGN_UP(sizeof(*h) + len, 16) + 16);
	if (first == next)
		head = tail;
	h = at(tail);
	h->time_ns = now;
	h->length = (uint16_t)len;
	h->level = (uint8_t)level;
	h->wrap = 0;
	memcpy(h + 1, text, len);
	tail += record_size(h);
	if (tail == RING_SIZE)
		tail = 0;
	next++;
}

static void show_line(struct log_console *only, uint64_t now, const char *text, size_t len)
{
	char line[LINE_MAX + 40];
	struct log_console *c;
	int n = snprintf(line, sizeof(line), "[%5llu.%06llu] %.*s\n", (unsigned long long)(now / NSEC_PER_SEC),
		     (unsigned long long)(now % NSEC_PER_SEC / 1000), (int)len, text);
	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	if (only) {
		only->write(only, line, (size_t)n);
		return;
	}
	if (list_empty(&consoles))
		arch_early_write(line, (size_t)n);
	list_for_each(c, &consoles, link)
		c->write(c, line, (size_t)n);
}

/* Each line gets the time in front: a text that came from a program cannot look like one of the kernel's. */
static void show(struct log_console *only, enum log_level level, uint64_t now, const char *text, size_t len)
{
	if ((int)level >= READ_ONCE(log_levels[LOG_OF_CONSOLE]) && !panicking)
		return;
	for (const char *end; (end = memchr(text, '\n', len)); text = end + 1) {
		size_t part = (size_t)(end - text);

		show_line(only, now, text, part);
		len -= part + 1;
	}
	show_line(only, now, text, len);
}

void log_printf(enum log_level level, const char *fmt, ...)
{
	uint64_t now = clock_monotonic();
	char text[LINE_MAX];
	unsigned long flags = 0;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = MIN(len, (int)sizeof(text) - 1);
	while (len && text[len - 1] == '\n')
		len--;
	if (!panicking)
		flags = spin_lock_irqsave(&lock);
	append(level, now, text, (size_t)len);
	show(NULL, level, now, text, (size_t)len);
	if (!panicking) {
		bool may_wake = arch_preempt_count() == 1;

		spin_unlock_irqrestore(&lock, flags);
		if (may_wake && arch_irq_enabled())
			wait_wake_all(&log_wait);
	}
}
KAPI(log_printf);

/* Finds the record with the given number, which is in the ring. */
static struct header *find(uint64_t sequence)
{
	uint32_t offset = head;
	uint64_t n = first;

	for (;;) {
		struct header *h = at(offset);

		if (h->wrap || offset >= RING_SIZE) {
			offset = 0;
			continue;
		}
		if (n == sequence)
			return h;
		offset += record_size(h);
		if (offset == RING_SIZE)
			offset = 0;
		n++;
	}
}

bool log_read(uint64_t *sequence, struct log_record *out)
{
	unsigned long flags = spin_lock_irqsave(&lock);
	struct header *h;

	if (*sequence < first)
		*sequence = first;
	if (*sequence >= next) {
		spin_unlock_irqrestore(&lock, flags);
		return false;
	}
	h = find(*sequence);
	out->sequence = *sequence;
	out->time_ns = h->time_ns;
	out->level = h->level;
	out->length = h->length;
	memcpy(out->text, h + 1, h->length);
	out->text[h->length] = '\0';
	(*sequence)++;
	spin_unlock_irqrestore(&lock, flags);
	return true;
}
KAPI(log_read);

uint64_t log_first(void) { return READ_ONCE(first); }
KAPI(log_first);
uint64_t log_next(void) { return READ_ONCE(next); }
KAPI(log_next);

void log_console_register(struct log_console *c)
{
	unsigned long flags = spin_lock_irqsave(&lock);
	bool had_one = !list_empty(&consoles);

	/* What the early output showed already is not repeated. */
	if (had_one || !c->replaces_early)
		for (uint64_t n = first; n < next; n++) {
			struct header *h = find(n);

			show(c, h->level, h->time_ns, (char *)(h + 1), h->length);
		}
	list_add_tail(&consoles, &c->link);
	spin_unlock_irqrestore(&lock, flags);
}
KAPI(log_console_register);

void log_console_unregister(struct log_console *c)
{
	unsigned long flags = spin_lock_irqsave(&lock);

	list_remove(&c->link);
	spin_unlock_irqrestore(&lock, flags);
}
KAPI(log_console_unregister);

int log_set_console_level(int level)
{
	int old = READ_ONCE(log_levels[LOG_OF_CONSOLE]);

	WRITE_ONCE(log_levels[LOG_OF_CONSOLE], level);
	return old;
}
KAPI(log_set_console_level);

void log_panic_mode(void)
{
	panicking = true;
}

bool log_panicking(void) { return READ_ONCE(panicking); }
KAPI(log_panicking);
