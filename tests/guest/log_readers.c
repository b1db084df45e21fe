/* The log is for those who have CAP_SYSLOG while dmesg_restrict is set; reports of faults are few, short, and forge no lines. */
// calls: syslog
// errors: syslog
#include "include/proof.h"

#include <sys/prctl.h>
#include <sys/utsname.h>

/* A build machine's settings are not for tests to change. */
static int own_machine(void)
{
	struct utsname u;

	return !uname(&u) && strstr(u.release, "mortise");
}

static char text[1 << 20];

static void apart(void (*fn)(void))
{
	pid_t child = fork();

	if (!child) {
		fn();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	CHECK_EQ(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

static void refused(void)
{
	FAILS(EPERM, syslog, 3, text, (int)sizeof(text));
	FAILS(EPERM, syslog, 10, 0L, 0);
	FAILS(EPERM, syslog, 2, text, 10);
	FAILS(EPERM, openat, AT_FDCWD, "/dev/kmsg", O_RDONLY);
	FAILS(EACCES, openat, AT_FDCWD, "/proc/sys/kernel/dmesg_restrict", O_WRONLY);
}

static void allowed(void)
{
	CHECK(syscall(SYS_syslog, 3, text, (int)sizeof(text)) > 0);
	CHECK(syscall(SYS_syslog, 10, NULL, 0) > 0);
	FAILS(EPERM, syslog, 2, text, 10);
	CHECK(open("/dev/kmsg", O_RDONLY) >= 0);
}

static void crash(void)
{
	prctl(PR_SET_NAME, "x\n<0>[ forged");
	*(volatile int *)0x123 = 1;
}

static int count(const char *what)
{
	long n = syscall(SYS_syslog, 3, text, (int)sizeof(text) - 1);
	int found = 0;

	text[n < 0 ? 0 : n] = 0;
	for (const char *p = text; (p = strstr(p, what)); p++)
		found++;
	return found;
}

int main(void)
{
	int fd, before;

	if (geteuid() != 0 || !own_machine() || (fd = open("/proc/sys/kernel/dmesg_restrict", O_RDWR)) < 0)
		return test_done();
	/* Debian's value and this kernel's. */
	CHECK(read(fd, text, 2) == 2 && text[0] == '1');
	close(fd);
	as_user(refused);
	set("/proc/sys/kernel/dmesg_restrict", "0");
	as_user(allowed);
	set("/proc/sys/kernel/dmesg_restrict", "1\n");
	fd = open("/proc/sys/kernel/dmesg_restrict", O_WRONLY);
	CHECK_ERRNO(write(fd, "2", 1), EINVAL);
	close(fd);
	/* At most three in an hour from here on; the name is a text that begins no line, escaped or with time and level before. */
	set("/proc/sys/kernel/printk_ratelimit", "3600");
	set("/proc/sys/kernel/printk_ratelimit_burst", "3");
	before = count(" forged");
	for (int i = 0; i < 20; i++)
		apart(crash);
	CHECK(count("\n<0>[ forged") == 0);
	CHECK(count(" forged") - before <= 3);
	set("/proc/sys/kernel/printk_ratelimit", "0");
	set("/proc/sys/kernel/printk_ratelimit_burst", "10");
	before = count(" forged");
	apart(crash);
	CHECK_EQ(count(" forged") - before, 1);
	set("/proc/sys/kernel/printk_ratelimit", "5");
	/* A register's line of the old form, or Linux's. */
	CHECK(!count("rax 0") && !count("RAX: 0") && !count("cr3") && !count("ttbr0"));
	return test_done();
}
