/*
 * The signature behind a module: where it stands, and whether it fits. No allocation, no kernel state: host tests and the fuzzer run it as it is.
 *
 * A signed file is
 *	the module's bytes, all of which the signature covers
 *	the signer's name, for people only
 *	the public key that the signature is to be verified with
 *	the signature: pure Ed25519 (RFC 8032)
 *	struct module_signature of Linux: algorithm 0, hash 6 (SHA-512), kind 1, the lengths of the three above
 *	"~Module signature appended~\n"
 * which is Linux's layout of signatures that are not PKCS#7, so kmod's modinfo shows what is in it. tools/sign.lua writes it.
 */
#pragma once

#include "core/lib/types.h"

#define MODULE_KEY_SIZE	      32u
#define MODULE_SIGNATURE_SIZE 64u

struct module_trailer {
	size_t covered;			/* length of the module itself: the whole if there is no signature */
	const uint8_t *key;		/* null: there is no signature */
	const uint8_t *signature;
};

/* Finds the trailer of a file in memory. 0, signed or not; -EBADMSG with *why: it ends like a signed one and is none. */
int module_trailer_parse(const void *image, size_t size, struct module_trailer *out, const char **why);
/* Is it the signature of these bytes by this key? Of the forms that RFC 8032 leaves open the strict ones: S is below the order. */
bool module_signature_fits(const void *image, size_t covered, const uint8_t *signature, const uint8_t *key);

/* The public half of the key that signs the modules of this build; tools/sign.lua. */
extern const uint8_t module_public_key[MODULE_KEY_SIZE];
