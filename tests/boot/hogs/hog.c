/*
 * Takes kernel memory of one kind as an ordinary user until it is refused or N rounds are done, tells what came of it, keeps it
 * until told to go on by a signal, and ends. Usage: hog KIND N.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static char bytes[65536];

static int full(int fd)
{
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	return errno != EAGAIN;
}

static int hog_pipe(long n)
{
	int p[2];

	(void)n;
	if (pipe2(p, O_NONBLOCK))
		return -1;
	fcntl(p[0], F_SETPIPE_SZ, 1 << 20);
	return full(p[1]);
}

static int hog_epoll(long n)
{
	struct epoll_event event = { .events = EPOLLIN };
	static int targets[200], made;
	int fd = epoll_create1(0);

	(void)n;
	while (made < 200)
		targets[made++] = eventfd(0, 0);
	for (int i = 0; fd >= 0 && i < 200; i++)
		if (epoll_ctl(fd, EPOLL_CTL_ADD, targets[i], &event))
			return -1;
	return fd;
}

static int into(int fd)
{
	return write(fd, bytes, sizeof(bytes)) == sizeof(bytes) ? 0 : -1;
}

static int hog_file(long n)
{
	static int fd;

	if (!n)
		fd = open("/tmp/hog", O_CREAT | O_RDWR, 0600);
	return into(fd);
}

static int hog_memfd(long n)
{
	static int fd;

	if (!n)
		fd = memfd_create("hog", 0);
	return into(fd);
}

static int hog_inode(long n)
{
	char name[64];
	int fd;

	mkdir("/tmp/hogs", 0700);
	snprintf(name, sizeof(name), "/tmp/hogs/%ld", n);
	fd = open(name, O_CREAT | O_WRONLY, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int hog_name(long n)
{
	char name[300];

	if (!n) {
		mkdir("/tmp/names", 0700);
		close(open("/tmp/names/first", O_CREAT | O_WRONLY, 0600));
	}
	snprintf(name, sizeof(name), "/tmp/names/%0200ld", n);
	return link("/tmp/names/first", name);
}

static int hog_symlink(long n)
{
	static char text[4000];
	char name[64];

	memset(text, 'x', sizeof(text) - 1);
	snprintf(name, sizeof(name), "/tmp/link%ld", n);
	return symlink(text, name);
}

static int hog_xattr(long n)
{
	char name[64];

	if (!n)
		close(open("/tmp/hogx", O_CREAT | O_RDWR, 0600));
	snprintf(name, sizeof(name), "user.%ld", n);
	return setxattr("/tmp/hogx", name, bytes, sizeof(bytes), 0);
}

static int hog_deep(long n)
{
	if (!n && (mkdir("/tmp/deep", 0700) || chdir("/tmp/deep")))
		return -1;
	return mkdir("d", 0700) || chdir("d") ? -1 : 0;
}

static int hog_sock(long n)
{
	int p[2];

	(void)n;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p))
		return -1;
	return full(p[0]) || full(p[1]) ? -1 : 0;
}

static int hog_dgram(long n)
{
	int p[2];

	(void)n;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, p))
		return -1;
	return full(p[0]) && errno != ENOBUFS ? -1 : 0;
}

static int hog_flight(long n)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(2 * sizeof(int))]; } control;
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int p[2];

	(void)n;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, p))
		return -1;
	control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(p)) };
	memcpy(CMSG_DATA(&control.head), p, sizeof(p));
	n = sendmsg(p[0], &m, 0);
	close(p[0]);
	close(p[1]);
	return n < 0 ? -1 : 0;
}

static int hog_lock(long n)
{
	struct flock l = { .l_type = F_WRLCK, .l_start = n % 1000 * 2, .l_len = 1 };
	static int fd;
	char name[64];

	if (n % 1000 == 0) {
		snprintf(name, sizeof(name), "/tmp/lock%ld", n / 1000);
		fd = open(name, O_CREAT | O_RDWR, 0600);
	}
	return fcntl(fd, F_SETLK, &l);
}

static int hog_shm(long n)
{
	int id = shmget(IPC_PRIVATE, 1 << 20, 0600);
	char *p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	(void)n;
	if (p == (void *)-1)
		return -1;
	memset(p, 1, 1 << 20);
	return shmdt(p);
}

static int hog_msg(long n)
{
	static struct { long type; char data[8192]; } m = { .type = 1 };
	int id = msgget(IPC_PRIVATE, 0600);

	(void)n;
	if (id < 0)
		return -1;
	while (!msgsnd(id, &m, sizeof(m.data), IPC_NOWAIT))
		;
	return errno == EAGAIN ? 0 : -1;
}

static int hog_sem(long n)
{
	(void)n;
	return semget(IPC_PRIVATE, 32000, 0600);
}

/* Not kernel memory, but of tables that no page of one's own shows: one read in each 2 MiB. */
static int hog_table(long n)
{
	static char *p;

	if (!n)
		p = mmap(NULL, 1ul << 46, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? -1 : *(volatile char *)(p + (n << 21));
}

static const struct { const char *name; int (*fn)(long n); } kinds[] = {
	{ "pipe", hog_pipe }, { "epoll", hog_epoll }, { "file", hog_file }, { "memfd", hog_memfd },
	{ "inode", hog_inode }, { "name", hog_name }, { "symlink", hog_symlink }, { "xattr", hog_xattr },
	{ "deep", hog_deep }, { "sock", hog_sock }, { "dgram", hog_dgram }, { "flight", hog_flight },
	{ "lock", hog_lock }, { "shm", hog_shm }, { "msg", hog_msg }, { "sem", hog_sem }, { "table", hog_table },
};

static void go_on(int sig)
{
	(void)sig;
}

/* What would stay. */
static void remove_objects(void)
{
	union { int value; struct semid_ds *buf; } sem;
	struct shmid_ds shm;
	struct msqid_ds msg;
	struct semid_ds set;
	int id;

	sem.buf = &set;
	for (int i = 0; i < 32768; i++) {
		if ((id = shmctl(i, SHM_STAT, &shm)) >= 0)
			shmctl(id, IPC_RMID, NULL);
		if ((id = msgctl(i, MSG_STAT, (struct msqid_ds *)&msg)) >= 0)
			msgctl(id, IPC_RMID, NULL);
		if ((id = semctl(i, 0, SEM_STAT, sem)) >= 0)
			semctl(id, 0, IPC_RMID);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	long n = 0, most = argc > 2 ? atol(argv[2]) : 0;

	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		return 2;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	memset(bytes, 'x', sizeof(bytes));
	for (unsigned int i = 0; argc > 2 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		while (n < most && kinds[i].fn(n) >= 0)
			n++;
		printf("hog %s: %ld, error %d\n", argv[1], n, n < most ? errno : 0);
		fflush(stdout);
		signal(SIGUSR1, go_on);
		pause();
		remove_objects();
		return 0;
	}
	return 3;
}
