/* Local datagram and sequence sockets: boundaries, names, peers, short queues, truncation, many messages in a call, errors. */
// calls: sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg connect getsockopt setsockopt
// errors: recvfrom sendmsg recvmsg sendmmsg recvmmsg getsockopt setsockopt
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "include/test.h"

static char big[400000];
static int got;
static void on_signal(int sig) { got = sig; }

#define ABSTRACT_LENGTH(text) (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + sizeof(text) - 1)

static struct sockaddr_un abstract(const char *text)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path + 1, text);
	return a;
}

static int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };

	poll(&p, 1, 0);
	return p.revents;
}

static void pair(void)
{
	struct iovec iov = { big, 2 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	char buf[20];
	int s[2], n;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
	CHECK_EQ(send(s[0], "first", 5, 0), 5);
	CHECK_EQ(send(s[0], "", 0, 0), 0);
	CHECK_EQ(send(s[0], "third", 5, 0), 5);
	CHECK_EQ(ioctl(s[1], FIONREAD, &n), 0);
	CHECK_EQ(n, 5);
	CHECK_EQ(recv(s[1], buf, 20, MSG_PEEK), 5);
	CHECK_EQ(recv(s[1], buf, 3, 0), 3);
	CHECK_EQ(recv(s[1], buf, 20, 0), 0);
	CHECK_EQ(recv(s[1], buf, 1, MSG_PEEK | MSG_TRUNC), 5);
	CHECK_EQ(recvmsg(s[1], &h, 0), 2);
	CHECK_EQ(h.msg_flags, MSG_TRUNC);
	CHECK_ERRNO(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(send(s[0], big, sizeof(big), 0), EMSGSIZE);
	CHECK_EQ(send(s[0], big, 100000, 0), 100000);
	CHECK_EQ(recv(s[1], big, sizeof(big), 0), 100000);
	CHECK_ERRNO(listen(s[0], 1), EOPNOTSUPP);
	CHECK_ERRNO(accept(s[0], NULL, NULL), EOPNOTSUPP);
	CHECK_ERRNO(send(s[0], "a", 1, MSG_OOB), EOPNOTSUPP);
	CHECK_ERRNO(recv(s[0], buf, 1, MSG_OOB), EOPNOTSUPP);
	close(s[1]);
	CHECK_EQ(events(s[0]), POLLOUT);
	CHECK_ERRNO(send(s[0], "a", 1, 0), ECONNREFUSED);
	CHECK_ERRNO(send(s[0], "a", 1, 0), ENOTCONN);
	close(s[0]);
}

static void names(void)
{
	struct sockaddr_un a = abstract("dgram a"), b = abstract("dgram b"), from;
	socklen_t n = ABSTRACT_LENGTH("dgram a"), m;
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), t = socket(AF_UNIX, SOCK_DGRAM, 0), u = socket(AF_UNIX, SOCK_DGRAM, 0);
	char buf[20];

	CHECK_EQ(bind(s, (void *)&a, n), 0);
	CHECK_ERRNO(send(t, "x", 1, 0), ENOTCONN);
	CHECK_ERRNO(sendto(t, "x", 1, 0, (void *)&b, n), ECONNREFUSED);
	CHECK_ERRNO(sendto(t, "x", 1, 0, (void *)&b, 129), EINVAL);
	CHECK_ERRNO(sendto(t, "x", 1, 0, (void *)&b, 2), EINVAL);
	CHECK_ERRNO(sendto(t, "x", 1, 0, (void *)8, 10), EFAULT);
	CHECK_EQ(sendto(t, "anon", 4, 0, (void *)&a, n), 4);
	m = sizeof(from);
	CHECK_EQ(recvfrom(s, buf, 20, 0, (void *)&from, &m), 4);
	CHECK_EQ(m, 0);
	CHECK_ERRNO(recvfrom(s, buf, 20, MSG_DONTWAIT, (void *)&from, &m), EAGAIN);
	CHECK_EQ(bind(t, (void *)&b, n), 0);
	CHECK_EQ(sendto(t, "name", 4, 0, (void *)&a, n), 4);
	m = sizeof(from);
	CHECK_EQ(recvfrom(s, buf, 20, 0, (void *)&from, &m), 4);
	CHECK_EQ(m, n);
	CHECK(!memcmp(&from, &b, n));
	/* A connected socket takes from its peer only. */
	CHECK_EQ(connect(s, (void *)&b, n), 0);
	CHECK_ERRNO(sendto(u, "x", 1, 0, (void *)&a, n), EPERM);
	CHECK_ERRNO(connect(u, (void *)&a, n), EPERM);
	CHECK_EQ(sendto(t, "x", 1, 0, (void *)&a, n), 1);
	CHECK_EQ(recv(s, buf, 20, 0), 1);
	a.sun_family = AF_UNSPEC;
	CHECK_EQ(connect(s, (void *)&a, n), 0);
	a.sun_family = AF_UNIX;
	CHECK_ERRNO(send(s, "x", 1, 0), ENOTCONN);
	CHECK_EQ(sendto(u, "y", 1, 0, (void *)&a, n), 1);
	CHECK_EQ(recv(s, buf, 20, 0), 1);
	/* To itself. */
	CHECK_EQ(sendto(s, "self", 4, 0, (void *)&a, n), 4);
	CHECK_EQ(recv(s, buf, 20, 0), 4);
	CHECK_EQ(shutdown(s, SHUT_RD), 0);
	CHECK_ERRNO(sendto(u, "y", 1, 0, (void *)&a, n), EPIPE);
	CHECK_EQ(recv(s, buf, 20, 0), 0);
	CHECK_ERRNO(recv(s, buf, 20, MSG_DONTWAIT), EAGAIN);
	close(s);
	CHECK_ERRNO(sendto(u, "y", 1, 0, (void *)&a, n), ECONNREFUSED);
	close(t);
	close(u);
}

static void *drain(void *arg)
{
	char b;

	usleep(30000);
	return recv(*(int *)arg, &b, 1, 0) == 1 ? NULL : arg;
}

static void short_queue(void)
{
	struct sockaddr_un a = abstract("dgram q");
	socklen_t n = ABSTRACT_LENGTH("dgram q");
	struct epoll_event e = { .events = EPOLLOUT | EPOLLET };
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), t = socket(AF_UNIX, SOCK_DGRAM, 0), ep = epoll_create1(0), count = 0;
	pthread_t thread;
	void *result;
	char b;

	CHECK_EQ(bind(s, (void *)&a, n), 0);
	CHECK_EQ(connect(t, (void *)&a, n), 0);
	while (send(t, "m", 1, MSG_DONTWAIT) == 1)
		count++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(count, 11);
	CHECK_EQ(events(t), 0);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, t, &e), 0);
	CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
	CHECK_EQ(recv(s, &b, 1, 0), 1);
	CHECK_EQ(epoll_wait(ep, &e, 1, 1000), 1);
	CHECK_EQ(events(t), POLLOUT);
	CHECK_EQ(send(t, "m", 1, 0), 1);
	pthread_create(&thread, NULL, drain, &s);
	CHECK_EQ(send(t, "m", 1, 0), 1);
	pthread_join(thread, &result);
	CHECK(!result);
	/* Closing the receiver is room, too. */
	CHECK_EQ(events(t), 0);
	close(s);
	CHECK_EQ(events(t), POLLOUT);
	CHECK_ERRNO(send(t, "m", 1, 0), ECONNREFUSED);
	close(t);
	close(ep);
}

static void sequence(void)
{
	char buf[20];
	int s[2], u;

	signal(SIGPIPE, on_signal);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	CHECK_EQ(send(s[0], "one", 3, 0), 3);
	CHECK_EQ(send(s[0], "two", 3, 0), 3);
	CHECK_EQ(recv(s[1], buf, 20, 0), 3);
	CHECK_EQ(recv(s[1], buf, 2, 0), 2);
	CHECK_EQ(send(s[0], "xyz", 3, 0), 3);
	CHECK_EQ(shutdown(s[0], SHUT_WR), 0);
	CHECK_EQ(recv(s[1], buf, 20, 0), 3);
	CHECK_EQ(recv(s[1], buf, 20, 0), 0);
	CHECK_EQ(recv(s[1], buf, 20, MSG_DONTWAIT), 0);
	CHECK_EQ(send(s[1], "unread", 6, 0), 6);
	close(s[0]);
	CHECK(events(s[1]) & POLLHUP);
	CHECK(events(s[1]) & POLLERR);
	CHECK_ERRNO(send(s[1], "a", 1, MSG_NOSIGNAL), ECONNRESET);
	CHECK_ERRNO(send(s[1], "a", 1, MSG_NOSIGNAL), EPIPE);
	close(s[1]);
	u = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	CHECK_ERRNO(send(u, "a", 1, 0), ENOTCONN);
	CHECK_ERRNO(recv(u, buf, 1, 0), ENOTCONN);
	close(u);
}

static void many(void)
{
	char text[4][8] = { "a", "bb", "ccc", "dddd" }, room[4][8];
	struct iovec out[4], in[4];
	struct mmsghdr m[4];
	struct timespec ts = { 0, 20000000 };
	int s[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
	memset(m, 0, sizeof(m));
	for (int i = 0; i < 4; i++) {
		out[i] = (struct iovec){ text[i], (size_t)i + 1 };
		in[i] = (struct iovec){ room[i], 8 };
		m[i].msg_hdr.msg_iov = &out[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK_EQ(sendmmsg(s[0], m, 4, 0), 4);
	CHECK_EQ(m[3].msg_len, 4);
	for (int i = 0; i < 4; i++)
		m[i].msg_hdr.msg_iov = &in[i];
	CHECK_EQ(recvmmsg(s[1], m, 2, 0, NULL), 2);
	CHECK_EQ(m[1].msg_len, 2);
	CHECK_EQ(recvmmsg(s[1], m, 4, MSG_WAITFORONE, NULL), 2);
	CHECK_EQ(m[0].msg_len, 3);
	CHECK(!memcmp(room[1], "dddd", 4));
	CHECK_ERRNO(recvmmsg(s[1], m, 4, MSG_DONTWAIT, NULL), EAGAIN);
	ts.tv_nsec = -1;
	CHECK_ERRNO(recvmmsg(s[1], m, 4, MSG_DONTWAIT, &ts), EINVAL);
	CHECK_EQ(sendmmsg(s[0], m, 0, 0), 0);
	CHECK_ERRNO(syscall(SYS_sendmmsg, s[0], 8, 1, 0), EFAULT);	/* the library touches it */
	CHECK_ERRNO(syscall(SYS_recvmmsg, s[0], 8, 1, 0, NULL), EFAULT);
	close(s[0]);
	close(s[1]);
	CHECK_ERRNO(sendmmsg(s[0], m, 1, 0), EBADF);
	CHECK_ERRNO(recvmmsg(s[0], m, 1, 0, NULL), EBADF);
}

static void vectors(void)
{
	struct iovec iov[2] = { { "ab", 2 }, { "cd", 2 } };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = 2 };
	char buf[10];
	int s[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
	CHECK_EQ(sendmsg(s[0], &h, 0), 4);
	CHECK_EQ(recv(s[1], buf, 10, 0), 4);
	CHECK(!memcmp(buf, "abcd", 4));
	h.msg_iovlen = 1025;
	CHECK_ERRNO(syscall(SYS_sendmsg, s[0], &h, 0), EMSGSIZE);
	CHECK_ERRNO(syscall(SYS_recvmsg, s[0], &h, 0), EMSGSIZE);
	CHECK_ERRNO(syscall(SYS_sendmsg, s[0], 8, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_recvmsg, s[0], 8, 0), EFAULT);
	h.msg_iovlen = 0;
	h.msg_namelen = (socklen_t)-1;
	h.msg_name = buf;
	CHECK_ERRNO(sendmsg(s[0], &h, 0), EINVAL);
	close(s[0]);
	close(s[1]);
}

/* A value set, and what is read back. */
static int option(int fd, int name, int value)
{
	socklen_t n = sizeof(value);

	if (setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value)))
		return -errno;
	value = -1;
	return getsockopt(fd, SOL_SOCKET, name, &value, &n) ? -errno : value;
}

static int get(int fd, int name)
{
	int value = -1;
	socklen_t n = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &n) ? -errno : value;
}

static void options(void)
{
	struct timeval tv = { 1, 500000 };
	struct linger l = { 1, 7 };
	socklen_t n;
	int s[2], value = 1;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
	CHECK_EQ(get(s[0], SO_TYPE), SOCK_DGRAM);
	CHECK_EQ(get(s[0], SO_DOMAIN), AF_UNIX);
	CHECK_EQ(get(s[0], SO_PROTOCOL), 0);
	CHECK_EQ(get(s[0], SO_ERROR), 0);
	CHECK_EQ(get(s[0], SO_ACCEPTCONN), 0);
	CHECK_EQ(get(s[0], SO_SNDLOWAT), 1);
	CHECK_EQ(get(s[0], 12345), -ENOPROTOOPT);
	CHECK_EQ(option(s[0], SO_SNDBUF, 10000), 20000);
	CHECK_EQ(option(s[0], SO_SNDBUF, 1), 4608);
	CHECK_EQ(option(s[0], SO_RCVBUF, 10000), 20000);
	CHECK_EQ(option(s[0], SO_REUSEADDR, 5), 1);
	CHECK_EQ(option(s[0], SO_KEEPALIVE, 0), 0);
	CHECK_EQ(option(s[0], SO_BROADCAST, 1), 1);
	CHECK_EQ(option(s[0], SO_PASSCRED, 2), 1);
	CHECK_EQ(option(s[0], SO_RCVLOWAT, 0), 1);
	CHECK_EQ(option(s[0], SO_PRIORITY, 3), 3);
	CHECK_EQ(option(s[0], SO_TYPE, 1), -ENOPROTOOPT);
	CHECK_EQ(option(s[0], 12345, 1), -ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &value, 3), EINVAL);
	CHECK_ERRNO(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &value, -1), EINVAL);
	CHECK_ERRNO(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, (void *)8, 4), EFAULT);
	CHECK_ERRNO(setsockopt(s[0], 6, 1, &value, 4), EOPNOTSUPP);
	n = 4;
	CHECK_ERRNO(getsockopt(s[0], 6, 1, &value, &n), EOPNOTSUPP);
	n = (socklen_t)-1;
	CHECK_ERRNO(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &n), EINVAL);
	CHECK_ERRNO(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, (socklen_t *)8), EFAULT);
	CHECK_EQ(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	n = sizeof(tv);
	tv.tv_sec = 0;
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &n), 0);
	CHECK(tv.tv_sec == 1 && n == sizeof(tv));
	tv.tv_usec = 1000000;
	CHECK_ERRNO(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), EDOM);
	CHECK_EQ(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	n = sizeof(l);
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_LINGER, &l, &n), 0);
	CHECK_EQ(l.l_linger, 7);
	CHECK_EQ(option(s[1], SO_PEEK_OFF, 2), 2);
	CHECK_EQ(send(s[0], "abcdef", 6, 0), 6);
	CHECK_EQ(recv(s[1], big, 2, MSG_PEEK), 2);
	CHECK(!memcmp(big, "cd", 2));
	CHECK_EQ(recv(s[1], big, 2, MSG_PEEK), 2);
	CHECK(!memcmp(big, "ef", 2));
	close(s[0]);
	close(s[1]);
	CHECK_ERRNO(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &value, 4), EBADF);
	n = open("/dev/null", O_RDWR);
	CHECK_ERRNO(setsockopt((int)n, SOL_SOCKET, SO_SNDBUF, &value, 4), ENOTSOCK);
	close((int)n);
}

int main(void)
{
	pair();
	names();
	short_queue();
	sequence();
	many();
	vectors();
	options();
	return test_done();
}
