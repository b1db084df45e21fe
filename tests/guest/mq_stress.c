/* POSIX message queues under load: every message comes out once, whatever deadlines, signals and kills end the waiting of others. */
// libc: gcc
// flags: -pthread
// timeout: 120
#include "include/mq.h"

#include <pthread.h>

#define PRODUCERS 3
#define CONSUMERS 3
#define MESSAGES 400

struct packet {
	long number;
	char fill[500];
};

static mqd_t q;
static int seen[PRODUCERS * MESSAGES];
static int bad, retries;

static void on_signal(int s) { (void)s; }

/* Every second call has a deadline that is near or past. */
static int transfer_ends(long i, int result)
{
	if (result >= 0)
		return 1;
	if (errno != ETIMEDOUT && errno != EINTR)
		__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&retries, 1, __ATOMIC_RELAXED);
	if (i % 8 == 0)
		sched_yield();
	return 0;
}

static struct timespec soon(long i) { return i % 2 ? in_ms(10000) : in_ms(i % 3); }

static void *producer(void *arg)
{
	struct packet p = { 0 };
	long me = (long)arg;

	for (long i = 0, tries = 0; i < MESSAGES; tries++) {
		struct timespec t = soon(tries);

		p.number = me * MESSAGES + i;
		memset(p.fill, (int)p.number & 255, sizeof(p.fill));
		i += transfer_ends(tries, mq_timedsend(q, (char *)&p, sizeof(long) + (size_t)(i % 500), (unsigned int)(i % 5), &t));
	}
	return NULL;
}

static void *consumer(void *arg)
{
	struct packet p;

	(void)arg;
	for (long tries = 0;; tries++) {
		struct timespec t = soon(tries);
		long n = mq_timedreceive(q, (char *)&p, sizeof(p), NULL, &t);

		if (!transfer_ends(tries, (int)n))
			continue;
		if (p.number < 0)
			return NULL;
		for (long i = 0; i < n - (long)sizeof(long); i++)
			if (p.fill[i] != (char)(p.number & 255))
				__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&seen[p.number], 1, __ATOMIC_RELAXED);
	}
}

static void traffic(void)
{
	pthread_t makers[PRODUCERS], takers[CONSUMERS];
	long end = -1;
	int wrong = 0;

	for (long i = 0; i < PRODUCERS; i++)
		pthread_create(&makers[i], NULL, producer, (void *)i);
	for (int i = 0; i < CONSUMERS; i++)
		pthread_create(&takers[i], NULL, consumer, NULL);
	for (int i = 0; i < 40; i++) {
		pthread_kill(takers[i % CONSUMERS], SIGUSR1);
		usleep(1000);
	}
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(makers[i], NULL);
	for (int i = 0; i < CONSUMERS; i++)
		mq_send(q, (char *)&end, sizeof(end), 0);
	for (int i = 0; i < CONSUMERS; i++)
		pthread_join(takers[i], NULL);
	for (int i = 0; i < PRODUCERS * MESSAGES; i++)
		wrong += seen[i] != 1;
	CHECK_EQ(wrong, 0);
	CHECK_EQ(bad, 0);
	CHECK_EQ(count_of(q), 0);
}

/* Receivers and senders that are killed while they wait, and others who are not. */
static void kills(void)
{
	struct packet p = { 0 };
	int taken = 0, sent = 0;

	for (int round = 0; round < 25; round++) {
		pid_t children[6];

		fflush(stdout);
		for (int i = 0; i < 6; i++) {
			children[i] = fork();
			if (!children[i])
				_exit(mq_receive(q, (char *)&p, sizeof(p), NULL) < 0);
		}
		usleep(round * 50);
		kill(children[1], SIGKILL);
		sent += mq_send(q, (char *)&p, 100, 0) == 0;
		kill(children[3], SIGKILL);
		sent += mq_send(q, (char *)&p, 100, 0) == 0;
		sent += mq_send(q, (char *)&p, 100, 0) == 0;
		kill(children[4], SIGKILL);
		for (int i = 0; i < 6; i++)
			kill(children[i], SIGKILL);
		for (int i = 0; i < 6; i++)
			ended_with(children[i]);
		/* What nobody took is there still; what somebody took is not. */
		taken += count_of(q) >= 0 && count_of(q) <= 3;
		while (count_of(q) > 0)
			mq_receive(q, (char *)&p, sizeof(p), NULL);
	}
	CHECK_EQ(sent, 75);
	CHECK_EQ(taken, 25);
	for (int round = 0; round < 10; round++) {
		pid_t children[5];

		while (count_of(q) < 4)
			mq_send(q, (char *)&p, 500, 0);
		fflush(stdout);
		for (int i = 0; i < 5; i++) {
			children[i] = fork();
			if (!children[i])
				_exit(mq_send(q, (char *)&p, 500, 0) < 0);
		}
		usleep(round * 100);
		for (int i = 0; i < 5; i++)
			kill(children[i], SIGKILL);
		for (int i = 0; i < 5; i++)
			ended_with(children[i]);
		sent = count_of(q);
		while (count_of(q) > 0)
			mq_receive(q, (char *)&p, sizeof(p), NULL);
	}
	CHECK_EQ(sent, 4);
}

/* One name made, opened and removed by many: who gets a descriptor gets a queue that works. */
static void *namer(void *arg)
{
	(void)arg;
	for (int i = 0; i < 150; i++) {
		mqd_t mine = queue("/fought", O_RDWR | O_NONBLOCK, 1, 8);
		char text[8];

		if (mine < 0) {
			__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
			continue;
		}
		if (mq_send(mine, "x", 1, 0) && errno != EAGAIN)
			__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
		if (mq_receive(mine, text, 8, NULL) < 0 && errno != EAGAIN)
			__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
		if (mq_unlink("/fought") && errno != ENOENT)
			__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
		mq_close(mine);
	}
	return NULL;
}

static void names(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, namer, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(bad, 0);
	CHECK_ERRNO(mq_unlink("/fought"), ENOENT);
}

int main(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	own_ipc();
	sigaction(SIGUSR1, &act, NULL);
	q = queue("/stress", O_RDWR | O_EXCL, 4, sizeof(struct packet));
	CHECK(q >= 0);
	traffic();
	kills();
	names();
	mq_close(q);
	CHECK_EQ(mq_unlink("/stress"), 0);
	return test_done();
}
