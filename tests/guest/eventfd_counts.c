/* eventfd: a counter that is read at once or one by one, waits at zero and when it would overflow. */
// libc: gcc
// calls: eventfd eventfd2
#include "include/proof.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>

int main(void)
{
	uint64_t v = 0;
	int fd = syscall(SYS_eventfd, 5), one = syscall(SYS_eventfd2, 2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	CHECK(fd >= 0 && one >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK_EQ(fcntl(one, F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(one, F_GETFL) & O_NONBLOCK);
	GIVES(8, read, fd, &v, 8l);
	CHECK_EQ(v, 5);
	GIVES(1, poll, &p, 1, 0);
	CHECK_EQ(p.revents, POLLOUT);
	v = 7;
	GIVES(8, write, fd, &v, 8l);
	GIVES(8, write, fd, &v, 8l);
	GIVES(1, poll, &p, 1, 0);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
	GIVES(8, read, fd, &v, 8l);
	CHECK_EQ(v, 14);
	for (int i = 0; i < 2; i++) {
		GIVES(8, read, one, &v, 8l);
		CHECK_EQ(v, 1);
	}
	FAILS(EAGAIN, read, one, &v, 8l);
	v = ~0ull - 1;
	GIVES(8, write, fd, &v, 8l);
	GIVES(1, poll, &p, 1, 0);
	CHECK_EQ(p.revents, POLLIN);
	/* A writer that would overflow it waits for a reader. */
	if (fork() == 0) {
		v = 3;
		_exit(write(fd, &v, 8) != 8);
	}
	usleep(20000);
	GIVES(8, read, fd, &v, 8l);
	CHECK_EQ(v, ~0ull - 1);
	int status;

	wait(&status);
	CHECK_EQ(status, 0);
	GIVES(8, read, fd, &v, 8l);
	CHECK_EQ(v, 3);
	return test_done();
}
