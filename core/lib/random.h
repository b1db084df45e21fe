/*
 * Random bytes for the kernel and for user space.
 */
#pragma once

#include "core/lib/types.h"

/* Cryptographically strong bytes (ChaCha20, keyed from hardware and timing). Any context but NMI. */
void random_bytes(void *buf, size_t n);
uint64_t random_u64(void);
/* Mixes something that an attacker cannot know into the key (interrupt timing, writes to /dev/random). Credits nothing. Any context. */
void random_mix(const void *data, size_t n);
/* True when enough entropy has been seen for keys. */
bool random_ready(void);
