/* The limits of System V IPC in /proc/sys/kernel: read, set, in force at once, and what is no limit. */
// libc: gcc
#include "include/ipc.h"

#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static char saved[200];

static const char *get(const char *name)
{
	static char text[200];
	char path[100];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static int set(const char *name, const char *value)
{
	char path[100];
	int fd, error;

	snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	error = write(fd, value, strlen(value)) == (ssize_t)strlen(value) ? 0 : errno;
	close(fd);
	return error;
}

static void defaults(void)
{
	CHECK(!strcmp(get("shmmax"), "18446744073692774399\n"));
	CHECK(!strcmp(get("shmall"), "18446744073692774399\n"));
	CHECK(!strcmp(get("shmmni"), "4096\n"));
	CHECK(!strcmp(get("sem"), "32000\t1024000000\t500\t32000\n"));
	CHECK(!strcmp(get("msgmax"), "8192\n"));
	CHECK(!strcmp(get("msgmnb"), "16384\n"));
	CHECK(strtol(get("msgmni"), NULL, 10) == 32000);
}

static void memory(void)
{
	int first = shmget(IPC_PRIVATE, 8192, 0600);
	struct shminfo i;

	CHECK_EQ(set("shmmax", "8192\n"), 0);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 8193, 0600), EINVAL);
	CHECK_EQ(set("shmall", "2"), 0);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	CHECK_EQ(shmctl(0, IPC_INFO, (void *)&i), 0);
	CHECK_EQ(i.shmmax, 8192);
	CHECK_EQ(i.shmall, 2);
	CHECK_EQ(set("shmall", "18446744073692774399"), 0);
	CHECK_EQ(set("shmmax", "18446744073692774399"), 0);
	CHECK_EQ(set("shmmni", "1"), 0);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	CHECK_EQ(set("shmmni", "32769"), EINVAL);
	CHECK_EQ(set("shmmni", "4096"), 0);
	CHECK_EQ(shmctl(first, IPC_RMID, NULL), 0);
}

static void semaphores(void)
{
	struct sembuf ops[3] = { { 0, 1, 0 }, { 0, 1, 0 }, { 0, 1, 0 } };
	int first;

	CHECK_EQ(set("sem", "4 5 2 3\n"), 0);
	CHECK(!strcmp(get("sem"), "4\t5\t2\t3\n"));
	CHECK_ERRNO(semget(IPC_PRIVATE, 5, 0600), EINVAL);
	first = semget(IPC_PRIVATE, 4, 0600);
	CHECK(first >= 0);
	CHECK_ERRNO(semget(IPC_PRIVATE, 2, 0600), ENOSPC);
	CHECK_EQ(semop(first, ops, 2), 0);
	CHECK_ERRNO(semop(first, ops, 3), E2BIG);
	CHECK_EQ(set("sem", "100"), 0);
	CHECK(!strcmp(get("sem"), "100\t5\t2\t3\n"));
	CHECK_EQ(set("sem", "x"), EINVAL);
	CHECK_EQ(semctl(first, 0, IPC_RMID), 0);
	CHECK_EQ(set("sem", "32000 1024000000 500 32000"), 0);
}

static void messages(void)
{
	struct { long type; char text[200]; } m = { 1, "" };
	int first, second;

	strcpy(saved, get("msgmni"));
	first = msgget(IPC_PRIVATE, 0600);
	CHECK_EQ(set("msgmax", "100"), 0);
	CHECK_ERRNO(msgsnd(first, &m, 101, 0), EINVAL);
	CHECK_EQ(msgsnd(first, &m, 100, 0), 0);
	CHECK_EQ(set("msgmax", "8192"), 0);
	CHECK_EQ(set("msgmnb", "150"), 0);
	second = msgget(IPC_PRIVATE, 0600);
	CHECK_EQ(msgsnd(second, &m, 100, IPC_NOWAIT), 0);
	CHECK_ERRNO(msgsnd(second, &m, 51, IPC_NOWAIT), EAGAIN);
	CHECK_EQ(msgsnd(first, &m, 51, IPC_NOWAIT), 0);		/* made before */
	CHECK_EQ(set("msgmnb", "16384"), 0);
	CHECK_EQ(set("msgmni", "2"), 0);
	CHECK_ERRNO(msgget(IPC_PRIVATE, 0600), ENOSPC);
	CHECK_EQ(set("msgmni", "-1"), EINVAL);
	CHECK_EQ(set("msgmni", saved), 0);
	CHECK_EQ(msgctl(first, IPC_RMID, NULL), 0);
	CHECK_EQ(msgctl(second, IPC_RMID, NULL), 0);
}

static void ordinary(void)
{
	CHECK_EQ(set("shmmax", "1"), EACCES);
	CHECK_EQ(set("sem", "1 1 1 1"), EACCES);
}

int main(void)
{
	own_ipc();
	defaults();
	memory();
	semaphores();
	messages();
	if (geteuid() == 0)
		as_user(ordinary);
	return test_done();
}
