/*
 * The names of the machine: nodename and domainname of uname(2).
 */
#pragma once

#include "core/sync/wait.h"

enum linux_name { LINUX_HOST_NAME, LINUX_DOMAIN_NAME };

/* Its text, cut to size - 1 bytes. May sleep. */
void linux_name_get(enum linux_name which, char *buf, size_t size);
/* Sets it to at most 64 bytes, and wakes who waits for that. May sleep. */
void linux_name_set(enum linux_name which, const char *text, size_t n);
/* How often it was set; the queue announces it. */
uint64_t linux_name_changes(enum linux_name which);
extern struct wait_queue linux_name_wait[2];
