/* Local stream sockets: pairs, names, connect and accept, shutdown, blocking, peeking, polling, errors. */
// calls: socket socketpair bind listen accept accept4 connect getsockname getpeername shutdown sendto
// errors: socket socketpair bind listen accept accept4 connect getsockname getpeername shutdown sendto
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "include/test.h"

static char big[1 << 20];
static int got;
static void on_signal(int sig) { got = sig; }

static struct sockaddr_un path_name(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, path);
	return a;
}

static int bind_path(int s, const char *path)
{
	struct sockaddr_un a = path_name(path);

	return bind(s, (void *)&a, sizeof(a));
}

static int connect_path(int s, const char *path)
{
	struct sockaddr_un a = path_name(path);

	return connect(s, (void *)&a, sizeof(a));
}

static int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };

	poll(&p, 1, 0);
	return p.revents;
}

static void kinds(void)
{
	int s[2];

	CHECK_ERRNO(socket(AF_UNIX, 4, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, 11, 0), EINVAL);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
	CHECK_ERRNO(socket(46, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8), EFAULT);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM | 0x100, 0, s), EINVAL);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, AF_UNIX, s), 0);
	CHECK_EQ(fcntl(s[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(s[1], F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_ERRNO(lseek(s[0], 0, SEEK_SET), ESPIPE);
	close(s[0]);
	close(s[1]);
}

static void pair(void)
{
	struct stat st;
	char buf[100];
	int s[2], n;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	CHECK_EQ(fstat(s[0], &st), 0);
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_EQ(write(s[0], "abc", 3), 3);
	CHECK_EQ(write(s[0], "def", 3), 3);
	CHECK_EQ(ioctl(s[1], FIONREAD, &n), 0);
	CHECK_EQ(n, 6);
	CHECK_EQ(recv(s[1], buf, 4, MSG_PEEK), 4);
	CHECK_EQ(recv(s[1], buf, 4, 0), 4);
	CHECK(!memcmp(buf, "abcd", 4));
	CHECK_EQ(read(s[1], buf, 100), 2);
	CHECK_ERRNO(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(events(s[1]), POLLOUT);
	CHECK_EQ(write(s[0], "x", 1), 1);
	CHECK_EQ(events(s[1]), POLLIN | POLLOUT);
	CHECK_EQ(read(s[1], buf, 0), 0);
	CHECK_EQ(read(s[1], buf, 100), 1);
	CHECK_EQ(send(s[0], "", 0, 0), 0);
	CHECK_ERRNO(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(write(s[0], (void *)8, 1), EFAULT);
	CHECK_EQ(write(s[0], "yz", 2), 2);
	CHECK_ERRNO(read(s[1], (void *)8, 1), EFAULT);
	CHECK_EQ(read(s[1], buf, 100), 2);
	CHECK_ERRNO(sendto(s[0], "a", 1, 0, (void *)buf, 20), EISCONN);
	CHECK_ERRNO(connect_path(s[0], "nowhere"), ENOENT);
	CHECK_ERRNO(listen(s[0], 1), EINVAL);
	CHECK_ERRNO(accept(s[0], NULL, NULL), EINVAL);
	/* Data that the peer did not read is an error for who sent it. */
	CHECK_EQ(write(s[0], "lost", 4), 4);
	close(s[1]);
	CHECK_EQ(events(s[0]), POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP);
	CHECK_ERRNO(read(s[0], buf, 1), ECONNRESET);
	CHECK_EQ(read(s[0], buf, 1), 0);
	signal(SIGPIPE, on_signal);
	got = 0;
	CHECK_ERRNO(send(s[0], "a", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(got, 0);
	CHECK_ERRNO(write(s[0], "a", 1), EPIPE);
	CHECK_EQ(got, SIGPIPE);
	close(s[0]);
}

static void shutdowns(void)
{
	char buf[10];
	int s[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	CHECK_ERRNO(shutdown(s[0], 3), EINVAL);
	CHECK_ERRNO(shutdown(s[0], -1), EINVAL);
	CHECK_EQ(write(s[0], "end", 3), 3);
	CHECK_EQ(shutdown(s[0], SHUT_WR), 0);
	CHECK_ERRNO(send(s[0], "a", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(events(s[1]), POLLIN | POLLOUT | POLLRDHUP);
	CHECK_EQ(read(s[1], buf, 10), 3);
	CHECK_EQ(read(s[1], buf, 10), 0);
	CHECK_EQ(write(s[1], "back", 4), 4);
	CHECK_EQ(read(s[0], buf, 10), 4);
	CHECK_EQ(shutdown(s[1], SHUT_RDWR), 0);
	CHECK_EQ(read(s[0], buf, 10), 0);
	CHECK(events(s[0]) & POLLHUP);
	close(s[0]);
	close(s[1]);
}

static void names(void)
{
	struct sockaddr_un a;
	socklen_t n;
	struct stat st;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), t = socket(AF_UNIX, SOCK_STREAM, 0), u;

	unlink("name");
	n = sizeof(a);
	CHECK_EQ(getsockname(s, (void *)&a, &n), 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(a.sun_family, AF_UNIX);
	CHECK_ERRNO(getpeername(s, (void *)&a, &n), ENOTCONN);
	CHECK_ERRNO(listen(s, 1), EINVAL);
	a = path_name("name");
	CHECK_ERRNO(bind(s, (void *)&a, 111), EINVAL);
	CHECK_ERRNO(bind(s, (void *)&a, -1), EINVAL);
	CHECK_ERRNO(bind(s, (void *)8, 10), EFAULT);
	a.sun_family = AF_INET;
	CHECK_ERRNO(bind(s, (void *)&a, sizeof(a)), EINVAL);
	umask(027);
	CHECK_EQ(bind_path(s, "name"), 0);
	CHECK_EQ(stat("name", &st), 0);
	CHECK_EQ(st.st_mode, S_IFSOCK | 0750);
	CHECK_ERRNO(open("name", O_RDWR), ENXIO);
	n = sizeof(a);
	CHECK_EQ(getsockname(s, (void *)&a, &n), 0);
	CHECK_EQ(n, offsetof(struct sockaddr_un, sun_path) + 5);
	CHECK_EQ(strcmp(a.sun_path, "name"), 0);
	n = 4;
	CHECK_EQ(getsockname(s, (void *)&a, &n), 0);
	CHECK_EQ(n, offsetof(struct sockaddr_un, sun_path) + 5);
	n = (socklen_t)-1;
	CHECK_ERRNO(getsockname(s, (void *)&a, &n), EINVAL);
	CHECK_ERRNO(getsockname(s, (void *)&a, (socklen_t *)8), EFAULT);
	CHECK_ERRNO(bind_path(t, "name"), EADDRINUSE);
	CHECK_ERRNO(bind_path(s, "other"), EINVAL);
	CHECK_ERRNO(bind_path(t, "no/name"), ENOENT);
	CHECK_ERRNO(connect_path(t, "name"), ECONNREFUSED);
	CHECK_EQ(listen(s, 5), 0);
	u = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	CHECK_ERRNO(connect_path(u, "name"), EPROTOTYPE);
	close(u);
	CHECK_ERRNO(connect_path(s, "name"), EINVAL);
	close(open("plain", O_CREAT | O_RDWR, 0600));
	CHECK_ERRNO(connect_path(t, "plain"), ECONNREFUSED);
	CHECK_EQ(connect_path(t, "name"), 0);
	CHECK_ERRNO(connect_path(t, "name"), EISCONN);
	n = sizeof(a);
	CHECK_EQ(getpeername(t, (void *)&a, &n), 0);
	CHECK_EQ(strcmp(a.sun_path, "name"), 0);
	n = sizeof(a);
	u = accept(s, (void *)&a, &n);
	CHECK(u >= 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(write(t, "hello", 5), 5);
	close(t);
	CHECK_EQ(read(u, big, 10), 5);
	CHECK_EQ(read(u, big, 10), 0);
	close(u);
	close(s);
	t = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(connect_path(t, "name"), ECONNREFUSED);
	unlink("name");
	CHECK_ERRNO(connect_path(t, "name"), ENOENT);
	close(t);
}

static void abstract_names(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0mortise test" }, b;
	socklen_t n = offsetof(struct sockaddr_un, sun_path) + 13, m;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), t = socket(AF_UNIX, SOCK_STREAM, 0), u;

	CHECK_ERRNO(connect(t, (void *)&a, n), ECONNREFUSED);
	CHECK_EQ(bind(s, (void *)&a, n), 0);
	CHECK_ERRNO(bind(t, (void *)&a, n), EADDRINUSE);
	CHECK_EQ(listen(s, 0), 0);
	CHECK_EQ(connect(t, (void *)&a, n), 0);
	m = sizeof(b);
	CHECK_EQ(getpeername(t, (void *)&b, &m), 0);
	CHECK_EQ(m, n);
	CHECK(!memcmp(&a, &b, n));
	/* The queue of one is full. */
	u = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_ERRNO(connect(u, (void *)&a, n), EAGAIN);
	close(s);
	/* A connection that was never accepted is reset. */
	CHECK_ERRNO(read(t, &b, 1), ECONNRESET);
	close(t);
	CHECK_ERRNO(connect(u, (void *)&a, n), ECONNREFUSED);
	CHECK_EQ(bind(u, (void *)&a, 2), 0);
	m = sizeof(b);
	CHECK_EQ(getsockname(u, (void *)&b, &m), 0);
	CHECK_EQ(m, 8);
	CHECK_EQ(b.sun_path[0], 0);
	close(u);
}

static void unconnected(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), f = open("plain", O_CREAT | O_RDWR, 0600);
	char c;

	CHECK_ERRNO(read(s, &c, 1), EINVAL);
	CHECK_ERRNO(write(s, &c, 1), ENOTCONN);
	CHECK_ERRNO(recv(s, &c, 1, 0), EINVAL);
	CHECK_ERRNO(sendto(s, &c, 1, 0, (void *)&c, 1), EOPNOTSUPP);
	CHECK_EQ(events(s), POLLOUT | POLLHUP);
	CHECK_EQ(shutdown(s, SHUT_RD), 0);
	CHECK_ERRNO(accept4(s, NULL, NULL, 1), EINVAL);
	CHECK_ERRNO(accept(s, NULL, NULL), EINVAL);
	close(s);
	CHECK_ERRNO(bind(f, (void *)&c, 1), ENOTSOCK);
	CHECK_ERRNO(connect(f, (void *)&c, 1), ENOTSOCK);
	CHECK_ERRNO(listen(f, 1), ENOTSOCK);
	CHECK_ERRNO(accept(f, NULL, NULL), ENOTSOCK);
	CHECK_ERRNO(shutdown(f, 0), ENOTSOCK);
	CHECK_ERRNO(send(f, &c, 1, 0), ENOTSOCK);
	CHECK_ERRNO(recv(f, &c, 1, 0), ENOTSOCK);
	CHECK_ERRNO(getsockname(f, NULL, NULL), ENOTSOCK);
	CHECK_ERRNO(getpeername(f, NULL, NULL), ENOTSOCK);
	close(f);
	CHECK_ERRNO(bind(f, (void *)&c, 1), EBADF);
	CHECK_ERRNO(accept(f, NULL, NULL), EBADF);
	CHECK_ERRNO(send(f, &c, 1, 0), EBADF);
	CHECK_ERRNO(recv(f, &c, 1, 0), EBADF);
	CHECK_ERRNO(listen(f, 1), EBADF);
	CHECK_ERRNO(shutdown(f, 0), EBADF);
}

static void full(void)
{
	int s[2];
	long n, total = 0;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s), 0);
	while ((n = write(s[0], big, 4096)) > 0)
		total += n;
	CHECK_EQ(errno, EAGAIN);
	CHECK(total >= 65536 && total < 1 << 20);
	CHECK_EQ(events(s[0]), 0);
	while ((n = read(s[1], big, sizeof(big))) > 0)
		total -= n;
	CHECK_EQ(total, 0);
	CHECK_EQ(events(s[0]), POLLOUT);
	close(s[0]);
	close(s[1]);
}

/* A megabyte in odd pieces through a process that sends it back, both directions at once. */
static void transfer(void)
{
	long sent = 0, received = 0, sum = 0, n;
	int s[2], status;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	if (fork() == 0) {
		static char piece[7777];

		close(s[0]);
		while ((n = read(s[1], piece, sizeof(piece))) > 0) {
			for (long i = 0; i < n; i++)
				piece[i]++;
			if (send(s[1], piece, (size_t)n, MSG_NOSIGNAL) != n)
				_exit(1);
		}
		_exit(n != 0);
	}
	close(s[1]);
	for (unsigned int i = 0; i < sizeof(big); i++)
		big[i] = (char)(i % 100);
	fcntl(s[0], F_SETFL, O_NONBLOCK);
	while (received < (long)sizeof(big)) {
		struct pollfd p = { .fd = s[0], .events = POLLIN | (sent < (long)sizeof(big) ? POLLOUT : 0) };
		char back[5000];

		poll(&p, 1, -1);
		if (p.revents & POLLOUT) {
			n = write(s[0], big + sent, sizeof(big) - (size_t)sent < 33333 ? sizeof(big) - (size_t)sent : 33333);
			sent += n > 0 ? n : 0;
			if (sent == sizeof(big))
				shutdown(s[0], SHUT_WR);
		}
		n = read(s[0], back, sizeof(back));
		for (long i = 0; i < n; i++)
			sum += back[i] == (char)((received + i) % 100 + 1);
		received += n > 0 ? n : 0;
		if (!n)
			break;
	}
	CHECK_EQ(received, sizeof(big));
	CHECK_EQ(sum, sizeof(big));
	wait(&status);
	CHECK_EQ(status, 0);
	close(s[0]);
}

static void *sender(void *arg)
{
	usleep(20000);
	if (write(*(int *)arg, "late", 4) != 4)
		return arg;
	usleep(20000);
	return write(*(int *)arg, "r", 1) == 1 ? NULL : arg;
}

static void waiting(void)
{
	struct timeval tv = { 0, 30000 };
	struct sigaction sa = { .sa_handler = on_signal };
	char buf[10];
	pthread_t t;
	int s[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	pthread_create(&t, NULL, sender, &s[0]);
	CHECK_EQ(recv(s[1], buf, 5, MSG_WAITALL), 5);
	CHECK(!memcmp(buf, "later", 5));
	pthread_join(t, NULL);
	CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	CHECK_ERRNO(read(s[1], buf, 1), EAGAIN);
	CHECK_EQ(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
	CHECK(write(s[0], big, sizeof(big)) < (long)sizeof(big));
	CHECK_ERRNO(write(s[0], big, sizeof(big)), EAGAIN);
	close(s[0]);
	close(s[1]);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	sigaction(SIGALRM, &sa, NULL);
	ualarm(20000, 0);
	CHECK_ERRNO(read(s[1], buf, 1), EINTR);
	CHECK_EQ(got, SIGALRM);
	close(s[0]);
	close(s[1]);
}

static void *connecter(void *arg)
{
	for (int i = 0; i < 50; i++) {
		int s = socket(AF_UNIX, SOCK_STREAM, 0);
		char c = 0;

		if (connect_path(s, "busy") || write(s, "q", 1) != 1 || read(s, &c, 1) != 1 || c != 'q')
			return arg;
		close(s);
	}
	return NULL;
}

/* Clients that wait for a short queue, and two threads that accept. */
static void *server(void *arg)
{
	int s = *(int *)arg, n = 0;

	for (;;) {
		int c = accept4(s, NULL, NULL, SOCK_CLOEXEC);
		char b;

		if (c < 0)
			break;
		if (read(c, &b, 1) == 1 && write(c, &b, 1) == 1)
			n++;
		close(c);
	}
	return (void *)(long)n;
}

static void crowd(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), bad = 0;
	pthread_t clients[6], servers[2];
	long served = 0;
	void *result;

	unlink("busy");
	CHECK_EQ(bind_path(s, "busy"), 0);
	CHECK_EQ(listen(s, 1), 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&servers[i], NULL, server, &s);
	for (int i = 0; i < 6; i++)
		pthread_create(&clients[i], NULL, connecter, &s);
	for (int i = 0; i < 6; i++) {
		pthread_join(clients[i], &result);
		bad += result != NULL;
	}
	CHECK_EQ(bad, 0);
	shutdown(s, SHUT_RDWR);
	for (int i = 0; i < 2; i++) {
		pthread_join(servers[i], &result);
		served += (long)result;
	}
	CHECK_EQ(served, 300);
	close(s);
}

int main(void)
{
	char dir[] = "unixXXXXXX";

	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	kinds();
	pair();
	shutdowns();
	names();
	abstract_names();
	unconnected();
	full();
	transfer();
	waiting();
	crowd();
	return test_done();
}
