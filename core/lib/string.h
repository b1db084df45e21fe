/*
 * Memory and string functions with their C library meaning, bounded copies, number parsing, formatted output.
 */
#pragma once

#include <stdarg.h>

#include "core/lib/types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);

/* The compiler makes small constant sizes into moves; it calls the functions for the rest. */
#if !defined(HOST_TEST) && !defined(STRING_FUNCTIONS)
#define memcpy(dst, src, n) __builtin_memcpy(dst, src, n)
#define memset(dst, byte, n) __builtin_memset(dst, byte, n)
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)
#define strlen(s) __builtin_strlen(s)
#endif

/* Copies at most size - 1 bytes and terminates; returns strlen(src), so >= size means cut. `size` > 0. */
size_t str_copy(char *dst, const char *src, size_t size);
/* Parses an unsigned number (base 0: 0x, 0 prefixes) that must fill the string up to *end or its NUL. 0, -EINVAL, -ERANGE. */
int str_to_u64(const char *s, const char *end, unsigned int base, uint64_t *out);
/* As str_to_u64 with an optional sign. */
int str_to_i64(const char *s, const char *end, unsigned int base, int64_t *out);

/*
 * printf to memory: %d %i %u %x %X %o %c %s %p %% with flags "-0+ #", width, precision, '*', h hh l ll z.
 * Terminates if size > 0; returns the length that the whole text has (which may be >= size).
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printf(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
