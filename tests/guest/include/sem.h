/*
 * What the tests of semaphores share. Calls are made by number.
 */
#pragma once

#include "ipc.h"

#include <sys/sem.h>
#include <time.h>

#define SEM_ANY 20	/* SEM_STAT_ANY */

static inline long value_of(int id, int n) { return semctl(id, n, GETVAL, 0); }

static inline long sem_op1(int id, int n, int op, int flags)
{
	struct sembuf b = { (unsigned short)n, (short)op, (short)flags };

	return syscall(SYS_semop, (long)id, &b, 1l);
}

static inline long sem_timed(int id, int n, int op, int flags, long ms)
{
	struct sembuf b = { (unsigned short)n, (short)op, (short)flags };
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	return syscall(SYS_semtimedop, (long)id, &b, 1l, &t);
}

static inline int sem_new(int n)
{
	int id = (int)syscall(SYS_semget, (long)IPC_PRIVATE, (long)n, 0600l);

	if (id < 0)
		exit(2);
	return id;
}

/* Waits until so many calls wait for a semaphore to grow, or to become zero. */
static inline void until_waiters(int id, int n, int command, long count)
{
	for (int i = 0; i < 20000 && semctl(id, n, command, 0) != count; i++)
		usleep(500);
	test_result(semctl(id, n, command, 0) == count, "callers wait", __FILE__, __LINE__, semctl(id, n, command, 0));
}

/* A child that makes one operation and exits with 0 or its errno. */
static inline pid_t sem_child(int id, int n, int op, int flags)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(sem_op1(id, n, op, flags) ? errno : 0);
	return child;
}

static inline int ended_with(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
