/* Generated from syscalls.tbl: what the tracer prints for each number of x86_64. */
#include <gen/trace_formats.h>

const struct trace_format trace_formats[1024] = {
	[202] = { "futex", 6, {
		{ "uaddr", TRACE_ADDR, "u32", -1 },
		{ "op", TRACE_VAL, "i32", -1 },
		{ "val", TRACE_VAL, "u32", -1 },
		{ "timeout", TRACE_VAL, "word", -1 },
		{ "uaddr2", TRACE_ADDR, "u32", -1 },
		{ "val3", TRACE_VAL, "u32", -1 },
	} },
	[222] = { "timer_create", 3, {
		{ "clock", TRACE_VAL, "clockid", -1 },
		{ "event", TRACE_IN, "sigevent", -1 },
		{ "id", TRACE_OUT, "timer_id", -1 },
	} },
	[20] = { "writev", 3, {
		{ "fd", TRACE_VAL, "fd", -1 },
		{ "iov", TRACE_IN, "iovec", 2 },
		{ "count", TRACE_VAL, "usize", -1 },
	} },
	[257] = { "openat", 4, {
		{ "dirfd", TRACE_VAL, "fd", -1 },
		{ "path", TRACE_STR, "u8", -1 },
		{ "flags", TRACE_VAL, "i32", -1 },
		{ "mode", TRACE_VAL, "mode", -1 },
	} },
	[435] = { "clone3", 2, {
		{ "args", TRACE_EXT, "clone_args", 1 },
		{ "size", TRACE_VAL, "usize", -1 },
	} },
	[305] = { "clock_adjtime", 2, {
		{ "clock", TRACE_VAL, "clockid", -1 },
		{ "timex", TRACE_INOUT, "timex", -1 },
	} },
	[60] = { "exit", 1, {
		{ "status", TRACE_VAL, "i32", -1 },
	} },
	[57] = { "fork", 0, {
		{ 0, TRACE_VAL, 0, -1 },
	} },
	[24] = { "sched_yield", 0, {
		{ 0, TRACE_VAL, 0, -1 },
	} },
};
