/*
 * Device numbers and the files behind them. A character device node on any file system opens the operations
 * registered for its number.
 */
#pragma once

#include "core/lib/types.h"

struct file_ops;
struct file;

static inline uint64_t device_number(uint32_t major, uint32_t minor) { return (uint64_t)major << 20 | minor; }
static inline uint32_t device_major(uint64_t dev) { return (uint32_t)(dev >> 20); }
static inline uint32_t device_minor(uint64_t dev) { return (uint32_t)dev & 0xfffff; }
/* The forms of user space: mknod's argument and the 64-bit st_dev. */
uint64_t device_decode(uint64_t user);
uint64_t device_encode(uint64_t dev);

/*
 * Serves minors [minor, minor + count) of a character device. open() of the ops finds `private` in device_private(f).
 * -EBUSY if taken, -ENOMEM. May sleep.
 */
int device_register(uint32_t major, uint32_t minor, uint32_t count, const char *name,
		    const struct file_ops *ops, void *private);
/* Serves one number until somebody registers it. */
int device_register_fallback(uint32_t major, uint32_t minor, const char *name, const struct file_ops *ops);
void device_unregister(uint32_t major, uint32_t minor, uint32_t count);
/* What was registered for the device that f is open on. */
void *device_private(const struct file *f);
/* Lines "  1 mem" of /proc/devices; length as snprintf. */
int device_list(char *buf, size_t size);
