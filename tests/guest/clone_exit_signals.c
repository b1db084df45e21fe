/* The signal of a child's end: numbers that are none, parents that executed or inherited. */
// calls: clone wait4
// errors: clone clone3 arch_prctl
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "include/test.h"

/* A copy of the process, as fork makes it, with this exit signal. */
static pid_t copy(int sig, unsigned long more)
{
	fflush(stdout);
	return (pid_t)syscall(SYS_clone, (unsigned long)sig | more, 0, 0, 0, 0);
}

static void no_signals(void)
{
	static const int numbers[] = { 65, 72, 73, 91, 100, 127, 128, 200, 255 };

	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int status = -1;
		pid_t pid = copy(numbers[i], 0);

		if (!pid)
			_exit(5);
		CHECK(pid > 0);
		CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);	/* a clone child to wait(2) */
		CHECK_EQ(waitpid(pid, &status, i & 1 ? __WALL : __WCLONE), pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	}
}

static void clone3_refuses(void)
{
	static const uint64_t numbers[] = { 65, 128, 255, 256, 1ull << 32 };

	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t args[8] = { 0 };

		args[4] = numbers[i];
		CHECK_ERRNO(syscall(SYS_clone3, args, sizeof(args)), EINVAL);
	}
}

static sigset_t watched(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	return set;
}

/* The one of the two that comes. */
static int next_signal(void)
{
	sigset_t set = watched();
	siginfo_t info;

	return sigwaitinfo(&set, &info);
}

static void chosen(void)
{
	int status;
	pid_t pid = copy(SIGUSR1, 0);

	if (!pid)
		_exit(0);
	CHECK_EQ(next_signal(), SIGUSR1);
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
}

/* The parent is another program when the child ends: what it is then. */
static int executed(int pipe_end, pid_t child)
{
	int status;

	close(pipe_end);	/* the child ends now */
	if (next_signal() != SIGCHLD)
		return 1;
	if (waitpid(child, &status, 0) != -1 || errno != ECHILD)
		return 2;	/* to wait(2) it stays what it was */
	return waitpid(child, &status, __WALL) == child && status == 0 ? 0 : 3;
}

static void after_exec(int sig)
{
	char end_text[16], child_text[16], byte;
	int ends[2], status = -1;
	pid_t child, parent;

	fflush(stdout);
	parent = fork();
	if (!parent) {
		if (pipe(ends))
			_exit(10);
		child = copy(sig, 0);
		if (!child) {
			close(ends[1]);
			_exit(read(ends[0], &byte, 1) != 0);
		}
		close(ends[0]);
		snprintf(end_text, sizeof(end_text), "%d", ends[1]);
		snprintf(child_text, sizeof(child_text), "%d", child);
		execl("/proc/self/exe", "executed", end_text, child_text, NULL);
		_exit(11);
	}
	waitpid(parent, &status, 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(next_signal(), SIGCHLD);
}

/* Whoever inherits a child hears SIGCHLD of it. */
static void inherited(void)
{
	int ends[2], told[2], status = -1;
	pid_t middle, child = 0;
	char byte;

	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	if (pipe(ends) || pipe(told))
		return;
	fflush(stdout);
	middle = fork();
	if (!middle) {
		child = copy(SIGUSR1, 0);
		if (!child) {
			close(ends[1]);
			_exit(read(ends[0], &byte, 1) != 0);
		}
		_exit(write(told[1], &child, sizeof(child)) != sizeof(child));
	}
	CHECK_EQ(read(told[0], &child, sizeof(child)), sizeof(child));
	CHECK_EQ(next_signal(), SIGCHLD);
	CHECK_EQ(waitpid(middle, &status, 0), middle);
	close(ends[1]);
	CHECK_EQ(next_signal(), SIGCHLD);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

#ifdef __x86_64__
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002

#define SPACE_END 0x7ffffffff000ul

/* The child can run no C: what the compiler reads there it would read by the thread pointer. */
static long with_tls(unsigned long tls)
{
	register unsigned long fourth __asm__("r10") = 0;
	register unsigned long fifth __asm__("r8") = tls;
	long result;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%edi, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n"
			 "1:"
			 : "=a"(result)
			 : "a"(SYS_clone), "D"(CLONE_SETTLS | SIGCHLD), "S"(0), "d"(0), "r"(fourth),
			   "r"(fifth), [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory");
	if (result < 0) {
		errno = (int)-result;
		result = -1;
	}
	return result;
}

static void thread_pointers(void)
{
	static const unsigned long bad[] = {
		SPACE_END, 0x800000000000ul, 1ul << 63, 0xffff800000000000ul, ~0ul,
	};
	uint64_t args[8] = { CLONE_SETTLS, 0, 0, 0, SIGCHLD, 0, 0, 0 };
	int status = -1;
	long pid;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fflush(stdout);
		CHECK_ERRNO(with_tls(bad[i]), EPERM);
		CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_FS, bad[i]), EPERM);
		CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_GS, bad[i]), EPERM);
		args[7] = bad[i];
		CHECK_ERRNO(syscall(SYS_clone3, args, sizeof(args)), EPERM);
	}
	CHECK_ERRNO(waitpid(-1, &status, __WALL | WNOHANG), ECHILD);
	fflush(stdout);
	pid = with_tls(SPACE_END - 8);
	CHECK(pid > 0);
	CHECK_EQ(waitpid((pid_t)pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(next_signal(), SIGCHLD);
}
#else
static void thread_pointers(void)
{
}
#endif

int main(int argc, char **argv)
{
	sigset_t set = watched();

	if (argc == 3)
		return executed(atoi(argv[1]), atoi(argv[2]));
	no_signals();
	clone3_refuses();
	sigprocmask(SIG_BLOCK, &set, NULL);
	chosen();
	after_exec(SIGUSR1);
	after_exec(0);
	after_exec(200);
	inherited();
	thread_pointers();
	return test_done();
}
