/*
 * Debug keys: Alt-SysRq and a letter on the keyboard, a break and a letter on a serial line. Called in interrupts.
 */
#include "internal.h"

#include "core/boot/boot.h"
#include "core/debug/panic.h"
#include "core/mem/page.h"

#define SYSRQ_NS (5 * NSEC_PER_SEC)

void tty_sysrq(char key)
{
	switch (key) {
	case 'b':
		log_notice("sysrq: restart");
		arch_power_restart();
		break;
	case 'o':
		log_notice("sysrq: power off");
		arch_power_off();
		break;
	case 'c':
		panic("sysrq: asked for");
	case 'm':
		log_notice("sysrq: %llu of %llu pages are free", (unsigned long long)page_free_count(),
			   (unsigned long long)page_total());
		break;
	case 't':
		log_notice("sysrq: all threads");
		thread_dump_all();
		break;
	default:
		log_notice("sysrq: b restart, c panic, m memory, o power off, t threads");
		break;
	}
}

char tty_input_serial(struct tty *t, uint64_t *until, uint8_t c, enum tty_flag flag)
{
	if (flag == TTY_BREAK) {
		if (!*until) {
			*until = clock_monotonic() + SYSRQ_NS;
			return 0;
		}
		*until = 0;
		tty_input_push(t, 0, TTY_BREAK);
		return 0;
	}
	if (*until && c) {
		bool in_time = clock_monotonic() < *until;

		*until = 0;
		if (in_time)
			return (char)c;
	}
	tty_input_push(t, c, flag);
	return 0;
}
