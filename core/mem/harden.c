/*
 * Checks of the allocators and of copies to user space that the command line switches.
 *
 * init_on_alloc=1, init_on_free=1 and hardened_usercopy=off|on are Linux's words; slab_debug asks for HARDEN_SLAB. What the release
 * configuration does without a word is HARDEN_USERCOPY; the debug configuration looks at slab objects, too.
 *
 * A free object of HARDEN_SLAB: its first word is the free list's, its last one the mark, which depends on a secret and on the
 * address, so that no contents that a user chooses look like it; what lies between is filled. Objects of less than two words have no
 * mark. The secret also hides the links of the free lists, always.
 *
 * Locking: none. The words are constant after harden_start(); objects are their holders'.
 */
#include "core/mem/harden.h"

#include "internal.h"

#include "core/arch/platform.h"
#include "core/boot/boot.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/sched/thread.h"

#define FILL 0x6b
#define RO_AFTER_INIT __attribute__((section(".data.ro_after_init")))

#ifdef CONFIG_DEBUG
#define HARDEN_DEFAULT (HARDEN_USERCOPY | HARDEN_SLAB)
#else
#define HARDEN_DEFAULT HARDEN_USERCOPY
#endif

unsigned int harden RO_AFTER_INIT = HARDEN_DEFAULT;
uintptr_t harden_secret RO_AFTER_INIT;

extern const char kernel_image_start[], kernel_text_end[];

static void word(const char *name, unsigned int bit)
{
	const char *v = cmdline_value(name);

	if (!v)
		return;
	if (!*v || !strcmp(v, "1") || !strcmp(v, "on") || !strcmp(v, "y"))
		harden |= bit;
	else if (!strcmp(v, "0") || !strcmp(v, "off") || !strcmp(v, "n"))
		harden &= ~bit;
}

void harden_start(void)
{
	uint64_t secret;

	word("init_on_alloc", HARDEN_INIT_ALLOC);
	word("init_on_free", HARDEN_INIT_FREE);
	word("slab_debug", HARDEN_SLAB);
	word("hardened_usercopy", HARDEN_USERCOPY);
	arch_random(&secret);
	harden_secret = secret;
}

static uintptr_t *mark_of(void *object, size_t size)
{
	return (uintptr_t *)((char *)object + size - sizeof(uintptr_t));
}

static uintptr_t mark_value(const void *object)
{
	return harden_secret * 0x9e3779b97f4a7c15ul ^ (uintptr_t)object;
}

void harden_object_fill(void *object, size_t size)
{
	if (size < 2 * sizeof(uintptr_t))
		return;
	memset((char *)object + sizeof(uintptr_t), FILL, size - 2 * sizeof(uintptr_t));
	*mark_of(object, size) = mark_value(object);
}

void harden_object_free(const struct kmem_cache *c, void *object, size_t size)
{
	if (slab_cache_of(object) != c)
		panic("slab: object %p does not belong to cache %s", object, slab_cache_name(c));
	if (slab_object_of(object) != object)
		panic("slab: %p lies within an object of cache %s", object, slab_cache_name(c));
	if (size >= 2 * sizeof(uintptr_t) && *mark_of(object, size) == mark_value(object))
		panic("slab: object %p of cache %s is freed twice", object, slab_cache_name(c));
	harden_object_fill(object, size);
}

void harden_object_take(const struct kmem_cache *c, void *object, size_t size)
{
	const unsigned char *bytes = object;

	if (size < 2 * sizeof(uintptr_t))
		return;
	for (size_t i = sizeof(uintptr_t); i < size - sizeof(uintptr_t); i++)
		if (bytes[i] != FILL)
			panic("slab: object %p of cache %s was written to at %zu while it was free", object,
			      slab_cache_name(c), i);
	if (*mark_of(object, size) != mark_value(object))
		panic("slab: the end of object %p of cache %s was written to while it was free", object,
		      slab_cache_name(c));
	*mark_of(object, size) = 0;
}

static void refuse(const void *kernel, size_t n, const char *what)
{
	panic("a copy of %zu bytes between user space and %p, which is %s", n, kernel, what);
}

static void check_page(const void *kernel, size_t n)
{
	const struct page *p = virt_to_page(kernel);
	const char *object;

	switch (READ_ONCE(p->kind)) {
	case PAGE_SLAB:
		object = slab_object_of(kernel);
		if ((size_t)((const char *)kernel - object) + n > slab_object_size(slab_cache_of(kernel)))
			refuse(kernel, n, "beyond the end of an object");
		break;
	case PAGE_ANON:
	case PAGE_OBJECT:
		if (((uintptr_t)kernel & (PAGE_SIZE - 1)) + n > PAGE_SIZE)
			refuse(kernel, n, "beyond the end of a page");
		break;
	case PAGE_FREE:
	case PAGE_TABLE:
		refuse(kernel, n, "no memory of data");
	}
}

void harden_check_copy(const void *kernel, size_t n)
{
	uintptr_t at = (uintptr_t)kernel, base = current->stack_base;

	if (!n)
		return;
	if (likely((at - KERNEL_DIRECT_BASE) >> PAGE_SHIFT < page_map_count)) {
		check_page(kernel, n);
	} else if (at - base < KERNEL_STACK_SIZE) {
		if (at < (uintptr_t)__builtin_frame_address(0) || n > KERNEL_STACK_SIZE - (at - base))
			refuse(kernel, n, "outside the frames of the stack");
	} else if (at < KERNEL_HALF_BASE || n > -at ||
		   (at >= (uintptr_t)kernel_image_start && at < (uintptr_t)kernel_text_end)) {
		refuse(kernel, n, "no memory of data");
	}
}
