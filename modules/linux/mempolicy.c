/*
 * Memory policies, of threads and of mappings, and moving pages between nodes, on a machine of one node.
 *
 * Every page is on node 0, so a policy chooses nothing; it is checked, kept, inherited and read back as on a machine of more nodes. Whatever
 * is accepted allows node 0 or follows the processor, so a policy is one small word: its mode and its MPOL_F_* flags. A thread's word is in
 * its task and written by itself alone; a mapping's is in REGION_POLICY of its flags, under aspace.lock.
 *
 * Context: system calls; everything here may sleep.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/mempolicy.h>

#include "core/mem/aspace.h"

#define NODES_MAX 64			/* bits that a mask may name, whatever the machine has */
#define MASK_LONGEST (PAGE_SIZE * 8)
#define MODE_FLAGS (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING)

/* A policy's word: three bits of mode, three of flags, which stand at the top of the caller's 16. */
#define WORD_MODE 7u
#define WORD_FLAGS_SHIFT 3
#define MODE_FLAGS_SHIFT 13

static unsigned int word_from_mode(unsigned int mode)
{
	return (mode & WORD_MODE) | (mode & MODE_FLAGS) >> MODE_FLAGS_SHIFT << WORD_FLAGS_SHIFT;
}

static unsigned int mode_from_word(unsigned int word)
{
	return (word & WORD_MODE) | word >> WORD_FLAGS_SHIFT << MODE_FLAGS_SHIFT;
}

static unsigned int region_policy(const struct region *r)
{
	return (r->flags & REGION_POLICY) >> REGION_POLICY_SHIFT;
}

/* Fetches a mask of nodes. Bits of nodes that no machine has must be zero. `maximum` counts one more than the bits, as the ABI does. */
static int load_nodes(uintptr_t user, uintptr_t maximum, uint64_t *out)
{
	uintptr_t bits = maximum - 1;

	*out = 0;
	if (!bits || !user)
		return 0;
	if (bits > MASK_LONGEST)
		return -EINVAL;
	for (uintptr_t word = (bits - 1) / 64 + 1; word--; bits = word * 64) {
		uint64_t value;

		if (copy_from_user(&value, user + word * sizeof(value), sizeof(value)))
			return -EFAULT;
		if (bits % 64)
			value &= (1ull << bits % 64) - 1;
		if (word && value)
			return -EINVAL;
		*out = value;
	}
	return 0;
}

static int store_nodes(uintptr_t user, uintptr_t maximum, uint64_t nodes)
{
	size_t size = ALIGN_UP(maximum - 1, 64) / 8;
	size_t head = MIN(size, sizeof(nodes));

	if (size > PAGE_SIZE)
		return -EINVAL;
	if (size > head && clear_user(user + head, size - head))
		return -EFAULT;
	return copy_to_user(user, &nodes, head) ? -EFAULT : 0;
}

/* The mode with its flags, before the mask is looked at. */
static int check_mode(uintptr_t mode)
{
	unsigned int flags = mode & MODE_FLAGS;

	if ((mode & ~(uintptr_t)MODE_FLAGS) > MPOL_PREFERRED_MANY)
		return -EINVAL;
	if ((flags & MPOL_F_STATIC_NODES) && (flags & MPOL_F_RELATIVE_NODES))
		return -EINVAL;
	if ((flags & MPOL_F_NUMA_BALANCING) && (mode & ~(uintptr_t)MODE_FLAGS) != MPOL_BIND)
		return -EINVAL;
	return 0;
}

/* The word of a mode that check_mode took, with its nodes. */
static int make_policy(uintptr_t mode, uint64_t nodes, unsigned int *out)
{
	unsigned int flags = mode & MODE_FLAGS, kind = (unsigned int)(mode & ~(uintptr_t)MODE_FLAGS);
	bool placed = flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES);

	*out = 0;
	switch (kind) {
	case MPOL_DEFAULT:
		return nodes ? -EINVAL : 0;
	case MPOL_PREFERRED:
		if (nodes)
			break;
		kind = MPOL_LOCAL;
		fallthrough;
	case MPOL_LOCAL:
		if (nodes || placed)
			return -EINVAL;
		*out = word_from_mode(kind | flags);
		return 0;
	}
	/* Relative numbers wrap around the nodes there are. */
	if (!(nodes & 1) && !(nodes && (flags & MPOL_F_RELATIVE_NODES)))
		return -EINVAL;
	*out = word_from_mode(kind | flags);
	return 0;
}

static uint64_t policy_nodes(unsigned int word)
{
	unsigned int kind = word & WORD_MODE;

	return kind == MPOL_DEFAULT || kind == MPOL_LOCAL ? 0 : 1;
}

long sys_set_mempolicy(int32_t mode, uintptr_t mask, uintptr_t maximum)
{
	uint64_t nodes;
	unsigned int word;
	int error = check_mode((uint32_t)mode);

	if (!error)
		error = load_nodes(mask, maximum, &nodes);
	if (!error)
		error = make_policy((uint32_t)mode, nodes, &word);
	if (!error)
		WRITE_ONCE(current_task->memory_policy, word);
	return error;
}

/* The policy of a mapping; with `touch` the page must be one that can be read, and comes to be. */
static int policy_at(uintptr_t address, bool touch, unsigned int *out)
{
	struct aspace *as = current->aspace;
	struct region *r;
	int error = -EFAULT;

	rwlock_read_lock(&as->lock);
	r = region_find(as, address, false);
	if (r) {
		*out = region_policy(r);
		error = 0;
	}
	rwlock_read_unlock(&as->lock);
	if (!error && touch && aspace_fault(as, ALIGN_DOWN(address, PAGE_SIZE), FAULT_READ) != FAULT_DONE)
		error = -EFAULT;
	return error;
}

long sys_get_mempolicy(uintptr_t policy, uintptr_t mask, uintptr_t maximum, uintptr_t address, uintptr_t flags)
{
	unsigned int word = READ_ONCE(current_task->memory_policy);
	uint64_t nodes = 1;
	int32_t answer = 0;			/* node 0, where it is a node that is asked for */
	int error;

	if ((mask && maximum < 1) || (flags & ~(uintptr_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED)))
		return -EINVAL;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
			return -EINVAL;
	} else {
		if (flags & MPOL_F_ADDR) {
			error = policy_at(address, flags & MPOL_F_NODE, &word);
			if (error)
				return error;
		} else if (address || ((flags & MPOL_F_NODE) && (word & WORD_MODE) != MPOL_INTERLEAVE)) {
			return -EINVAL;
		}
		nodes = policy_nodes(word);
		if (!(flags & MPOL_F_NODE))
			answer = (int32_t)mode_from_word(word);
	}
	if (policy && copy_to_user(policy, &answer, sizeof(answer)))
		return -EFAULT;
	return mask ? store_nodes(mask, maximum, nodes) : 0;
}

/* The next mapped part of [*at, end): *at and *stop become its bounds, *word its policy. False if there is none. */
static bool next_part(uintptr_t *at, uintptr_t end, uintptr_t *stop, unsigned int *word)
{
	struct aspace *as = current->aspace;
	struct region *r;
	bool found = false;

	rwlock_read_lock(&as->lock);
	r = *at < end ? region_find(as, *at, true) : NULL;
	if (r && r->start < end) {
		*at = MAX(*at, r->start);
		*stop = MIN(end, r->end);
		*word = region_policy(r);
		found = true;
	}
	rwlock_read_unlock(&as->lock);
	return found;
}

/* A range for the calls on mappings, rounded to pages: -EINVAL, 0 with *end == start for an empty one. */
static int check_range(uintptr_t start, size_t length, uintptr_t *end)
{
	*end = start + ALIGN_UP(length, PAGE_SIZE);
	return *end < start ? -EINVAL : 0;
}

/* Is [start, end) mapped without holes; or at all, if holes are no matter? */
static int check_mapped(uintptr_t start, uintptr_t end, bool holes)
{
	uintptr_t at = start, stop;
	unsigned int word;

	while (at < end) {
		uintptr_t from = at;

		if (!next_part(&at, end, &stop, &word) || (at != from && !holes))
			return -EFAULT;
		if (holes)
			return 0;
		at = stop;
	}
	return 0;
}

long sys_mbind(uintptr_t start, size_t length, uintptr_t mode, uintptr_t mask, uintptr_t maximum, uint32_t flags)
{
	unsigned int word, old;
	uintptr_t end, stop;
	uint64_t nodes;
	int error = check_mode(mode);

	if (!error)
		error = load_nodes(mask, maximum, &nodes);
	if (error)
		return error;
	if (flags & ~(uint32_t)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) && !capable(CAP_SYS_NICE))
		return -EPERM;
	if ((start & PAGE_MASK) || check_range(start, length, &end))
		return -EINVAL;
	if (end == start)
		return 0;
	error = make_policy(mode, nodes, &word);
	if (!error)
		error = check_mapped(start, end, !word);
	/* All pages are where the policy wants them: there is nothing to move or to be strict about. */
	for (uintptr_t at = start; !error && next_part(&at, end, &stop, &old); at = stop)
		error = aspace_change_flags(current->aspace, at, stop - at, word << REGION_POLICY_SHIFT, REGION_POLICY);
	return error;
}

/* The home of a mapping can only be node 0, which it is without being told: there is nothing to keep. */
long sys_set_mempolicy_home_node(uintptr_t start, size_t length, uintptr_t node, uintptr_t flags)
{
	uintptr_t end, stop;
	unsigned int word;
	int error = -ENOENT;

	if ((start & PAGE_MASK) || flags || node || check_range(start, length, &end))
		return -EINVAL;
	if (end == start)
		return 0;
	for (uintptr_t at = start; next_part(&at, end, &stop, &word); at = stop) {
		if (!word)
			continue;
		if ((word & WORD_MODE) != MPOL_BIND && (word & WORD_MODE) != MPOL_PREFERRED_MANY)
			return -EOPNOTSUPP;
		error = 0;
	}
	return error;
}

/* The address space of a thread (0: the caller's), with a reference, if the caller may look into it. */
static int get_aspace(int tid, struct aspace **out)
{
	struct task *t;
	int error;

	if (!tid) {
		*out = current->aspace;
		aspace_get(*out);
		return 0;
	}
	t = task_find(tid);
	if (!t)
		return -ESRCH;
	error = process_take_aspace(t->process, t, INSPECT_REAL_IDS, out);
	task_put(t);
	return error == -ESRCH ? -EINVAL : error;
}

long sys_migrate_pages(int32_t pid, uintptr_t maximum, uintptr_t from, uintptr_t to)
{
	uint64_t old, new;
	struct aspace *as;
	int error = load_nodes(from, maximum, &old);

	if (!error)
		error = load_nodes(to, maximum, &new);
	if (!error)
		error = get_aspace(pid, &as);
	if (error)
		return error;
	aspace_put(as);
	if ((new & ~1ull) && !capable(CAP_SYS_NICE))
		return -EPERM;
	return new & 1 ? 0 : -EINVAL;		/* no page is left elsewhere */
}

/* Where a page is: its node, or why it has none. */
static int page_node(struct aspace *as, uintptr_t address)
{
	return address < USER_END ? aspace_page_mapped(as, address) : -EFAULT;
}

static int report_pages(struct aspace *as, uintptr_t count, uintptr_t pages, uintptr_t nodes, uintptr_t status)
{
	for (uintptr_t i = 0; i < count; i++) {
		uintptr_t address;
		int32_t node;

		if (copy_from_user(&address, pages + i * sizeof(address), sizeof(address)))
			return -EFAULT;
		if (nodes) {
			if (copy_from_user(&node, nodes + i * sizeof(node), sizeof(node)))
				return -EFAULT;
			if (node)
				return -ENODEV;
		}
		node = page_node(as, address);
		if (copy_to_user(status + i * sizeof(node), &node, sizeof(node)))
			return -EFAULT;
		if (wait_interrupted(WAIT_KILLABLE))
			return -EINTR;
	}
	return 0;
}

long sys_move_pages(int32_t pid, uintptr_t count, uintptr_t pages, uintptr_t nodes, uintptr_t status, int32_t flags)
{
	struct aspace *as;
	int error;

	if (flags & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) && !capable(CAP_SYS_NICE))
		return -EPERM;
	error = get_aspace(pid, &as);
	if (error)
		return error;
	error = report_pages(as, count, pages, nodes, status);
	aspace_put(as);
	return error;
}
