/*
 * The start-up sequence: see boot.h.
 */
#include "core/arch/cpu.h"
#include "core/arch/platform.h"
#include "core/boot/boot.h"
#include "core/boot/cmdline.h"
#include "core/debug/ktest.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/aspace.h"
#include "core/mem/harden.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/module/export.h"
#include "core/module/module.h"
#include "core/sched/sched.h"
#include "core/sync/rcu.h"
#include "core/time/clock.h"

#include <gen/version.h>

KAPI(boot_info);
const char build_version[] = "#1 SMP PREEMPT Mortise " BUILD_VERSION;
KAPI(build_version);
void (*boot_start_init)(void);
KAPI(boot_start_init);

static void apply_cmdline(void)
{
	const char *value;
	uint64_t level;
	int64_t seconds;

	if (cmdline_value("quiet"))
		log_set_console_level(LOG_WARNING);
	if (cmdline_value("debug"))
		log_set_console_level(LOG_DEBUG + 1);
	value = cmdline_value("loglevel");
	if (value) {
		if (!str_to_u64(value, NULL, 10, &level) && level <= 15)
			log_set_console_level((int)level);
		else
			log_warn("command line: loglevel=%s is not a level", value);
	}
	value = cmdline_value("panic");
	if (value) {
		if (!str_to_i64(value, NULL, 10, &seconds))
			panic_timeout = (long)seconds;
		else
			log_warn("command line: panic=%s is not a number of seconds", value);
	}
}

/* The first thread: everything that may sleep. */
static void start_thread(void *unused)
{
	const char *tests;

	(void)unused;
	rcu_start();
	if (!cmdline_value("nosmp"))
		arch_cpu_start_all();
	arch_boot_late();
	tests = cmdline_value("ktest");
	if (tests) {
		int failed = ktest_run_all();

		if (!strcmp(tests, "exit")) {
			arch_debug_exit(failed ? 1 : 0);
			arch_power_off();
		}
	}
	module_boot();
	cmdline_report_unknown();
	if (!boot_start_init && initrd_not_decoded())
		panic("no modules: modules.cpio must be there as a plain archive, not compressed (%s)", initrd_not_decoded());
	if (!boot_start_init)
		panic("no module starts user programs: linux is not loaded");
	boot_start_init();
	panic("init could not be started");
}

void boot_main(void)
{
	cmdline_parse();	/* first: arch_boot_early() asks */
	arch_boot_early();
	sched_adopt_boot();
	apply_cmdline();
	log_notice("Mortise %s on %s, loaded by %s", MODULE_RELEASE, arch_machine(), boot_info.loader);
	log_info("version: %s", BUILD_VERSION);
	log_info("command line: %s", boot_info.cmdline);
	harden_start();
	page_start();
	slab_start();
	vmap_start();
	aspace_start();
	timer_cpu_start(arch_cpu_self());
	arch_boot_platform();
	sched_start();
	if (thread_start_kernel("start", start_thread, NULL))
		panic("no memory for the first thread");
	sched_idle();
}
