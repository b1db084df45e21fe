/* random(4): reading, writing, polling, and who may credit entropy. */
// libc: gcc
// calls: getrandom
// errors: getrandom
#include "include/test.h"

#include <fcntl.h>
#include <linux/random.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct pool {
	int bits, size;
	unsigned char data[32];
};

static void reads_and_writes(const char *path)
{
	unsigned char a[64] = { 0 }, b[64] = { 0 };
	int fd = open(path, O_RDWR);
	struct pollfd p = { fd, POLLIN, 0 };

	CHECK(fd >= 0);
	CHECK_EQ(read(fd, a, sizeof(a)), sizeof(a));
	CHECK_EQ(read(fd, b, sizeof(b)), sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)));
	CHECK_EQ(write(fd, a, sizeof(a)), sizeof(a));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLIN);
	CHECK_EQ(lseek(fd, 10, SEEK_SET), 0);
	CHECK_ERRNO(read(fd, (void *)8, 16), EFAULT);
	CHECK_ERRNO(write(fd, (void *)8, 16), EFAULT);
	close(fd);
}

static void privileged(int fd)
{
	struct pool pool = { .bits = 8, .size = 32 };
	int bits = -1;

	CHECK_EQ(ioctl(fd, RNDGETENTCNT, &bits), 0);
	CHECK_EQ(bits, 256);
	CHECK_EQ(ioctl(fd, RNDADDENTROPY, &pool), 0);
	CHECK_EQ(ioctl(fd, RNDADDTOENTCNT, &pool.bits), 0);
	CHECK_EQ(ioctl(fd, RNDRESEEDCRNG), 0);
	CHECK_EQ(ioctl(fd, RNDCLEARPOOL), 0);
	CHECK_EQ(ioctl(fd, RNDZAPENTCNT), 0);
	pool.bits = -1;
	CHECK_ERRNO(ioctl(fd, RNDADDENTROPY, &pool), EINVAL);
	CHECK_ERRNO(ioctl(fd, RNDADDTOENTCNT, &pool.bits), EINVAL);
	CHECK_ERRNO(ioctl(fd, RNDADDENTROPY, 8), EFAULT);
	CHECK_ERRNO(ioctl(fd, RNDGETENTCNT, 8), EFAULT);
	CHECK_ERRNO(ioctl(fd, 0x5299, 0), EINVAL);
}

static void ordinary(int fd)
{
	struct pool pool = { .bits = 8, .size = 32 };
	int bits = -1;

	CHECK_EQ(setgid(1000), 0);
	CHECK_EQ(setuid(1000), 0);
	CHECK_EQ(ioctl(fd, RNDGETENTCNT, &bits), 0);
	CHECK_ERRNO(ioctl(fd, RNDADDENTROPY, &pool), EPERM);
	CHECK_ERRNO(ioctl(fd, RNDADDTOENTCNT, &pool.bits), EPERM);
	CHECK_ERRNO(ioctl(fd, RNDRESEEDCRNG), EPERM);
	CHECK_ERRNO(ioctl(fd, RNDCLEARPOOL), EPERM);
	CHECK_ERRNO(ioctl(fd, RNDZAPENTCNT), EPERM);
}

int main(void)
{
	unsigned char a[16];
	int fd;

	CHECK_EQ(getrandom(a, sizeof(a), 0), 16);	/* from here on the generator is ready */
	CHECK_EQ(getrandom(a, sizeof(a), GRND_NONBLOCK | GRND_RANDOM), 16);
	CHECK_EQ(getrandom(a, sizeof(a), GRND_NONBLOCK), 16);
	CHECK_ERRNO(syscall(SYS_getrandom, a, 16, 0x80), EINVAL);
	reads_and_writes("/dev/random");
	reads_and_writes("/dev/urandom");
	fd = open("/dev/urandom", O_RDONLY);
	if (geteuid() == 0) {
		privileged(fd);
		ordinary(fd);
	}
	return test_done();
}
