/*
 * Semaphore arrays, for sem.c, sem_ctl.c and sem_undo.c.
 *
 * Under an array's lock, no operation waits that could proceed: whoever changes values lets all that became possible
 * happen before letting go of the lock (sem_update_locked).
 */
#pragma once

#include <linux/sem.h>

#include "modules/linux/sem_undo.h"
#include "modules/sysvipc/internal.h"

struct semaphore {
	int value;			/* 0..SEMVMX */
	int pid;			/* of the last operation */
};

struct sem_array {
	struct ipc_object ipc;
	int64_t otime, ctime;
	unsigned int count;
	unsigned int several;		/* waiting calls with more than one operation */
	struct list undos;		/* sem_undo.array_link */
	struct list zero_waiters;	/* calls that change nothing */
	struct list waiters;		/* the others; both in the order of arrival */
	struct semaphore sem[];
};

/* What one share must give back to one array. Both locks to change the lists, the array's for the numbers. */
struct sem_undo {
	struct list share_link, array_link;
	struct sem_undo_share *share;
	struct sem_array *array;	/* a reference */
	int16_t adjust[];
};

/* A call: the operations, and how it went while its thread waits. */
struct sem_call {
	struct list link;
	struct thread *thread;
	const struct sembuf *ops;
	unsigned int count;
	bool changes;			/* one of them is not a wait for zero */
	struct sem_undo *undo;		/* null: none has SEM_UNDO */
	int pid;
	const struct sembuf *blocking;	/* the one that could not proceed */
	int status;			/* SEM_WAITING, then the result; the call is the waiter's again */
};
#define SEM_WAITING 1

static inline struct sem_array *sem_array_of(struct ipc_object *o) { return container_of(o, struct sem_array, ipc); }
/* All operations or none: 0, SEM_WAITING if one must wait, -EAGAIN, -ERANGE. array.lock held. */
int sem_try_locked(struct sem_array *a, struct sem_call *c);
/*
 * After a change: completes the waiting calls that can proceed now. True if one did; its time is recorded. The wake-ups
 * are delivered by the caller when it has dropped the lock. array.lock held.
 */
bool sem_update_locked(struct sem_array *a, struct wake_list *wakes);
/* Ends all waiting calls with an error. array.lock held. */
void sem_fail_all_locked(struct sem_array *a, int error, struct wake_list *wakes);

/* sem_undo.c: the caller's entry for the array, made if there is none. -ENOMEM. array.lock held. */
int sem_undo_find_locked(struct sem_array *a, struct sem_undo_share *share, struct sem_undo **out);
/* Nothing has to be given back to one semaphore, or to the array that is being removed. array.lock held. */
void sem_undo_clear_locked(struct sem_array *a, unsigned int index);
void sem_undo_drop_all_locked(struct sem_array *a);
/* Takes over from the personality what is to be done when threads end. */
void sem_undo_start(void);
