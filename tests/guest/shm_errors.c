/* What the calls of shared memory refuse: ids, flags, addresses, pointers, rights of others. */
// libc: gcc
// errors: shmget shmat shmdt shmctl
#include "include/ipc.h"

#include <sys/resource.h>
#include <sys/shm.h>

#define KEY 0x5eed0001
#define STAT_ANY 15

static struct shmid_ds d;
static int id, closed;

static void get(void)
{
	FAILS(EINVAL, shmget, IPC_PRIVATE, 0l, 0600);
	FAILS(EINVAL, shmget, IPC_PRIVATE, -1l, 0600);
	FAILS(ENOENT, shmget, KEY + 1, 4096l, 0600);
	FAILS(EEXIST, shmget, KEY, 4096l, IPC_CREAT | IPC_EXCL | 0600);
	FAILS(EEXIST, shmget, KEY, 0l, IPC_CREAT | IPC_EXCL | 0600);
	FAILS(EINVAL, shmget, KEY, 4097l, 0600);
	FAILS(EINVAL, shmget, KEY + 1, 0l, IPC_CREAT | 0600);
	GIVES(id, shmget, KEY, 0l, 0);
	GIVES(id, shmget, KEY, 1l, IPC_CREAT);
}

static void attach(void)
{
	FAILS(EINVAL, shmat, -1, NULL, 0);
	FAILS(EINVAL, shmat, 0x7fff0000, NULL, 0);
	FAILS(EINVAL, shmat, id + (1 << 15), NULL, 0);
	FAILS(EINVAL, shmat, id, 0x10001l, 0);
	FAILS(EINVAL, shmat, id, NULL, SHM_REMAP);
	FAILS(EINVAL, shmat, id, 0x10l, SHM_REMAP | SHM_RND);
	FAILS(EINVAL, shmat, id, -4096l, 0);
	FAILS(EINVAL, shmdt, NULL);
	FAILS(EINVAL, shmdt, 1l);
	FAILS(EINVAL, shmdt, 0xffff888000001000ul);
	FAILS(EINVAL, shmdt, (long)&get & -4096l);
}

static void control(void)
{
	FAILS(EINVAL, shmctl, -1, IPC_STAT, &d);
	FAILS(EINVAL, shmctl, id, -1, &d);
	FAILS(EINVAL, shmctl, id, 99, &d);
	FAILS(EINVAL, shmctl, id, IPC_STAT | 0x100, &d);
	FAILS(EINVAL, shmctl, id + (1 << 15), IPC_STAT, &d);
	FAILS(EINVAL, shmctl, 0x7fff, SHM_STAT, &d);
	FAILS(EINVAL, shmctl, 0x7fff, STAT_ANY, &d);
	FAILS(EINVAL, shmctl, 0x7fff, IPC_RMID, NULL);
	FAILS(EINVAL, shmctl, 0x7fff, IPC_SET, &d);
	FAILS(EINVAL, shmctl, 0x7fff, SHM_LOCK, NULL);
	FAULTS(shmctl, 2, sizeof(d), id, IPC_STAT, 0);
	FAULTS(shmctl, 2, sizeof(d), id, IPC_SET, 0);
	FAULTS(shmctl, 2, 0, 0, IPC_INFO, 0);
	FAULTS(shmctl, 2, 0, 0, SHM_INFO, 0);
	FAILS(EFAULT, shmctl, id, IPC_STAT, NULL);
}

static void unlike_owner(void)
{
	struct rlimit none = { 0, 0 };
	int mine, again;

	FAILS(EACCES, shmget, KEY, 0l, 0600);
	GIVES(id, shmget, KEY, 0l, 0);
	GIVES(id, shmget, KEY, 0l, 0004);
	FAILS(EACCES, shmat, id, NULL, 0);
	FAILS(EACCES, shmat, closed, NULL, SHM_RDONLY);
	FAILS(EACCES, shmat, id, NULL, SHM_RDONLY | SHM_EXEC);
	FAILS(EACCES, shmctl, closed, IPC_STAT, &d);
	GIVES(0, shmctl, id, IPC_STAT, &d);
	FAILS(EPERM, shmctl, id, IPC_SET, &d);
	FAILS(EPERM, shmctl, id, IPC_RMID, NULL);
	FAILS(EPERM, shmctl, id, SHM_LOCK, NULL);
	FAILS(EPERM, shmctl, id, SHM_UNLOCK, NULL);
	FAILS(EACCES, shmctl, closed & 0x7fff, SHM_STAT, &d);
	GIVES(closed, shmctl, closed & 0x7fff, STAT_ANY, &d);
	CHECK(shmat(id, NULL, SHM_RDONLY) != (void *)-1);
	mine = shmget(IPC_PRIVATE, 16 * 4096, 0600);
	again = shmget(IPC_PRIVATE, 4096, 0600);
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 16 * 4096, 16 * 4096 });
	GIVES(0, shmctl, mine, SHM_LOCK, NULL);
	FAILS(ENOMEM, shmctl, again, SHM_LOCK, NULL);
	GIVES(0, shmctl, mine, SHM_UNLOCK, NULL);
	GIVES(0, shmctl, again, SHM_LOCK, NULL);
	GIVES(0, shmctl, again, SHM_UNLOCK, NULL);
	setrlimit(RLIMIT_MEMLOCK, &none);
	FAILS(EPERM, shmctl, mine, SHM_LOCK, NULL);
	GIVES(0, shmctl, mine, SHM_UNLOCK, NULL);
	GIVES(0, shmctl, mine, IPC_RMID, NULL);
	GIVES(0, shmctl, again, IPC_RMID, NULL);
}

static void no_room(void)
{
	struct rlimit r = { 64 << 20, 64 << 20 };
	int big = shmget(IPC_PRIVATE, 128 << 20, SHM_NORESERVE | 0600);

	CHECK(big >= 0);
	setrlimit(RLIMIT_AS, &r);
	FAILS(ENOMEM, shmat, big, NULL, 0);
	CHECK_EQ(shmctl(big, IPC_STAT, &d), 0);
	CHECK_EQ(d.shm_nattch, 0);
	GIVES(0, shmctl, big, IPC_RMID, NULL);
	FAILS(ENOMEM, shmget, IPC_PRIVATE, 1l << 50, 0600);
}

int main(void)
{
	own_ipc();
	id = shmget(KEY, 4096, IPC_CREAT | 0644);
	closed = shmget(IPC_PRIVATE, 4096, 0600);
	CHECK(id >= 0 && closed >= 0);
	get();
	attach();
	control();
	if (geteuid() == 0)
		as_user(unlike_owner);
	in_child(no_room);
	CHECK_EQ(shmctl(id, IPC_STAT, &d), 0);
	CHECK_EQ(d.shm_nattch, 0);
	GIVES(0, shmctl, id, IPC_RMID, NULL);
	GIVES(0, shmctl, closed, IPC_RMID, NULL);
	FAILS(EINVAL, shmctl, id, IPC_RMID, NULL);
	return test_done();
}
