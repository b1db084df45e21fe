/* What the calls of POSIX message queues refuse. */
// libc: gcc
// errors: mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
#include "include/mq.h"

#include <sys/socket.h>

static int q, readable, writable, plain;
static char buf[8192];

static struct mq_attr sized(long max, long size) { return (struct mq_attr){ .mq_maxmsg = max, .mq_msgsize = size }; }

static void opening(void)
{
	struct mq_attr a = sized(1, 1);

	own_names();
	FAILS(ENOENT, mq_open, "none", O_RDWR, 0, NULL);
	FAILS(ENOENT, mq_open, "", O_RDWR | O_CREAT, 0600, NULL);
	FAILS(EACCES, mq_open, "/queue", O_RDWR, 0, NULL);
	FAILS(EACCES, mq_open, "a/b", O_RDWR | O_CREAT, 0600, NULL);
	FAILS(EACCES, mq_open, ".", O_RDWR, 0, NULL);
	FAILS(EACCES, mq_open, "..", O_RDWR | O_CREAT, 0600, NULL);
	FAILS(ENAMETOOLONG, mq_open, long_name, O_RDWR, 0, NULL);
	FAILS(ENAMETOOLONG, mq_open, long_name, O_RDWR | O_CREAT, 0600, NULL);
	FAILS(ENAMETOOLONG, mq_open, long_path, O_RDWR, 0, NULL);
	FAILS(EEXIST, mq_open, "queue", O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
	FAILS(EINVAL, mq_open, "queue", 3, 0, NULL);
	FAULTS(mq_open, 0, 0, 0, O_RDWR, 0, 0);
	FAULTS(mq_open, 3, sizeof(a), P("queue"), O_RDWR, 0, 0);
	a = sized(0, 1);
	FAILS(EINVAL, mq_open, "new", O_RDWR | O_CREAT, 0600, &a);
	a = sized(1, 0);
	FAILS(EINVAL, mq_open, "new", O_RDWR | O_CREAT, 0600, &a);
	a = sized(-1, 1);
	FAILS(EINVAL, mq_open, "new", O_RDWR | O_CREAT, 0600, &a);
	a = sized(1, -1);
	FAILS(EINVAL, mq_open, "new", O_RDWR | O_CREAT, 0600, &a);
	a = sized(65537, 1);
	FAILS(EINVAL, mq_open, "new", O_RDWR | O_CREAT, 0600, &a);
	a = sized(1, (16 << 20) + 1);
	FAILS(EINVAL, mq_open, "new", O_RDWR | O_CREAT, 0600, &a);
	FAILS(ENOENT, mq_open, "new", O_RDWR, 0, NULL);
	own_names_remove();
}

static void unlinking(void)
{
	memset(long_name, 'n', 299);
	FAILS(ENOENT, mq_unlink, "none");
	FAILS(ENOENT, mq_unlink, "");
	FAILS(EACCES, mq_unlink, "/queue");
	FAILS(EACCES, mq_unlink, "..");
	FAILS(ENAMETOOLONG, mq_unlink, long_name);
	FAULTS(mq_unlink, 0, 0, 0);
}

static void sending(void)
{
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 };

	FAILS(EBADF, mq_timedsend, -1, "x", 1, 0, NULL);
	FAILS(EBADF, mq_timedsend, 999, "x", 1, 0, NULL);
	FAILS(EBADF, mq_timedsend, plain, "x", 1, 0, NULL);
	FAILS(EBADF, mq_timedsend, readable, "x", 1, 0, NULL);
	FAILS(EMSGSIZE, mq_timedsend, q, buf, 17, 0, NULL);
	FAILS(EMSGSIZE, mq_timedsend, q, buf, -1l, 0, NULL);
	FAILS(EINVAL, mq_timedsend, q, "x", 1, 32768, NULL);
	FAILS(EINVAL, mq_timedsend, q, "x", 1, 0xffffffffu, NULL);
	FAILS(EINVAL, mq_timedsend, q, "x", 1, 0, &bad);
	FAILS(EINVAL, mq_timedsend, q, "x", 1, 0, &negative);
	FAILS(EINVAL, mq_timedsend, -1, "x", 1, 0, &negative);
	FAULTS(mq_timedsend, 1, 16, q, 0, 16, 0, 0);
	FAULTS(mq_timedsend, 4, sizeof(bad), q, P("x"), 1, 0, 0);
	FAILS(EINVAL, write, q, "x", 1);
	CHECK_EQ(attr_of(q).mq_curmsgs, 0);
	GIVES(0, mq_timedsend, writable, "1", 1, 0, NULL);
	GIVES(0, mq_timedsend, writable, NULL, 0, 0, NULL);
	fcntl(writable, F_SETFL, O_NONBLOCK);
	FAILS(EAGAIN, mq_timedsend, writable, "x", 1, 0, NULL);
}

static void receiving(void)
{
	struct timespec bad = { 0, -1 };

	FAILS(EBADF, mq_timedreceive, -1, buf, 16, NULL, NULL);
	FAILS(EBADF, mq_timedreceive, plain, buf, 16, NULL, NULL);
	FAILS(EBADF, mq_timedreceive, writable, buf, 16, NULL, NULL);
	FAILS(EMSGSIZE, mq_timedreceive, readable, buf, 15, NULL, NULL);
	FAILS(EMSGSIZE, mq_timedreceive, readable, buf, 0, NULL, NULL);
	FAILS(EINVAL, mq_timedreceive, readable, buf, 16, NULL, &bad);
	FAULTS(mq_timedreceive, 4, sizeof(bad), readable, P(buf), 16, 0, 0);
	CHECK_EQ(count_of(q), 2);
	/* The message is lost when it cannot be delivered. */
	FAILS(EFAULT, mq_timedreceive, readable, NULL, 16, NULL, NULL);
	CHECK_EQ(count_of(q), 1);
	GIVES(0, mq_timedreceive, readable, NULL, 16, NULL, NULL);
	GIVES(0, mq_timedsend, q, "x", 1, 0, NULL);
	FAILS(EFAULT, mq_timedreceive, readable, buf, 16, (void *)8, NULL);
	CHECK_EQ(count_of(q), 0);
	fcntl(readable, F_SETFL, O_NONBLOCK);
	FAILS(EAGAIN, mq_timedreceive, readable, buf, 16, NULL, NULL);
}

static void notifying(void)
{
	struct sigevent none = { .sigev_notify = SIGEV_NONE }, bad = { .sigev_notify = 99 };
	struct sigevent sig = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65 }, thread = { .sigev_notify = SIGEV_THREAD };
	int ends[2];

	FAILS(EBADF, mq_notify, -1, &none);
	FAILS(EBADF, mq_notify, -1, NULL);
	FAILS(EBADF, mq_notify, plain, &none);
	FAILS(EINVAL, mq_notify, q, &bad);
	FAILS(EINVAL, mq_notify, -1, &bad);
	FAILS(EINVAL, mq_notify, q, &sig);
	sig.sigev_signo = -1;
	FAILS(EINVAL, mq_notify, q, &sig);
	FAULTS(mq_notify, 1, sizeof(none), q, 0);
	GIVES(0, mq_notify, q, NULL);
	GIVES(0, mq_notify, q, &none);
	FAILS(EBUSY, mq_notify, readable, &none);
	GIVES(0, mq_notify, writable, NULL);
	sig.sigev_signo = 0;
	GIVES(0, mq_notify, q, &sig);
	FAILS(EBUSY, mq_notify, q, &none);
	GIVES(0, mq_notify, q, NULL);
	/* Threads are told through a netlink socket. */
	thread.sigev_signo = plain;
	FAILS(EFAULT, mq_notify, q, &thread);
	thread.sigev_value.sival_ptr = buf;
	FAILS(ENOTSOCK, mq_notify, q, &thread);
	thread.sigev_signo = -1;
	FAILS(EBADF, mq_notify, q, &thread);
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	thread.sigev_signo = ends[0];
	FAILS(EINVAL, mq_notify, q, &thread);
	close(ends[0]);
	close(ends[1]);
}

static void attributes(void)
{
	struct mq_attr a = { .mq_flags = O_NONBLOCK | O_APPEND };

	FAILS(EBADF, mq_getsetattr, -1, NULL, &a);
	FAILS(EBADF, mq_getsetattr, plain, NULL, NULL);
	FAILS(EINVAL, mq_getsetattr, q, &a, NULL);
	FAILS(EINVAL, mq_getsetattr, -1, &a, NULL);
	FAULTS(mq_getsetattr, 1, sizeof(a), q, 0, 0);
	FAULTS(mq_getsetattr, 2, sizeof(a), q, 0, 0);
}

/* `open` may be opened by everybody for reading, `queue` by nobody else. */
static void unlike_owner(void)
{
	struct mq_attr a = sized(11, 16);

	FAILS(EACCES, mq_open, "queue", O_RDONLY, 0, NULL);
	FAILS(EACCES, mq_open, "queue", O_RDWR | O_CREAT, 0600, NULL);
	FAILS(EACCES, mq_open, "open", O_RDWR, 0, NULL);
	FAILS(EPERM, mq_unlink, "open");
	CHECK(syscall(SYS_mq_open, "open", O_RDONLY, 0, NULL) >= 0);
	FAILS(EINVAL, mq_open, "new", O_RDWR | O_CREAT, 0600, &a);
	a = sized(10, 8193);
	FAILS(EINVAL, mq_open, "new", O_RDWR | O_CREAT, 0600, &a);
	a = sized(10, 8192);
	CHECK(syscall(SYS_mq_open, "new", O_RDWR | O_CREAT | O_EXCL, 0600, &a) >= 0);
	GIVES(0, mq_unlink, "new");
}

int main(void)
{
	struct rlimit few = { 10, 10 };
	struct mq_attr a = sized(2, 16);

	own_ipc();
	own_directory("mq_errors");
	plain = open("/dev/null", O_RDWR);
	q = (int)syscall(SYS_mq_open, "queue", O_RDWR | O_CREAT | O_EXCL, 0600, &a);
	readable = (int)syscall(SYS_mq_open, "queue", O_RDONLY, 0, NULL);
	writable = (int)syscall(SYS_mq_open, "queue", O_WRONLY, 0, NULL);
	CHECK(q >= 0 && readable >= 0 && writable >= 0);
	opening();
	unlinking();
	sending();
	receiving();
	notifying();
	attributes();
	close((int)syscall(SYS_mq_open, "open", O_RDWR | O_CREAT, 0644, &a));
	if (geteuid() == 0)
		as_user(unlike_owner);
	while (dup(q) < 9)
		;
	setrlimit(RLIMIT_NOFILE, &few);
	FAILS(EMFILE, mq_open, "queue", O_RDWR, 0, NULL);
	FAILS(EMFILE, mq_open, "none", O_RDWR, 0, NULL);
	GIVES(0, mq_unlink, "queue");
	GIVES(0, mq_unlink, "open");
	return test_done();
}
