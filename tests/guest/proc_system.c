/* Files of /proc and /sys about the machine: forms that programs parse, and figures that agree with each other. */
// libc: gcc
// linux: no (figures of this kernel)
// calls: sysinfo setns
#include "include/proof.h"

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <time.h>

static char *text_of(const char *name)
{
	static char text[65536];
	int fd = open(name, O_RDONLY), used = 0, n;

	while (fd >= 0 && (n = (int)read(fd, text + used, sizeof(text) - 1 - (size_t)used)) > 0)
		used += n;
	close(fd);
	text[used] = 0;
	return text;
}

static long number_in(const char *name)
{
	return strtol(text_of(name), NULL, 10);
}

/* The number behind a word in a file; -1 if it is not there. */
static long long value_of(const char *name, const char *word)
{
	char *at = strstr(text_of(name), word);

	return at ? atoll(at + strlen(word)) : -1;
}

static unsigned long long total_interrupts(void)
{
	return (unsigned long long)value_of("/proc/stat", "\nintr ");
}

static void interrupts(void)
{
	struct timespec t = { 0, 20000000 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), columns = 0;
	unsigned long long before;
	char line[512], *at, *row;

	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text_of("/proc/interrupts"), "\n"), text_of("/proc/interrupts"));
	for (at = line; (at = strstr(at, "CPU")); at++)
		columns++;
	CHECK_EQ(columns, cpus);
	at = text_of("/proc/interrupts");
	row = strstr(at, "Local timer interrupts");
	CHECK(row);
	CHECK(strstr(at, "Rescheduling interrupts"));
	before = total_interrupts();
	nanosleep(&t, NULL);
	CHECK(total_interrupts() > before);
	CHECK(strstr(text_of("/proc/stat"), "\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n"));
	CHECK(strstr(text_of("/proc/softirqs"), "HRTIMER:"));
	CHECK(!strncmp(text_of("/proc/cgroups"), "#subsys_name", 12));
}

static void memory(void)
{
	struct sysinfo s;
	long long shared;

	CHECK_EQ(sysinfo(&s), 0);
	shared = value_of("/proc/meminfo", "\nShmem:");
	CHECK(shared > 0);
	CHECK(llabs((long long)(s.sharedram * s.mem_unit / 1024) - shared) < 4096);
	CHECK(value_of("/proc/meminfo", "\nActive(anon):") >= value_of("/proc/meminfo", "\nAnonPages:"));
	CHECK_EQ(value_of("/proc/meminfo", "\nAnonHugePages:"), 0);
}

static void processors(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	char name[96], want[32];

	mkdir("/tmp/sys", 0755);
	CHECK_EQ(mount("sys", "/tmp/sys", "sysfs", 0, NULL), 0);
	snprintf(want, sizeof(want), cpus > 1 ? "0-%ld\n" : "0\n", cpus - 1);
	CHECK(!strcmp(text_of("/tmp/sys/devices/system/cpu/possible"), want));
	for (long i = 0; i < cpus; i++) {
		snprintf(name, sizeof(name), "/tmp/sys/devices/system/cpu/cpu%ld/topology/core_id", i);
		CHECK_EQ(access(name, R_OK), 0);
		snprintf(name, sizeof(name), "/tmp/sys/devices/system/cpu/cpu%ld/topology/thread_siblings", i);
		CHECK(strtoul(text_of(name), NULL, 16) >> i & 1);
		snprintf(name, sizeof(name), "/tmp/sys/devices/system/cpu/cpu%ld/online", i);
		CHECK_EQ(number_in(name), 1);
	}
	CHECK(!strcmp(text_of("/tmp/sys/devices/system/cpu/smt/control"), "notimplemented\n"));
	umount("/tmp/sys");
}

static void settings(void)
{
	long before = number_in("/proc/sys/kernel/pty/nr");
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), fd;
	char want[16];
	pid_t child;

	CHECK_EQ(number_in("/proc/sys/kernel/pty/nr"), before + 1);
	fd = open("/proc/sys/kernel/pty/max", O_RDWR);
	snprintf(want, sizeof(want), "%ld", before + 1);
	CHECK(write(fd, want, strlen(want)) > 0);
	CHECK_ERRNO(open("/dev/ptmx", O_RDWR | O_NOCTTY), ENOSPC);
	CHECK_EQ(pwrite(fd, "4096", 4, 0), 4);
	CHECK_ERRNO(pwrite(fd, "4097", 4, 0), EINVAL);
	close(fd);
	close(master);
	CHECK_EQ(number_in("/proc/sys/kernel/pty/nr"), before);
	/* The next number is the one behind what is written. */
	fd = open("/proc/sys/kernel/ns_last_pid", O_RDWR);
	CHECK_EQ(write(fd, "20000", 5), 5);
	close(fd);
	child = fork();
	if (!child)
		_exit(0);
	CHECK_EQ(child, 20001);
	waitpid(child, NULL, 0);
	CHECK_EQ(number_in("/proc/sys/kernel/ns_last_pid"), 20001);
	CHECK_EQ(number_in("/proc/sys/user/max_user_namespaces"), 0);
}

static void own_files(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct stat a, b;
	char want[64];
	timer_t t;
	int fd;

	CHECK_EQ(text_of("/proc/self/timers")[0], 0);
	e.sigev_value.sival_int = 0x55;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &e, &t), 0);
	snprintf(want, sizeof(want), "notify: signal/pid.%d\nClockID: 1\n", getpid());
	CHECK(strstr(text_of("/proc/self/timers"), want));
	CHECK(strstr(text_of("/proc/self/timers"), "signal: 10/0000000000000055\n"));
	timer_delete(t);
	CHECK_EQ(text_of("/proc/self/timers")[0], 0);
	CHECK_EQ(number_in("/proc/self/timerslack_ns"), prctl(PR_GET_TIMERSLACK));
	fd = open("/proc/self/timerslack_ns", O_WRONLY);
	CHECK_EQ(write(fd, "70000", 5), 5);
	close(fd);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 70000);
	fd = open("/proc/self/oom_adj", O_WRONLY);
	CHECK_EQ(write(fd, "15", 2), 2);
	CHECK_ERRNO(write(fd, "16", 2), EINVAL);
	close(fd);
	CHECK_EQ(number_in("/proc/self/oom_score_adj"), 1000);
	CHECK_EQ(number_in("/proc/self/oom_adj"), 15);
	CHECK(strstr(text_of("/proc/self/numa_maps"), " N0="));
	CHECK(strstr(text_of("/proc/self/limits"), "Max nice priority         0                    0                    \n"));
	fd = open("/proc/self/ns/uts", O_RDONLY);
	CHECK_EQ(fstat(fd, &a), 0);
	CHECK_EQ(stat("/proc/1/ns/uts", &b), 0);
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	CHECK_EQ(setns(fd, CLONE_NEWUTS), 0);
	CHECK_ERRNO(setns(fd, CLONE_NEWIPC), EINVAL);
	CHECK_EQ(ioctl(fd, 0xb703), CLONE_NEWUTS);	/* NS_GET_NSTYPE */
	close(fd);
	fd = open("/proc/self/ns/user", O_RDONLY);
	CHECK_ERRNO(setns(fd, 0), EINVAL);
	close(fd);
}

int main(void)
{
	interrupts();
	memory();
	processors();
	settings();
	own_files();
	return test_done();
}
