/*
 * The life of address spaces: creation, the copy for fork, the end; and the core's bookkeeping of promised memory.
 *
 * Fork copies entries of private regions that may have pages of their own, write-protecting both sides; everything else is found again
 * in its object on the first access. All under the parent's lock for writing, so that no fault interferes.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/arch/cpu.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/module/export.h"
#include "core/module/hooks.h"
#include "core/sched/cpu.h"

static struct kmem_cache *aspace_cache;
static uint64_t next_id;
static int64_t committed;
int memory_overcommit_mode;
KAPI(memory_overcommit_mode);

void aspace_start(void)
{
	aspace_cache = kmem_cache_create("aspace", sizeof(struct aspace), 64);
	kassert(aspace_cache);
	memobj_tree_start();
	region_start();
}

/* Mode 0 refuses only what can never be had, mode 1 nothing, mode 2 what is not backed by half of RAM. */
bool commit_charge(uint64_t pages)
{
	int64_t now = __atomic_add_fetch(&committed, (int64_t)pages, __ATOMIC_RELAXED);
	int mode = READ_ONCE(memory_overcommit_mode);

	if (mode == 1)
		return true;
	if (mode == 0 && pages <= page_total())
		return true;
	if (mode == 2 && now <= (int64_t)(page_total() / 2))
		return true;
	commit_release(pages);
	return false;
}

void commit_release(uint64_t pages)
{
	__atomic_fetch_sub(&committed, (int64_t)pages, __ATOMIC_RELAXED);
}

uint64_t memory_committed(void)
{
	int64_t n = READ_ONCE(committed);

	return n < 0 ? 0 : (uint64_t)n;
}
KAPI(memory_committed);

int aspace_create(struct aspace **out)
{
	struct aspace *as = kmem_cache_alloc(aspace_cache, ALLOC_ZERO);
	int error;

	if (!as)
		return -ENOMEM;
	error = page_table_create(&as->mmu);
	if (error) {
		kmem_cache_free(aspace_cache, as);
		return error;
	}
	refcount_init(&as->users, 1);
	refcount_init(&as->refs, 1);
	rwlock_init(&as->lock);
	spin_init(&as->pt_lock);
	list_init(&as->region_list);
	as->id = __atomic_add_fetch(&next_id, 1, __ATOMIC_RELAXED);
	as->mmap_base = USER_END - PAGE_SIZE;
	as->stack_limit = 8ul << 20;
	as->locked_limit = 8ul << 20;
	as->data_limit = as->size_limit = UINT64_MAX;
	*out = as;
	return 0;
}
KAPI(aspace_create);

/* A CPU that still has the tables loaded for a kernel thread or idle lets go of them. */
static void drop_lazy(void *arg)
{
	struct cpu *cpu = arch_cpu_self();

	if (cpu->aspace != arg)
		return;
	arch_mmu_load(NULL);
	bitmap_clear_atomic(cpu->aspace->cpus.bits, cpu->id);
	cpu->aspace = NULL;
}

void aspace_release(struct aspace *as)
{
	if (refcount_put(&as->refs))
		kmem_cache_free(aspace_cache, as);
}
KAPI(aspace_release);

static void zap_region(struct aspace *as, struct region *r)
{
	zap_range(as, r, r->start, r->end, false);
}

void aspace_put(struct aspace *as)
{
	if (!refcount_put(&as->users))
		return;
	hook_call(aspace_free, as);
	cpu_call_each(&as->cpus, drop_lazy, as);
	region_destroy_all(as, zap_region);
	page_table_destroy(&as->mmu);
	aspace_release(as);
}
KAPI(aspace_put);

/* Copies the entries of one leaf table's part. Both pt_locks are not needed: the child is ours, the parent's lock is held for writing, but device code zaps under pt_lock. */
static int fork_entries(struct aspace *from, struct aspace *to, uintptr_t va, uintptr_t stop, bool *protected)
{
	uint64_t *src, *dst = page_table_entry(&to->mmu, va, true);

	if (!dst)
		return -ENOMEM;
	spin_lock(&from->pt_lock);
	src = page_table_entry(&from->mmu, va, false);
	for (; src && va < stop; va += PAGE_SIZE, src++, dst++) {
		uint64_t e = *src;
		struct page *p;

		if (!e)
			continue;
		if (!arch_pte_special(e)) {
			p = phys_to_page(arch_pte_phys(e));
			if (p->kind == PAGE_ANON)
				to->resident_anon++;
			else
				to->resident_file++;
			page_get(p);
			if (arch_pte_writable(e)) {
				e = arch_pte_wrprotect(e);
				WRITE_ONCE(*src, e);
				*protected = true;
			}
		}
		*dst = e;
	}
	spin_unlock(&from->pt_lock);
	return 0;
}

static int fork_pages(struct aspace *from, struct aspace *to, struct region *r, bool *protected)
{
	uintptr_t va = page_table_next(&from->mmu, r->start, r->end);

	while (va < r->end) {
		uintptr_t stop = MIN(r->end, ALIGN_DOWN(va, 512 * PAGE_SIZE) + 512 * PAGE_SIZE);
		int error = fork_entries(from, to, va, stop, protected);

		if (error)
			return error;
		va = page_table_next(&from->mmu, stop, r->end);
	}
	return 0;
}

static int fork_region(struct aspace *from, struct aspace *to, struct region *r, bool *protected)
{
	struct region *copy;

	if (r->flags & REGION_DONTFORK)
		return 0;
	if ((r->flags & REGION_ACCOUNTED) && !commit_charge((r->end - r->start) >> PAGE_SHIFT))
		return -ENOMEM;
	copy = region_create(r->start, r->end, r->flags & ~(REGION_LOCKED | REGION_LOCK_ON_FAULT));
	if (!copy) {
		if (r->flags & REGION_ACCOUNTED)
			commit_release((r->end - r->start) >> PAGE_SHIFT);
		return -ENOMEM;
	}
	copy->object = r->object;
	copy->offset = r->offset;
	copy->owner = r->owner;
	copy->owner_ops = r->owner_ops;
	copy->label = r->label;
	copy->has_private = r->has_private && !(r->flags & REGION_WIPEONFORK);
	if (copy->object)
		memobj_get(copy->object);
	if (copy->owner)
		copy->owner_ops->get(copy->owner);
	region_insert(to, copy);
	if ((r->flags & (REGION_SHARED | REGION_WIPEONFORK)) || (r->object && !r->has_private))
		return 0;
	return fork_pages(from, to, r, protected);
}

static void copy_layout(struct aspace *to, const struct aspace *from)
{
	to->mmap_base = from->mmap_base;
	to->brk_start = from->brk_start;
	to->brk_end = from->brk_end;
	to->stack_start = from->stack_start;
	to->stack_limit = from->stack_limit;
	to->locked_limit = from->locked_limit;
	to->data_limit = from->data_limit;
	to->size_limit = from->size_limit;
	to->code_start = from->code_start;
	to->code_end = from->code_end;
	to->data_start = from->data_start;
	to->data_end = from->data_end;
	to->arg_start = from->arg_start;
	to->arg_end = from->arg_end;
	to->env_start = from->env_start;
	to->env_end = from->env_end;
	to->vdso = from->vdso;
	memcpy(to->auxv, from->auxv, sizeof(to->auxv));
	to->auxv_words = from->auxv_words;
}

static int run_fork_hooks(struct aspace *child, struct aspace *parent)
{
	const struct hook_list *l = HOOK_LIST(aspace_fork);

	for (unsigned int i = 0; i < READ_ONCE(l->count); i++) {
		HOOK_TYPE(aspace_fork) fn = READ_ONCE(l->fn[i]);
		int error = fn ? fn(child, parent) : 0;

		if (error)
			return error;
	}
	return 0;
}

int aspace_fork(struct aspace *from, struct aspace **out)
{
	struct aspace *to;
	struct region *r;
	bool protected = false;
	int error = aspace_create(&to);

	if (error)
		return error;
	error = rwlock_write_lock_killable(&from->lock);
	if (error) {
		aspace_put(to);
		return error;
	}
	copy_layout(to, from);
	list_for_each(r, &from->region_list, link) {
		error = fork_region(from, to, r, &protected);
		if (error)
			break;
	}
	if (protected)
		arch_tlb_flush_all(&from->mmu, &from->cpus);
	rwlock_write_unlock(&from->lock);
	if (!error)
		error = run_fork_hooks(to, from);
	if (error) {
		aspace_put(to);
		return error;
	}
	to->resident_peak = to->resident_anon + to->resident_file;
	*out = to;
	return 0;
}
KAPI(aspace_fork);
