/* Polling mounts and the names of the machine: each change is told once to each open file, whoever reads meanwhile. */
// calls: sethostname setdomainname
#include "include/proof.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/mount.h>

static char text[65536];

static int told(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	return poll(&p, 1, 0) == 1 && p.revents == (POLLPRI | POLLERR);
}

static void read_all(int fd)
{
	lseek(fd, 0, SEEK_SET);
	while (read(fd, text, sizeof(text)) > 0)
		;
}

static void mounts(const char *name)
{
	struct epoll_event e = { .events = EPOLLPRI }, got;
	int a, b, ep = epoll_create1(0);

	a = open(name, O_RDONLY);
	CHECK(!told(a));
	CHECK_EQ(mount("none", "m", "tmpfs", 0, ""), 0);
	/* A reading is not what was waited for. */
	read_all(a);
	b = open(name, O_RDONLY);
	CHECK(!told(b));
	CHECK(told(a));
	CHECK(!told(a));
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, a, &e), 0);
	CHECK_EQ(umount("m"), 0);
	CHECK_EQ(epoll_wait(ep, &got, 1, 1000), 1);
	CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
	CHECK(told(b));
	CHECK(!told(b));
	close(a);
	close(b);
	close(ep);
}

static void named(const char *name, int number)
{
	struct pollfd p = { .events = POLLPRI };
	char buf[80] = "";
	int fd = open(name, O_RDWR), other = open(name, O_RDONLY);
	pid_t child;

	p.fd = fd;
	CHECK(fd >= 0);
	CHECK(!told(fd));
	CHECK_EQ(syscall(number, "first", 5l), 0);
	CHECK(told(fd));
	CHECK(!told(fd));
	CHECK_EQ(pread(fd, buf, sizeof(buf), 0), 6);
	CHECK(!strcmp(buf, "first\n"));
	CHECK_EQ(write(fd, "second one\nrest", 15), 15);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(pread(fd, buf, sizeof(buf), 0), 11);
	CHECK(!strcmp(buf, "second one\n"));
	CHECK(told(fd));
	CHECK(told(other));
	CHECK(!told(other));
	child = fork();
	if (child == 0) {
		usleep(50000);
		_exit(syscall(number, "third", 5l) != 0);
	}
	CHECK_EQ(poll(&p, 1, 5000), 1);
	waitpid(child, NULL, 0);
	close(fd);
	close(other);
}

int main(void)
{
	/* On a Linux with such name spaces, names and mounts of one's own. */
	if (geteuid() == 0 && syscall(SYS_unshare, (long)CLONE_NEWNS) == 0) {
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		syscall(SYS_unshare, (long)CLONE_NEWUTS);
		own_directory("change_polls");
		mkdir("m", 0700);
		mounts("/proc/self/mountinfo");
		mounts("/proc/self/mounts");
		named("/proc/sys/kernel/hostname", SYS_sethostname);
		named("/proc/sys/kernel/domainname", SYS_setdomainname);
		rmdir("m");
		proof_remove();
	}
	return test_done();
}
