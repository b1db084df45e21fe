/*
 * Signatures of modules: the known answers of RFC 8032 (7.1: tests 1, 2, 3 and SHA(abc)) and what differs from them by a bit; the trailer's
 * parser over whole, cut and damaged files, each in memory of exactly its size, so that the address sanitizer sees a read outside.
 */
// sources: core/module/trailer.c build/foreign/source/olm/lib/ed25519/src/verify.c build/foreign/source/olm/lib/ed25519/src/ge.c build/foreign/source/olm/lib/ed25519/src/fe.c build/foreign/source/olm/lib/ed25519/src/sc.c build/foreign/source/olm/lib/ed25519/src/sha512.c
// timeout: 120
#include <errno.h>
#include <string.h>

#include "host.h"

#include "core/module/trailer.h"

struct answer {
	const char *key, *message, *signature;
};

static const struct answer answers[] = {
	{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	{ "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	  "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704" },
};

static size_t unhex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned int byte;

		sscanf(text + 2 * i, "%2x", &byte);
		out[i] = (uint8_t)byte;
	}
	return n;
}

static void check_answers(void)
{
	for (size_t k = 0; k < sizeof(answers) / sizeof(answers[0]); k++) {
		uint8_t key[32], signature[64], message[65] = { 0 };
		size_t n = unhex(answers[k].message, message);

		CHECK(unhex(answers[k].key, key) == 32 && unhex(answers[k].signature, signature) == 64);
		CHECK(module_signature_fits(message, n, signature, key));
		CHECK(!module_signature_fits(message, n + 1, signature, key));
		for (unsigned int bit = 0; bit < 8 * n; bit += 13) {
			message[bit / 8] ^= 1 << bit % 8;
			CHECK(!module_signature_fits(message, n, signature, key));
			message[bit / 8] ^= 1 << bit % 8;
		}
		for (unsigned int bit = 0; bit < 8 * 64; bit += 5) {
			signature[bit / 8] ^= 1 << bit % 8;
			CHECK(!module_signature_fits(message, n, signature, key));
			signature[bit / 8] ^= 1 << bit % 8;
		}
		for (unsigned int bit = 0; bit < 8 * 32; bit += 11) {
			key[bit / 8] ^= 1 << bit % 8;
			CHECK(!module_signature_fits(message, n, signature, key));
			key[bit / 8] ^= 1 << bit % 8;
		}
	}
}

/* S and S + L verify alike by the equation: only the smaller is a signature. */
static void check_malleability(void)
{
	static const uint8_t order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10,
	};
	uint8_t key[32], signature[64], message = 0x72;
	unsigned int carry = 0;

	unhex(answers[1].key, key);
	unhex(answers[1].signature, signature);
	for (int i = 0; i < 32; i++) {
		carry += signature[32 + i] + order[i];
		signature[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	CHECK(!(signature[63] & 0xe0));
	CHECK(!module_signature_fits(&message, 1, signature, key));
	memcpy(signature + 32, order, 32);
	CHECK(!module_signature_fits(&message, 1, signature, key));
}

#define BODY   100
#define SIGNER 5
#define WHOLE  (BODY + SIGNER + 32 + 64 + 12 + 28)

static void make(uint8_t *file)
{
	uint8_t *at = file + BODY;

	memset(file, 0x55, WHOLE);
	memcpy(at, "maker", SIGNER);
	at += SIGNER;
	memset(at, 0xaa, 32);
	memset(at + 32, 0xbb, 64);
	at += 96;
	memcpy(at, (uint8_t[12]){ 0, 6, 1, SIGNER, 32, 0, 0, 0, 0, 0, 0, 64 }, 12);
	memcpy(at + 12, "~Module signature appended~\n", 28);
}

static int parse(const uint8_t *file, size_t size, struct module_trailer *t)
{
	uint8_t *copy = malloc(size ? size : 1);
	const char *why = NULL;
	int error;

	memcpy(copy, file, size);
	error = module_trailer_parse(copy, size, t, &why);
	CHECK(error == 0 || (error == -EBADMSG && why));
	if (!error && t->key) {
		volatile uint8_t sum = 0;

		for (int i = 0; i < 64; i++)
			sum += t->signature[i] + t->key[i % 32];
		CHECK(t->covered <= size && t->signature == t->key + 32);
	}
	free(copy);
	return error;
}

static void check_trailers(void)
{
	uint8_t file[WHOLE], longer[WHOLE + 1];
	struct module_trailer t;
	unsigned int seed = 3;

	make(file);
	CHECK(!parse(file, WHOLE, &t) && t.key && t.covered == BODY);
	/* From the front: less is covered, until the trailer itself is cut. */
	for (size_t cut = 0; cut <= WHOLE; cut++) {
		int error = parse(file + cut, WHOLE - cut, &t);

		if (cut <= BODY)
			CHECK(!error && t.key && t.covered == BODY - cut);
		else if (WHOLE - cut >= 28)
			CHECK(error == -EBADMSG);
		else
			CHECK(!error && !t.key && t.covered == WHOLE - cut);
	}
	/* From the end, and with more behind it: not signed. */
	for (size_t size = 0; size < WHOLE; size++)
		CHECK(!parse(file, size, &t) && !t.key && t.covered == size);
	memcpy(longer, file, WHOLE);
	longer[WHOLE] = 0;
	CHECK(!parse(longer, sizeof(longer), &t) && !t.key && t.covered == sizeof(longer));
	/* Each field of the structure, each wrong value; the signer's length may be anything that fits. */
	for (unsigned int at = 0; at < 12; at++)
		for (unsigned int value = 0; value < 256; value++) {
			uint8_t *field = file + BODY + SIGNER + 96 + at;

			make(file);
			if (at == 3) {
				*field = (uint8_t)value;
				CHECK(parse(file, WHOLE, &t) == (value > BODY + SIGNER ? -EBADMSG : 0));
			} else if (*field != value) {
				*field = (uint8_t)value;
				CHECK(parse(file, WHOLE, &t) == -EBADMSG);
			}
		}
	for (int n = 0; n < 100000; n++) {
		make(file);
		for (int k = 1 + rand_r(&seed) % 4; k; k--)
			file[BODY + rand_r(&seed) % (WHOLE - BODY)] = (uint8_t)rand_r(&seed);
		parse(file, WHOLE - (rand_r(&seed) % 8 ? 0 : rand_r(&seed) % WHOLE), &t);
	}
}

int main(void)
{
	check_answers();
	check_malleability();
	check_trailers();
	return check_done();
}
