/*
 * The words every file uses: integer types, compiler attributes, and small helpers without state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (PAGE_SIZE - 1)

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define __noreturn    __attribute__((noreturn))
#define __packed      __attribute__((packed))
#define __aligned(n)  __attribute__((aligned(n)))
#define __maybe_unused __attribute__((unused))
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __must_check  __attribute__((warn_unused_result))
#define __noinline    __attribute__((noinline))
#undef __always_inline		/* linux/stddef.h has a weaker one */
#define __always_inline inline __attribute__((always_inline))
#define __section(s)  __attribute__((section(s), used))
/* Tables that only the loader changes: core/module/bind.c. */
#define __socket_table __section(".data.sockets")
#define fallthrough   __attribute__((fallthrough))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define ALIGN_UP(x, a)   ALIGN_DOWN((x) + ((__typeof__(x))(a) - 1), a)
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define DIV_UP(x, d)     (((x) + (d) - 1) / (d))

#define MIN(a, b) ({ __typeof__(a) min_a = (a); __typeof__(b) min_b = (b); min_a < min_b ? min_a : min_b; })
#define MAX(a, b) ({ __typeof__(a) max_a = (a); __typeof__(b) max_b = (b); max_a > max_b ? max_a : max_b; })

#define BIT(n) (1ul << (n))

/* One untorn access that the compiler neither repeats, caches nor drops. Orders nothing. */
#define READ_ONCE(x)     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define compiler_barrier() __asm__ volatile("" ::: "memory")

/* Acquire loads and release stores; every use names its partner. */
#define load_acquire(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define full_barrier()      __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Pointers that carry a negative errno: for the few calls that return an object. */
#define ERR_MAX 4095
static inline void *err_ptr(long error) { return (void *)error; }
static inline bool is_err(const void *p) { return (uintptr_t)p >= (uintptr_t)-ERR_MAX; }
static inline long ptr_err(const void *p) { return (long)p; }
