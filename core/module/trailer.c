/*
 * Finding and verifying the signature of a module. The arithmetic is a packaged implementation of Ed25519, compiled into the core by the build
 * (tools/build/ninja.lua); decision 0021.
 *
 * Invariant: whatever the bytes say, what module_trailer_parse hands out lies within them. No locks, no state.
 */
#include "core/module/trailer.h"

#include <asm/errno.h>

#include "core/lib/string.h"

/* Of the package: 1 if the signature is that of the message. It does not look whether S, the second half, is below the order. */
int ed25519_verify(const unsigned char *signature, const unsigned char *message, size_t message_len,
		   const unsigned char *public_key);

#define MAGIC "~Module signature appended~\n"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)

/* As Linux has it in kernel/module_signature.h, which user space has no header of. */
struct module_signature {
	uint8_t algorithm, hash, kind, signer_size, key_size;
	uint8_t pad[3];
	uint8_t signature_size[4];	/* big-endian */
};

#define HASH_SHA512 6
#define KIND_KEY    1

static int refuse(const char **why, const char *what)
{
	*why = what;
	return -EBADMSG;
}

int module_trailer_parse(const void *image, size_t size, struct module_trailer *out, const char **why)
{
	const uint8_t *base = image;
	struct module_signature s;
	size_t left = size;

	*out = (struct module_trailer){ .covered = size };
	if (left < MAGIC_SIZE || memcmp(base + left - MAGIC_SIZE, MAGIC, MAGIC_SIZE))
		return 0;
	left -= MAGIC_SIZE;
	if (left < sizeof(s))
		return refuse(why, "its signature is cut short");
	left -= sizeof(s);
	memcpy(&s, base + left, sizeof(s));
	if (s.algorithm || s.hash != HASH_SHA512 || s.kind != KIND_KEY || s.key_size != MODULE_KEY_SIZE || s.pad[0] || s.pad[1] ||
	    s.pad[2] || s.signature_size[0] || s.signature_size[1] || s.signature_size[2] ||
	    s.signature_size[3] != MODULE_SIGNATURE_SIZE)
		return refuse(why, "its signature is of a kind that is not known");
	if (left < MODULE_SIGNATURE_SIZE + MODULE_KEY_SIZE + s.signer_size)
		return refuse(why, "its signature is cut short");
	out->signature = base + left - MODULE_SIGNATURE_SIZE;
	out->key = out->signature - MODULE_KEY_SIZE;
	out->covered = left - MODULE_SIGNATURE_SIZE - MODULE_KEY_SIZE - s.signer_size;
	return 0;
}

/* Is the number, little-endian, below the order of the group: 2^252 + 27742317777372353535851937790883648493? */
static bool below_order(const uint8_t *number)
{
	static const uint8_t order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10,
	};

	for (unsigned int i = 32; i--;)
		if (number[i] != order[i])
			return number[i] < order[i];
	return false;
}

bool module_signature_fits(const void *image, size_t covered, const uint8_t *signature, const uint8_t *key)
{
	return below_order(signature + 32) && ed25519_verify(signature, image, covered, key) == 1;
}
