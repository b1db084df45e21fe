/*
 * /proc/interrupts and softirqs, and the lines of /proc/stat about them.
 *
 * Lines of devices are counted on CPU 0, where all of them go; timers, kicks and calls by each CPU for itself. There are no soft interrupts:
 * what Linux does in them is done in the interrupt or in threads, so their counts are 0.
 */
#include "core/arch/platform.h"
#include "core/sched/cpu.h"
#include "core/trap/irq.h"
#include "modules/procfs/internal.h"

#define LINES_MAX 1024

/* What CPUs send each other, and their timers, by the names that Linux gives them. */
static const struct own_row {
	const char *x86, *other, *text;
	size_t offset;
} own_rows[] = {
	{ "LOC", "TIM", "Local timer interrupts", offsetof(struct cpu, irq_timer) },
	{ "RES", "IPI0", "Rescheduling interrupts", offsetof(struct cpu, irq_kick) },
	{ "CAL", "IPI1", "Function call interrupts", offsetof(struct cpu, irq_call) },
};

static uint64_t own_count(const struct own_row *row, const struct cpu *cpu)
{
	return READ_ONCE(*(const uint64_t *)((const char *)cpu + row->offset));
}

static void show_line(unsigned int line, const char *name, uint64_t count, void *arg)
{
	struct text_out *t = arg;
	unsigned int i;

	text_printf(t, "%3u:", line);
	for_each_online_cpu(i)
		text_printf(t, " %10llu", i ? 0ull : (unsigned long long)count);
	text_printf(t, "   %s\n", name);
}

int proc_show_interrupts(struct text_out *t, void *arg)
{
	bool x86 = arch_machine()[0] == 'x';
	unsigned int i;

	text_printf(t, "    ");
	for_each_online_cpu(i)
		text_printf(t, "       CPU%-u", i);
	text_printf(t, "\n");
	irq_for_each(show_line, t);
	for (unsigned int row = 0; row < ARRAY_SIZE(own_rows); row++) {
		text_printf(t, "%3s:", x86 ? own_rows[row].x86 : own_rows[row].other);
		for_each_online_cpu(i)
			text_printf(t, " %10llu", (unsigned long long)own_count(&own_rows[row], cpus[i]));
		text_printf(t, "   %s\n", own_rows[row].text);
	}
	return 0;
}

int proc_show_softirqs(struct text_out *t, void *arg)
{
	static const char *const names[] = { "HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU" };
	unsigned int i;

	text_printf(t, "                    ");
	for_each_online_cpu(i)
		text_printf(t, "CPU%-8u", i);
	text_printf(t, "\n");
	for (unsigned int n = 0; n < ARRAY_SIZE(names); n++) {
		text_printf(t, "%12s:", names[n]);
		for_each_online_cpu(i)
			text_printf(t, " %10u", 0u);
		text_printf(t, "\n");
	}
	return 0;
}

struct totals {
	uint64_t sum;
	unsigned int lines;		/* the highest, and one */
	uint64_t *count;
};

static void add_line(unsigned int line, const char *name, uint64_t count, void *arg)
{
	struct totals *all = arg;

	all->sum += count;
	if (line < LINES_MAX) {
		all->count[line] += count;
		all->lines = MAX(all->lines, line + 1);
	}
}

int proc_add_interrupts(struct text_out *t)
{
	struct totals all = { .count = kzalloc(LINES_MAX * sizeof(*all.count), 0) };
	unsigned int i;

	if (!all.count)
		return -ENOMEM;
	irq_for_each(add_line, &all);
	for (unsigned int row = 0; row < ARRAY_SIZE(own_rows); row++)
		for_each_online_cpu(i)
			all.sum += own_count(&own_rows[row], cpus[i]);
	text_printf(t, "intr %llu", (unsigned long long)all.sum);
	for (i = 0; i < all.lines; i++)
		text_printf(t, " %llu", (unsigned long long)all.count[i]);
	text_printf(t, "\n");
	kfree(all.count);
	return 0;
}
