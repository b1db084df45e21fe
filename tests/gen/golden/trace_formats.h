/* Generated from syscalls.tbl: names and argument formats of the system calls. */
#pragma once

enum trace_kind { TRACE_VAL, TRACE_STR, TRACE_IN, TRACE_OUT, TRACE_INOUT, TRACE_EXT, TRACE_ADDR };

struct trace_arg {
	const char *name;
	enum trace_kind kind;
	const char *type;
	int length;		/* index of the argument that counts the elements or bytes, or -1 */
};

struct trace_format {
	const char *name;
	unsigned int args;
	struct trace_arg arg[6];
};

extern const struct trace_format trace_formats[1024];
