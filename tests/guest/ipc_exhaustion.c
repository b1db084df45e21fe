/* System V objects until memory is out: the call says ENOMEM, nobody is killed for it, and removal gives all back. */
// libc: gcc
// timeout: 120
// linux: no (fills the whole machine)
// errors: semget msgsnd
#include "include/memory.h"
#include "include/sem.h"

#include <sys/msg.h>

#define OBJECTS 32000

static int *ids;

/* Fills in a child; what it made is removed by the parent. */
static void fill(void (*fn)(void), int (*removes)(int))
{
	long before = free_mib();
	int status, bad = 0;
	pid_t child;

	memset(ids, 0xff, OBJECTS * sizeof(*ids));
	fflush(stdout);
	child = fork();
	if (!child) {
		mlockall(MCL_CURRENT);		/* a page that it lacks then would be worth a victim */
		fn();
		_exit(errno);
	}
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), ENOMEM);
	for (int i = 0; i < OBJECTS && ids[i] >= 0; i++)
		bad += removes(ids[i]);
	CHECK_EQ(bad, 0);
	CHECK(comes_back(before));
}

static void arrays(void)
{
	for (int i = 0; i < OBJECTS; i++) {
		ids[i] = semget(IPC_PRIVATE, 32000, 0600);
		if (ids[i] < 0 || sem_op1(ids[i], 31999, 1, SEM_UNDO))
			return;
	}
}

static void queues(void)
{
	static struct { long type; char text[8192]; } m = { .type = 1 };

	for (int i = 0; i < OBJECTS; i++) {
		ids[i] = msgget(IPC_PRIVATE, 0600);
		if (ids[i] < 0)
			return;
		while (!msgsnd(ids[i], &m, sizeof(m.text), IPC_NOWAIT))
			;
		if (errno != EAGAIN)
			return;
	}
}

static int remove_array(int id) { return semctl(id, 0, IPC_RMID) != 0; }
static int remove_queue(int id) { return msgctl(id, IPC_RMID, NULL) != 0; }

int main(void)
{
	ids = mmap(NULL, OBJECTS * sizeof(*ids), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	mlockall(MCL_CURRENT);
	fill(arrays, remove_array);
	fill(queues, remove_queue);
	/* Everything still works. */
	CHECK(semget(IPC_PRIVATE, 1, 0600) >= 0);
	return test_done();
}
