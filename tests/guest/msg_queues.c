/* Message queues: order, choice by type, cutting, copying, room, waiting on both sides, signals, removal, times and counts. */
// libc: gcc
// calls: msgget msgsnd msgrcv msgctl
#include "include/msg.h"

static int id;

static void order(void)
{
	time_t before = time(NULL);
	struct msqid_ds d;

	id = msgget(0x5eed2001, IPC_CREAT | IPC_EXCL | 0640);
	CHECK(id >= 0);
	CHECK_EQ(msgget(0x5eed2001, 0), id);
	d = msg_stat(id);
	CHECK_EQ(d.msg_perm.mode, 0640);
	CHECK_EQ(d.msg_qbytes, 16384);
	CHECK_EQ(d.msg_stime, 0);
	CHECK_EQ(d.msg_rtime, 0);
	CHECK(d.msg_ctime >= before - 1);
	CHECK_EQ(put(id, 3, "three", 0), 0);
	CHECK_EQ(put(id, 1, "one", 0), 0);
	CHECK_EQ(put(id, 2, "", 0), 0);
	CHECK_EQ(put(id, 1, "uno", 0), 0);
	d = msg_stat(id);
	CHECK_EQ(d.msg_qnum, 4);
	CHECK_EQ(d.msg_cbytes, 11);
	CHECK_EQ(d.msg_lspid, getpid());
	CHECK_EQ(d.msg_lrpid, 0);
	CHECK(d.msg_stime >= before - 1);
	CHECK(took(id, 1, 0, 1, "one"));
	CHECK(took(id, -2, 0, 1, "uno"));
	CHECK(took(id, -2, 0, 2, ""));
	CHECK_EQ(put(id, 7, "seven", 0), 0);
	CHECK(took(id, 3, MSG_EXCEPT, 7, "seven"));
	CHECK_ERRNO(msgrcv(id, (char[64]){ 0 }, 32, 9, IPC_NOWAIT), ENOMSG);
	CHECK_ERRNO(msgrcv(id, (char[64]){ 0 }, 32, -2, IPC_NOWAIT), ENOMSG);
	CHECK_ERRNO(msgrcv(id, (char[64]){ 0 }, 32, 3, IPC_NOWAIT | MSG_EXCEPT), ENOMSG);
	CHECK(took(id, 0, 0, 3, "three"));
	d = msg_stat(id);
	CHECK_EQ(d.msg_qnum, 0);
	CHECK_EQ(d.msg_cbytes, 0);
	CHECK_EQ(d.msg_lrpid, getpid());
	CHECK_ERRNO(msgrcv(id, (char[64]){ 0 }, 32, 0, IPC_NOWAIT), ENOMSG);
	/* The lowest type first, of one type the oldest. */
	put(id, 5, "a", 0);
	put(id, 4, "b", 0);
	put(id, 4, "c", 0);
	put(id, 6, "d", 0);
	CHECK(took(id, -5, 0, 4, "b"));
	CHECK(took(id, -6, 0, 4, "c"));
	CHECK(took(id, (long)(1ul << 63), 0, 5, "a"));
	CHECK(took(id, 0, 0, 6, "d"));
}

static void sizes(void)
{
	struct text t = { .type = 1 }, got;
	int bad = 0;

	for (int i = 0; i < 8192; i++)
		t.bytes[i] = (char)(i * 7 + i / 256);
	for (long n = 0; n <= 8192; n += n < 4200 && n > 3900 ? 1 : 163) {
		memset(&got, 0xee, sizeof(got));
		bad += msgsnd(id, &t, (size_t)n, 0) != 0;
		bad += msgrcv(id, &got, sizeof(got.bytes), 0, IPC_NOWAIT) != n;
		bad += memcmp(t.bytes, got.bytes, (size_t)n) != 0 || got.bytes[n] != (char)0xee;
	}
	CHECK_EQ(bad, 0);
	CHECK_EQ(msgsnd(id, &t, 8192, 0), 0);
	CHECK_ERRNO(msgsnd(id, &t, 8193, 0), EINVAL);
	CHECK_ERRNO(msgrcv(id, &got, 8191, 0, 0), E2BIG);
	CHECK_EQ(msg_stat(id).msg_qnum, 1);
	memset(&got, 0xee, sizeof(got));
	CHECK_EQ(msgrcv(id, &got, 5000, 0, MSG_NOERROR), 5000);
	CHECK(!memcmp(t.bytes, got.bytes, 5000) && got.bytes[5000] == (char)0xee);
	CHECK_EQ(msg_stat(id).msg_qnum, 0);
}

static void copies(void)
{
	struct text t = { 0 };

	put(id, 1, "first", 0);
	put(id, 2, "second", 0);
	if (msgrcv(id, &t, 100, 0, MSG_COPY | IPC_NOWAIT) < 0 && errno == ENOSYS) {
		/* A Linux without checkpoints has no copies. */
	} else {
		CHECK(took(id, 0, MSG_COPY | IPC_NOWAIT, 1, "first"));
		CHECK(took(id, 1, MSG_COPY | IPC_NOWAIT, 2, "second"));
		CHECK_ERRNO(msgrcv(id, &t, 100, 2, MSG_COPY | IPC_NOWAIT), ENOMSG);
		CHECK_ERRNO(msgrcv(id, &t, 100, -1, MSG_COPY | IPC_NOWAIT), ENOMSG);
		CHECK_ERRNO(msgrcv(id, &t, 3, 0, MSG_COPY | IPC_NOWAIT), E2BIG);
		CHECK_ERRNO(msgrcv(id, &t, 3, 0, MSG_COPY | IPC_NOWAIT | MSG_NOERROR), EINVAL);
		CHECK_ERRNO(msgrcv(id, &t, 100, 0, MSG_COPY), EINVAL);
		CHECK_ERRNO(msgrcv(id, &t, 100, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), EINVAL);
	}
	CHECK_EQ(msg_stat(id).msg_qnum, 2);
	CHECK(took(id, 0, 0, 1, "first"));
	CHECK(took(id, 0, 0, 2, "second"));
}

static pid_t receiver(long wish, size_t max, int flags)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		struct text t = { 0 };
		long n = msgrcv(id, &t, max, wish, flags);

		_exit(n < 0 ? 100 + errno : (int)n);
	}
	until_sleeps(child);
	return child;
}

static pid_t sender(long type, const char *s)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(put(id, type, s, 0) ? 100 + errno : 0);
	until_sleeps(child);
	return child;
}

static void receivers(void)
{
	pid_t a = receiver(5, 100, 0), b = receiver(-3, 100, 0), c = receiver(0, 2, 0), d;

	CHECK_EQ(put(id, 5, "hello", 0), 0);	/* for the first, not for the small one that waits, too */
	CHECK_EQ(ended_with(a), 5);
	CHECK_EQ(msg_stat(id).msg_lrpid, a);
	CHECK_EQ(put(id, 9, "xyz", 0), 0);	/* too large for the only one who wants it */
	CHECK_EQ(ended_with(c), 100 + E2BIG);
	CHECK_EQ(msg_stat(id).msg_qnum, 1);
	CHECK(took(id, 0, 0, 9, "xyz"));
	CHECK_EQ(put(id, 3, "four", 0), 0);
	CHECK_EQ(ended_with(b), 4);
	d = receiver(0, 2, MSG_NOERROR);
	CHECK_EQ(put(id, 9, "cut", 0), 0);
	CHECK_EQ(ended_with(d), 2);
	CHECK_EQ(msg_stat(id).msg_qnum, 0);
}

static void limit(unsigned long bytes)
{
	struct msqid_ds d = msg_stat(id);

	d.msg_qbytes = bytes;
	CHECK_EQ(msgctl(id, IPC_SET, &d), 0);
}

static void room(void)
{
	pid_t a, b;

	limit(10);
	CHECK_EQ(put(id, 1, "12345678", 0), 0);
	CHECK_EQ(put(id, 1, "90", 0), 0);
	CHECK_ERRNO(put(id, 1, "x", IPC_NOWAIT), EAGAIN);
	CHECK_EQ(put(id, 1, "", IPC_NOWAIT), 0);
	a = sender(2, "abcdefg");
	b = sender(3, "hi");
	CHECK(took(id, 1, 0, 1, "12345678"));
	CHECK(took(id, 1, 0, 1, "90"));
	CHECK(took(id, 1, 0, 1, ""));
	CHECK_EQ(ended_with(a), 0);
	CHECK_EQ(ended_with(b), 0);
	CHECK(took(id, 2, 0, 2, "abcdefg"));
	CHECK(took(id, 3, 0, 3, "hi"));
	/* Empty messages count, too. */
	limit(3);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(put(id, 1, "", IPC_NOWAIT), 0);
	CHECK_ERRNO(put(id, 1, "", IPC_NOWAIT), EAGAIN);
	a = sender(1, "");
	limit(4);				/* more room wakes */
	CHECK_EQ(ended_with(a), 0);
	for (int i = 0; i < 4; i++)
		CHECK(took(id, 0, IPC_NOWAIT, 1, ""));
	limit(16384);
}

static void on_signal(int s) { (void)s; }

static pid_t with_handler(int sends)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
		struct text t = { .type = 1 };

		sigaction(SIGUSR1, &act, NULL);
		_exit((sends ? msgsnd(id, &t, 8000, 0) : msgrcv(id, &t, 100, 0, 0)) < 0 ? errno : 0);
	}
	until_sleeps(child);
	return child;
}

static void signals(void)
{
	struct text t = { .type = 1 };
	pid_t a = with_handler(0), b;

	kill(a, SIGUSR1);
	CHECK_EQ(ended_with(a), EINTR);
	/* Stopped and continued, it goes on waiting. */
	a = receiver(0, 100, 0);
	kill(a, SIGSTOP);
	waitpid(a, NULL, WUNTRACED);
	kill(a, SIGCONT);
	until_sleeps(a);
	CHECK_EQ(put(id, 1, "go", 0), 0);
	CHECK_EQ(ended_with(a), 2);
	while (!msgsnd(id, &t, 8000, IPC_NOWAIT))
		;
	a = with_handler(1);
	kill(a, SIGUSR1);
	CHECK_EQ(ended_with(a), EINTR);
	a = with_handler(1);
	kill(a, SIGKILL);
	CHECK_EQ(ended_with(a), -SIGKILL);
	CHECK_EQ(msg_stat(id).msg_qnum, 2);
	b = receiver(77, 100, 0);
	kill(b, SIGKILL);
	CHECK_EQ(ended_with(b), -SIGKILL);
	CHECK_EQ(msgrcv(id, &t, 9000, 0, 0), 8000);
	CHECK_EQ(msgrcv(id, &t, 9000, 0, 0), 8000);
}

static void information(void)
{
	struct msginfo limits, use;
	struct msqid_ds d;
	int highest = msgctl(0, IPC_INFO, (void *)&limits), seen = 0;
	char line[400];
	FILE *f;

	CHECK(highest >= 0);
	CHECK_EQ(limits.msgmax, 8192);
	CHECK_EQ(limits.msgmnb, 16384);
	put(id, 1, "counted", 0);
	CHECK_EQ(msgctl(0, MSG_INFO, (void *)&use), highest);
	CHECK(use.msgpool >= 1 && use.msgmap >= 1 && use.msgtql >= 7);
	for (int i = 0; i <= highest; i++)
		seen += msgctl(i, MSG_STAT, &d) == id && msgctl(i, MSG_ANY, &d) == id && d.msg_qnum == 1;
	CHECK_EQ(seen, 1);
	f = fopen("/proc/sysvipc/msg", "r");
	CHECK(f && fgets(line, sizeof(line), f) && strstr(line, "msqid perms      cbytes       qnum lspid"));
	seen = 0;
	while (f && fgets(line, sizeof(line), f)) {
		long key, msqid, perms, bytes, n;

		if (sscanf(line, "%ld %ld %lo %ld %ld", &key, &msqid, &perms, &bytes, &n) == 5 && msqid == id)
			seen = key == 0x5eed2001 && perms == 0640 && bytes == 7 && n == 1;
	}
	CHECK(seen);
	if (f)
		fclose(f);
	CHECK(took(id, 0, 0, 1, "counted"));
}

static void removal(void)
{
	pid_t a = receiver(0, 100, 0), b, c;
	struct text t = { .type = 1 };

	CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
	CHECK_EQ(ended_with(a), 100 + EIDRM);
	CHECK_ERRNO(msgget(0x5eed2001, 0), ENOENT);
	CHECK_ERRNO(put(id, 1, "x", 0), EINVAL);
	id = msg_new();
	while (!msgsnd(id, &t, 8000, IPC_NOWAIT))
		;
	b = with_handler(1);
	c = receiver(5, 100, 0);
	CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
	CHECK_EQ(ended_with(b), EIDRM);
	CHECK_EQ(ended_with(c), 100 + EIDRM);
}

int main(void)
{
	own_ipc();
	order();
	sizes();
	copies();
	receivers();
	room();
	signals();
	information();
	removal();
	return test_done();
}
