/* Strings, numbers, formatted output, bit searches and red-black trees, against the C library and simple models. */
// sources: core/lib/bits.c core/lib/rbtree.c core/lib/printf.c core/lib/string.c
// flags: -fno-builtin -Dmemcpy=k_memcpy -Dmemmove=k_memmove -Dmemset=k_memset -Dmemcmp=k_memcmp -Dmemchr=k_memchr -Dstrlen=k_strlen -Dstrnlen=k_strnlen -Dstrcmp=k_strcmp -Dstrncmp=k_strncmp -Dstrchr=k_strchr -Dstrrchr=k_strrchr -Dstrstr=k_strstr -Dsnprintf=k_snprintf -Dvsnprintf=k_vsnprintf
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#undef snprintf
#undef vsnprintf
#undef memcmp
#undef strcmp
int snprintf(char *, size_t, const char *, ...);
int memcmp(const void *, const void *, size_t);
int strcmp(const char *, const char *);
int k_snprintf(char *, size_t, const char *, ...);

#include "check.h"
#include "core/lib/bits.h"
#include "core/lib/rbtree.h"

void *k_memcpy(void *, const void *, size_t);
void *k_memmove(void *, const void *, size_t);
void *k_memset(void *, int, size_t);
int k_memcmp(const void *, const void *, size_t);
char *k_strstr(const char *, const char *);
int str_to_u64(const char *s, const char *end, unsigned int base, uint64_t *out);
int str_to_i64(const char *s, const char *end, unsigned int base, int64_t *out);

static void copies(void)
{
	unsigned char a[300], b[300], c[300];
	unsigned int seed = 7;

	for (int n = 0; n < 20000; n++) {
		size_t from = rand_r(&seed) % 150, to = rand_r(&seed) % 150, len = rand_r(&seed) % 150;

		for (int i = 0; i < 300; i++)
			a[i] = b[i] = (unsigned char)rand_r(&seed);
		for (size_t i = 0; i < len; i++)
			c[i] = b[from + i];
		for (size_t i = 0; i < len; i++)
			b[to + i] = c[i];
		k_memmove(a + to, a + from, len);
		if (memcmp(a, b, 300)) {
			CHECK(!"memmove differs");
			return;
		}
	}
	k_memset(a, 0x5a, 300);
	CHECK(a[0] == 0x5a && a[299] == 0x5a && k_memcmp(a, a, 300) == 0);
	CHECK(k_memcmp("abcdefghi", "abcdefghj", 9) < 0);
	CHECK(k_strstr("hello", "ll") && !k_strstr("hello", "lo!"));
}

#define SAME(...)                                                                                  \
	do {                                                                                       \
		char mine[128], theirs[128];                                                       \
		int n = k_snprintf(mine, sizeof(mine), __VA_ARGS__);                               \
		int m = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                             \
		if (n != m || strcmp(mine, theirs))                                                \
			printf("# '%s' and '%s'\n", mine, theirs);                                 \
		CHECK(n == m && !strcmp(mine, theirs));                                            \
	} while (0)

static void formats(void)
{
	char small[4];

	SAME("%d %i %u %x %X %o", -5, 7, 8u, 0xbeefu, 0xbeefu, 8u);
	SAME("%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42);
	SAME("%.3d|%8.3d|%-8.3d|%08.3d", 7, 7, 7, 7);
	SAME("%#x|%#o|%#x", 255u, 8u, 0u);
	SAME("%ld %lu %llx %zu %hd %hhu", -1l, ~0ul, ~0ull, (size_t)9, (short)-3, (unsigned char)200);
	SAME("%s|%10s|%-10s|%.2s|%c|%%", "abc", "abc", "abc", "abc", 'x');
	SAME("%*d|%-*d|%.*s", 6, 5, 6, 5, 2, "xyz");
	SAME("%d %d", INT32_MIN, INT32_MAX);
	SAME("%.0d|%.0x", 0, 0u);
	CHECK(k_snprintf(small, sizeof(small), "%s", "abcdef") == 6 && !strcmp(small, "abc"));
	CHECK(k_snprintf(NULL, 0, "%d", 1234) == 4);
}

static void numbers(void)
{
	uint64_t u;
	int64_t i;

	CHECK(!str_to_u64("0x1F", NULL, 0, &u) && u == 31);
	CHECK(!str_to_u64("017", NULL, 0, &u) && u == 15);
	CHECK(!str_to_u64("18446744073709551615", NULL, 10, &u) && u == UINT64_MAX);
	CHECK(str_to_u64("18446744073709551616", NULL, 10, &u) == -ERANGE);
	CHECK(str_to_u64("", NULL, 10, &u) == -EINVAL && str_to_u64("12a", NULL, 10, &u) == -EINVAL);
	CHECK(!str_to_i64("-9223372036854775808", NULL, 10, &i) && i == INT64_MIN);
	CHECK(str_to_i64("9223372036854775808", NULL, 10, &i) == -ERANGE && str_to_i64("-", NULL, 10, &i) == -EINVAL);
}

static void bits(void)
{
	unsigned long map[4] = { 0 };
	unsigned int seed = 3;

	for (int n = 0; n < 20000; n++) {
		unsigned int bit = rand_r(&seed) % 200, from = rand_r(&seed) % 210, set = 200, clear = 200;

		rand_r(&seed) & 1 ? bitmap_set(map, bit) : bitmap_clear(map, bit);
		for (unsigned int k = from; k < 200; k++) {
			if (set == 200 && bitmap_test(map, k))
				set = k;
			if (clear == 200 && !bitmap_test(map, k))
				clear = k;
		}
		if (bitmap_next_set(map, 200, from) != set || bitmap_next_clear(map, 200, from) != clear) {
			CHECK(!"a bit search differs");
			return;
		}
	}
	CHECK(bit_lowest(8) == 3 && bit_highest(9) == 3);
}

struct item {
	struct rb_node node;
	unsigned int key, in;
};

static bool less(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct item, node)->key < rb_entry(b, struct item, node)->key;
}

/* Black height below n, or -1 if a rule is broken. */
static int height(const struct rb_node *n)
{
	int l, r;

	if (!n)
		return 1;
	l = height(n->left);
	r = height(n->right);
	if (l < 0 || l != r)
		return -1;
	if (!(n->parent_color & 1) && ((n->left && !(n->left->parent_color & 1)) || (n->right && !(n->right->parent_color & 1))))
		return -1;
	return l + (n->parent_color & 1);
}

static void trees(void)
{
	static struct item items[200];
	struct rb_root root = { NULL };
	unsigned int seed = 11, broken = 0;

	for (int n = 0; n < 40000; n++) {
		struct item *i = &items[rand_r(&seed) % 200];
		unsigned int count = 0, expected = 0, last = 0;

		if (i->in) {
			rb_remove(&root, &i->node);
		} else {
			i->key = rand_r(&seed) % 100;
			rb_insert(&root, &i->node, less);
		}
		i->in = !i->in;
		if (n % 50)
			continue;
		for (int k = 0; k < 200; k++)
			expected += items[k].in;
		for (struct rb_node *p = rb_first(&root); p; p = rb_next(p), count++) {
			broken += rb_entry(p, struct item, node)->key < last;
			last = rb_entry(p, struct item, node)->key;
		}
		broken += count != expected || height(root.top) < 0;
		count = 0;
		for (struct rb_node *p = rb_last(&root); p; p = rb_prev(p))
			count++;
		broken += count != expected;
	}
	CHECK(broken == 0);
}

int main(void)
{
	copies();
	formats();
	numbers();
	bits();
	trees();
	return check_done();
}
