/*
 * Debug keys: Alt-SysRq and a letter on the keyboard, a break and a letter on a serial line. Called in interrupts.
 */
#include "internal.h"

#include "core/boot/boot.h"
#include "core/debug/panic.h"
#include "core/mem/page.h"

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
