/* What the calls of message queues refuse: ids, types, sizes, pointers, rights of others, limits. */
// libc: gcc
// errors: msgget msgsnd msgrcv msgctl
#include "include/msg.h"

#define KEY 0x5eed2002

static int id, closed;
static struct text t = { .type = 1 };
static struct msqid_ds d;

static void get_and_send(void)
{
	long zero = 0, negative = -1;

	FAILS(ENOENT, msgget, KEY + 1, 0600);
	FAILS(EEXIST, msgget, KEY, IPC_CREAT | IPC_EXCL | 0600);
	FAILS(EINVAL, msgsnd, -1, &t, 1l, 0);
	FAILS(EINVAL, msgsnd, id + (1 << 15), &t, 1l, 0);
	FAILS(EINVAL, msgsnd, 0x7fffffff, &t, 1l, 0);
	FAILS(EINVAL, msgsnd, id, &zero, 0l, 0);
	FAILS(EINVAL, msgsnd, id, &negative, 0l, 0);
	FAILS(EINVAL, msgsnd, id, &t, -1l, 0);
	FAILS(EINVAL, msgsnd, id, &t, 8193l, 0);
	FAILS(EINVAL, msgsnd, id, &t, (long)(1ul << 63), 0);
	FAULTS(msgsnd, 1, 0, id, 0, 0l, 0);
	FAULTS(msgsnd, 1, 0, -1, 0, 1l, 0);
	FAILS(EFAULT, msgsnd, id, proof_edge(8, &(long){ 1 }), 1l, 0);
	FAILS(EFAULT, msgsnd, id, proof_edge(5008, &t), 5001l, 0);
	CHECK_EQ(msg_stat(id).msg_qnum, 0);
}

static void receive(void)
{
	FAILS(EINVAL, msgrcv, -1, &t, 100l, 0l, 0);
	FAILS(EINVAL, msgrcv, 0x7fffffff, &t, 100l, 0l, 0);
	FAILS(EINVAL, msgrcv, id, &t, -1l, 0l, 0);
	FAILS(ENOMSG, msgrcv, id, &t, 0l, 0l, IPC_NOWAIT);
	FAILS(ENOMSG, msgrcv, id, NULL, 100l, 0l, IPC_NOWAIT);
	/* The message is lost when it cannot be delivered. */
	put(id, 1, "lost", 0);
	FAILS(EFAULT, msgrcv, id, NULL, 100l, 0l, 0);
	CHECK_EQ(msg_stat(id).msg_qnum, 0);
	put(id, 1, "lost", 0);
	FAILS(EFAULT, msgrcv, id, proof_edge(11, NULL), 4l, 0l, 0);
	put(id, 1, "fits", 0);
	GIVES(4, msgrcv, id, proof_edge(12, NULL), 100l, 0l, 0);
	put(id, 1, "kept", 0);
	FAILS(E2BIG, msgrcv, id, NULL, 3l, 0l, 0);
	CHECK(took(id, 0, 0, 1, "kept"));
}

static void control(void)
{
	FAILS(EINVAL, msgctl, -1, IPC_STAT, &d);
	FAILS(EINVAL, msgctl, id, -1, &d);
	FAILS(EINVAL, msgctl, id, 99, &d);
	FAILS(EINVAL, msgctl, id, IPC_STAT | 0x100, &d);
	FAILS(EINVAL, msgctl, id + (1 << 15), IPC_STAT, &d);
	FAILS(EINVAL, msgctl, 0x7fff, MSG_STAT, &d);
	FAILS(EINVAL, msgctl, 0x7fff, IPC_RMID, NULL);
	FAILS(EINVAL, msgctl, 0x7fff, IPC_SET, &d);
	FAULTS(msgctl, 2, sizeof(d), id, IPC_STAT, 0);
	FAULTS(msgctl, 2, sizeof(d), id, IPC_SET, 0);
	FAULTS(msgctl, 2, sizeof(struct msginfo), 0, IPC_INFO, 0);
	FAULTS(msgctl, 2, sizeof(struct msginfo), 0, MSG_INFO, 0);
	d = msg_stat(id);
	d.msg_perm.gid = -1;
	FAILS(EINVAL, msgctl, id, IPC_SET, &d);
}

/* `id` may be read by everybody, `closed` by nobody else. */
static void unlike_owner(void)
{
	struct text got;
	int mine;

	FAILS(EACCES, msgget, KEY, 0600);
	GIVES(id, msgget, KEY, 0);
	FAILS(EACCES, msgsnd, id, &t, 1l, 0);
	FAILS(ENOMSG, msgrcv, id, &got, 1l, 0l, IPC_NOWAIT);
	FAILS(EACCES, msgrcv, closed, &got, 1l, 0l, IPC_NOWAIT);
	FAILS(EACCES, msgctl, closed, IPC_STAT, &d);
	FAILS(EACCES, msgctl, closed & 0x7fff, MSG_STAT, &d);
	GIVES(closed, msgctl, closed & 0x7fff, MSG_ANY, &d);
	FAILS(EPERM, msgctl, id, IPC_SET, &d);
	FAILS(EPERM, msgctl, id, IPC_RMID, NULL);
	mine = msg_new();
	d = msg_stat(mine);
	d.msg_qbytes = 16385;
	FAILS(EPERM, msgctl, mine, IPC_SET, &d);
	d.msg_qbytes = 100;
	GIVES(0, msgctl, mine, IPC_SET, &d);
	GIVES(0, msgctl, mine, IPC_RMID, NULL);
}

/* A receiver that waits loses the right to. */
static void lost_right(void)
{
	int which = msgget(IPC_PRIVATE, 0666);
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		if (geteuid() == 0 && setresuid(1000, 1000, 1000))
			_exit(1);
		_exit(msgrcv(which, &t, 100, 0, 0) < 0 ? errno : 0);
	}
	until_sleeps(child);
	d = msg_stat(which);
	d.msg_perm.mode = 0600;
	GIVES(0, msgctl, which, IPC_SET, &d);
	if (geteuid() == 0)
		CHECK_EQ(ended_with(child), EACCES);
	GIVES(0, msgctl, which, IPC_RMID, NULL);
}

static void no_room(void)
{
	static int ids[40000];
	int n = 0, bad = 0;

	while (n < 40000 && (ids[n] = msgget(IPC_PRIVATE, 0600)) >= 0)
		n++;
	CHECK(n < 40000 && n > 100);
	CHECK_EQ(errno, ENOSPC);
	for (int i = 0; i < n; i++)
		bad += msgctl(ids[i], IPC_RMID, NULL) != 0;
	CHECK_EQ(bad, 0);
}

int main(void)
{
	own_ipc();
	id = msgget(KEY, IPC_CREAT | 0644);
	closed = msg_new();
	CHECK(id >= 0);
	get_and_send();
	receive();
	control();
	if (geteuid() == 0)
		as_user(unlike_owner);
	lost_right();
	no_room();
	CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
	CHECK_EQ(msgctl(closed, IPC_RMID, NULL), 0);
	return test_done();
}
