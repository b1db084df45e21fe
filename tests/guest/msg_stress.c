/* Message queues under load: producers and consumers by type, a full queue, receivers that are killed, removal in the middle. */
// libc: gcc
// flags: -pthread
// timeout: 120
#include "include/msg.h"

#include <pthread.h>

#define PRODUCERS 4
#define CONSUMERS 4
#define MESSAGES 600
#define TYPES 3

static int id;
static long seen[PRODUCERS * MESSAGES];

struct packet {
	long type;
	long number;
	char fill[600];
};

static void *producer(void *arg)
{
	struct packet p = { 0 };
	long me = (long)arg;

	for (long i = 0; i < MESSAGES; i++) {
		size_t extra = (size_t)(i * 37 % 500);

		p.type = 1 + i % TYPES;
		p.number = me * MESSAGES + i;
		memset(p.fill, (int)(p.number & 0x7f), extra);
		if (msgsnd(id, &p, sizeof(long) + extra, 0))
			return (void *)1;
	}
	return NULL;
}

/* Of each producer and type, in order. */
static void *consumer(void *arg)
{
	long last[PRODUCERS][TYPES], me = (long)arg;

	memset(last, -1, sizeof(last));
	for (;;) {
		struct packet p;
		long n = msgrcv(id, &p, sizeof(p) - sizeof(long), me % 2 ? -TYPES - 1 : 0, 0), from;

		if (n < 0)
			return (void *)1;
		if (p.type == TYPES + 1)
			return NULL;
		from = p.number / MESSAGES;
		if (n != (long)sizeof(long) + p.number % MESSAGES * 37 % 500 || last[from][p.type - 1] >= p.number)
			return (void *)2;
		for (long i = 0; i < n - (long)sizeof(long); i++)
			if (p.fill[i] != (char)(p.number & 0x7f))
				return (void *)3;
		last[from][p.type - 1] = p.number;
		__atomic_fetch_add(&seen[p.number], 1, __ATOMIC_SEQ_CST);
	}
}

static void lines(void)
{
	pthread_t make[PRODUCERS], take[CONSUMERS];
	struct packet end = { .type = TYPES + 1 };
	int bad = 0;
	void *result;

	id = msg_new();
	for (long i = 0; i < CONSUMERS; i++)
		pthread_create(&take[i], NULL, consumer, (void *)i);
	for (long i = 0; i < PRODUCERS; i++)
		pthread_create(&make[i], NULL, producer, (void *)i);
	for (int i = 0; i < PRODUCERS; i++) {
		pthread_join(make[i], &result);
		bad += result != NULL;
	}
	for (int i = 0; i < 20000 && msg_stat(id).msg_qnum; i++)
		usleep(500);
	for (int i = 0; i < CONSUMERS; i++)
		msgsnd(id, &end, 0, 0);
	for (int i = 0; i < CONSUMERS; i++) {
		pthread_join(take[i], &result);
		bad += result != NULL;
	}
	for (int i = 0; i < PRODUCERS * MESSAGES; i++)
		bad += seen[i] != 1;
	CHECK_EQ(bad, 0);
	CHECK_EQ(msg_stat(id).msg_cbytes, 0);
	msgctl(id, IPC_RMID, NULL);
}

static pid_t start(int sends)
{
	pid_t child = fork();

	if (!child) {
		struct packet p = { .type = 1 };

		while ((sends ? msgsnd(id, &p, 500, 0) : msgrcv(id, &p, 600, 0, 0)) >= 0)
			;
		_exit(errno == EIDRM || errno == EINVAL ? 0 : 1);
	}
	return child;
}

/* Killed senders and receivers leave the queue whole; removal ends all the others. */
static void killed(void)
{
	pid_t child[8];
	int bad = 0;

	for (int round = 0; round < 15; round++) {
		struct msqid_ds d;

		id = msg_new();
		for (int i = 0; i < 8; i++)
			child[i] = start(i % 2);
		usleep(3000);
		for (int i = 0; i < 4; i++)
			kill(child[i], SIGKILL);
		for (int i = 0; i < 4; i++)
			bad += ended_with(child[i]) != -SIGKILL;
		d = msg_stat(id);
		bad += d.msg_cbytes != d.msg_qnum * 500;
		bad += msgctl(id, IPC_RMID, NULL) != 0;
		for (int i = 4; i < 8; i++)
			bad += ended_with(child[i]) != 0;
	}
	CHECK_EQ(bad, 0);
}

int main(void)
{
	own_ipc();
	lines();
	killed();
	return test_done();
}
