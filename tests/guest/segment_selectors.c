/* The selectors in DS, ES, FS and GS belong to a thread: kept over switches, inherited by its children, gone after exec, unseen by others. */
// libc: gcc
// arch: x86_64
// calls: arch_prctl
// flags: -pthread
#include "include/proof.h"

#include <asm/prctl.h>
#include <pthread.h>
#include <stdint.h>

static volatile uint64_t seen_by_other;
static volatile int stop;

static uint64_t selectors(void)
{
	uint64_t ds, es, fs, gs;

	asm volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3" : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	return ds | es << 16 | fs << 32 | gs << 48;
}

static void *look(void *unused)
{
	while (!stop) {
		seen_by_other |= selectors();
		sched_yield();
	}
	return unused;
}

static void *give(void *selectors_seen)
{
	*(uint64_t *)selectors_seen = selectors();
	return NULL;
}

/* FS holds the library's own base, so nothing may use that between; selector 0 and the base are back at the end. */
static uint64_t fs_over_switches(uint64_t selector, unsigned long base)
{
	uint64_t fs = selector, now, n = 500;

	while (n-- && fs == selector) {
		long result;

		asm volatile("mov %2, %%fs\n\t"
			     "syscall\n\t"
			     "mov %%fs, %1\n\t"
			     "mov %3, %%eax\n\t"
			     "mov %4, %%edi\n\t"
			     "mov %5, %%rsi\n\t"
			     "syscall"
			     : "=&a"(result), "=&b"(now)
			     : "r"(selector), "i"(SYS_arch_prctl), "i"(ARCH_SET_FS), "r"(base), "0"((long)SYS_sched_yield)
			     : "rcx", "rdi", "rsi", "r11", "memory");
		fs = now;
	}
	return fs;
}

static void kept(uint64_t user_data)
{
	const uint64_t mine = user_data | user_data << 16 | user_data << 48;
	uint64_t now = mine, inherited = 1;
	unsigned long fs, base = 1;
	pthread_t thread;
	int status;

	GIVES(0, arch_prctl, ARCH_SET_GS, 0x123400001234ul);
	asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%gs" : : "r"(user_data));
	for (int i = 0; i < 500 && now == mine; i++) {
		if (i % 50)
			sched_yield();
		else
			usleep(1000);
		now = selectors();
	}
	CHECK_EQ(now, mine);
	GIVES(0, arch_prctl, ARCH_GET_GS, &base);
	CHECK_EQ(base, 0);			/* the selector brought its own */
	if (fork() == 0)
		_exit(selectors() != mine);
	wait(&status);
	CHECK_EQ(status, 0);
	pthread_create(&thread, NULL, give, &inherited);
	pthread_join(thread, NULL);
	CHECK_EQ(inherited, mine);
	if (fork() == 0) {
		execl("/proc/self/exe", "segment_selectors", "again", NULL);
		_exit(2);
	}
	wait(&status);
	CHECK_EQ(status, 0);
	/* A base that is set takes the selector away. */
	GIVES(0, arch_prctl, ARCH_SET_GS, 0x123400001234ul);
	CHECK_EQ(selectors() >> 48, 0);
	GIVES(0, arch_prctl, ARCH_GET_FS, &fs);
	CHECK_EQ(fs_over_switches(user_data, fs), user_data);
	CHECK_EQ(selectors(), user_data | user_data << 16);
	asm volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0l));
}

int main(int argc, char **argv)
{
	cpu_set_t first;
	pthread_t other;
	uint64_t ss;

	(void)argv;
	if (argc > 1)
		return selectors() != 0;
	CHECK_EQ(selectors(), 0);
	asm volatile("mov %%ss, %0" : "=r"(ss));
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	pthread_create(&other, NULL, look, NULL);
	kept(ss);
	stop = 1;
	pthread_join(other, NULL);
	CHECK_EQ(seen_by_other, 0);
	return test_done();
}
