/*
 * The tables of objects: ids with sequence numbers, keys, permissions.
 *
 * An id is a sequence number above the place in the table. Places are given in a circle, and each round begins a new sequence, so the
 * id of an object that is gone names nothing for a long time. A lookup takes a reference under ids.lock and then the object's lock;
 * `removed` tells it that the object left the table in between.
 */
#include "modules/sysvipc/internal.h"

#define PLACES_FIRST 64

void ipc_ids_init(struct ipc_ids *ids, void (*destroy)(struct ipc_object *o))
{
	spin_init(&ids->lock);
	for (unsigned int i = 0; i < ARRAY_SIZE(ids->by_key); i++)
		list_init(&ids->by_key[i]);
	ids->destroy = destroy;
}

void ipc_object_init(struct ipc_object *o, int32_t key, unsigned int mode)
{
	struct identity id;

	service(authority)->identity(current, &id);
	refcount_init(&o->refs, 1);
	mutex_init(&o->lock);
	list_init(&o->key_link);
	o->account = NULL;
	o->key = key;
	o->uid = o->cuid = id.euid;
	o->gid = o->cgid = id.egid;
	o->mode = mode & IPC_MODE;
}

int ipc_charge(struct ipc_object *o, enum account_kind kind, uint64_t amount)
{
	struct account *a = account_find();

	if (!a)
		return -ENOMEM;
	if (!account_charge(a, kind, amount)) {
		account_put(a);
		return -ENOSPC;
	}
	o->account = a;
	o->kind = kind;
	o->charged = amount;
	return 0;
}

void ipc_uncharge(struct ipc_object *o)
{
	if (!o->account)
		return;
	account_sub(o->account, o->kind, o->charged);
	account_put(o->account);
	o->account = NULL;
}

void ipc_put(struct ipc_object *o)
{
	if (!refcount_put(&o->refs))
		return;
	ipc_uncharge(o);
	o->ids->destroy(o);
}

void ipc_unlock_put(struct ipc_object *o)
{
	mutex_unlock(&o->lock);
	ipc_put(o);
}

static struct list *key_list(struct ipc_ids *ids, int32_t key)
{
	return &ids->by_key[((uint32_t)key * 0x9e3779b1u) >> 26];
}

static struct ipc_object *find_key_locked(struct ipc_ids *ids, int32_t key)
{
	struct ipc_object *o;

	list_for_each(o, key_list(ids, key), key_link)
		if (o->key == key)
			return o;
	return NULL;
}

/* How many places are used in a circle: more than there are objects, so that a place rests before it is used again. */
static int circle(const struct ipc_ids *ids)
{
	return MIN(MAX(ids->used + ids->used / 2 + 1, PLACES_FIRST), IPC_INDEX_MAX);
}

/* Makes the table large enough. -ENOMEM. */
static int grow(struct ipc_ids *ids, int wanted)
{
	int capacity = MIN(MAX(wanted * 2, PLACES_FIRST), IPC_INDEX_MAX);
	struct ipc_object **slot = kvmalloc((size_t)capacity * sizeof(*slot), ALLOC_ZERO | IPC_ALLOC);
	struct ipc_object **old = slot;

	if (!slot)
		return -ENOMEM;
	spin_lock(&ids->lock);
	if (capacity > ids->capacity) {
		old = ids->slot;
		if (old)
			memcpy(slot, old, (size_t)ids->capacity * sizeof(*slot));
		ids->slot = slot;
		ids->capacity = capacity;
	}
	spin_unlock(&ids->lock);
	kvfree(old);
	return 0;
}

/* A free place in the circle, which has one. */
static int choose_place(struct ipc_ids *ids)
{
	int places = circle(ids), at = ids->next;

	for (int i = 0; i <= places; i++, at++) {
		if (at >= places) {
			at = 0;
			ids->sequence = ids->sequence >= IPC_SEQUENCE_MAX ? 0 : ids->sequence + 1;
		}
		if (!ids->slot[at])
			break;
	}
	ids->next = at + 1;
	return at;
}

static void insert_locked(struct ipc_ids *ids, struct ipc_object *o)
{
	int place = choose_place(ids);

	o->ids = ids;
	o->id = ids->sequence << IPC_INDEX_BITS | place;
	ids->slot[place] = o;
	ids->used++;
	if (o->key != IPC_PRIVATE)
		list_add_head(key_list(ids, o->key), &o->key_link);
}

long ipc_add(struct ipc_ids *ids, struct ipc_object *o, unsigned int limit, uint64_t amount, uint64_t total_limit)
{
	for (;;) {
		long result = 0;
		int wanted;

		spin_lock(&ids->lock);
		wanted = circle(ids);
		if (o->key != IPC_PRIVATE && find_key_locked(ids, o->key))
			result = -EEXIST;
		else if (ids->used >= IPC_INDEX_MAX || (unsigned int)ids->used >= limit ||
			 amount > total_limit || ids->total > total_limit - amount)
			result = -ENOSPC;
		else if (ids->capacity < wanted)
			result = -EAGAIN;
		if (!result) {
			insert_locked(ids, o);
			ids->total += amount;
			result = o->id;
		}
		spin_unlock(&ids->lock);
		if (result != -EAGAIN)
			return result;
		if (grow(ids, wanted))
			return -ENOMEM;
	}
}

static void forget_key(struct ipc_object *o)
{
	if (o->key != IPC_PRIVATE)
		list_remove(&o->key_link);
	o->key = IPC_PRIVATE;
}

void ipc_forget_key_locked(struct ipc_object *o)
{
	spin_lock(&o->ids->lock);
	forget_key(o);
	spin_unlock(&o->ids->lock);
}

void ipc_remove_locked(struct ipc_object *o, uint64_t amount)
{
	struct ipc_ids *ids = o->ids;

	spin_lock(&ids->lock);
	forget_key(o);
	ids->slot[o->id & (IPC_INDEX_MAX - 1)] = NULL;
	ids->used--;
	ids->total -= amount;
	spin_unlock(&ids->lock);
	o->removed = true;
}

/* Locks an object that the caller has a reference to, unless it is gone: then that is dropped. */
static int lock_object(struct ipc_object *o, struct ipc_object **out)
{
	mutex_lock(&o->lock);
	if (o->removed) {
		ipc_unlock_put(o);
		return -EIDRM;
	}
	*out = o;
	return 0;
}

static int lock_place(struct ipc_ids *ids, int id, bool exact, struct ipc_object **out)
{
	int place = id & (IPC_INDEX_MAX - 1);
	struct ipc_object *o = NULL;

	if (id < 0)
		return -EINVAL;
	spin_lock(&ids->lock);
	if (place < ids->capacity)
		o = ids->slot[place];
	if (o && exact && o->id != id)
		o = NULL;
	if (o)
		ipc_hold(o);
	spin_unlock(&ids->lock);
	return o ? lock_object(o, out) : -EINVAL;
}

int ipc_lock(struct ipc_ids *ids, int id, struct ipc_object **out)
{
	return lock_place(ids, id, true, out);
}

static int lock_index(struct ipc_ids *ids, int id, struct ipc_object **out)
{
	return lock_place(ids, id, false, out);
}

struct ipc_object *ipc_lock_next(struct ipc_ids *ids, int *index)
{
	for (;;) {
		struct ipc_object *o = NULL;

		spin_lock(&ids->lock);
		while (*index < ids->capacity && !o)
			o = ids->slot[(*index)++];
		if (o)
			ipc_hold(o);
		spin_unlock(&ids->lock);
		if (!o || !lock_object(o, &o))
			return o;
	}
}

int ipc_permission(const struct ipc_object *o, unsigned int bits)
{
	const struct authority_ops *who = service(authority);
	unsigned int wanted = bits >> 6 | bits >> 3 | bits, granted = o->mode;
	struct identity id;

	who->identity(current, &id);
	if (id.euid == o->cuid || id.euid == o->uid)
		granted >>= 6;
	else if (who->in_group(o->cgid) || who->in_group(o->gid))
		granted >>= 3;
	return (wanted & ~granted & 7) && !who->capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

/* Drops the lock again if there is an error. */
static int locked_or(int error, struct ipc_object *o)
{
	if (error)
		ipc_unlock_put(o);
	return error;
}

static int may_change(const struct ipc_object *o)
{
	struct identity id;

	service(authority)->identity(current, &id);
	if (id.euid == o->cuid || id.euid == o->uid)
		return 0;
	return service(authority)->capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int ipc_lock_to_change(struct ipc_ids *ids, int id, struct ipc_object **out)
{
	int error = ipc_lock(ids, id, out);

	return error ? error : locked_or(may_change(*out), *out);
}

int ipc_lock_to_describe(struct ipc_ids *ids, int id, bool by_id, bool check, struct ipc_object **out)
{
	int error = by_id ? ipc_lock(ids, id, out) : lock_index(ids, id, out);

	return error || !check ? error : locked_or(ipc_permission(*out, IPC_MAY_READ), *out);
}

int ipc_set_locked(struct ipc_object *o, const struct ipc64_perm *p)
{
	if (p->uid == UINT32_MAX || p->gid == UINT32_MAX)
		return -EINVAL;
	o->uid = p->uid;
	o->gid = p->gid;
	o->mode = (o->mode & ~IPC_MODE) | (p->mode & IPC_MODE);
	return 0;
}

void ipc_describe_locked(const struct ipc_object *o, struct ipc64_perm *out)
{
	memset(out, 0, sizeof(*out));
	out->key = o->key;
	out->uid = o->uid;
	out->gid = o->gid;
	out->cuid = o->cuid;
	out->cgid = o->cgid;
	out->mode = (__kernel_mode_t)o->mode;
	out->seq = (unsigned short)(o->id >> IPC_INDEX_BITS);
}

/* The object with the caller's key: its id, or why the caller does not get it; -ENOENT: there is none. */
static long get_existing(const struct ipc_get *g)
{
	struct ipc_object *o;
	long result;

	spin_lock(&g->ids->lock);
	o = find_key_locked(g->ids, g->key);
	if (o)
		ipc_hold(o);
	spin_unlock(&g->ids->lock);
	if (!o || lock_object(o, &o))
		return -ENOENT;
	if ((g->flags & IPC_CREAT) && (g->flags & IPC_EXCL))
		result = -EEXIST;
	else
		result = g->check ? g->check(o, g) : 0;
	if (!result)
		result = ipc_permission(o, (unsigned int)g->flags);
	if (!result)
		result = o->id;
	ipc_unlock_put(o);
	return result;
}

long ipc_get(const struct ipc_get *g)
{
	long result;

	if (g->key == IPC_PRIVATE)
		return g->create(g);
	do {
		result = get_existing(g);
		if (result != -ENOENT || !(g->flags & IPC_CREAT))
			return result;
		result = g->create(g);
	} while (result == -EEXIST);
	return result;
}

int ipc_count(struct ipc_ids *ids, uint64_t *total)
{
	int used;

	spin_lock(&ids->lock);
	used = ids->used;
	*total = ids->total;
	spin_unlock(&ids->lock);
	return used;
}

int ipc_highest(struct ipc_ids *ids)
{
	int at;

	spin_lock(&ids->lock);
	at = ids->capacity;
	while (at > 0 && !ids->slot[at - 1])
		at--;
	spin_unlock(&ids->lock);
	return at ? at - 1 : 0;
}
