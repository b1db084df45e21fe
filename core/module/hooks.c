/*
 * The table of installed hooks. The loader changes it (core/module/bind.c); callers read it without locks.
 */
#include "core/module/hooks.h"

#include "core/module/export.h"

struct hook_table hook_table;
KAPI(hook_table);
