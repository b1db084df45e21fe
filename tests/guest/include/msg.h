/*
 * What the tests of message queues share.
 */
#pragma once

#include "ipc.h"

#include <sys/msg.h>
#include <time.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#define MSG_ANY 13	/* MSG_STAT_ANY */

struct text {
	long type;
	char bytes[9000];
};

static inline int msg_new(void)
{
	int id = msgget(IPC_PRIVATE, 0600);

	if (id < 0)
		exit(2);
	return id;
}

static inline long put(int id, long type, const char *s, int flags)
{
	struct text t = { .type = type };

	strcpy(t.bytes, s);
	return msgsnd(id, &t, strlen(s), flags);
}

static inline struct msqid_ds msg_stat(int id)
{
	struct msqid_ds d = { 0 };

	if (msgctl(id, IPC_STAT, &d))
		d.msg_qnum = 9999;
	return d;
}

/* Is this the next message for the wish? */
static inline int took(int id, long wish, int flags, long type, const char *s)
{
	struct text t = { 0 };
	long n = msgrcv(id, &t, sizeof(t.bytes), wish, flags);

	return n == (long)strlen(s) && t.type == type && !memcmp(t.bytes, s, (size_t)n);
}

/* Until a child sleeps in the kernel. */
static inline void until_sleeps(pid_t child)
{
	char path[64], line[256];

	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	for (int i = 0; i < 20000; i++) {
		FILE *f = fopen(path, "r");
		char *p = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;

		if (f)
			fclose(f);
		if (p && p[2] == 'S')
			break;
		usleep(500);
	}
}

static inline int ended_with(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
