/*
 * What the files of the benchmark share. Each has a table of measures; main.c runs them one after the other, each in a process of
 * its own, and prints "NAME VALUE": nanoseconds of the clock for one operation, the median of several batches. Where the machine
 * counts instructions (QEMU's -icount shift=0), a nanosecond is an instruction.
 */
#pragma once

#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct measure {
	const char *name;
	void (*setup)(void);		/* once, in the measure's own process; may be null */
	void (*run)(long n);		/* n operations */
	long n;				/* operations of a batch */
};

/* Ends the measure with a message; nothing of it is printed as a figure. */
#define NEED(condition)									\
	do {										\
		if (!(condition)) {							\
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);	\
			fflush(stdout);							\
			_exit(1);							\
		}									\
	} while (0)

/* Ended by an entry without a name. */
extern const struct measure calls[], files[], exchange[], processes[], threads[], memory[], signals[];

/* A directory on tmpfs, empty at the start of each measure. */
#define PLACE "/bench"
/* A program that ends at once. */
#define TINY "/tiny"
