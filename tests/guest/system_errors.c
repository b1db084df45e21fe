/* What the calls on limits, figures, names, attributes of processes and the machine refuse. */
// libc: gcc
// errors: getrlimit setrlimit prlimit64 getrusage times sysinfo uname getrandom membarrier sethostname setdomainname syslog reboot prctl arch_prctl personality
#include "include/proof.h"

#ifdef __x86_64__
#include <asm/prctl.h>
#endif
#include <linux/membarrier.h>
#include <linux/reboot.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

#define NOBODY 0x7ffffff

static void limits(void)
{
	struct rlimit r, wrong = { 10, 5 }, many = { 1 << 30, 1 << 30 };
	struct rusage u;

	FAILS(EINVAL, getrlimit, 16, &r);
	FAILS(EINVAL, getrlimit, -1, &r);
	FAULTS(getrlimit, 1, sizeof(r), RLIMIT_CORE, 0);
	GIVES(0, getrlimit, RLIMIT_CORE, &r);
	FAILS(EINVAL, setrlimit, 16, &r);
	FAILS(EINVAL, setrlimit, RLIMIT_CORE, &wrong);
	FAILS(EPERM, setrlimit, RLIMIT_NOFILE, &many);
	FAULTS(setrlimit, 1, sizeof(r), RLIMIT_CORE, 0);
	FAILS(EINVAL, prlimit64, 0, 16, NULL, &r);
	FAILS(EINVAL, prlimit64, 0, RLIMIT_CORE, &wrong, NULL);
	FAILS(ESRCH, prlimit64, NOBODY, RLIMIT_CORE, NULL, &r);
	FAILS(ESRCH, prlimit64, -1, RLIMIT_CORE, NULL, &r);
	FAULTS(prlimit64, 2, sizeof(r), 0, RLIMIT_CORE, 0, 0);
	FAULTS(prlimit64, 3, sizeof(r), 0, RLIMIT_CORE, 0, 0);
	FAILS(EINVAL, getrusage, 2, &u);
	FAILS(EINVAL, getrusage, -2, &u);
	FAULTS(getrusage, 1, sizeof(u), RUSAGE_SELF, 0);
}

static void figures(void)
{
	char buf[16];

	FAULTS(times, 0, sizeof(struct tms), 0);
	FAULTS(sysinfo, 0, sizeof(struct sysinfo), 0);
	FAULTS(uname, 0, sizeof(struct utsname), 0);
	FAILS(EINVAL, getrandom, buf, 16l, 8);
	FAILS(EINVAL, getrandom, buf, 16l, GRND_RANDOM | GRND_INSECURE);
	FAULTS(getrandom, 0, 0, 0, 16, 0);
	GIVES(0, getrandom, (void *)8, 0l, 0);
	FAILS(EINVAL, membarrier, 77777, 0, 0);
	FAILS(EINVAL, membarrier, -1, 0, 0);
	FAILS(EINVAL, membarrier, MEMBARRIER_CMD_QUERY, 1, 0);
	FAILS(EINVAL, membarrier, MEMBARRIER_CMD_GLOBAL, 1, 0);
	FAILS(EPERM, membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	/* The persona is a number of which only some bits mean something: all are kept, nothing is refused. */
	GIVES(0, personality, 0xffffffff);
	GIVES(0, personality, 0xfffffffe);
	GIVES(0xfffffffe, personality, 0);
}

static void machine(void)
{
	char name[66] = "name";
	int magic = LINUX_REBOOT_MAGIC2;

	FAILS(EINVAL, sethostname, name, -1);
	FAILS(EINVAL, sethostname, name, 65);
	FAULTS(sethostname, 0, 4, 0, 4);
	FAILS(EINVAL, setdomainname, name, -1);
	FAILS(EINVAL, setdomainname, name, 65);
	FAULTS(setdomainname, 0, 4, 0, 4);
	FAILS(EINVAL, syslog, 99, name, 10);
	FAILS(EINVAL, syslog, -1, name, 10);
	FAILS(EINVAL, syslog, 3, NULL, 10);
	FAILS(EINVAL, syslog, 3, name, -1);
	FAILS(EINVAL, syslog, 2, NULL, 10);
	FAILS(EINVAL, syslog, 8, NULL, 0);
	FAILS(EINVAL, syslog, 8, NULL, 9);
	FAULTS(syslog, 1, 0, 3, 0, 1 << 20);
	GIVES(0, syslog, 3, name, 0);
	FAILS(EINVAL, reboot, 1, magic, LINUX_REBOOT_CMD_CAD_OFF, NULL);
	FAILS(EINVAL, reboot, LINUX_REBOOT_MAGIC1, 1, LINUX_REBOOT_CMD_CAD_OFF, NULL);
	FAILS(EINVAL, reboot, LINUX_REBOOT_MAGIC1, magic, 0x1234, NULL);
}

static void attributes(void)
{
	char name[16];
	int n;

	FAILS(EINVAL, prctl, 99999, 0l, 0l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_SET_PDEATHSIG, 65l, 0l, 0l, 0l);
	FAULTS(prctl, 1, 4, PR_GET_PDEATHSIG, 0);
	FAILS(EINVAL, prctl, PR_SET_DUMPABLE, 2l, 0l, 0l, 0l);
	FAULTS(prctl, 1, 0, PR_SET_NAME, 0);
	FAULTS(prctl, 1, sizeof(name), PR_GET_NAME, 0);
	FAILS(EINVAL, prctl, PR_SET_TIMING, PR_TIMING_TIMESTAMP, 0l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_SET_NO_NEW_PRIVS, 0l, 0l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_SET_NO_NEW_PRIVS, 1l, 1l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_GET_NO_NEW_PRIVS, 1l, 0l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_SET_THP_DISABLE, 1l, 0l, 1l, 0l);
	FAILS(EINVAL, prctl, PR_GET_THP_DISABLE, 1l, 0l, 0l, 0l);
	FAULTS(prctl, 1, sizeof(n), PR_GET_CHILD_SUBREAPER, 0);
	FAILS(EINVAL, prctl, PR_CAPBSET_READ, 64l, 0l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_CAPBSET_DROP, 64l, 0l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_SET_KEEPCAPS, 2l, 0l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_CAP_AMBIENT, 9l, 0l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 64l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_SET_SECCOMP, 7l, 0l, 0l, 0l);
	FAILS(EINVAL, prctl, PR_MCE_KILL_GET, 1l, 0l, 0l, 0l);
#ifdef __x86_64__
	FAILS(EINVAL, arch_prctl, 0x9999, 0l);
	FAILS(EPERM, arch_prctl, ARCH_SET_FS, 0xffff888000000000ul);
	FAILS(EPERM, arch_prctl, ARCH_SET_GS, 0xffff888000000000ul);
	FAULTS(arch_prctl, 1, 8, ARCH_GET_FS, 0);
	FAULTS(arch_prctl, 1, 8, ARCH_GET_GS, 0);
#endif
}

static void unprivileged(void)
{
	struct rlimit r;

	FAILS(EPERM, sethostname, "x", 1);
	FAILS(EPERM, setdomainname, "x", 1);
	FAILS(EPERM, reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF, NULL);
	FAILS(EPERM, syslog, 5, NULL, 0);
	FAILS(EPERM, syslog, 8, NULL, 4);
	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max = 100;
	GIVES(0, setrlimit, RLIMIT_NOFILE, &r);
	r.rlim_max = 101;
	FAILS(EPERM, setrlimit, RLIMIT_NOFILE, &r);
	FAILS(EPERM, prlimit64, 0, RLIMIT_NOFILE, &r, NULL);
	FAILS(EPERM, prlimit64, getppid(), RLIMIT_NOFILE, NULL, &r);
	FAILS(EPERM, prctl, PR_CAPBSET_DROP, 1l, 0l, 0l, 0l);
	FAILS(EPERM, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 1l, 0l, 0l);
	FAILS(EPERM, prctl, PR_SET_MM, PR_SET_MM_ARG_START, 0x10000l, 0l, 0l);
}

int main(void)
{
	limits();
	figures();
	if (geteuid() == 0)
		machine();
	attributes();
	if (geteuid() == 0)
		as_user(unprivileged);
	return test_done();
}
