/* Generated from syscalls.tbl: what the fuzzer knows of each served call. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <asm/siginfo.h>
#include <linux/sched.h>
#include <linux/timex.h>
#include <linux/uio.h>

enum fuzz_kind { FUZZ_VAL, FUZZ_STR, FUZZ_IN, FUZZ_OUT, FUZZ_INOUT, FUZZ_EXT, FUZZ_ADDR };
struct fuzz_arg { enum fuzz_kind kind; const char *type; size_t size; int optional; int length; };
struct fuzz_call { int number; const char *name; int args; struct fuzz_arg arg[6]; };

static const struct fuzz_call fuzz_calls[] = {
	{ 202, "futex", 6, { { FUZZ_ADDR, "u32", sizeof(uint32_t), 0, -1 }, { FUZZ_VAL, "i32", sizeof(int32_t), 0, -1 }, { FUZZ_VAL, "u32", sizeof(uint32_t), 0, -1 }, { FUZZ_VAL, "word", sizeof(uintptr_t), 0, -1 }, { FUZZ_ADDR, "u32", sizeof(uint32_t), 1, -1 }, { FUZZ_VAL, "u32", sizeof(uint32_t), 0, -1 } } },
	{ 222, "timer_create", 3, { { FUZZ_VAL, "clockid", sizeof(int32_t), 0, -1 }, { FUZZ_IN, "sigevent", sizeof(struct sigevent), 1, -1 }, { FUZZ_OUT, "timer_id", sizeof(int32_t), 0, -1 } } },
	{ 20, "writev", 3, { { FUZZ_VAL, "fd", sizeof(int32_t), 0, -1 }, { FUZZ_IN, "iovec", sizeof(struct iovec), 0, 2 }, { FUZZ_VAL, "usize", sizeof(size_t), 0, -1 } } },
	{ 257, "openat", 4, { { FUZZ_VAL, "fd", sizeof(int32_t), 0, -1 }, { FUZZ_STR, "u8", sizeof(uint8_t), 0, -1 }, { FUZZ_VAL, "i32", sizeof(int32_t), 0, -1 }, { FUZZ_VAL, "mode", sizeof(uint32_t), 0, -1 } } },
	{ 435, "clone3", 2, { { FUZZ_EXT, "clone_args", sizeof(struct clone_args), 0, 1 }, { FUZZ_VAL, "usize", sizeof(size_t), 0, -1 } } },
	{ 305, "clock_adjtime", 2, { { FUZZ_VAL, "clockid", sizeof(int32_t), 0, -1 }, { FUZZ_INOUT, "timex", sizeof(struct __kernel_timex), 0, -1 } } },
	{ 60, "exit", 1, { { FUZZ_VAL, "i32", sizeof(int32_t), 0, -1 } } },
	{ 57, "fork", 0, { { FUZZ_VAL, 0, 0, 0, -1 } } },
};
