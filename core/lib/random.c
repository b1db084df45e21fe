/*
 * The random number generator: ChaCha20 (RFC 8439, section 2.3) with a key that is replaced by its own output after each request, so that an
 * earlier output cannot be computed from the state.
 *
 * Seeded from the port's hardware source and the cycle counter at the first use; reseeded from both on each request. Ready when the hardware gave
 * entropy, or when 256 samples of timing were mixed in.
 *
 * Locking: one spinlock with interrupts off, held for one block at a time.
 */
#include "core/lib/random.h"

#include "core/arch/cpu.h"
#include "core/arch/platform.h"
#include "core/lib/string.h"
#include "core/module/export.h"
#include "core/sync/spinlock.h"

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
static void seed(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t v = 0;

		rng.entropy_bits += arch_random(&v);
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

	if (unlikely(!rng.seeded))
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

void random_mix(const void *data, size_t n)
{
	const unsigned char *p = data;
	unsigned long flags = spin_lock_irqsave(&rng.lock);
	uint32_t words[16];

	for (size_t i = 0; i < n; i++)
		((unsigned char *)rng.key)[i % 32] ^= p[i];
	rng.key[7] ^= (uint32_t)arch_cycles();
	block(rng.key, rng.counter++, words);
	memcpy(rng.key, words, 32);
	if (rng.entropy_bits < 256)
		rng.entropy_bits++;
	spin_unlock_irqrestore(&rng.lock, flags);
}
KAPI(random_mix);

bool random_ready(void)
{
	return rng.seeded ? rng.entropy_bits >= 128 : (random_u64(), rng.entropy_bits >= 128);
}
KAPI(random_ready);
