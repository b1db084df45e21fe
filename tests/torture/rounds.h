/*
 * Thread torture: rounds. Each makes two processes with half of the threads each, and in most of them something cuts in: SIGKILL
 * to one or to both, exec or exit by one of many threads. What survives must come to its end, and all that was shared must be sound.
 */
#pragma once

#include "report.h"

enum { WAY_PEACE, WAY_KILL_ONE, WAY_KILL_BOTH, WAY_EXEC, WAY_EXIT, WAYS };
static const char *const way_names[] = { "peace", "kill one", "kill both", "exec", "exit" };

/* A process that does not end in this time has lost a wake-up. */
static int hang_seconds = 300;

static void *cut_in(void *arg)
{
	char *argv[] = { "torture", "noop", NULL };

	seed = (uint64_t)getpid() << 20 | 1;
	usleep(dice(300000));
	if ((long)arg == WAY_EXIT)
		_exit(7);
	execv("/proc/self/exe", argv);
	fail("execv", 0);
	return NULL;
}

/* One of the two processes. */
static void process_main(int threads, int way, unsigned int number)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	pthread_t *t = calloc((size_t)threads, sizeof(*t));
	void *result;

	seed = (uint64_t)number << 32 | 77;
	sigaction(SIGUSR1, &sa, NULL);
	report_faults();
	make_objects(&own, 0);
	MUST(pthread_attr_init(&small_stack));
	MUST(pthread_attr_setstacksize(&small_stack, PTHREAD_STACK_MIN > 65536 ? PTHREAD_STACK_MIN : 65536));
	if (way == WAY_EXEC || way == WAY_EXIT)
		MUST(pthread_detach(start(cut_in, (void *)(long)way)));
	for (int i = 0; i < threads; i++)
		t[i] = start(worker, (void *)(long)(number * 100003u + (unsigned int)i));
	for (int i = 0; i < threads; i++) {
		MUST(pthread_join(t[i], &result));
		if (result != (void *)(long)(number * 100003u + (unsigned int)i))
			fail("a worker's result", (long)result);
	}
	while (__atomic_load_n(&detached, __ATOMIC_SEQ_CST))
		usleep(1000);
	check_objects(&own, 0);
	free(t);
	_exit(0);
}

/* The end of a process: its status, or -1: it hangs. */
static int wait_end(pid_t pid)
{
	int status;

	for (long i = 0; i < hang_seconds * 100; i++) {
		pid_t ended = waitpid(pid, &status, WNOHANG);

		if (ended == pid)
			return status;
		if (ended < 0)
			fail("waitpid", pid);
		usleep(10000);
	}
	printf("process %d hangs\n", pid);
	show_threads(pid);
	show_objects(pid);
	return -1;
}

/* May a process end like this? */
static int end_is_right(int status, int way, int killed)
{
	if (WIFSIGNALED(status))
		return killed && WTERMSIG(status) == SIGKILL;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 1;
	/* exec and exit cut in, or came too late. */
	return (way == WAY_EXIT && status == 7 << 8) || (way == WAY_EXEC && status == 0);
}

/* One round: 0 if all is well. */
static int round_run(int threads, unsigned int number)
{
	int way = number < 2 ? WAY_PEACE : (int)dice(WAYS), bad = 0, status;
	pid_t pid[2];

	memset(arena, 0, sizeof(*arena));
	arena->mortal = way != WAY_PEACE;
	make_objects(&arena->objects, 1);
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i] < 0)
			fail("fork", i);
		if (pid[i] == 0)
			process_main(threads / 2, i == 0 || way <= WAY_KILL_BOTH ? way : WAY_PEACE, number * 2 + (unsigned int)i);
	}
	if (way == WAY_KILL_ONE || way == WAY_KILL_BOTH) {
		usleep(dice(400000));
		kill(pid[0], SIGKILL);
		if (way == WAY_KILL_BOTH)
			kill(pid[1], SIGKILL);
	}
	for (int i = 0; i < 2; i++) {
		status = wait_end(pid[i]);
		if (status == -1 || !end_is_right(status, i == 0 ? way : WAY_PEACE, way == WAY_KILL_BOTH || (way == WAY_KILL_ONE && i == 0))) {
			printf("round %u (%s): process %d (%d) ended with %x\n", number, way_names[way], i, pid[i], (unsigned int)status);
			bad = 1;
		}
		if (status == -1)
			kill(pid[i], SIGKILL);
	}
	if (!bad && !arena->failed)
		check_objects(&arena->objects, 1);
	if (arena->failed)
		printf("round %u (%s): %s\n", number, way_names[way], arena->why);
	fflush(stdout);
	return bad || arena->failed;
}

/* Rounds until the time is up; 0 if all went well. *rounds: how many did. */
static int torture(int threads, int steps, int seconds, unsigned int first_seed, unsigned int *rounds)
{
	time_t end = time(NULL) + seconds;
	unsigned int number = 0;

	seed = (uint64_t)first_seed << 16 | 12345;
	steps_each = steps;
	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED)
		return 1;
	do {
		*rounds = number;
		if (round_run(threads, number)) {
			printf("torture(threads %d, steps %d): round %u of seed %u failed\n", threads, steps, number, first_seed);
			return 1;
		}
		number++;
	} while (time(NULL) < end);
	*rounds = number;
	munmap(arena, sizeof(*arena));
	return 0;
}
