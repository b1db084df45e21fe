/*
 * What the files of devfs share.
 */
#pragma once

#include <asm/errno.h>

#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/module/export.h"
#include "core/module/services.h"
#include "modules/devfs/devfs.h"
#include "modules/vfs/vfs.h"

int memory_devices_init(void);
void memory_devices_exit(void);
extern const struct file_ops kmsg_ops;
extern const struct file_ops log_console_ops;
/* random.c */
extern const struct file_ops random_ops, urandom_ops;
