/*
 * Random bytes for the kernel and for user space.
 */
#pragma once

#include "core/lib/types.h"

struct wait_queue;

/* Cryptographically strong bytes (ChaCha20, keyed from hardware and timing). Any context but NMI. */
void random_bytes(void *buf, size_t n);
uint64_t random_u64(void);
/* Mixes data into the key. Credits nothing: anybody may have chosen them. Any context but NMI. */
void random_mix(const void *data, size_t n);
/* ... and credits `bits` of entropy, which the caller vouches for. Any context but NMI. */
void random_add(const void *data, size_t n, unsigned int bits);
/* The time of a device's interrupt. Interrupts off. */
void random_interrupt(unsigned int line);
/* Takes new entropy from the hardware source now. Any context but NMI. */
void random_reseed(void);
/* The bits of entropy credited so far, 256 at most. */
unsigned int random_entropy_bits(void);
/* Has enough entropy been seen for keys (256 bits)? It stays so. */
bool random_ready(void);
/* Woken when it becomes so. */
extern struct wait_queue random_ready_wait;
/* Sleeps until it has, gathering it meanwhile. 0, -EINTR, -ERESTART_MODULE (getrandom(2)). */
int random_wait_ready(void);
