/* Generated from syscalls.tbl and modules/futex/module.lua: how the loader binds the module. */
#include <gen/futex.h>

#include "core/arch/trap.h"
#include "core/module/descriptor.h"
#include "core/module/hooks.h"
#include "core/module/services.h"

static long call_futex(struct trap_frame *frame)
{
	return sys_futex((struct uaddr_u32){ arch_syscall_arg(frame, 0) },
		(int32_t)arch_syscall_arg(frame, 1),
		(uint32_t)arch_syscall_arg(frame, 2),
		(uintptr_t)arch_syscall_arg(frame, 3),
		(struct uaddr_u32){ arch_syscall_arg(frame, 4) },
		(uint32_t)arch_syscall_arg(frame, 5));
}

static long call_writev(struct trap_frame *frame)
{
	return sys_writev((int32_t)arch_syscall_arg(frame, 0),
		(struct uin_iovec){ arch_syscall_arg(frame, 1) },
		(size_t)arch_syscall_arg(frame, 2));
}

static long call_clone3(struct trap_frame *frame)
{
	return sys_clone3(frame,
		(struct uext_clone_args){ arch_syscall_arg(frame, 0) },
		(size_t)arch_syscall_arg(frame, 1));
}

static long call_exit(struct trap_frame *frame)
{
	return sys_exit((int32_t)arch_syscall_arg(frame, 0));
}

static long call_fork(struct trap_frame *frame)
{
	return sys_fork(frame);
}

static const struct syscall_binding bindings[] = {
	{ 202, call_futex },
	{ 20, call_writev },
	{ 435, call_clone3 },
	{ 60, call_exit },
	{ 57, call_fork },
};

extern bool futex_fast;
extern unsigned int futex_hash_bits;
extern const char * futex_names[4];
extern unsigned int futex_names_count;
static const struct module_param params[] = {
	{ "fast", PARAM_BOOL, 00, 1, &futex_fast, 0 },
	{ "hash_bits", PARAM_UINT, 0444, 1, &futex_hash_bits, 0 },
	{ "names", PARAM_CHARP, 0444, 4, futex_names, &futex_names_count },
};

extern int futex_slot;
static const struct module_data_slot data_slots[] = {
	{ DATA_THREAD, &futex_slot },
};

extern __typeof__(*((struct module_hooks *)0)->exec) futex_exec;
extern __typeof__(*((struct module_hooks *)0)->thread_exit) futex_thread_exit;
static const struct module_hooks hooks = {
	.exec = futex_exec,
	.thread_exit = futex_thread_exit,
};

extern const __typeof__(*((struct module_services *)0)->futex) futex_service;
static const struct module_services services = {
	.futex = &futex_service,
};

int futex_init(void);
void futex_fini(void);
const struct module_descriptor module_descriptor
	__attribute__((section(".mortise.module"), used)) = {
	.name = "futex",
	.init = futex_init,
	.fini = futex_fini,
	.syscalls = bindings,
	.syscall_count = sizeof(bindings) / sizeof(*bindings),
	.data_slots = data_slots,
	.data_slot_count = sizeof(data_slots) / sizeof(*data_slots),
	.params = params,
	.param_count = sizeof(params) / sizeof(*params),
	.hooks = &hooks,
	.services = &services,
	.replace = REPLACE_RESTART,
};

static const char modinfo_1[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"name=futex";
static const char modinfo_2[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"description=an \"example\" with everything";
static const char modinfo_3[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"license=Dual BSD/GPL";
static const char modinfo_4[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"vermagic=6.1.0-mortise x86_64";
static const char modinfo_5[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"depends=clock";
static const char modinfo_6[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"abi=0123456789abcdef";
static const char modinfo_7[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"rows=8d91c81418dc93b7";
static const char modinfo_8[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"replace=restart";
static const char modinfo_9[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"alias=syscall:202";
static const char modinfo_10[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"alias=syscall:20";
static const char modinfo_11[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"alias=syscall:435";
static const char modinfo_12[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"alias=syscall:60";
static const char modinfo_13[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"alias=syscall:57";
static const char modinfo_14[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"alias=example";
static const char modinfo_15[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"parmtype=fast:bool";
static const char modinfo_16[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"parm=fast:no checks";
static const char modinfo_17[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"parmtype=hash_bits:uint";
static const char modinfo_18[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"parmtype=names:array of charp";
