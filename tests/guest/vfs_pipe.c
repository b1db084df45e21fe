/* Pipes and FIFOs: data, ends, blocking, sizes, packets, splice, tee, sendfile. */
// calls: pipe pipe2 splice tee vmsplice sendfile copy_file_range
// errors: copy_file_range fcntl lseek open pipe pipe2 splice write
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "include/test.h"

static char big[1 << 20];
static int got;
static void on_pipe(int sig) { got = sig; }

static void basics(void)
{
	char buf[100];
	int p[2], n;

	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(write(p[1], "abc", 3), 3);
	CHECK_EQ(write(p[1], "def", 3), 3);
	CHECK_EQ(ioctl(p[0], FIONREAD, &n), 0);
	CHECK_EQ(n, 6);
	CHECK_EQ(read(p[0], buf, 100), 6);
	CHECK_ERRNO(lseek(p[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(pread(p[0], buf, 1, 0), ESPIPE);
	CHECK_ERRNO(read(p[1], buf, 1), EBADF);
	CHECK_ERRNO(write(p[0], buf, 1), EBADF);
	CHECK_ERRNO(pipe2(p, 0x100), EINVAL);
	CHECK_ERRNO(pipe((int *)8), EFAULT);
	close(p[1]);
	CHECK_EQ(read(p[0], buf, 1), 0);
	close(p[0]);
	CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
	CHECK_ERRNO(read(p[0], buf, 1), EAGAIN);
	CHECK_EQ(fcntl(p[1], F_GETPIPE_SZ), 65536);
	CHECK_EQ(write(p[1], big, sizeof(big)), 65536);
	CHECK_ERRNO(write(p[1], big, 1), EAGAIN);
	CHECK_EQ(read(p[0], big, 4095), 4095);
	CHECK_ERRNO(write(p[1], big, 1), EAGAIN);
	CHECK_EQ(read(p[0], big, 1), 1);
	CHECK_EQ(write(p[1], big, 5000), 4096);
	CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 131072), 131072);
	CHECK_EQ(write(p[1], big, sizeof(big)), 65536);
	CHECK_ERRNO(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY);
	signal(SIGPIPE, on_pipe);
	close(p[0]);
	CHECK_ERRNO(write(p[1], big, 1), EPIPE);
	CHECK_EQ(got, SIGPIPE);
	close(p[1]);
}

static void blocking(void)
{
	char buf[65536];
	int p[2], status;
	long total = 0, n, sum = 0;

	CHECK_EQ(pipe(p), 0);
	if (fork() == 0) {
		close(p[0]);
		for (int i = 0; i < 64; i++) {
			memset(buf, i, sizeof(buf));
			if (write(p[1], buf, sizeof(buf)) != sizeof(buf))
				_exit(1);
		}
		_exit(0);
	}
	close(p[1]);
	while ((n = read(p[0], buf, 10007)) > 0) {
		total += n;
		for (long i = 0; i < n; i++)
			sum += buf[i];
	}
	CHECK_EQ(total, 64 * 65536);
	CHECK_EQ(sum, 63l * 64 / 2 * 65536);
	wait(&status);
	CHECK_EQ(status, 0);
	close(p[0]);
}

static void on_alarm(int sig) { got = sig; }

static void interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	char c;
	int p[2], status;
	pid_t parent = getpid();

	sigaction(SIGUSR1, &sa, NULL);
	CHECK_EQ(pipe(p), 0);
	if (fork() == 0) {
		usleep(50000);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	CHECK_ERRNO(read(p[0], &c, 1), EINTR);
	wait(&status);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	if (fork() == 0) {
		usleep(50000);
		kill(parent, SIGUSR1);
		usleep(50000);
		_exit(write(p[1], "x", 1) != 1);
	}
	CHECK_EQ(read(p[0], &c, 1), 1);
	wait(&status);
	CHECK_EQ(status, 0);
	close(p[0]);
	close(p[1]);
}

static void fifos(void)
{
	char name[64], buf[8];
	int r, w, status;

	snprintf(name, sizeof(name), "/tmp/fifo.%d", getpid());
	CHECK_EQ(mkfifo(name, 0600), 0);
	CHECK_ERRNO(open(name, O_WRONLY | O_NONBLOCK), ENXIO);
	r = open(name, O_RDONLY | O_NONBLOCK);
	CHECK(r >= 0);
	CHECK_EQ(read(r, buf, 1), 0);
	w = open(name, O_WRONLY | O_NONBLOCK);
	CHECK(w >= 0);
	CHECK_ERRNO(read(r, buf, 1), EAGAIN);
	CHECK_EQ(write(w, "hi", 2), 2);
	CHECK_EQ(read(r, buf, 8), 2);
	close(w);
	close(r);
	if (fork() == 0) {
		w = open(name, O_WRONLY);
		_exit(write(w, "met", 3) != 3);
	}
	r = open(name, O_RDONLY);
	CHECK_EQ(read(r, buf, 8), 3);
	wait(&status);
	CHECK_EQ(status, 0);
	close(r);
	unlink(name);
}

static void packets(void)
{
	char buf[8192];
	int p[2];

	CHECK_EQ(pipe2(p, O_DIRECT), 0);
	CHECK_EQ(write(p[1], "one", 3), 3);
	CHECK_EQ(write(p[1], "three", 5), 5);
	CHECK_EQ(read(p[0], buf, 100), 3);
	CHECK_EQ(read(p[0], buf, 2), 2);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(read(p[0], buf, 100), 1);
	close(p[0]);
	close(p[1]);
}

static void moving(void)
{
	char name[64], name2[64], buf[20000];
	int p[2], q[2], f, g;
	loff_t at = 10, to = 0;
	off_t off = 5;
	struct iovec iov = { "vm", 2 };

	snprintf(name, sizeof(name), "/tmp/splice.%d", getpid());
	snprintf(name2, sizeof(name2), "/tmp/splice2.%d", getpid());
	f = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	g = open(name2, O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (unsigned int i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i * 7);
	CHECK_EQ(write(f, buf, sizeof(buf)), sizeof(buf));
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(pipe(q), 0);
	CHECK_EQ(splice(f, &at, p[1], NULL, 10000, 0), 10000);
	CHECK_EQ(at, 10010);
	CHECK_EQ(tee(p[0], q[1], 5000, 0), 5000);
	CHECK_EQ(splice(p[0], NULL, g, NULL, 20000, SPLICE_F_NONBLOCK), 10000);
	CHECK_ERRNO(splice(p[0], NULL, g, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(splice(f, NULL, g, NULL, 1, 0), EINVAL);
	CHECK_EQ(pread(g, big, 10000, 0), 10000);
	CHECK(!memcmp(big, buf + 10, 10000));
	CHECK_EQ(splice(q[0], NULL, p[1], NULL, 3000, 0), 3000);
	CHECK_EQ(read(p[0], big, 5000), 3000);
	CHECK(!memcmp(big, buf + 10, 3000));
	CHECK_EQ(read(q[0], big, 5000), 2000);
	CHECK(!memcmp(big, buf + 3010, 2000));
	CHECK_EQ(vmsplice(p[1], &iov, 1, 0), 2);
	CHECK_EQ(read(p[0], big, 10), 2);
	CHECK_EQ(sendfile(p[1], f, &off, 100), 100);
	CHECK_EQ(off, 105);
	CHECK_EQ(read(p[0], big, 200), 100);
	CHECK(!memcmp(big, buf + 5, 100));
	at = 0;
	CHECK_EQ(copy_file_range(f, &at, g, &to, 30000, 0), 20000);
	CHECK_EQ(pread(g, big, 20000, 0), 20000);
	CHECK(!memcmp(big, buf, 20000));
	CHECK_ERRNO(copy_file_range(f, NULL, g, NULL, 1, 1), EINVAL);
	unlink(name);
	unlink(name2);
}

int main(void)
{
	mkdir("/tmp", 01777);
	basics();
	blocking();
	interrupted();
	fifos();
	packets();
	moving();
	return test_done();
}
