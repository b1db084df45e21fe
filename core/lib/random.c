/*
 * The random number generator: ChaCha20 (RFC 8439, section 2.3) with a key that is replaced by its own
 * output after each request, so that an earlier output cannot be computed from the state.
 *
 * Seeded from the port's hardware source and the cycle counter at the first use, and again every
 * RESEED_OUTPUTS requests; each request stirs the cycle counter in. Ready once READY_BITS of entropy
 * were credited: by the hardware source; by interrupts of devices, one bit for INTERRUPTS_PER_BIT of
 * them; by a process with CAP_SYS_ADMIN; or, when somebody waits for it, by the times at which the
 * waiting thread wakes. Whatever an ordinary program writes is mixed in and credited with nothing.
 *
 * Locking: one spinlock with interrupts off, held for one block at a time. The counts of interrupts are
 * the CPU's own, touched with interrupts off.
 */
#include "core/lib/random.h"

#include <asm/errno.h>

#include "core/arch/cpu.h"
#include "core/arch/platform.h"
#include "core/lib/string.h"
#include "core/module/export.h"
#include "core/sched/sched.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"

#define READY_BITS 256u
#define RESEED_OUTPUTS 1024u
#define INTERRUPTS_PER_BIT 64u
#define SAMPLE_NS NSEC_PER_MSEC		/* sleep between two samples of the waiting thread */

struct wait_queue random_ready_wait = WAIT_QUEUE_INIT(random_ready_wait);
KAPI(random_ready_wait);

/* Interrupts since a CPU last gave its pool to the key. */
static struct { uint64_t pool; unsigned int count; } interrupt_pools[CPU_MAX];

static struct {
	struct spinlock lock;
	uint32_t key[8];
	uint64_t counter;
	unsigned int entropy_bits;
	bool seeded;
} rng = { .lock = SPINLOCK_INIT(rng.lock) };

static inline uint32_t rotate(uint32_t v, int n) { return (v << n) | (v >> (32 - n)); }

static void quarter(uint32_t *x, int a, int b, int c, int d)
{
	x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 7);
}

static void block(const uint32_t key[8], uint64_t counter, uint32_t out[16])
{
	uint32_t in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };

	memcpy(in + 4, key, 32);
	in[12] = (uint32_t)counter;
	in[13] = (uint32_t)(counter >> 32);
	memcpy(out, in, sizeof(in));
	for (int i = 0; i < 10; i++) {
		quarter(out, 0, 4, 8, 12), quarter(out, 1, 5, 9, 13);
		quarter(out, 2, 6, 10, 14), quarter(out, 3, 7, 11, 15);
		quarter(out, 0, 5, 10, 15), quarter(out, 1, 6, 11, 12);
		quarter(out, 2, 7, 8, 13), quarter(out, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		out[i] += in[i];
}

/* Lock held. */
static void credit_locked(unsigned int bits)
{
	WRITE_ONCE(rng.entropy_bits, MIN(rng.entropy_bits + bits, READY_BITS));
}

/* Lock held. */
static void seed(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t v = 0;

		credit_locked(arch_random(&v));
		v ^= arch_cycles();
		rng.key[2 * i] ^= (uint32_t)v;
		rng.key[2 * i + 1] ^= (uint32_t)(v >> 32);
	}
	rng.seeded = true;
}

/* One block: half becomes the next key, half is output. */
static void next_output(uint32_t out[8])
{
	uint32_t words[16];
	unsigned long flags = spin_lock_irqsave(&rng.lock);

	if (unlikely(!rng.seeded || rng.counter % RESEED_OUTPUTS == 0))
		seed();
	rng.key[0] ^= (uint32_t)arch_cycles();
	block(rng.key, rng.counter++, words);
	memcpy(rng.key, words, 32);
	spin_unlock_irqrestore(&rng.lock, flags);
	memcpy(out, words + 8, 32);
	memset(words, 0, sizeof(words));
	compiler_barrier();
}

void random_bytes(void *buf, size_t n)
{
	uint32_t out[8];
	char *p = buf;

	while (n) {
		size_t part = MIN(n, sizeof(out));

		next_output(out);
		memcpy(p, out, part);
		p += part;
		n -= part;
	}
	memset(out, 0, sizeof(out));
	compiler_barrier();
}
KAPI(random_bytes);

uint64_t random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof(v));
	return v;
}
KAPI(random_u64);

void random_add(const void *data, size_t n, unsigned int bits)
{
	const unsigned char *p = data;
	unsigned long flags = spin_lock_irqsave(&rng.lock);
	bool was_ready = rng.entropy_bits >= READY_BITS, ready;
	uint32_t words[16];

	if (unlikely(!rng.seeded))
		seed();
	for (size_t i = 0; i < n; i++)
		((unsigned char *)rng.key)[i % 32] ^= p[i];
	rng.key[7] ^= (uint32_t)arch_cycles();
	block(rng.key, rng.counter++, words);
	memcpy(rng.key, words, 32);
	credit_locked(bits);
	ready = rng.entropy_bits >= READY_BITS;
	spin_unlock_irqrestore(&rng.lock, flags);
	if (ready && !was_ready)
		wait_wake_all(&random_ready_wait);
}
KAPI(random_add);

void random_mix(const void *data, size_t n)
{
	random_add(data, n, 0);
}
KAPI(random_mix);

void random_interrupt(unsigned int line)
{
	uint64_t cycles = arch_cycles(), *pool = &interrupt_pools[arch_cpu_id()].pool;

	*pool = (*pool << 7 | *pool >> 57) ^ (cycles * 0x9e3779b97f4a7c15 + line);
	if (++interrupt_pools[arch_cpu_id()].count % INTERRUPTS_PER_BIT == 0)
		random_add(pool, sizeof(*pool), 1);
}

void random_reseed(void)
{
	unsigned long flags = spin_lock_irqsave(&rng.lock);

	seed();
	spin_unlock_irqrestore(&rng.lock, flags);
}
KAPI(random_reseed);

unsigned int random_entropy_bits(void)
{
	if (unlikely(!READ_ONCE(rng.seeded)))
		random_u64();
	return READ_ONCE(rng.entropy_bits);
}
KAPI(random_entropy_bits);

bool random_ready(void)
{
	return random_entropy_bits() >= READY_BITS;
}
KAPI(random_ready);

int random_wait_ready(void)
{
	uint64_t last = 0, delta = 0, change = 0;

	while (!random_ready()) {
		int error = wait_event(&random_ready_wait, random_ready(), WAIT_INTERRUPTIBLE,
				       clock_monotonic() + SAMPLE_NS);
		uint64_t now[2] = { arch_cycles(), clock_monotonic() };
		uint64_t d = now[0] - last, c = d - delta;

		if (error && error != -ETIMEDOUT)
			return error;
		/* A time that the ones before it foretell says nothing. */
		random_add(now, sizeof(now), d && c && c != change);
		last = now[0];
		delta = d;
		change = c;
	}
	return 0;
}
KAPI(random_wait_ready);
