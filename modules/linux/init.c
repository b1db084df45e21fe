/*
 * Start of the module, and of init: the first user process, made out of the kernel's start thread.
 */
#include "internal.h"

#include "core/arch/thread.h"
#include "core/boot/boot.h"
#include "core/debug/panic.h"
#include "core/mem/page.h"
#include "modules/vfs/fd.h"

#define WORDS_MAX 64

static const char *argv[WORDS_MAX + 2] = { "init" };
static const char *envp[WORDS_MAX + 3] = { "HOME=/", "TERM=linux" };
static unsigned int argc = 1, envc = 2;

/* Words that the kernel does not know: settings go to the environment, others to the arguments. */
static void take_word(const char *word, void *arg)
{
	(void)arg;
	if (strchr(word, '=')) {
		for (unsigned int i = 0; i < envc; i++) {
			size_t n = (size_t)(strchr(envp[i], '=') - envp[i]) + 1;

			if (!strncmp(envp[i], word, n)) {
				envp[i] = word;
				return;
			}
		}
		if (envc < WORDS_MAX + 2)
			envp[envc++] = word;
	} else if (argc <= WORDS_MAX) {
		argv[argc++] = word;
	}
}

static int open_console(void)
{
	struct file *f;
	int error = file_open("/dev/console", O_RDWR, 0, &f), fd;

	if (error)
		error = file_open_device(0020000, (5 << 8) | 1, O_RDWR, &f);
	if (error) {
		log_warn("init has no console (error %d)", -error);
		return error;
	}
	for (int i = 0; i < 3; i++) {
		if (i)
			file_get(f);
		fd = fd_install(f, 0);
		if (fd < 0) {
			file_put(f);
			return fd;
		}
	}
	return 0;
}

/* Gives the start thread a process of its own: number 1. */
static int become_process(void)
{
	struct process *p = process_create(NULL, NULL);
	struct user *root = user_find(0);
	struct task *t = p && root ? task_create(current, p, root) : NULL;
	unsigned long flags;
	int error;

	if (!t)
		return -ENOMEM;
	process_put(p);
	user_charge_task(root, UINT64_MAX);
	error = pid_allocate(1, &t->pid);
	if (error)
		return error;
	flags = spin_lock_irqsave(&tree_lock);
	p->pid = t->pid;
	pid_get(p->pid);
	pid_use_locked(p->pid);
	p->leader = t;
	p->group = p->session = &pid_none;	/* as on Linux: its setsid() succeeds */
	process_attach_locked(p, NULL, NULL);
	spin_lock_raw(&p->lock);
	task_attach_locked(t);
	spin_unlock_raw(&p->lock);
	init_process = p;
	spin_unlock_irqrestore(&tree_lock, flags);
	thread_set_data(current, linux_slot, t);
	return arch_thread_make_user();
}

/* The first line that try_init wrote, for the panic. */
static char failure[320];

/* Runs a program as init; returns if it cannot be. One that is not there is worth a line only if it was asked for. */
static void try_init(const char *path, bool asked)
{
	char missing[200], text[sizeof(failure)];
	int error;

	argv[0] = path;
	error = exec_kernel(path, argv, envp, missing, sizeof(missing));
	if (!error)
		arch_thread_enter_user();
	if (missing[0])
		snprintf(text, sizeof(text), "Requested init %.100s failed: interpreter %s is missing", path, missing);
	else
		snprintf(text, sizeof(text), "init: %.200s cannot be run (error %d)", path, -error);
	if (error == -ENOENT && !missing[0] && !asked)
		return;
	log_err("%s", text);
	if (!failure[0])
		str_copy(failure, text, sizeof(failure));
}

void linux_start_init(void)
{
	static const char *const places[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh" };
	const char *wanted = cmdline_value("init"), *ramdisk = cmdline_value("rdinit");
	int error = become_process();

	if (error)
		panic("init: no process could be made (error %d)", -error);
	cmdline_for_each_unknown(take_word, NULL);
	open_console();
	thread_set_name(current, "init");
	/* As on Linux: the initramfs' program first (rdinit=, default /init), then init=, then the usual places. */
	try_init(ramdisk ? ramdisk : "/init", ramdisk);
	if (wanted) {
		failure[0] = '\0';
		try_init(wanted, true);
		panic("%s", failure);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		try_init(places[i], false);
	panic("%s%sno init found: give one with init= or put /init into the initrd", failure, failure[0] ? "; " : "");
}

int linux_init(void)
{
	int error = pid_start();

	if (!error)
		error = sighand_start();
	process_cache = kmem_cache_create("process", sizeof(struct process), 0);
	task_cache = kmem_cache_create("task", sizeof(struct task), 0);
	if (error || !process_cache || !task_cache)
		return -ENOMEM;
	page_out_of_memory = oom_kill_one;
	boot_start_init = linux_start_init;
	return 0;
}
