/* reboot: the three keys are let through or not, every second magic number is taken. The end of each machine of the tests is the rest. */
// libc: gcc
// linux: no (would change what the build machine's keys do)
// calls: reboot
#include "include/proof.h"

#include <linux/reboot.h>

int main(void)
{
	const unsigned int magics[] = { LINUX_REBOOT_MAGIC2, LINUX_REBOOT_MAGIC2A, LINUX_REBOOT_MAGIC2B, LINUX_REBOOT_MAGIC2C };

	for (int i = 0; i < 4; i++) {
		GIVES(0, reboot, LINUX_REBOOT_MAGIC1, magics[i], LINUX_REBOOT_CMD_CAD_ON, NULL);
		GIVES(0, reboot, LINUX_REBOOT_MAGIC1, magics[i], LINUX_REBOOT_CMD_CAD_OFF, NULL);
	}
	return test_done();
}
