/*
 * Calls on the system as a whole: names, figures, random numbers, log, shutting down; and small ones that fit nowhere else.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/kcmp.h>
#include <linux/random.h>
#include <linux/reboot.h>

#include "core/arch/platform.h"
#include "core/boot/boot.h"
#include "core/lib/random.h"
#include "core/mem/page.h"
#include "core/module/module.h"
#include "core/sched/sched.h"
#include "modules/linux/names.h"
#include "modules/linux/sem_undo.h"
#include "modules/vfs/fd.h"
#include "modules/vfs/poll.h"

#define NAME_SIZE 65

static struct mutex names_lock = MUTEX_INIT(names_lock);
static char names[2][NAME_SIZE] = { "(none)", "(none)" };
static uint64_t changes[2];
struct wait_queue linux_name_wait[2] = { WAIT_QUEUE_INIT(linux_name_wait[0]), WAIT_QUEUE_INIT(linux_name_wait[1]) };
MODAPI(linux_name_wait);

long sys_uname(struct uout_utsname out)
{
	struct new_utsname n = { 0 };

	str_copy(n.sysname, "Linux", sizeof(n.sysname));
	str_copy(n.release, MODULE_RELEASE, sizeof(n.release));
	str_copy(n.version, build_version, sizeof(n.version));
	str_copy(n.machine, arch_machine(), sizeof(n.machine));
	mutex_lock(&names_lock);
	memcpy(n.nodename, names[LINUX_HOST_NAME], NAME_SIZE);
	memcpy(n.domainname, names[LINUX_DOMAIN_NAME], NAME_SIZE);
	mutex_unlock(&names_lock);
	return copy_out_utsname(out, &n);
}

void linux_name_get(enum linux_name which, char *buf, size_t size)
{
	mutex_lock(&names_lock);
	str_copy(buf, names[which], size);
	mutex_unlock(&names_lock);
}
MODAPI(linux_name_get);

void linux_name_set(enum linux_name which, const char *text, size_t n)
{
	char buf[NAME_SIZE] = "";

	memcpy(buf, text, MIN(n, (size_t)NAME_SIZE - 1));
	mutex_lock(&names_lock);
	memcpy(names[which], buf, NAME_SIZE);
	WRITE_ONCE(changes[which], changes[which] + 1);
	mutex_unlock(&names_lock);
	wait_queue_wake(&linux_name_wait[which], ~0u, EPOLLERR | EPOLLPRI);
}
MODAPI(linux_name_set);

uint64_t linux_name_changes(enum linux_name which)
{
	return READ_ONCE(changes[which]);
}
MODAPI(linux_name_changes);

static long set_system_name(enum linux_name which, uintptr_t from, int length)
{
	char buf[NAME_SIZE] = "";

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (length < 0 || length > NAME_SIZE - 1)
		return -EINVAL;
	if (copy_from_user(buf, from, (size_t)length))
		return -EFAULT;
	linux_name_set(which, buf, (size_t)length);
	return 0;
}

long sys_sethostname(struct uin_u8 name, int32_t length)
{
	return set_system_name(LINUX_HOST_NAME, name.addr, length);
}

long sys_setdomainname(struct uin_u8 name, int32_t length)
{
	return set_system_name(LINUX_DOMAIN_NAME, name.addr, length);
}

long sys_sysinfo(struct uout_sysinfo out)
{
	struct sysinfo s = { 0 };
	struct page_counts n;

	s.uptime = (long)DIV_UP(clock_monotonic(), NSEC_PER_SEC);
	sched_loads(s.loads);
	s.totalram = page_total() * PAGE_SIZE;
	s.freeram = page_free_count() * PAGE_SIZE;
	page_count(&n);
	s.sharedram = n.object * PAGE_SIZE;	/* what files hold, all of them in memory */
	s.procs = (uint16_t)thread_count();
	s.mem_unit = 1;
	return copy_out_sysinfo(out, &s);
}

long sys_getrandom(struct uout_u8 out, size_t count, uint32_t flags)
{
	unsigned char buf[256];
	size_t done = 0;

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if (unlikely(!random_ready()) && !(flags & GRND_INSECURE)) {
		int error = flags & GRND_NONBLOCK ? -EAGAIN : random_wait_ready();

		if (error)
			return error == -EINTR ? -ERESTARTSYS : error;
	}
	count = MIN(count, (size_t)INT32_MAX);
	while (done < count) {
		size_t n = MIN(count - done, sizeof(buf));

		random_bytes(buf, n);
		if (copy_to_user(out.addr + done, buf, n))
			return done ? (long)done : -EFAULT;
		done += n;
		if (done >= 256 && signal_pending())
			break;
	}
	memset(buf, 0, sizeof(buf));
	return (long)done;
}

long sys_getcpu(struct uout_u32 cpu, struct uout_u32 node, uintptr_t cache)
{
	(void)cache;
	if (cpu.addr && user_store_u32(cpu.addr, arch_cpu_id()))
		return -EFAULT;
	return node.addr ? user_store_u32(node.addr, 0) : 0;
}

int linux_ctrl_alt_del_restarts = 1;
MODAPI(linux_ctrl_alt_del_restarts);

void linux_ctrl_alt_del(void)
{
	if (READ_ONCE(linux_ctrl_alt_del_restarts)) {
		log_notice("Ctrl-Alt-Del: restarting");
		arch_power_restart();
		return;
	}
	log_notice("Ctrl-Alt-Del: telling init");
	if (init_process)
		signal_send_process(init_process, SIGINT, SIGINFO_KERNEL);
}
MODAPI(linux_ctrl_alt_del);

long sys_reboot(uint32_t magic1, uint32_t magic2, uint32_t command, uintptr_t argument)
{
	(void)argument;
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (magic1 != LINUX_REBOOT_MAGIC1 || (magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A &&
					      magic2 != LINUX_REBOOT_MAGIC2B && magic2 != LINUX_REBOOT_MAGIC2C))
		return -EINVAL;
	switch (command) {
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2:
		log_notice("restarting");
		arch_power_restart();
		arch_power_halt();
	case LINUX_REBOOT_CMD_POWER_OFF:
		log_notice("power off");
		arch_power_off();
		arch_power_halt();
	case LINUX_REBOOT_CMD_HALT:
		log_notice("halted");
		arch_power_halt();
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		WRITE_ONCE(linux_ctrl_alt_del_restarts, command == LINUX_REBOOT_CMD_CAD_ON);
		return 0;
	}
	return -EINVAL;
}

/* Orders two kernel objects without telling their addresses. */
static long order(const void *a, const void *b)
{
	static uint64_t secret[2];
	uint64_t x, y;

	if (!secret[0]) {
		secret[1] = random_u64();
		secret[0] = random_u64() | 1;
	}
	x = ((uintptr_t)a ^ secret[1]) * secret[0];
	y = ((uintptr_t)b ^ secret[1]) * secret[0];
	return x == y ? 0 : x < y ? 1 : 2;
}

static long compare_files(struct task *a, struct task *b, uintptr_t fd1, uintptr_t fd2)
{
	struct file *f1, *f2;
	long result;

	if (thread_fd_file(a->thread, (int)fd1, &f1))
		return -EBADF;
	if (thread_fd_file(b->thread, (int)fd2, &f2)) {
		file_put(f1);
		return -EBADF;
	}
	result = order(f1, f2);
	file_put(f1);
	file_put(f2);
	return result;
}

static long compare(struct task *a, struct task *b, int type, uintptr_t index1, uintptr_t index2)
{
	switch (type) {
	case KCMP_FILE: return compare_files(a, b, index1, index2);
	case KCMP_VM: return order(READ_ONCE(a->thread->aspace), READ_ONCE(b->thread->aspace));
	case KCMP_FILES: return order(thread_fd_table(a->thread), thread_fd_table(b->thread));
	case KCMP_FS: return order(thread_fs_context(a->thread), thread_fs_context(b->thread));
	case KCMP_SIGHAND: return order(a->process->sighand, b->process->sighand);
	case KCMP_IO: return order(NULL, NULL);
	case KCMP_SYSVSEM: return order(READ_ONCE(a->sem_undo), READ_ONCE(b->sem_undo));
	}
	return -EINVAL;
}

long sys_kcmp(int32_t pid1, int32_t pid2, int32_t type, uintptr_t index1, uintptr_t index2)
{
	struct task *a = task_find(pid1), *b = task_find(pid2);
	long result = a && b ? 0 : -ESRCH;

	if (!result)
		result = process_inspect_begin_two(a->process, b->process, INSPECT_REAL_IDS);
	if (!result) {
		result = compare(a, b, type, index1, index2);
		process_inspect_end_two(a->process, b->process);
	}
	if (a)
		task_put(a);
	if (b)
		task_put(b);
	return result;
}
