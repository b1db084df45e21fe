/*
 * The interface of shared memory segments: linux/shm.h needs a C library's header, so its part stands here.
 */
#pragma once

#include <asm/shmbuf.h>

#define SHMMIN 1
#define SHMMNI 4096

/* Of shmget's flags. */
#define SHM_HUGETLB    004000
#define SHM_NORESERVE  010000
#define SHM_HUGE_SHIFT 26
#define SHM_HUGE_MASK  0x3f

/* Of shmat's flags. */
#define SHM_RDONLY 010000
#define SHM_RND    020000
#define SHM_REMAP  040000
#define SHM_EXEC   0100000

/* Commands of shmctl besides IPC_*. */
#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15

/* Shown in a segment's mode. */
#define SHM_DEST   01000	/* goes with the last mapping */
#define SHM_LOCKED 02000

/* What SHM_INFO gives. */
struct shm_info {
	int used_ids;
	unsigned long shm_tot;		/* pages, in all segments */
	unsigned long shm_rss;		/* present */
	unsigned long shm_swp;
	unsigned long swap_attempts;
	unsigned long swap_successes;
};
