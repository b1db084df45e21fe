/*
 * From drivers to the line discipline: each terminal's raw queue, filled in interrupts, emptied by one thread for all.
 *
 * The thread runs above ordinary threads, so that Ctrl-C works on a busy machine. A terminal on the list holds a reference. When the line buffer is
 * full the raw bytes wait (input_held), the queue fills up and the driver is told to hold its side back: nothing is lost.
 */
#include "internal.h"

#include <linux/sched.h>

#include "core/sched/sched.h"

#define LOW_WATER(t) ((t)->raw_limit / 4)
#define HIGH_WATER(t) ((t)->raw_limit - 64)
#define INPUT_PRIORITY 50

static struct spinlock list_lock = SPINLOCK_INIT(list_lock);
static struct list pending = LIST_INIT(pending);
static struct wait_queue pending_wait = WAIT_QUEUE_INIT(pending_wait);

static unsigned int raw_used(const struct tty *t) { return t->raw_head - t->raw_tail; }

bool tty_input_push(struct tty *t, uint8_t byte, enum tty_flag flag)
{
	unsigned long flags = spin_lock_irqsave(&t->raw_lock);
	bool room = raw_used(t) < t->raw_limit;

	if (room)
		t->raw[t->raw_head++ & t->raw_mask] = (uint16_t)(byte | (unsigned int)flag << 8);
	if (raw_used(t) > HIGH_WATER(t))
		t->throttled = true;
	spin_unlock_irqrestore(&t->raw_lock, flags);
	return room;
}

unsigned int tty_input_room(struct tty *t)
{
	return t->raw_limit - raw_used(t);
}

/* Puts the terminal on the thread's list. */
static void enqueue(struct tty *t)
{
	unsigned long flags = spin_lock_irqsave(&list_lock);
	bool wake = !t->input_queued;

	if (wake) {
		t->input_queued = true;
		tty_get(t);
		list_add_tail(&pending, &t->input_link);
	}
	spin_unlock_irqrestore(&list_lock, flags);
	if (wake)
		wait_wake_one(&pending_wait);
}

void tty_input_done(struct tty *t)
{
	enqueue(t);
}

void tty_input_resume(struct tty *t)
{
	if (READ_ONCE(t->input_held))
		enqueue(t);
}

void tty_input_flush(struct tty *t)
{
	unsigned long flags = spin_lock_irqsave(&t->raw_lock);

	t->raw_tail = t->raw_head;
	spin_unlock_irqrestore(&t->raw_lock, flags);
	enqueue(t);		/* lets the driver go on */
}

static bool pop(struct tty *t, uint16_t *entry, bool *release)
{
	bool some;

	spin_lock_raw(&t->raw_lock);
	some = t->raw_head != t->raw_tail;
	if (some)
		*entry = t->raw[t->raw_tail++ & t->raw_mask];
	if (t->throttled && raw_used(t) < LOW_WATER(t)) {
		t->throttled = false;
		*release = true;
	}
	spin_unlock_raw(&t->raw_lock);
	return some;
}

/* Works through the raw queue up to a signal, which is returned. *more: there may be more; *readable: readers got something. */
static int receive(struct tty *t, bool *more, bool *readable)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	uint32_t ready = t->line.ready;
	bool release = false;
	uint16_t entry;
	int sig = 0;

	*more = false;
	t->input_held = false;
	for (unsigned int i = 0; !sig; i++) {
		if (!tty_line_room_locked(t)) {
			t->input_held = true;
			break;
		}
		if (i == 256) {
			*more = true;
			break;
		}
		if (!pop(t, &entry, &release))
			break;
		sig = tty_line_receive_locked(t, (uint8_t)entry, (enum tty_flag)(entry >> 8));
	}
	tty_output_start_locked(t);
	if (release && t->ops->throttle)
		t->ops->throttle(t, false);
	*readable = t->line.ready != ready;
	spin_unlock_irqrestore(&t->lock, flags);
	return sig;
}

static struct tty *next_pending(void)
{
	unsigned long flags = spin_lock_irqsave(&list_lock);
	struct tty *t = NULL;

	if (!list_empty(&pending)) {
		t = list_first(&pending, struct tty, input_link);
		list_remove(&t->input_link);
		t->input_queued = false;
	}
	spin_unlock_irqrestore(&list_lock, flags);
	return t;
}

static void input_thread(void *arg)
{
	struct sched_params params = {
		.class = SCHED_CLASS_RT, .round_robin = true, .priority = INPUT_PRIORITY, .policy = SCHED_RR,
	};

	(void)arg;
	sched_set_params(current, &params);
	for (;;) {
		struct tty *t;
		bool more = true, readable;

		wait_event(&pending_wait, (t = next_pending()) != NULL, WAIT_UNINTERRUPTIBLE, TIME_NEVER);
		while (more) {
			int sig = receive(t, &more, &readable);

			if (readable)
				file_async_notify(&t->async, FILE_READ, POLL_IN_SET);
			if (sig) {
				tty_signal_foreground(t, sig);
				more = true;
			}
		}
		tty_put(t);
	}
}

int tty_input_start(void)
{
	return thread_start_kernel("tty-input", input_thread, NULL);
}
