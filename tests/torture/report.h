/*
 * Thread torture: what a failed round leaves to be read. For a process that hangs, every thread with the call that it sleeps in (number, then
 * its arguments: a futex's address first), and the words of locks that are not at rest, its own and those of both, with their addresses.
 */
#pragma once

#include "ops.h"

#include <dirent.h>
#include <sys/uio.h>
#include <ucontext.h>

#define SHOWN_THREADS 64

/* One line of a file in /proc/<pid>/task/<tid>. */
static void task_line(int pid, const char *tid, const char *file, char *out, int size)
{
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%.12s/%s", pid, tid, file);
	f = fopen(path, "r");
	if (!f || !fgets(out, size, f))
		snprintf(out, (size_t)size, "?");
	out[strcspn(out, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void show_threads(pid_t pid)
{
	char path[40], state[400], call[200];
	struct dirent *d;
	int shown = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir)) && shown < SHOWN_THREADS) {
		char *p;

		if (d->d_name[0] == '.')
			continue;
		task_line(pid, d->d_name, "stat", state, sizeof(state));
		task_line(pid, d->d_name, "syscall", call, sizeof(call));
		p = strrchr(state, ')');
		printf("  thread %s %c: %s\n", d->d_name, p ? p[2] : '?', call);
		shown++;
	}
	if (dir)
		closedir(dir);
}

/* Of a mutex that is not at rest: either library has its state in the first words, and one of them its kind. */
static void show_words(const char *what, const void *at, const void *copy)
{
	const unsigned int *w = copy;

	if (w[0] < 256 && !w[1] && !w[2])
		return;
	printf("  %s at %p:", what, at);
	for (unsigned int i = 0; i < sizeof(pthread_mutex_t) / sizeof(*w); i++)
		printf(" %x", w[i]);
	printf("\n");
}

static void show_locks(const char *whose, const struct objects *at, const struct objects *copy)
{
	int tokens;

	for (int kind = 0; kind < KINDS; kind++)
		for (int i = 0; i < LOCKS; i++)
			show_words(kind_names[kind], &at->lock[kind][i].mutex, &copy->lock[kind][i].mutex);
	show_words("buffer", &at->buffer.mutex, &copy->buffer.mutex);
	sem_getvalue((sem_t *)&copy->tokens, &tokens);
	printf("  %s: buffer %u..%u, conditions at %p and %p, %d tokens at %p, %ld holders\n", whose, copy->buffer.tail, copy->buffer.head,
	       (void *)&at->buffer.not_empty, (void *)&at->buffer.not_full, tokens, (void *)&at->tokens, copy->holders);
}

/* The process has its objects where we have ours. */
static void show_objects(pid_t pid)
{
	static struct objects copy;
	struct iovec here = { &copy, sizeof(copy) }, there = { &own, sizeof(own) };

	if (process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)sizeof(copy))
		show_locks("own", &own, &copy);
	show_locks("both", &arena->objects, &arena->objects);
}

/* The program counter and the stack pointer say whose fault it is. The fault happens again after this, without us. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *u = context;
	unsigned long pc = 0, sp = 0;

#if defined(__x86_64__)
	pc = (unsigned long)u->uc_mcontext.gregs[REG_RIP];
	sp = (unsigned long)u->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	pc = u->uc_mcontext.pc;
	sp = u->uc_mcontext.sp;
#endif
	dprintf(1, "# signal %d (code %d) in thread %ld of %d: address %p, pc %lx, sp %lx\n", sig, info->si_code, syscall(SYS_gettid),
		getpid(), info->si_addr, pc, sp);
	signal(sig, SIG_DFL);
	if (sig == SIGABRT)
		raise(sig);
}

static void report_faults(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	for (unsigned int i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigaction(faults[i], &sa, NULL);
}
