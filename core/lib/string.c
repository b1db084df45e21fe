/*
 * Memory and string functions.
 *
 * Memory functions move eight bytes at a time, because the vector registers belong to user space; from ARCH_BULK_MIN bytes on
 * the port moves the words. No state, any context.
 */
#define STRING_FUNCTIONS	/* here are the functions themselves */
#include "core/lib/string.h"

#include <asm/errno.h>

#include <arch/string.h>

#include "core/module/export.h"

struct unaligned64 {
	uint64_t v;
} __packed __attribute__((may_alias));

#define LOAD64(p)     (((const struct unaligned64 *)(p))->v)
#define STORE64(p, x) (((struct unaligned64 *)(p))->v = (x))

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	char *d = dst;
	const char *s = src;

	if (n >= ARCH_BULK_MIN) {
		size_t bytes = n & ~7ul;

		arch_copy_words(d, s, bytes / 8);
		d += bytes;
		s += bytes;
		n &= 7;
	}
	for (; n >= 64; n -= 64, d += 64, s += 64) {
		uint64_t a = LOAD64(s), b = LOAD64(s + 8), c = LOAD64(s + 16), e = LOAD64(s + 24);
		uint64_t f = LOAD64(s + 32), g = LOAD64(s + 40), h = LOAD64(s + 48), i = LOAD64(s + 56);

		STORE64(d, a), STORE64(d + 8, b), STORE64(d + 16, c), STORE64(d + 24, e);
		STORE64(d + 32, f), STORE64(d + 40, g), STORE64(d + 48, h), STORE64(d + 56, i);
	}
	for (; n >= 8; n -= 8, d += 8, s += 8)
		STORE64(d, LOAD64(s));
	for (; n; n--) {
		*d++ = *s++;
		compiler_barrier();
	}
	return dst;
}
KAPI(memcpy);

void *memmove(void *dst, const void *src, size_t n)
{
	char *d = dst;
	const char *s = src;

	if ((uintptr_t)d - (uintptr_t)s >= n && (uintptr_t)s - (uintptr_t)d >= n)
		return memcpy(dst, src, n);
	if (d < s) {
		for (; n >= 8; n -= 8, d += 8, s += 8)
			STORE64(d, LOAD64(s));
		for (; n; n--) {
			*d++ = *s++;
			compiler_barrier();
		}
		return dst;
	}
	for (; n >= 8; n -= 8)
		STORE64(d + n - 8, LOAD64(s + n - 8));
	for (; n; n--) {
		d[n - 1] = s[n - 1];
		compiler_barrier();
	}
	return dst;
}
KAPI(memmove);

void *memset(void *dst, int byte, size_t n)
{
	char *d = dst;
	uint64_t v = 0x0101010101010101ull * (unsigned char)byte;

	if (n >= ARCH_BULK_MIN) {
		size_t bytes = n & ~7ul;

		arch_fill_words(d, v, bytes / 8);
		d += bytes;
		n &= 7;
	}
	for (; n >= 64; n -= 64, d += 64) {
		STORE64(d, v), STORE64(d + 8, v), STORE64(d + 16, v), STORE64(d + 24, v);
		STORE64(d + 32, v), STORE64(d + 40, v), STORE64(d + 48, v), STORE64(d + 56, v);
	}
	for (; n >= 8; n -= 8, d += 8)
		STORE64(d, v);
	for (; n; n--) {
		*d++ = (char)byte;
		compiler_barrier();
	}
	return dst;
}
KAPI(memset);

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n >= 8 && LOAD64(x) == LOAD64(y); n -= 8, x += 8, y += 8)
		;
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
KAPI(memcmp);

void *memchr(const void *s, int byte, size_t n)
{
	const unsigned char *p = s;

	for (; n; n--, p++)
		if (*p == (unsigned char)byte)
			return (void *)p;
	return NULL;
}
KAPI(memchr);

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}
KAPI(strlen);

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}
KAPI(strnlen);

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}
KAPI(strcmp);

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}
KAPI(strncmp);

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}
KAPI(strchr);

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}
KAPI(strrchr);

char *strstr(const char *s, const char *what)
{
	size_t n = strlen(what);

	for (; *s || !n; s++)
		if (!strncmp(s, what, n))
			return (char *)s;
	return NULL;
}
KAPI(strstr);

size_t str_copy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src);
	size_t fit = n < size ? n : size - 1;

	memcpy(dst, src, fit);
	dst[fit] = '\0';
	return n;
}
KAPI(str_copy);

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 99;
}

int str_to_u64(const char *s, const char *end, unsigned int base, uint64_t *out)
{
	uint64_t v = 0;

	if (!end)
		end = s + strlen(s);
	if (base == 0) {
		base = 10;
		if (end - s > 1 && s[0] == '0') {
			bool hex = end - s > 2 && (s[1] == 'x' || s[1] == 'X');

			base = hex ? 16 : 8;
			s += hex ? 2 : 1;
		}
	}
	if (s >= end)
		return -EINVAL;
	for (; s < end; s++) {
		unsigned int d = (unsigned int)digit_value(*s);

		if (d >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) || __builtin_add_overflow(v, d, &v))
			return -ERANGE;
	}
	*out = v;
	return 0;
}
KAPI(str_to_u64);

int str_to_i64(const char *s, const char *end, unsigned int base, int64_t *out)
{
	bool negative = *s == '-';
	uint64_t v;
	int error;

	if (*s == '-' || *s == '+')
		s++;
	error = str_to_u64(s, end, base, &v);
	if (error)
		return error;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*out = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}
KAPI(str_to_i64);
