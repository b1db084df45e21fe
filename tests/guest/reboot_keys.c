/*
 * reboot: the three keys are let through or not, as /proc/sys/kernel/ctrl-alt-del shows and takes,
 * too; every second magic number is taken. The end of each machine of the tests is the rest.
 */
// libc: gcc
// linux: no (would change what the build machine's keys do)
// calls: reboot
#include "include/proof.h"

#include <linux/reboot.h>

#include <fcntl.h>

static int restarts(void)
{
	char c = '?';
	int fd = open("/proc/sys/kernel/ctrl-alt-del", O_RDONLY);

	if (read(fd, &c, 1) != 1)
		c = '?';
	close(fd);
	return c;
}

int main(void)
{
	int fd;

	CHECK_EQ(restarts(), '1');
	const unsigned int magics[] = { LINUX_REBOOT_MAGIC2, LINUX_REBOOT_MAGIC2A, LINUX_REBOOT_MAGIC2B, LINUX_REBOOT_MAGIC2C };

	for (int i = 0; i < 4; i++) {
		GIVES(0, reboot, LINUX_REBOOT_MAGIC1, magics[i], LINUX_REBOOT_CMD_CAD_OFF, NULL);
		CHECK_EQ(restarts(), '0');
		GIVES(0, reboot, LINUX_REBOOT_MAGIC1, magics[i], LINUX_REBOOT_CMD_CAD_ON, NULL);
		CHECK_EQ(restarts(), '1');
	}
	fd = open("/proc/sys/kernel/ctrl-alt-del", O_WRONLY);
	CHECK_EQ(write(fd, "0\n", 2), 2);
	CHECK_EQ(restarts(), '0');
	CHECK_EQ(write(fd, "1\n", 2), 2);
	close(fd);
	return test_done();
}
