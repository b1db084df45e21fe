/* The file system of message queues, polling, the limits of /proc/sys/fs/mqueue, RLIMIT_MSGQUEUE. */
// libc: gcc
// timeout: 120
// calls: mq_open mq_unlink
// errors: mq_open
#include "include/mq.h"

#include <dirent.h>
#include <sys/epoll.h>
#include <sys/statfs.h>
#include <sys/vfs.h>

static mqd_t q;

static const char *text_of(const char *path)
{
	static char text[200];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static int entries(void)
{
	DIR *d = opendir("m");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void tree(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	char want[200];
	struct statfs fs;
	struct stat st;
	int fd;

	CHECK_EQ(statfs("m", &fs), 0);
	CHECK_EQ(fs.f_type, 0x19800202);
	CHECK_EQ(stat("m", &st), 0);
	CHECK_EQ(st.st_mode, S_IFDIR | 01777);
	CHECK_EQ(st.st_size, 40);
	CHECK_EQ(entries(), 2);
	q = queue("/seen", O_RDWR, 4, 64);
	CHECK_EQ(entries(), 3);
	stat("m", &st);
	CHECK_EQ(st.st_size, 60);
	CHECK_EQ(stat("m/seen", &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	CHECK_EQ(st.st_size, 80);
	CHECK(!strcmp(text_of("m/seen"), "QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n"));
	say(q, "12345", 0);
	say(q, "67", 0);
	CHECK_EQ(mq_notify(q, &e), 0);
	snprintf(want, sizeof(want), "QSIZE:7          NOTIFY:0     SIGNO:%-5d NOTIFY_PID:%-6d\n", SIGUSR1, getpid());
	CHECK(!strcmp(text_of("m/seen"), want) || !puts(text_of("m/seen")));
	mq_notify(q, NULL);
	CHECK_EQ(pread(q, want, 9, 6), 9);	/* the descriptor of a call, too */
	CHECK(!memcmp(want, "7        ", 9));
	CHECK_EQ(lseek(q, 500, SEEK_SET), 500);
	CHECK_EQ(read(q, want, 9), 0);
	/* Names come and go by the file system's own calls, too. */
	CHECK_EQ(unlink("m/seen"), 0);
	CHECK_ERRNO(mq_open("/seen", O_RDWR), ENOENT);
	mq_close(q);
	fd = open("m/made", O_RDWR | O_CREAT | O_EXCL, 0640);
	CHECK(fd >= 0);
	CHECK_EQ(say(fd, "by file", 3), 0);	/* it is a queue's descriptor */
	close(fd);
	q = mq_open("/made", O_RDWR);
	CHECK(heard(q, "by file", 3));
	CHECK_EQ(attr_of(q).mq_maxmsg, get_limit("msg_default"));
	CHECK_EQ(chmod("m/made", 0600), 0);
	CHECK_EQ(truncate("m/made", 0), 0);
	CHECK_ERRNO(mkdir("m/dir", 0700), EPERM);
	CHECK_ERRNO(symlink("x", "m/link"), EPERM);
	CHECK_ERRNO(link("m/made", "m/link"), EPERM);
	CHECK_ERRNO(rename("m/made", "m/other"), EPERM);
	CHECK_ERRNO(mknod("m/fifo", S_IFIFO | 0600, 0), EPERM);
	CHECK_EQ((long)mmap(NULL, 1, PROT_READ, MAP_SHARED, q, 0), -1);
	CHECK_EQ(mq_unlink("/made"), 0);
	CHECK_EQ(entries(), 2);
	mq_close(q);
}

static short events_of(mqd_t on)
{
	struct pollfd p = { .fd = on, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void polling(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct pollfd p = { .events = POLLOUT };
	int ep = epoll_create1(0);
	pid_t child;

	q = queue("/poll", O_RDWR, 2, 64);
	CHECK_EQ(events_of(q), POLLOUT);
	say(q, "a", 0);
	CHECK_EQ(events_of(q), POLLIN | POLLOUT);
	say(q, "b", 0);
	CHECK_EQ(events_of(q), POLLIN);
	/* Room wakes, and a message does. */
	fflush(stdout);
	child = fork();
	if (!child) {
		p.fd = q;
		_exit(poll(&p, 1, -1) == 1 && p.revents == POLLOUT ? 0 : 1);
	}
	until_sleeps(child);
	CHECK(heard(q, "a", 0));
	CHECK_EQ(ended_with(child), 0);
	CHECK(heard(q, "b", 0));
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, q, &e), 0);
	CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(epoll_wait(ep, &e, 1, -1) == 1 && e.events == EPOLLIN ? 0 : 1);
	until_sleeps(child);
	say(q, "c", 0);
	CHECK_EQ(ended_with(child), 0);
	close(ep);
	mq_close(q);
	mq_unlink("/poll");
}

/* CAP_SYS_RESOURCE: a superuser may lack it on the build machine. */
static int has_resource(void)
{
	const char *caps = NULL;
	char text[4096];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = 0;
	caps = strstr(text, "CapEff:");
	return caps && (strtoul(caps + 7, NULL, 16) >> 24 & 1);
}

static void as_other(void)
{
	mqd_t a, b;

	/* queues_max holds for those without privilege. */
	a = queue("/u1", O_RDWR, 1, 1);
	CHECK(a >= 0);
	CHECK_ERRNO(queue("/u2", O_RDWR, 1, 1), ENOSPC);
	CHECK_EQ(mq_unlink("/u1"), 0);
	CHECK_ERRNO(queue("/u2", O_RDWR, 1, 1), ENOSPC);	/* the queue is there as long as it is open */
	mq_close(a);
	b = queue("/u2", O_RDWR, 1, 1);
	CHECK(b >= 0);
	mq_close(b);
	CHECK_EQ(mq_unlink("/u2"), 0);
	CHECK_ERRNO(queue("/u3", O_RDWR, 21, 128), EINVAL);
	CHECK_ERRNO(queue("/u3", O_RDWR, 1, 257), EINVAL);
	CHECK_ERRNO(set_limit("msg_max", "5") ? (errno = EACCES, -1) : 0, EACCES);
}

static void limits(void)
{
	CHECK_EQ(get_limit("queues_max"), 256);
	CHECK_EQ(get_limit("msg_max"), 10);
	CHECK_EQ(get_limit("msgsize_max"), 8192);
	CHECK_EQ(get_limit("msg_default"), 10);
	CHECK_EQ(get_limit("msgsize_default"), 8192);
	CHECK_EQ(set_limit("msg_max", "0"), EINVAL);
	CHECK_EQ(set_limit("msg_max", "65537"), EINVAL);
	CHECK_EQ(set_limit("msgsize_max", "127"), EINVAL);
	CHECK_EQ(set_limit("msgsize_max", "16777217"), EINVAL);
	CHECK_EQ(set_limit("msg_default", "-1"), EINVAL);
	CHECK_EQ(set_limit("msgsize_default", "x"), EINVAL);
	CHECK_EQ(set_limit("msg_max", " 20\n"), 0);
	CHECK_EQ(set_limit("msgsize_max", "256"), 0);
	CHECK_EQ(set_limit("msg_default", "30"), 0);
	CHECK_EQ(get_limit("msg_max"), 20);
	/* Without attributes the lower of limit and default. */
	q = mq_open("/limits", O_RDWR | O_CREAT, 0600, NULL);
	CHECK_EQ(attr_of(q).mq_maxmsg, 20);
	CHECK_EQ(attr_of(q).mq_msgsize, 256);
	mq_close(q);
	mq_unlink("/limits");
	/* A privileged user is held by the hard limits alone. */
	q = queue("/limits", O_RDWR, 21, 257);
	CHECK((q >= 0) == has_resource());
	mq_close(q);
	mq_unlink("/limits");
	CHECK_EQ(set_limit("queues_max", "1"), 0);
	as_user(as_other);
	q = queue("/limits", O_RDWR, 1, 1);
	CHECK((queue("/limits2", O_RDWR, 1, 1) >= 0) == has_resource());
	mq_unlink("/limits");
	mq_unlink("/limits2");
	CHECK_EQ(set_limit("queues_max", "256"), 0);
	CHECK_EQ(set_limit("msg_max", "10"), 0);
	CHECK_EQ(set_limit("msgsize_max", "8192"), 0);
	CHECK_EQ(set_limit("msg_default", "10"), 0);
}

/* What queues may hold counts for their maker's user until they are gone, not for who has them open. */
static void bytes(void)
{
	struct rlimit r = { 10 * (100 + 96), 819200 };
	mqd_t a, b;
	pid_t child;

	CHECK_EQ(setrlimit(RLIMIT_MSGQUEUE, &r), 0);
	a = queue("/b1", O_RDWR, 10, 100);
	CHECK(a >= 0);
	CHECK_ERRNO(queue("/b2", O_RDWR, 1, 1), EMFILE);
	CHECK_EQ(mq_unlink("/b1"), 0);
	CHECK_ERRNO(queue("/b2", O_RDWR, 1, 1), EMFILE);
	fflush(stdout);
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	mq_close(a);
	CHECK_ERRNO(queue("/b2", O_RDWR, 1, 1), EMFILE);
	kill(child, SIGKILL);
	CHECK_EQ(ended_with(child), -SIGKILL);
	CHECK_ERRNO(queue("/b2", O_RDWR, 10, 101), EMFILE);
	a = queue("/b2", O_RDWR, 5, 100);
	b = queue("/b3", O_RDWR, 5, 100);
	CHECK(a >= 0 && b >= 0);
	CHECK_ERRNO(queue("/b4", O_RDWR, 1, 1), EMFILE);
	mq_close(a);
	mq_close(b);
	CHECK_EQ(mq_unlink("/b2"), 0);
	CHECK_EQ(mq_unlink("/b3"), 0);
	a = queue("/b4", O_RDWR, 10, 100);
	CHECK(a >= 0);
	mq_close(a);
	CHECK_EQ(mq_unlink("/b4"), 0);
	CHECK_ERRNO(queue("/b5", O_RDWR, 65536, 16 << 20), has_resource() ? EMFILE : EINVAL);
}

int main(void)
{
	own_ipc();
	syscall(SYS_unshare, (long)CLONE_NEWNS);
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	own_directory("mq_files");
	mkdir("m", 0755);
	CHECK_EQ(mount("none", "m", "mqueue", 0, NULL), 0);
	tree();
	polling();
	CHECK_EQ(umount("m"), 0);
	/* What has a name stays, mounted or not. */
	mq_close(queue("/stays", O_RDWR, 1, 1));
	CHECK_EQ(mount("none", "m", "mqueue", 0, NULL), 0);
	CHECK_EQ(access("m/stays", F_OK), 0);
	CHECK_EQ(unlink("m/stays"), 0);
	CHECK_EQ(umount("m"), 0);
	limits();
	as_user(bytes);
	rmdir("m");
	proof_remove();
	return test_done();
}
