/*
 * What the files of sysfs share.
 */
#pragma once

#include <asm/errno.h>

#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/module/export.h"
#include "core/module/module.h"
#include "modules/sysfs/sysfs.h"
#include "modules/vfs/vfs.h"

extern struct super *sys_super;
/* root.c: the list of the processors online. */
int sys_show_online(struct text_out *t, void *arg);
/* node.c: makes /sys/devices/system/node. */
int sys_node_init(void);
/* cpu.c */
int sys_cpu_init(void);
/* Makes /sys/module. */
int sys_module_init(void);
/* Is it an inode of modules.c? Frees its data. */
bool sys_module_evict(struct inode *inode);
