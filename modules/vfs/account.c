/*
 * Accounts of users: kernel memory that outlives the call that took it is charged to the real user who did, so that one user cannot
 * take all of it while the killer of processes looks for memory in processes.
 *
 * An account exists while something refers to it. `lock` guards the table and the step from one reference to none; it is a leaf and
 * taken with interrupts off. The counters are atomic; a limit may be passed by what several CPUs take at one moment.
 */
#include <linux/capability.h>

#include "modules/vfs/account.h"
#include "modules/vfs/internal.h"

#define BUCKETS 64

static struct spinlock lock = SPINLOCK_INIT(lock);
static struct account *buckets[BUCKETS];
uint64_t account_limits[ACCOUNT_KINDS];
MODAPI(account_limits);

static struct account **bucket_of(uint32_t uid) { return &buckets[(uid * 0x9e3779b1u) >> 26]; }

/* With a reference. `new`: put into the table if there is none. */
static struct account *find(uint32_t uid, struct account *new)
{
	unsigned long flags = spin_lock_irqsave(&lock);
	struct account *a = *bucket_of(uid);

	while (a && a->uid != uid)
		a = a->next;
	if (a) {
		refcount_get(&a->refs);
	} else if (new) {
		a = new;
		a->uid = uid;
		refcount_init(&a->refs, 1);
		a->next = *bucket_of(uid);
		*bucket_of(uid) = a;
	}
	spin_unlock_irqrestore(&lock, flags);
	return a;
}

struct account *account_find(void)
{
	struct identity me;
	struct account *a, *new;

	service(authority)->identity(current, &me);
	a = find(me.uid, NULL);
	if (likely(a))
		return a;
	new = kzalloc(sizeof(*new), 0);
	a = find(me.uid, new);
	if (a != new)
		kfree(new);
	return a;
}
MODAPI(account_find);

void account_put(struct account *a)
{
	struct account **at;
	unsigned long flags;

	if (!a || likely(refcount_put_unless_last(&a->refs)))
		return;
	flags = spin_lock_irqsave(&lock);
	if (refcount_put(&a->refs)) {
		for (at = bucket_of(a->uid); *at != a; at = &(*at)->next)
			;
		*at = a->next;
	} else {
		a = NULL;
	}
	spin_unlock_irqrestore(&lock, flags);
	kfree(a);
}
MODAPI(account_put);

bool account_privileged(void)
{
	return capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
}
MODAPI(account_privileged);

bool account_charge(struct account *a, enum account_kind kind, uint64_t n)
{
	if (account_add(a, kind, n) <= READ_ONCE(account_limits[kind]) || account_privileged())
		return true;
	account_sub(a, kind, n);
	return false;
}
MODAPI(account_charge);

void account_start(void)
{
	uint64_t bytes = page_total() * PAGE_SIZE;

	account_limits[ACCOUNT_LOCKS] = MAX(bytes / 64 / 128, 1024ull);
	account_limits[ACCOUNT_SOCKET_BYTES] = MAX(bytes / 8, 1ull << 20);
	account_limits[ACCOUNT_SEGMENT_PAGES] = page_total() / 2;
	account_limits[ACCOUNT_IPC_BYTES] = MAX(bytes / 8, 1ull << 20);
}
