/*
 * The table of installed hooks. The loader changes it (core/module/bind.c), and it is read-only between
 * changes; callers read it without locks, in any context.
 */
#include "core/module/hooks.h"

#include "core/module/export.h"

struct hook_table hook_table __socket_table;
KAPI(hook_table);
