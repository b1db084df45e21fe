/* What the calls of semaphores refuse: ids, counts, numbers, values, times, pointers, rights of others. */
// libc: gcc
// errors: semget semop semtimedop semctl
#include "include/sem.h"

#define KEY 0x5eed1002

static int id, closed;
static struct sembuf up = { 0, 1, 0 }, zero = { 0, 0, 0 };
static struct semid_ds d;

static void get(void)
{
	FAILS(EINVAL, semget, IPC_PRIVATE, 0, 0600);
	FAILS(EINVAL, semget, IPC_PRIVATE, -1, 0600);
	FAILS(EINVAL, semget, IPC_PRIVATE, 32001, 0600);
	FAILS(ENOENT, semget, KEY + 1, 1, 0600);
	FAILS(EINVAL, semget, KEY + 1, 0, IPC_CREAT | 0600);
	FAILS(EEXIST, semget, KEY, 1, IPC_CREAT | IPC_EXCL);
	FAILS(EINVAL, semget, KEY, 3, 0);
	FAILS(EINVAL, semget, KEY, -1, 0);
	GIVES(id, semget, KEY, 0, 0);
}

static void operate(void)
{
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 }, now = { 0, 0 };
	struct sembuf far = { 2, 1, 0 };

	FAILS(EINVAL, semop, -1, &up, 1);
	FAILS(EINVAL, semop, id, &up, 0);
	FAILS(E2BIG, semop, id, &up, 501);
	FAILS(E2BIG, semop, id, &up, 0xffffffffl);
	FAILS(E2BIG, semop, id, NULL, 501);
	FAILS(EFBIG, semop, id, &far, 1);
	FAILS(EINVAL, semop, id + (1 << 15), &up, 1);
	FAILS(EINVAL, semop, 0x7fffffff, &up, 1);
	FAILS(EFAULT, semop, -1, NULL, 1);
	FAILS(EFAULT, semop, id, NULL, 1);
	FAULTS(semop, 1, sizeof(up), id, 0, 1);
	FAULTS(semop, 1, 500 * sizeof(up), id, 0, 500);
	FAILS(EINVAL, semtimedop, id, &up, 1, &bad);
	FAILS(EINVAL, semtimedop, id, &up, 1, &negative);
	FAILS(EINVAL, semtimedop, -1, &up, 1, &now);
	FAILS(E2BIG, semtimedop, id, &up, 501, &now);
	FAILS(EFAULT, semtimedop, id, &up, 501, 8l);
	FAULTS(semtimedop, 1, sizeof(up), id, 0, 1, P(&now));
	FAULTS(semtimedop, 3, sizeof(now), id, P(&up), 1, 0);
	CHECK_EQ(value_of(id, 0), 0);
}

static void control(void)
{
	unsigned short values[2] = { 1, 32768 };

	FAILS(EINVAL, semctl, -1, 0, GETVAL, 0);
	FAILS(EINVAL, semctl, id, 0, 99, 0);
	FAILS(EINVAL, semctl, id, 0, -1, 0);
	FAILS(EINVAL, semctl, id, 0, GETVAL | 0x100, 0);
	FAILS(EINVAL, semctl, id, 2, GETVAL, 0);
	FAILS(EINVAL, semctl, id, -1, GETPID, 0);
	FAILS(EINVAL, semctl, id, 2, GETNCNT, 0);
	FAILS(EINVAL, semctl, id, 2, GETZCNT, 0);
	FAILS(EINVAL, semctl, id, 2, SETVAL, 0);
	FAILS(EINVAL, semctl, id, -1, SETVAL, 0);
	FAILS(ERANGE, semctl, id, 0, SETVAL, -1);
	FAILS(ERANGE, semctl, id, 0, SETVAL, 32768);
	FAILS(ERANGE, semctl, 0x7fffffff, 0, SETVAL, 32768);
	FAILS(ERANGE, semctl, id, 0, SETALL, values);
	CHECK_EQ(value_of(id, 0), 0);
	FAILS(EINVAL, semctl, id + (1 << 15), 0, IPC_STAT, &d);
	FAILS(EINVAL, semctl, 0x7fff, 0, SEM_STAT, &d);
	FAILS(EINVAL, semctl, 0x7fff, 0, IPC_RMID, 0);
	FAILS(EINVAL, semctl, 0x7fff, 0, GETALL, values);
	FAULTS(semctl, 3, sizeof(d), id, 0, IPC_STAT, 0);
	FAULTS(semctl, 3, sizeof(d), id, 0, IPC_SET, 0);
	FAULTS(semctl, 3, 4, id, 0, GETALL, 0);
	FAULTS(semctl, 3, 4, id, 0, SETALL, 0);
	FAULTS(semctl, 3, sizeof(struct seminfo), 0, 0, IPC_INFO, 0);
	FAULTS(semctl, 3, sizeof(struct seminfo), 0, 0, SEM_INFO, 0);
	CHECK_EQ(semctl(id, 0, IPC_STAT, (long)&d), 0);
	d.sem_perm.uid = -1;
	FAILS(EINVAL, semctl, id, 0, IPC_SET, &d);
	d.sem_perm.uid = 0;
}

/* `id` may be read by everybody, `closed` by nobody else. */
static void unlike_owner(void)
{
	unsigned short values[2];
	struct sembuf undo = { 0, 1, SEM_UNDO };
	int mine;

	GIVES(id, semget, KEY, 2, 0);
	FAILS(EACCES, semget, KEY, 2, 0600);
	FAILS(EACCES, semop, id, &up, 1);
	FAILS(EACCES, semop, id, &undo, 1);
	GIVES(0, semop, id, &zero, 1);
	FAILS(EACCES, semop, closed, &zero, 1);
	FAILS(EACCES, semctl, closed, 0, GETVAL, 0);
	FAILS(EACCES, semctl, closed, 0, GETALL, values);
	FAILS(EACCES, semctl, id, 0, SETVAL, 1);
	FAILS(EACCES, semctl, id, 0, SETALL, values);
	GIVES(0, semctl, id, 0, GETVAL, 0);
	FAILS(EACCES, semctl, closed, 0, IPC_STAT, &d);
	FAILS(EACCES, semctl, closed & 0x7fff, 0, SEM_STAT, &d);
	GIVES(closed, semctl, closed & 0x7fff, 0, SEM_ANY, &d);
	FAILS(EPERM, semctl, id, 0, IPC_SET, &d);
	FAILS(EPERM, semctl, id, 0, IPC_RMID, 0);
	/* The creator may change what is no longer his; without the right to use it. */
	mine = sem_new(1);
	CHECK_EQ(semctl(mine, 0, IPC_STAT, (long)&d), 0);
	d.sem_perm.uid = 1234;
	d.sem_perm.mode = 0;
	GIVES(0, semctl, mine, 0, IPC_SET, &d);
	FAILS(EACCES, semop, mine, &up, 1);
	GIVES(0, semctl, mine, 0, IPC_RMID, 0);
}

/* The limit of arrays: ENOSPC, and all is given back. */
static void no_room(void)
{
	static int ids[40000];
	int n = 0, bad = 0;

	while (n < 40000 && (ids[n] = (int)syscall(SYS_semget, (long)IPC_PRIVATE, 1l, 0600l)) >= 0)
		n++;
	CHECK(n > 30000 && n <= 32000);
	CHECK_EQ(errno, ENOSPC);
	for (int i = 0; i < n; i++)
		bad += semctl(ids[i], 0, IPC_RMID, 0) != 0;
	CHECK_EQ(bad, 0);
}

int main(void)
{
	own_ipc();
	id = (int)syscall(SYS_semget, (long)KEY, 2l, (long)(IPC_CREAT | 0644));
	closed = sem_new(1);
	CHECK(id >= 0);
	get();
	operate();
	control();
	if (geteuid() == 0)
		as_user(unlike_owner);
	no_room();
	CHECK_EQ(semctl(id, 0, IPC_RMID, 0), 0);
	CHECK_EQ(semctl(closed, 0, IPC_RMID, 0), 0);
	return test_done();
}
