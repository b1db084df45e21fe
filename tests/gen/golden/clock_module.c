/* Generated from syscalls.tbl and modules/clock/module.lua: how the loader binds the module. */
#include <gen/clock.h>

#include "core/arch/trap.h"
#include "core/module/descriptor.h"
#include "core/module/hooks.h"
#include "core/module/services.h"

static long call_timer_create(struct trap_frame *frame)
{
	return sys_timer_create((int32_t)arch_syscall_arg(frame, 0),
		(struct uin_sigevent){ arch_syscall_arg(frame, 1) },
		(struct uout_timer_id){ arch_syscall_arg(frame, 2) });
}

static long call_openat(struct trap_frame *frame)
{
	return sys_openat((int32_t)arch_syscall_arg(frame, 0),
		(struct ustr){ arch_syscall_arg(frame, 1) },
		(int32_t)arch_syscall_arg(frame, 2),
		(uint32_t)arch_syscall_arg(frame, 3));
}

static long call_clock_adjtime(struct trap_frame *frame)
{
	return sys_clock_adjtime((int32_t)arch_syscall_arg(frame, 0),
		(struct uinout_timex){ arch_syscall_arg(frame, 1) });
}

static const struct syscall_binding bindings[] = {
	{ 222, call_timer_create },
	{ 257, call_openat },
	{ 305, call_clock_adjtime },
};

const struct module_descriptor module_descriptor
	__attribute__((section(".mortise.module"), used)) = {
	.name = "clock",
	.syscalls = bindings,
	.syscall_count = sizeof(bindings) / sizeof(*bindings),
	.replace = REPLACE_NEVER,
};

static const char modinfo_1[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"name=clock";
static const char modinfo_2[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"description=an example with nothing";
static const char modinfo_3[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"license=Dual BSD/GPL";
static const char modinfo_4[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"vermagic=6.1.0-mortise x86_64";
static const char modinfo_5[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"depends=";
static const char modinfo_6[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"abi=0123456789abcdef";
static const char modinfo_7[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"rows=1c14c659825ef9ef";
static const char modinfo_8[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"replace=never";
static const char modinfo_9[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"alias=syscall:222";
static const char modinfo_10[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"alias=syscall:257";
static const char modinfo_11[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"alias=syscall:305";
