/* What comes along with messages: descriptors and credentials, truncation, descriptors in flight, circles of them. */
// calls: sendmsg recvmsg socketpair getsockopt
// libc: gcc
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "include/test.h"

struct control {
	size_t length;
	char bytes[2048] __attribute__((aligned(8)));
};

static void add(struct control *c, int level, int type, const void *data, size_t n)
{
	struct cmsghdr *h = (void *)(c->bytes + c->length);

	h->cmsg_len = CMSG_LEN(n);
	h->cmsg_level = level;
	h->cmsg_type = type;
	memcpy(CMSG_DATA(h), data, n);
	c->length += CMSG_SPACE(n);
}

static long send_control(int s, const char *text, struct control *c, int flags)
{
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = c->bytes, .msg_controllen = c->length };

	return sendmsg(s, &h, flags);
}

static long send_fds(int s, const char *text, const int *fds, int count)
{
	struct control c = { 0 };

	add(&c, SOL_SOCKET, SCM_RIGHTS, fds, (size_t)count * sizeof(int));
	return send_control(s, text, &c, 0);
}

static struct msghdr last;
static struct control received;
static char text[100];
static long last_bytes;

/* Up to `room` bytes of control data; the number of descriptors that came. */
static long receive(int s, size_t room, int *fds, int flags)
{
	struct iovec iov = { text, sizeof(text) };
	long n;

	memset(&last, 0, sizeof(last));
	last.msg_iov = &iov;
	last.msg_iovlen = 1;
	last.msg_control = room ? received.bytes : NULL;
	last.msg_controllen = room;
	n = recvmsg(s, &last, flags);
	received.length = last.msg_controllen;
	last_bytes = n;
	if (n < 0)
		return -errno;
	n = 0;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&last); h; h = CMSG_NXTHDR(&last, h)) {
		if (h->cmsg_type == SCM_RIGHTS) {
			n = (long)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(fds, CMSG_DATA(h), (size_t)n * sizeof(int));
		}
	}
	return n;
}

static int open_count(void)
{
	int n = 0;

	for (int i = 0; i < 300; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static void pass(int type)
{
	int s[2], fds[300], before = open_count(), f = open("passed", O_RDWR | O_CREAT | O_TRUNC, 0600), got[300];

	CHECK_EQ(socketpair(AF_UNIX, type, 0, s), 0);
	CHECK_EQ(write(f, "contents", 8), 8);
	fds[0] = f;
	fds[1] = s[0];
	CHECK_EQ(send_fds(s[0], "two", fds, 2), 3);
	close(f);
	CHECK_EQ(receive(s[1], 100, got, MSG_PEEK), 2);
	CHECK_EQ(lseek(got[0], 0, SEEK_CUR), 8);
	close(got[0]);
	close(got[1]);
	CHECK_EQ(receive(s[1], 100, got, MSG_CMSG_CLOEXEC), 2);
	CHECK_EQ(last.msg_flags & MSG_CTRUNC, 0);
	CHECK_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(lseek(got[0], 0, SEEK_SET), 0);
	CHECK_EQ(read(got[0], text, 8), 8);
	CHECK(!memcmp(text, "contents", 8));
	CHECK_EQ(write(got[1], "x", 1), 1);
	CHECK_EQ(receive(s[1], 100, fds, 0), 0);
	/* No room, or too little. */
	CHECK_EQ(send_fds(s[0], "a", got, 2), 1);
	CHECK_EQ(receive(s[1], 0, fds, 0), 0);
	CHECK_EQ(last.msg_flags, MSG_CTRUNC);
	CHECK_EQ(send_fds(s[0], "a", got, 2), 1);
	CHECK_EQ(receive(s[1], CMSG_LEN(sizeof(int)), fds, 0), 1);
	CHECK_EQ(last.msg_flags, MSG_CTRUNC);
	close(fds[0]);
	/* read and recv drop what came along. */
	CHECK_EQ(send_fds(s[0], "b", got, 2), 1);
	CHECK_EQ(read(s[1], text, 10), 1);
	for (int i = 0; i < 254; i++)
		fds[i] = got[0];
	CHECK_EQ(send_fds(s[0], "c", fds, 253), 1);
	CHECK_ERRNO(send_fds(s[0], "c", fds, 254), EINVAL);
	CHECK_EQ(receive(s[1], 2000, fds, 0), 253);
	for (int i = 0; i < 253; i++)
		close(fds[i]);
	fds[0] = -1;
	CHECK_ERRNO(send_fds(s[0], "d", fds, 1), EBADF);
	/* What nobody received is closed with the queue. */
	CHECK_EQ(send_fds(s[0], "e", got, 2), 1);
	close(got[0]);
	close(got[1]);
	close(s[0]);
	close(s[1]);
	CHECK_EQ(open_count(), before);
}

static void malformed(void)
{
	struct control c = { 0 };
	struct cmsghdr *h = (void *)c.bytes;
	struct msghdr m = { 0 };
	int s[2], fd = 0;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	add(&c, SOL_SOCKET, SCM_RIGHTS, &fd, sizeof(fd));
	h->cmsg_len = 1;
	CHECK_ERRNO(send_control(s[0], "a", &c, 0), EINVAL);
	h->cmsg_len = 10000;
	CHECK_ERRNO(send_control(s[0], "a", &c, 0), EINVAL);
	h->cmsg_len = CMSG_LEN(sizeof(fd));
	h->cmsg_type = 77;
	CHECK_ERRNO(send_control(s[0], "a", &c, 0), EINVAL);
	h->cmsg_level = SOL_SOCKET + 1;
	CHECK_EQ(send_control(s[0], "a", &c, 0), 1);
	m.msg_control = (void *)8;
	m.msg_controllen = 24;
	CHECK_ERRNO(sendmsg(s[0], &m, 0), EFAULT);
	m.msg_controllen = 1ul << 32;
	CHECK_ERRNO(sendmsg(s[0], &m, 0), ENOBUFS);
	m.msg_controllen = 200000;
	CHECK_ERRNO(sendmsg(s[0], &m, 0), ENOBUFS);
	close(s[0]);
	close(s[1]);
}

static void stream_boundaries(void)
{
	int s[2], fds[4], f = open("/dev/null", O_RDWR);

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	CHECK_EQ(write(s[0], "plain", 5), 5);
	CHECK_EQ(send_fds(s[0], "first", &f, 1), 5);
	CHECK_EQ(send_fds(s[0], "second", &f, 1), 6);
	/* Bytes before a message with descriptors come with it, bytes after it do not. */
	CHECK_EQ(receive(s[1], 100, fds, 0), 1);
	CHECK(!memcmp(text, "plainfirst", 10));
	close(fds[0]);
	CHECK_EQ(receive(s[1], 100, fds, 0), 1);
	CHECK(!memcmp(text, "second", 6));
	close(fds[0]);
	close(f);
	close(s[0]);
	close(s[1]);
}

static struct ucred *received_cred(void)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&last); h; h = CMSG_NXTHDR(&last, h)) {
		if (h->cmsg_type == SCM_CREDENTIALS)
			return (void *)CMSG_DATA(h);
	}
	return NULL;
}

static void credentials(int type)
{
	struct control c = { 0 };
	struct ucred me = { getpid(), getuid(), getgid() }, peer, *got;
	socklen_t n = sizeof(peer);
	int s[2], on = 1, status, fds[4];
	pid_t child;

	CHECK_EQ(socketpair(AF_UNIX, type, 0, s), 0);
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &peer, &n), 0);
	CHECK(peer.pid == getpid() && peer.uid == geteuid() && peer.gid == getegid());
	CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	child = fork();
	if (child == 0) {
		if (write(s[0], "hi", 2) != 2)
			_exit(1);
		_exit(0);
	}
	wait(&status);
	CHECK_EQ(receive(s[1], 100, fds, 0), 0);
	got = received_cred();
	CHECK(got && got->pid == child && got->uid == getuid());
	add(&c, SOL_SOCKET, SCM_CREDENTIALS, &me, sizeof(me));
	CHECK_EQ(send_control(s[0], "me", &c, 0), 2);
	CHECK_EQ(receive(s[1], 8, fds, 0), 0);
	CHECK_EQ(last.msg_flags, MSG_CTRUNC);
	CHECK_EQ(send_control(s[0], "me", &c, 0), 2);
	CHECK_EQ(receive(s[1], 100, fds, 0), 0);
	got = received_cred();
	CHECK(got && !memcmp(got, &me, sizeof(me)));
	me.pid = 999999999;
	c.length = 0;
	add(&c, SOL_SOCKET, SCM_CREDENTIALS, &me, sizeof(me));
	CHECK_ERRNO(send_control(s[0], "me", &c, 0), ESRCH);
	child = fork();
	if (child == 0) {
		if (setuid(1000))
			_exit(2);
		_exit(send_control(s[0], "me", &c, 0) == -1 && errno == EPERM ? 0 : 1);
	}
	wait(&status);
	CHECK_EQ(status, 0);
	c.length = 0;
	add(&c, SOL_SOCKET, SCM_CREDENTIALS, &me, 8);
	CHECK_ERRNO(send_control(s[0], "me", &c, 0), EINVAL);
	close(s[0]);
	close(s[1]);
	s[0] = socket(AF_UNIX, type, 0);
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &peer, &n), 0);
	CHECK(peer.pid == 0 && peer.uid == (uid_t)-1);
	close(s[0]);
}

/* A stream does not glue what different senders wrote, when it is asked who they are. */
static void senders_apart(void)
{
	int s[2], on = 1, status, fds[4];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	CHECK_EQ(write(s[0], "a", 1), 1);
	CHECK_EQ(write(s[0], "b", 1), 1);
	if (fork() == 0)
		_exit(write(s[0], "c", 1) != 1);
	wait(&status);
	CHECK_EQ(receive(s[1], 100, fds, 0), 0);
	CHECK_EQ(last_bytes, 2);
	CHECK(!memcmp(text, "ab", 2));
	CHECK_EQ(recv(s[1], text, 10, 0), 1);
	CHECK_EQ(text[0], 'c');
	close(s[0]);
	close(s[1]);
}

/* Circles of sockets that only reach each other: the pipe's writing end in them must be closed in the end. */
static void circle(int listening)
{
	int s[2], p[2], fds[2], l = -1;
	char c;

	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	if (listening) {
		struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0circle" };
		int e = socket(AF_UNIX, SOCK_STREAM, 0);

		/* The listener lies in the queue of a connection that it has not accepted. */
		l = socket(AF_UNIX, SOCK_STREAM, 0);
		CHECK_EQ(bind(l, (void *)&a, 9), 0);
		CHECK_EQ(listen(l, 5), 0);
		CHECK_EQ(connect(e, (void *)&a, 9), 0);
		fds[0] = l;
		fds[1] = p[1];
		CHECK_EQ(send_fds(e, "x", fds, 2), 1);
		close(e);
		close(l);
	}
	fds[0] = s[0];
	fds[1] = s[1];
	CHECK_EQ(send_fds(s[0], "x", fds, 2), 1);
	CHECK_EQ(send_fds(s[1], "x", fds, 2), 1);
	CHECK_EQ(send_fds(s[1], "x", &p[1], 1), 1);
	close(s[0]);
	close(s[1]);
	close(p[1]);
	/* The next socket that is closed collects. */
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 200 && read(p[0], &c, 1) < 0; i++)
		usleep(5000);
	CHECK_EQ(read(p[0], &c, 1), 0);
	close(p[0]);
}

/* A socket in a socket in a socket ...: freeing must not need a stack for each. */
static void nested(void)
{
	int outer[2], inner[2], depth = 0;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, inner), 0);
	for (; depth < 1000; depth++) {
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, outer))
			break;
		if (send_fds(outer[0], "n", inner, 2) != 1) {
			close(outer[0]);
			close(outer[1]);
			break;
		}
		close(inner[0]);
		close(inner[1]);
		inner[0] = outer[0];
		inner[1] = outer[1];
	}
	/* Linux stops at four or has no limit, as its version goes. */
	CHECK(depth >= 3);
	close(inner[0]);
	close(inner[1]);
}

static void limit(void)
{
	struct rlimit r = { 20, 20 };
	int s[2], fds[100], status;

	if (fork() == 0) {
		if (setrlimit(RLIMIT_NOFILE, &r) || setuid(54321) || socketpair(AF_UNIX, SOCK_DGRAM, 0, s))
			_exit(1);
		for (int i = 0; i < 100; i++)
			fds[i] = s[0];
		if (send_fds(s[0], "l", fds, 100) != 1)
			_exit(2);
		_exit(send_fds(s[0], "l", fds, 100) == -1 && errno == ETOOMANYREFS ? 0 : 3);
	}
	wait(&status);
	CHECK_EQ(status, 0);
}

int main(void)
{
	char dir[] = "unixXXXXXX";

	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	pass(SOCK_STREAM);
	pass(SOCK_DGRAM);
	pass(SOCK_SEQPACKET);
	malformed();
	stream_boundaries();
	credentials(SOCK_STREAM);
	credentials(SOCK_DGRAM);
	senders_apart();
	for (int i = 0; i < 10; i++)
		circle(i & 1);
	nested();
	limit();
	return test_done();
}
