/* Semaphores: values, several operations at once, waiting for growth and for zero, order, counts, times, timeouts, signals, removal. */
// libc: gcc
// calls: semget semop semtimedop semctl
#include "include/sem.h"

static int id;

static struct semid_ds stat_of(int which)
{
	struct semid_ds d = { 0 };

	if (semctl(which, 0, IPC_STAT, (long)&d))
		d.sem_nsems = 9999;
	return d;
}

static void values(void)
{
	unsigned short all[3] = { 7, 0, 32767 }, got[3];
	time_t before = time(NULL);
	struct semid_ds d;

	id = (int)syscall(SYS_semget, 0x5eed1001l, 3l, (long)(IPC_CREAT | IPC_EXCL | 0640));
	CHECK(id >= 0);
	GIVES(id, semget, 0x5eed1001, 2, 0);
	d = stat_of(id);
	CHECK_EQ(d.sem_nsems, 3);
	CHECK_EQ(d.sem_perm.mode, 0640);
	CHECK_EQ(d.sem_otime, 0);
	CHECK(d.sem_ctime >= before - 1);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(value_of(id, i), 0);
		CHECK_EQ(semctl(id, i, GETPID, 0), 0);
	}
	CHECK_EQ(semctl(id, 0, SETALL, (long)all), 0);
	CHECK_EQ(semctl(id, 0, GETALL, (long)got), 0);
	CHECK(!memcmp(all, got, sizeof(all)));
	CHECK_EQ(semctl(id, 1, GETPID, 0), getpid());
	CHECK_EQ(semctl(id, 0, SETVAL, 1), 0);
	CHECK_EQ(value_of(id, 0), 1);
	CHECK_EQ(sem_op1(id, 0, 4, 0), 0);
	CHECK_EQ(value_of(id, 0), 5);
	CHECK_EQ(sem_op1(id, 0, -5, 0), 0);
	CHECK_EQ(sem_op1(id, 0, 0, 0), 0);
	CHECK(stat_of(id).sem_otime >= before - 1);
}

/* All or nothing, in order, also several on one semaphore. */
static void several(void)
{
	struct sembuf swap[2] = { { 0, 2, 0 }, { 1, -1, IPC_NOWAIT } };
	struct sembuf within[3] = { { 0, 3, 0 }, { 0, -2, 0 }, { 0, -1, IPC_NOWAIT } };
	struct sembuf lock[2] = { { 1, 0, IPC_NOWAIT }, { 1, 1, 0 } };
	struct sembuf many[500];

	CHECK_EQ(value_of(id, 0), 0);
	FAILS(EAGAIN, semop, id, swap, 2);
	CHECK_EQ(value_of(id, 0), 0);
	GIVES(0, semop, id, within, 3);
	CHECK_EQ(value_of(id, 0), 0);
	GIVES(0, semop, id, lock, 2);
	FAILS(EAGAIN, semop, id, lock, 2);
	GIVES(0, semop, id, swap, 2);
	CHECK_EQ(value_of(id, 0), 2);
	CHECK_EQ(value_of(id, 1), 0);
	for (int i = 0; i < 500; i++)
		many[i] = (struct sembuf){ 1, 1, 0 };
	GIVES(0, semop, id, many, 500);
	CHECK_EQ(value_of(id, 1), 500);
	FAILS(E2BIG, semop, id, many, 501);
	FAILS(ERANGE, semop, id, (struct sembuf[1]){ { 2, 1, 0 } }, 1);
	FAILS(ERANGE, semop, id, (struct sembuf[2]){ { 0, 1, 0 }, { 2, 32767, 0 } }, 2);
	CHECK_EQ(value_of(id, 0), 2);
	CHECK_EQ(semctl(id, 0, SETALL, (long)(unsigned short[3]){ 0, 0, 0 }), 0);
}

static void waiting(void)
{
	pid_t a = sem_child(id, 0, -2, 0), b, z;

	until_waiters(id, 0, GETNCNT, 1);
	b = sem_child(id, 0, -1, 0);
	until_waiters(id, 0, GETNCNT, 2);
	CHECK_EQ(semctl(id, 0, GETZCNT, 0), 0);
	CHECK_EQ(sem_op1(id, 0, 1, 0), 0);	/* enough for the second only, which overtakes */
	CHECK_EQ(ended_with(b), 0);
	CHECK_EQ(semctl(id, 0, GETPID, 0), b);
	CHECK_EQ(sem_op1(id, 0, 2, 0), 0);
	CHECK_EQ(ended_with(a), 0);
	CHECK_EQ(value_of(id, 0), 0);
	CHECK_EQ(sem_op1(id, 0, 1, 0), 0);
	z = sem_child(id, 0, 0, 0);
	until_waiters(id, 0, GETZCNT, 1);
	CHECK_EQ(sem_op1(id, 0, -1, 0), 0);
	CHECK_EQ(ended_with(z), 0);
	/* SETVAL and SETALL wake, too. */
	a = sem_child(id, 1, -3, 0);
	until_waiters(id, 1, GETNCNT, 1);
	CHECK_EQ(semctl(id, 1, SETVAL, 2), 0);
	until_waiters(id, 1, GETNCNT, 1);
	CHECK_EQ(semctl(id, 1, SETVAL, 3), 0);
	CHECK_EQ(ended_with(a), 0);
	CHECK_EQ(value_of(id, 1), 0);
	a = sem_child(id, 1, -3, 0);
	until_waiters(id, 1, GETNCNT, 1);
	CHECK_EQ(semctl(id, 0, SETALL, (long)(unsigned short[3]){ 0, 3, 0 }), 0);
	CHECK_EQ(ended_with(a), 0);
}

static pid_t pair_child(void)
{
	struct sembuf both[2] = { { 0, -1, 0 }, { 1, -1, 0 } };
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(syscall(SYS_semop, (long)id, both, 2l) ? errno : 0);
	return child;
}

/* A call for two semaphores takes neither until it has both, and counts where it waits. */
static void pairs(void)
{
	pid_t child = pair_child();

	until_waiters(id, 0, GETNCNT, 1);
	CHECK_EQ(sem_op1(id, 0, 1, 0), 0);
	until_waiters(id, 1, GETNCNT, 1);
	CHECK_EQ(semctl(id, 0, GETNCNT, 0), 0);
	CHECK_EQ(value_of(id, 0), 1);
	CHECK_EQ(sem_op1(id, 0, -1, IPC_NOWAIT), 0);
	CHECK_EQ(sem_op1(id, 1, 1, 0), 0);
	until_waiters(id, 0, GETNCNT, 1);
	CHECK_EQ(value_of(id, 1), 1);
	CHECK_EQ(sem_op1(id, 0, 1, 0), 0);
	CHECK_EQ(ended_with(child), 0);
	CHECK_EQ(value_of(id, 0), 0);
	CHECK_EQ(value_of(id, 1), 0);
}

/* Equal wishes are met in the order in which they came. */
static void order(void)
{
	pid_t child[5];
	int wrong = 0;

	for (int i = 0; i < 5; i++) {
		child[i] = sem_child(id, 2, -1, 0);
		until_waiters(id, 2, GETNCNT, i + 1);
	}
	for (int i = 0; i < 5; i++) {
		sem_op1(id, 2, 1, 0);
		wrong += ended_with(child[i]) != 0;
	}
	CHECK_EQ(wrong, 0);
}

/* A chain: each call makes the next one possible. */
static void chain(void)
{
	struct sembuf hop[2] = { { 0, -1, 0 }, { 0, 1, 0 } };
	int which = sem_new(6), bad = 0;
	pid_t child[5];

	fflush(stdout);
	for (int i = 0; i < 5; i++) {
		hop[0].sem_num = (unsigned short)i;
		hop[1].sem_num = (unsigned short)(i + 1);
		if ((child[i] = fork()) == 0)
			_exit(syscall(SYS_semop, (long)which, hop, 2l) != 0);
		until_waiters(which, i, GETNCNT, 1);
	}
	CHECK_EQ(sem_op1(which, 0, 1, 0), 0);
	for (int i = 0; i < 5; i++)
		bad += ended_with(child[i]) != 0;
	CHECK_EQ(bad, 0);
	CHECK_EQ(value_of(which, 5), 1);
	CHECK_EQ(semctl(which, 0, IPC_RMID, 0), 0);
}

static void on_signal(int s) { (void)s; }

static void ends(void)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct timespec start, end, zero = { 0, 0 };
	struct sembuf op = { 0, -1, 0 };
	int which = sem_new(1);
	pid_t child;

	clock_gettime(CLOCK_MONOTONIC, &start);
	CHECK_ERRNO(sem_timed(which, 0, -1, 0, 60), EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &end);
	CHECK((end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000 >= 59);
	FAILS(EAGAIN, semtimedop, which, &op, 1, &zero);
	CHECK_EQ(semctl(which, 0, GETNCNT, 0), 0);
	/* Never restarted, whatever the handler says. */
	sigaction(SIGALRM, &act, NULL);
	ualarm(30000, 0);
	CHECK_ERRNO(sem_op1(which, 0, -1, 0), EINTR);
	ualarm(30000, 0);
	CHECK_ERRNO(sem_timed(which, 0, -1, 0, 100000), EINTR);
	CHECK_EQ(semctl(which, 0, GETNCNT, 0), 0);
	/* Killed while it waits, it leaves no trace. */
	child = sem_child(which, 0, -1, 0);
	until_waiters(which, 0, GETNCNT, 1);
	kill(child, SIGKILL);
	CHECK_EQ(ended_with(child), -SIGKILL);
	CHECK_EQ(semctl(which, 0, GETNCNT, 0), 0);
	CHECK_EQ(sem_op1(which, 0, 1, 0), 0);
	CHECK_EQ(value_of(which, 0), 1);
	child = sem_child(which, 0, 0, 0);
	until_waiters(which, 0, GETZCNT, 1);
	CHECK_EQ(semctl(which, 0, IPC_RMID, 0), 0);
	CHECK_EQ(ended_with(child), EIDRM);
	CHECK_ERRNO(sem_op1(which, 0, 1, 0), EINVAL);
}

static void information(void)
{
	struct seminfo limits, use;
	struct semid_ds d = stat_of(id);
	int highest = (int)semctl(0, 0, IPC_INFO, (long)&limits), seen = 0;
	char line[300];
	FILE *f;

	CHECK(highest >= 0);
	CHECK_EQ(limits.semmsl, 32000);
	CHECK_EQ(limits.semopm, 500);
	CHECK_EQ(limits.semmni, 32000);
	CHECK_EQ(limits.semvmx, 32767);
	CHECK_EQ(limits.semaem, 32767);
	CHECK_EQ(semctl(0, 0, SEM_INFO, (long)&use), highest);
	CHECK(use.semusz >= 1 && use.semaem >= 3);
	for (int i = 0; i <= highest; i++)
		seen += semctl(i, 0, SEM_STAT, (long)&d) == id && semctl(i, 0, SEM_ANY, (long)&d) == id && d.sem_nsems == 3;
	CHECK_EQ(seen, 1);
	d.sem_perm.mode = 0600;
	d.sem_perm.uid = 1000;
	CHECK_EQ(semctl(id, 0, IPC_SET, (long)&d), 0);
	CHECK_EQ(stat_of(id).sem_perm.mode, 0600);
	CHECK_EQ(stat_of(id).sem_perm.uid, 1000);
	f = fopen("/proc/sysvipc/sem", "r");
	CHECK(f && fgets(line, sizeof(line), f) && strstr(line, "semid perms      nsems"));
	seen = 0;
	while (f && fgets(line, sizeof(line), f)) {
		long key, semid, perms, n;

		if (sscanf(line, "%ld %ld %lo %ld", &key, &semid, &perms, &n) == 4 && semid == id)
			seen = key == 0x5eed1001 && perms == 0600 && n == 3;
	}
	CHECK(seen);
	if (f)
		fclose(f);
}

int main(void)
{
	own_ipc();
	values();
	several();
	waiting();
	pairs();
	order();
	chain();
	ends();
	information();
	CHECK_EQ(semctl(id, 0, IPC_RMID, 0), 0);
	FAILS(ENOENT, semget, 0x5eed1001, 0, 0);
	return test_done();
}
