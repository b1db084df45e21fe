/*
 * What the tests of directories that change while they are read share: a directory of many names, read a few at a time.
 */
#pragma once

#include "proof.h"

#include <dirent.h>
#include <stdint.h>

#define NAMES 200

struct entry { uint64_t ino; int64_t off; unsigned short length; unsigned char type; char name[]; };

static char seen[NAMES];
static int dir, others;

static void make(void)
{
	char name[32];

	memset(seen, 0, sizeof(seen));
	others = 0;
	mkdir("d", 0700);
	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "d/name%d", i);
		close(own_file(name, ""));
	}
	dir = open("d", O_RDONLY | O_DIRECTORY);
}

static void clear(void)
{
	char name[300];
	struct dirent *e;
	DIR *d = opendir("d");

	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
			snprintf(name, sizeof(name), "d/%s", e->d_name);
			unlink(name);
		}
	closedir(d);
	CHECK_EQ(rmdir("d"), 0);
	close(dir);
}

/* The next few entries; the number of them. */
static int some(void)
{
	char buf[120];
	long n = syscall(SYS_getdents64, dir, buf, sizeof(buf));
	int count = 0, i;

	for (long at = 0; at < n; at += ((struct entry *)(buf + at))->length, count++) {
		struct entry *e = (void *)(buf + at);

		if (sscanf(e->name, "name%d", &i) == 1 && i >= 0 && i < NAMES)
			seen[i]++;
		else
			others++;
	}
	return count;
}

static int all_once(void)
{
	int ok = 1;

	for (int i = 0; i < NAMES; i++)
		ok &= seen[i] == 1;
	return ok;
}

/* Changes another part of the directory after every few entries; ends by itself. */
static int read_with(void (*change)(int step))
{
	int steps = 0;

	while (some() && steps < 10 * NAMES)
		change(steps++);
	return steps < 10 * NAMES;
}
