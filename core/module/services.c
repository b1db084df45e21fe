/*
 * Services that the core offers defaults for: what is answered while no module provides them. Without `authority` only user 0
 * exists and everything is allowed to it; without a personality nobody gets signals; without futex nobody waits.
 *
 * Providers are swapped by the loader with one store a field.
 */
#include "core/module/services.h"

#include <asm/errno.h>

#include "core/lib/string.h"
#include "core/module/export.h"

static uint32_t zero_id(void) { return 0; }
static bool yes_group(uint32_t gid) { return gid == 0; }
static bool yes_capable(int cap) { (void)cap; return true; }
static void no_real_ids(bool on) { (void)on; }
static void zero_identity(struct thread *t, struct identity *out) { (void)t; memset(out, 0, sizeof(*out)); }
static bool yes_thread_capable(struct thread *t, int cap) { (void)t; (void)cap; return true; }
static int yes_thread(struct thread *t) { (void)t; return 0; }
static int yes_trace(struct thread *t, bool attach) { (void)t; (void)attach; return 0; }
static int exec_unchanged(const struct exec_file *f, struct exec_change *out)
{
	(void)f;
	*out = (struct exec_change){ .secure = false };
	return 0;
}
static int no_groups(struct thread *t, uint32_t *out, int max) { (void)t; (void)out; (void)max; return 0; }
static void all_capabilities(struct thread *t, uint64_t sets[5])
{
	(void)t;
	sets[0] = 0;
	sets[1] = sets[2] = sets[3] = (1ull << 41) - 1;
	sets[4] = 0;
}
static long no_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	(void)option; (void)a2; (void)a3; (void)a4; (void)a5;
	return -EINVAL;
}
static bool never(void) { return false; }
static void nothing(void) { }

static const struct authority_ops default_authority = {
	.fsuid = zero_id, .fsgid = zero_id, .in_group = yes_group, .capable = yes_capable, .use_real_ids = no_real_ids,
	.identity = zero_identity, .thread_capable = yes_thread_capable, .may_signal = yes_thread, .may_trace = yes_trace,
	.may_schedule = yes_thread, .exec_prepare = exec_unchanged, .groups = no_groups,
	.capabilities = all_capabilities, .prctl = no_prctl, .no_new_privs = never, .set_no_new_privs = nothing,
};

static int no_id(void) { return 0; }
static int no_thread_pid(struct thread *t) { (void)t; return 0; }
static struct thread *no_thread(int tid) { (void)tid; return NULL; }
static uint64_t no_limit(unsigned int resource) { (void)resource; return UINT64_MAX; }
static void drop_signal(int sig) { (void)sig; }
static int any_user(uint32_t uid) { (void)uid; return 0; }
static bool no_owner(int type, int id) { (void)type; (void)id; return false; }
static void drop_owner_signal(int type, int id, uint32_t uid, uint32_t euid, int sig, int fd, long band)
{
	(void)type; (void)id; (void)uid; (void)euid; (void)sig; (void)fd; (void)band;
}

static int no_inspection(int tid, void (*fn)(struct thread *t, void *arg), void *arg) { (void)tid; (void)fn; (void)arg; return -ESRCH; }

static const struct process_ops default_process = {
	.pid = no_id, .tid = no_id, .thread_pid = no_thread_pid, .thread_tid = no_thread_pid,
	.thread_find = no_thread,
	.identity_changes = nothing, .inspect = no_inspection, .user_change = any_user, .rlimit = no_limit,
	.signal_current = drop_signal, .owner_exists = no_owner, .signal_owner = drop_owner_signal,
};

static int wake_nobody(uintptr_t uaddr, bool private_key, int n) { (void)uaddr; (void)private_key; (void)n; return 0; }

static const struct futex_ops default_futex = { .wake = wake_nobody };

static int no_mask(uintptr_t sigset, size_t size) { (void)sigset; (void)size; return -ENOSYS; }
static void no_restore(bool interrupted) { (void)interrupted; }

static const struct signal_mask_ops default_signal_mask = { .swap_user = no_mask, .restore = no_restore };

static int no_table(enum sysvipc_kind kind, struct text_out *t) { (void)kind; (void)t; return -ENOSYS; }
static int no_limit_get(enum sysvipc_limit which, uint64_t *out) { (void)which; (void)out; return -ENOSYS; }
static int no_limit_set(enum sysvipc_limit which, uint64_t value) { (void)which; (void)value; return -ENOSYS; }

static const struct sysvipc_ops default_sysvipc = {
	.show = no_table, .limit_get = no_limit_get, .limit_set = no_limit_set,
};

static int no_queue_limit_get(enum mqueue_limit which, int64_t *out) { (void)which; (void)out; return -ENOSYS; }
static int no_queue_limit_set(enum mqueue_limit which, int64_t value) { (void)which; (void)value; return -ENOSYS; }

static const struct mqueue_ops default_mqueue = { .limit_get = no_queue_limit_get, .limit_set = no_queue_limit_set };

static int no_decoder(const void *data, size_t size, size_t *used, int (*push)(void *arg, const void *data, size_t n),
		      void *arg, const char **why)
{
	(void)data; (void)size; (void)used; (void)push; (void)arg; (void)why;
	return -ENOSYS;
}

static const struct unpack_ops default_unpack = { .run = no_decoder };

static bool no_timer(void *process, int after, struct timer_view *out) { (void)process; (void)after; (void)out; return false; }

static const struct timers_ops default_timers = { .next = no_timer };

struct module_services services_active __socket_table = {
	.authority = &default_authority,
	.process = &default_process,
	.futex = &default_futex,
	.signal_mask = &default_signal_mask,
	.sysvipc = &default_sysvipc,
	.mqueue = &default_mqueue,
	.timers = &default_timers,
	.unpack = &default_unpack,
};
KAPI(services_active);

const struct module_services services_default = {
	.authority = &default_authority,
	.process = &default_process,
	.futex = &default_futex,
	.signal_mask = &default_signal_mask,
	.sysvipc = &default_sysvipc,
	.mqueue = &default_mqueue,
	.timers = &default_timers,
	.unpack = &default_unpack,
};
