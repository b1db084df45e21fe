/*
 * The slow path of ticket spinlocks: waits for its ticket. The acquire load pairs with the release in spin_unlock_raw.
 */
#include "core/sync/spinlock.h"

#include "core/module/export.h"

void spin_lock_contended(struct spinlock *l, uint16_t ticket)
{
	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
		arch_cpu_relax();
}
KAPI(spin_lock_contended);

#ifdef CONFIG_DEBUG
void spin_init_class(struct spinlock *l, const void *key)
{
	l->word = 0;
	l->class_key = key;
	l->holder = NULL;
}
KAPI(spin_init_class);
#endif
