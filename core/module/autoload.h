/*
 * Loading modules when they are needed.
 */
#pragma once

#include "core/lib/types.h"

/* autoload= of the boot line; may be changed later. */
extern bool module_autoload_on;
/* Loads a module of the initrd and what it needs, unless the policy is against it. 0: it is loaded now. May sleep. */
int module_request(const char *name);
/* The same for the module that modules.alias gives for an alias. */
int module_request_alias(const char *alias);
bool module_in_initrd(const char *name);
/* Loads it whatever the policy says. -ENOENT: not in the initrd. May sleep. */
int module_load_initrd(const char *name);
