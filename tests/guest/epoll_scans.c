/* An epoll with something ready is ready to poll(2) at any moment, whoever else looks at it. */
// calls: epoll_wait poll
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "include/test.h"

#define ROUNDS 3000

static int ep, outer;
static int stop;

static void *collect(void *arg)
{
	struct epoll_event e;
	int fd = *(int *)arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		epoll_wait(fd, &e, 1, 0);
	return NULL;
}

int main(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd = eventfd(1, EFD_NONBLOCK), missed = 0, missed_outer = 0;
	pthread_t thread[2];

	ep = epoll_create1(0);
	outer = epoll_create1(0);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
	CHECK_EQ(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &e), 0);
	CHECK_EQ(pthread_create(&thread[0], NULL, collect, &ep), 0);
	CHECK_EQ(pthread_create(&thread[1], NULL, collect, &outer), 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct pollfd p[2] = { { ep, POLLIN, 0 }, { outer, POLLIN, 0 } };

		poll(p, 2, 0);
		missed += !(p[0].revents & POLLIN);
		missed_outer += !(p[1].revents & POLLIN);
		if (i % 64 == 0)
			sched_yield();
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	CHECK_EQ(missed, 0);
	CHECK_EQ(missed_outer, 0);
	return test_done();
}
