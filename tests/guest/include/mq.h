/*
 * What the tests of POSIX message queues share. On a Linux with name spaces they have queues and limits of their own.
 */
#pragma once

#include "msg.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/resource.h>

static inline mqd_t queue(const char *name, int flags, long max, long size)
{
	struct mq_attr a = { .mq_maxmsg = max, .mq_msgsize = size };

	return mq_open(name, O_CREAT | flags, 0600, &a);
}

static inline struct mq_attr attr_of(mqd_t q)
{
	struct mq_attr a = { .mq_curmsgs = -1 };

	if (mq_getattr(q, &a))
		a.mq_curmsgs = -1;
	return a;
}

static inline long count_of(mqd_t q) { return attr_of(q).mq_curmsgs; }

static inline int say(mqd_t q, const char *s, unsigned int priority) { return mq_send(q, s, strlen(s), priority); }

/* Is this the next message? */
static inline int heard(mqd_t q, const char *s, unsigned int priority)
{
	char text[9000];
	unsigned int got = 77777;
	long n = mq_receive(q, text, sizeof(text), &got);

	return n == (long)strlen(s) && got == priority && !memcmp(text, s, (size_t)n);
}

/* The real time in so many milliseconds. */
static inline struct timespec in_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static inline int set_limit(const char *name, const char *value)
{
	char path[100];
	int fd, error;

	snprintf(path, sizeof(path), "/proc/sys/fs/mqueue/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	error = write(fd, value, strlen(value)) == (ssize_t)strlen(value) ? 0 : errno;
	close(fd);
	return error;
}

static inline long get_limit(const char *name)
{
	char path[100], text[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/fs/mqueue/%s", name);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0 && text[n - 1] == '\n' ? strtol(text, NULL, 10) : -77;
}
