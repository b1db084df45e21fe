/* What can be asked of a local socket: groups of the peer, memory, its place, options that are kept; and of networks there are none. */
// libc: gcc
// calls: getsockopt setsockopt ioctl
// errors: getsockopt setsockopt ioctl
#include "include/proof.h"

#include <net/if.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SO_PEERGROUPS 59
#define SO_MEMINFO 55
#define SO_ZEROCOPY 60
#define SO_BUSY_POLL 46
#define SO_INCOMING_CPU 49
#define SIOCUNIXFILE 0x89e0

static int s[2];

static int get(int fd, int name)
{
	int value = -77;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &size) ? -errno - 1000 : value;
}

static int set(int name, int value)
{
	return setsockopt(s[0], SOL_SOCKET, name, &value, sizeof(value)) ? errno : 0;
}

static void groups(void)
{
	gid_t wanted[] = { 5, 77, 3000 }, got[8];
	socklen_t size = sizeof(got);
	int pair[2];

	if (setgroups(3, wanted) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		exit(2);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_PEERGROUPS, got, &size), 0);
	CHECK_EQ(size, sizeof(wanted));
	CHECK(!memcmp(got, wanted, sizeof(wanted)));
	size = 8;
	CHECK_ERRNO(getsockopt(pair[0], SOL_SOCKET, SO_PEERGROUPS, got, &size), ERANGE);
	CHECK_EQ(size, sizeof(wanted));
}

/* Those of who listened, and of who connected. */
static void peers(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0), end;
	gid_t first[] = { 11 }, second[] = { 22, 33 }, got[8];
	socklen_t size = sizeof(got);

	if (setgroups(1, first) || bind(listener, (void *)&name, sizeof(name)) || listen(listener, 5))
		exit(2);
	CHECK_ERRNO(getsockopt(client, SOL_SOCKET, SO_PEERGROUPS, got, &size), ENODATA);
	if (setgroups(2, second) || connect(client, (void *)&name, sizeof(name)))
		exit(2);
	end = accept(listener, NULL, NULL);
	size = sizeof(got);
	CHECK_EQ(getsockopt(client, SOL_SOCKET, SO_PEERGROUPS, got, &size), 0);
	CHECK(size == 4 && got[0] == 11);
	size = sizeof(got);
	CHECK_EQ(getsockopt(end, SOL_SOCKET, SO_PEERGROUPS, got, &size), 0);
	CHECK(size == 8 && got[0] == 22 && got[1] == 33);
	unlink("socket");
}

static void kept(void)
{
	unsigned int memory[9] = { 0 };
	socklen_t size = sizeof(memory);

	CHECK_EQ(get(s[0], SO_ZEROCOPY), 0);
	CHECK_EQ(set(SO_ZEROCOPY, 1), EOPNOTSUPP);
	CHECK_EQ(get(s[0], SO_INCOMING_CPU), -1);
	CHECK_EQ(set(SO_INCOMING_CPU, 1), 0);
	CHECK_EQ(get(s[0], SO_INCOMING_CPU), 1);
	CHECK_EQ(get(s[0], SO_BUSY_POLL), 0);
	CHECK_EQ(set(SO_BUSY_POLL, -1), EINVAL);
	CHECK_EQ(set(SO_MEMINFO, 1), ENOPROTOOPT);
	CHECK_EQ(set(SO_PEERGROUPS, 1), ENOPROTOOPT);
	CHECK_EQ(write(s[0], "abc", 3), 3);
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_MEMINFO, memory, &size), 0);
	CHECK_EQ(size, sizeof(memory));
	CHECK_EQ(memory[1], get(s[0], SO_RCVBUF));
	CHECK_EQ(memory[3], get(s[0], SO_SNDBUF));
	CHECK(memory[2] >= 3 && memory[2] < 10000);
}

static void as_stranger(void)
{
	FAILS(EPERM, ioctl, s[0], SIOCUNIXFILE, 0);
}

static void place(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), file;
	struct stat st, there;

	FAILS(ENOENT, ioctl, fd, SIOCUNIXFILE, 0);
	CHECK_EQ(bind(fd, (void *)&name, sizeof(name)), 0);
	file = ioctl(fd, SIOCUNIXFILE, 0);
	CHECK(file >= 0);
	CHECK_EQ(fcntl(file, F_GETFL) & O_PATH, O_PATH);
	CHECK_EQ(fcntl(file, F_GETFD), FD_CLOEXEC);
	stat("socket", &there);
	CHECK(fstat(file, &st) == 0 && st.st_ino == there.st_ino);
	unlink("socket");
}

static void networks(void)
{
	static const unsigned int asked[] = { SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFNAME };
	struct ifreq r = { .ifr_name = "nothing77" };

	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		CHECK_ERRNO(ioctl(s[0], asked[i], &r), ENODEV);
	FAILS(EFAULT, ioctl, s[0], SIOCGIFFLAGS, 8);
	FAILS(ENOTTY, ioctl, s[0], TCGETS, P(&r));
}

int main(void)
{
	own_directory("unix_asked");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		return 2;
	kept();
	networks();
	if (geteuid() == 0) {
		in_child(groups);
		in_child(peers);
		place();
		as_user(as_stranger);
	}
	proof_remove();
	return test_done();
}
