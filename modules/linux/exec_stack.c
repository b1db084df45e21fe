/*
 * The layout of a new address space and the initial stack (System V ABI, figure 3.9: argc, argv, envp, auxiliary vector, strings).
 *
 * The stack's contents are made in one kernel buffer and written in one go.
 */
#include "exec.h"

#include "core/arch/fpu.h"
#include "core/arch/platform.h"
#include "core/lib/random.h"
#include "core/mem/page_table.h"
#include "core/mem/vmap.h"
#include "core/time/clock.h"

#define STACK_GAP_MIN (128ul << 20)
#define STACK_GAP_MAX (USER_END / 6 * 5)
#define STACK_START_SIZE (33 * PAGE_SIZE)

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#define AT_RSEQ_ALIGN 28
#endif
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/*
 * The clock page is a device object: nobody may ever write or execute it. The port's vDSO image is an
 * ordinary object, filled from the kernel's copy: a debugger's write to it gives the program a page
 * of its own. Both are never freed.
 */
static struct memobj clock_object, vdso_object;

static int clock_device_page(struct memobj *o, uint64_t index, uint64_t *phys, unsigned int *bits)
{
	bool ok;

	(void)o;
	(void)bits;
	if (index)
		return -EFAULT;
	*phys = kernel_phys((uintptr_t)clock_page, &ok);
	return ok ? 0 : -EFAULT;
}

static int vdso_fill(struct memobj *o, uint64_t index, struct page *page)
{
	size_t size, from = index * PAGE_SIZE;
	const char *image = arch_vdso_image(&size);

	(void)o;
	if (from < size)
		memcpy(page_address(page), image + from, MIN(size - from, PAGE_SIZE));
	return 0;
}

static void never_released(struct memobj *o) { (void)o; }

#define VDSO_PAGES_MASK 0xfffffull	/* within 4 GiB of mmap_base */

static const struct memobj_ops clock_ops = {
	.device_page = clock_device_page, .release = never_released,
};
static const struct memobj_ops vdso_ops = { .fill = vdso_fill, .release = never_released };

static int map_vdso(struct exec *x)
{
	size_t size;
	struct map_request q = { .fixed = true, .limit = UINT64_MAX, .length = PAGE_SIZE };
	uintptr_t at, room;
	int error;

	if (!arch_vdso_image(&size) || !size)
		return 0;
	size = ALIGN_UP(size, PAGE_SIZE);
	if (!vdso_object.ops) {
		memobj_init(&clock_object, &clock_ops, PAGE_SIZE);
		memobj_init(&vdso_object, &vdso_ops, size);
	}
	/* An address of its own: who knows one library's does not know where system calls are made from. */
	room = aspace_find_room(x->as, size + PAGE_SIZE,
				x->no_random ? 0 : (random_u64() & VDSO_PAGES_MASK) << PAGE_SHIFT);
	if (!room)
		return -ENOMEM;
	q.addr = room;
	q.object = &clock_object;
	q.flags = REGION_READ | REGION_SPECIAL | REGION_NOEXEC | REGION_DONTDUMP;
	q.label = "[vvar]";
	error = aspace_map(x->as, &q, &at);
	if (error)
		return error;
	q.addr = room + PAGE_SIZE;
	q.length = size;
	q.object = &vdso_object;
	q.flags = REGION_READ | REGION_EXEC | REGION_MAY_WRITE | REGION_SPECIAL;
	q.label = "[vdso]";
	error = aspace_map(x->as, &q, &at);
	x->as->vdso = error ? 0 : at;
	return error;
}

int exec_layout(struct exec *x)
{
	uint64_t limit = current_task ? process_limit(current_process, RLIMIT_STACK) : 8ul << 20;
	uint64_t gap = MIN(MAX(limit, STACK_GAP_MIN), STACK_GAP_MAX);
	struct aspace *as = x->as;

	x->stack_top = USER_END - PAGE_SIZE;
	if (!x->no_random)
		x->stack_top -= (random_u64() & 0x3fffff) << PAGE_SHIFT;
	as->stack_limit = limit;
	as->locked_limit = current_task ? process_limit(current_process, RLIMIT_MEMLOCK) : UINT64_MAX / 2;
	as->data_limit = current_task ? process_data_limit(current_process) : UINT64_MAX;
	as->size_limit = current_task ? process_limit(current_process, RLIMIT_AS) : UINT64_MAX;
	as->mmap_base = ALIGN_DOWN(x->stack_top - gap - (2ul << 20), PAGE_SIZE);
	if (!x->no_random)
		as->mmap_base -= (random_u64() & 0xfffffff) << PAGE_SHIFT;
	return 0;
}

static int map_stack(struct exec *x, size_t need)
{
	size_t size = MAX(ALIGN_UP(need, PAGE_SIZE) + PAGE_SIZE, STACK_START_SIZE);
	struct map_request q = {
		.addr = x->stack_top - size, .length = size, .fixed = true, .limit = UINT64_MAX,
		.flags = REGION_READ | REGION_WRITE | REGION_MAY_WRITE | REGION_GROWSDOWN | REGION_STACK |
			 (x->image.stack_exec ? REGION_EXEC : 0),
	};
	uintptr_t at;

	return aspace_map(x->as, &q, &at);
}

_Static_assert(EXEC_AUX_MAX * 2 <= ASPACE_AUXV_WORDS, "auxiliary vector");

struct aux {
	uint64_t pair[EXEC_AUX_MAX][2];
	unsigned int count;
};

static void put_aux(struct aux *a, uint64_t type, uint64_t value)
{
	a->pair[a->count][0] = type;
	a->pair[a->count++][1] = value;
}

static void make_aux(struct exec *x, struct aux *a, uintptr_t random_at, uintptr_t platform_at, uintptr_t name_at)
{
	const struct identity *id = &x->change.id;

	if (x->as->vdso)
		put_aux(a, AT_SYSINFO_EHDR, x->as->vdso);
	put_aux(a, AT_MINSIGSTKSZ, arch_signal_min_stack());
	put_aux(a, AT_HWCAP, arch_hwcap());
	put_aux(a, AT_PAGESZ, PAGE_SIZE);
	put_aux(a, AT_CLKTCK, 100);
	put_aux(a, AT_PHDR, x->image.phdr);
	put_aux(a, AT_PHENT, sizeof(Elf64_Phdr));
	put_aux(a, AT_PHNUM, x->image.phnum);
	put_aux(a, AT_BASE, x->image.base);
	put_aux(a, AT_FLAGS, 0);
	put_aux(a, AT_ENTRY, x->image.entry);
	put_aux(a, AT_UID, id->uid);
	put_aux(a, AT_EUID, id->euid);
	put_aux(a, AT_GID, id->gid);
	put_aux(a, AT_EGID, id->egid);
	put_aux(a, AT_SECURE, x->change.secure);
	put_aux(a, AT_RANDOM, random_at);
	put_aux(a, AT_HWCAP2, arch_hwcap2());
	put_aux(a, AT_EXECFN, name_at);
	put_aux(a, AT_PLATFORM, platform_at);
	put_aux(a, AT_NULL, 0);
}

/* Pointers to `count` consecutive strings that begin at `text` here and at `at` in user memory. */
static const char *put_pointers(uint64_t *out, unsigned int count, const char *text, const char *base, uintptr_t at)
{
	for (unsigned int i = 0; i < count; i++) {
		out[i] = at + (uintptr_t)(text - base);
		text += strlen(text) + 1;
	}
	out[count] = 0;
	return text;
}

int exec_build_stack(struct exec *x)
{
	const struct exec_strings *s = &x->strings;
	const char *platform = arch_machine();
	size_t name_size = strlen(x->name) + 1, platform_size = strlen(platform) + 1;
	struct aux *aux = kzalloc(sizeof(*aux), 0);
	uintptr_t name_at, strings_at, platform_at, random_at, sp;
	size_t words, total;
	uint64_t *image;
	long done;
	int error = -ENOMEM;

	if (!aux)
		return -ENOMEM;
	/* From the top down: 8 zero bytes, file name, strings, platform, 16 random bytes, then the vectors. */
	name_at = x->stack_top - 8 - name_size;
	strings_at = name_at - s->used;
	platform_at = strings_at - platform_size;
	random_at = ALIGN_DOWN(platform_at - 16, 16);
	if (!x->no_random)
		random_at -= random_u64() & 0x1ff0;
	error = map_vdso(x);
	if (error)
		goto out;
	make_aux(x, aux, random_at, platform_at, name_at);
	words = 1 + s->argc + 1 + s->envc + 1 + aux->count * 2;
	sp = ALIGN_DOWN(random_at - words * 8, 16);
	total = x->stack_top - sp;
	error = map_stack(x, total);
	if (error)
		goto out;
	image = kvmalloc(total, ALLOC_ZERO);
	error = -ENOMEM;
	if (!image)
		goto out;
	image[0] = s->argc;
	put_pointers(image + 1, s->argc, s->data, s->data, strings_at);
	put_pointers(image + 2 + s->argc, s->envc, s->data + s->env_at, s->data, strings_at);
	memcpy(image + 3 + s->argc + s->envc, aux->pair, aux->count * 16);
	random_bytes((char *)image + (random_at - sp), 16);
	memcpy((char *)image + (platform_at - sp), platform, platform_size);
	memcpy((char *)image + (strings_at - sp), s->data, s->used);
	memcpy((char *)image + (name_at - sp), x->name, name_size);
	done = aspace_write(x->as, sp, image, total, false);
	kvfree(image);
	error = done == (long)total ? 0 : -E2BIG;
	memcpy(x->as->auxv, aux->pair, aux->count * 16);
	x->as->auxv_words = aux->count * 2;
	x->stack_pointer = sp;
	x->as->stack_start = sp;
	x->as->arg_start = strings_at;
	x->as->arg_end = x->as->env_start = strings_at + s->env_at;
	x->as->env_end = strings_at + s->used;
out:
	kfree(aux);
	return error;
}
