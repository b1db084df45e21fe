/*
 * /proc/sys/kernel/printk: the four levels are those that syslog(2) and /dev/kmsg go by, and can
 * be written.
 */
// linux: no (would change what the build machine shows)
// calls: syslog
#include "include/test.h"

#include <fcntl.h>
#include <sys/klog.h>

#define PRINTK "/proc/sys/kernel/printk"

static int levels[4];

static void get(void)
{
	FILE *f = fopen(PRINTK, "r");

	if (!f || fscanf(f, "%d %d %d %d", &levels[0], &levels[1], &levels[2], &levels[3]) != 4)
		levels[0] = -1000;
	if (f)
		fclose(f);
}

static long set(const char *text)
{
	int fd = open(PRINTK, O_WRONLY);
	long n = write(fd, text, strlen(text));

	close(fd);
	return n;
}

/* The level of the last record of the log, after a line without one went in. */
static int level_of_line(void)
{
	static char buf[1 << 17];
	int fd = open("/dev/kmsg", O_WRONLY), n;
	char *at;

	if (write(fd, "printk_levels was here\n", 23) != 23)
		return -1;
	close(fd);
	n = klogctl(3, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	at = strstr(buf, "printk_levels was here");
	while (at && strstr(at + 1, "printk_levels was here"))
		at = strstr(at + 1, "printk_levels was here");
	while (at && at > buf && *at != '<')
		at--;
	return at ? atoi(at + 1) & 7 : -1;
}

int main(void)
{
	get();
	CHECK_EQ(levels[0], 3);		/* the runner's loglevel= */
	CHECK_EQ(levels[1], 4);
	CHECK_EQ(levels[2], 1);
	CHECK_EQ(levels[3], 7);
	CHECK_EQ(level_of_line(), 4);

	CHECK_EQ(set("5\n"), 2);
	get();
	CHECK_EQ(levels[0], 5);
	CHECK_EQ(levels[1], 4);
	CHECK_EQ(set("3 6 2 7\n"), 8);
	get();
	CHECK(levels[0] == 3 && levels[1] == 6 && levels[2] == 2 && levels[3] == 7);
	CHECK_EQ(level_of_line(), 6);

	/* dmesg -n goes no lower than the third, dmesg -D sets to it. */
	CHECK_EQ(klogctl(8, NULL, 1), 0);
	get();
	CHECK_EQ(levels[0], 2);
	CHECK_EQ(klogctl(8, NULL, 8), 0);
	CHECK_EQ(klogctl(6, NULL, 0), 0);
	get();
	CHECK_EQ(levels[0], 2);
	CHECK_EQ(klogctl(7, NULL, 0), 0);
	get();
	CHECK_EQ(levels[0], 8);
	CHECK_ERRNO(klogctl(8, NULL, 9), EINVAL);

	CHECK_ERRNO(set("x\n"), EINVAL);
	CHECK_ERRNO(set("99999999999\n"), EINVAL);
	CHECK_EQ(set("3 4 1 7\n"), 8);
	get();
	CHECK(levels[0] == 3 && levels[1] == 4 && levels[2] == 1 && levels[3] == 7);
	CHECK_EQ(setuid(1000), 0);
	CHECK_ERRNO(open(PRINTK, O_WRONLY), EACCES);
	return test_done();
}
