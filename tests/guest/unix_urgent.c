/* Urgent bytes of local streams: out of the band, at a mark, in line; and what datagrams make of them. */
// calls: sendto recvfrom
// errors: sendto recvfrom
#include "include/proof.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef SIOCATMARK
#define SIOCATMARK 0x8905
#endif

static int s[2];
static char buf[32];

static int mark(void)
{
	int at = -1;

	ioctl(s[1], SIOCATMARK, &at);
	return at;
}

static int urgent(void)
{
	struct pollfd p = { .fd = s[1], .events = POLLPRI };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLPRI);
}

/* What the next read gives, as a string. */
static int reads(const char *text)
{
	memset(buf, 0, sizeof(buf));
	return recvfrom(s[1], buf, sizeof(buf) - 1, MSG_DONTWAIT, NULL, NULL) == (long)strlen(text) && !strcmp(buf, text);
}

static void pair(void)
{
	if (s[0]) {
		close(s[0]);
		close(s[1]);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		exit(2);
}

int main(void)
{
	int on = 1;
	char c = 0;

	pair();
	CHECK_ERRNO(recvfrom(s[1], &c, 1, MSG_OOB, NULL, NULL), EINVAL);
	CHECK_EQ(mark(), 0);
	CHECK(!urgent());
	CHECK_EQ(sendto(s[0], "ab!", 3, MSG_OOB, NULL, 0), 3);
	CHECK_EQ(sendto(s[0], "cd", 2, 0, NULL, 0), 2);
	CHECK(urgent());
	CHECK_EQ(mark(), 0);
	CHECK_EQ(recvfrom(s[1], &c, 1, MSG_OOB | MSG_PEEK, NULL, NULL), 1);
	CHECK_EQ(c, '!');
	/* A read ends at the mark; the next one leaves the byte out. */
	CHECK(reads("ab"));
	CHECK_EQ(mark(), 1);
	CHECK(reads("cd"));
	CHECK_ERRNO(recvfrom(s[1], &c, 1, MSG_OOB, NULL, NULL), EINVAL);
	CHECK(!urgent());
	CHECK_EQ(sendto(s[0], "xy", 2, MSG_OOB, NULL, 0), 2);
	c = 0;
	CHECK_EQ(recvfrom(s[1], &c, 1, MSG_OOB, NULL, NULL), 1);
	CHECK_EQ(c, 'y');
	CHECK_ERRNO(recvfrom(s[1], &c, 1, MSG_OOB, NULL, NULL), EINVAL);
	CHECK(reads("x"));
	/* In line it is a byte like any other, but for the mark before it. */
	pair();
	CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)), 0);
	CHECK_EQ(sendto(s[0], "ab!", 3, MSG_OOB, NULL, 0), 3);
	CHECK_EQ(sendto(s[0], "cd", 2, 0, NULL, 0), 2);
	CHECK_ERRNO(recvfrom(s[1], &c, 1, MSG_OOB, NULL, NULL), EINVAL);
	CHECK(reads("ab"));
	CHECK_EQ(mark(), 1);
	CHECK(reads("!cd"));
	CHECK_ERRNO(sendto(s[0], "", 0, MSG_OOB, NULL, 0), EOPNOTSUPP);
	pair();
	close(s[0]);
	close(s[1]);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s))
		return 2;
	CHECK_ERRNO(sendto(s[0], "a", 1, MSG_OOB, NULL, 0), EOPNOTSUPP);
	CHECK_ERRNO(recvfrom(s[1], &c, 1, MSG_OOB, NULL, NULL), EOPNOTSUPP);
	return test_done();
}
