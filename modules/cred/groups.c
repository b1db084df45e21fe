/*
 * Supplementary groups: sorted, shared by reference, looked up by halving.
 */
#include "internal.h"

#include <gen/cred.h>

#include "core/mem/vmap.h"

void groups_put(struct groups *g)
{
	if (g && refcount_put(&g->refs))
		kvfree(g);
}

bool cred_in_groups(const struct cred *c, uint32_t gid)
{
	const struct groups *g = c->groups;
	unsigned int low = 0, high = g ? g->count : 0;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (g->gid[mid] == gid)
			return true;
		if (g->gid[mid] < gid)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

long sys_getgroups(int32_t size, struct uout_gid list)
{
	const struct groups *g = current_cred()->groups;
	int count = g ? (int)g->count : 0;

	if (size < 0)
		return -EINVAL;
	if (size == 0)
		return count;
	if (count > size)
		return -EINVAL;
	if (count && copy_to_user(list.addr, g->gid, (size_t)count * sizeof(uint32_t)))
		return -EFAULT;
	return count;
}

static void sort(uint32_t *v, unsigned int n)
{
	for (unsigned int gap = n / 2; gap; gap /= 2)
		for (unsigned int i = gap; i < n; i++) {
			uint32_t x = v[i];
			unsigned int j = i;

			for (; j >= gap && v[j - gap] > x; j -= gap)
				v[j] = v[j - gap];
			v[j] = x;
		}
}

long sys_setgroups(int32_t size, struct uin_gid list)
{
	struct groups *g = NULL;
	struct cred *c;

	if (!cred_has(current_cred(), CAP_SETGID))
		return -EPERM;
	if ((uint32_t)size > GROUPS_MAX)
		return -EINVAL;
	if (size) {
		g = kvmalloc(sizeof(*g) + (size_t)size * sizeof(uint32_t), 0);
		if (!g)
			return -ENOMEM;
		refcount_init(&g->refs, 1);
		g->count = (unsigned int)size;
		if (copy_from_user(g->gid, list.addr, (size_t)size * sizeof(uint32_t))) {
			groups_put(g);
			return -EFAULT;
		}
		for (unsigned int i = 0; i < g->count; i++)
			if (g->gid[i] == NO_ID) {
				groups_put(g);
				return -EINVAL;
			}
		sort(g->gid, g->count);
	}
	c = cred_copy();
	if (!c) {
		groups_put(g);
		return -ENOMEM;
	}
	groups_put(c->groups);
	c->groups = g;
	cred_commit(c);
	return 0;
}
