/* Calls for what this kernel has not got tell what is wrong with the request; hanging up one's terminal; waiting for a killed process's memory. */
// libc: gcc
// linux: no (would change the machine)
// calls: acct quotactl swapon swapoff vhangup process_mrelease
// errors: acct quotactl swapon swapoff vhangup process_mrelease
#include "include/proof.h"

#include <sys/ioctl.h>
#include <sys/quota.h>
#include <termios.h>

#define Q_SYNC_USERS QCMD(Q_SYNC, USRQUOTA)

static void stranger(void)
{
	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		exit(2);
	FAILS(EPERM, acct, NULL);
	FAILS(EPERM, swapon, "/tmp", 0);
	FAILS(EPERM, swapoff, "/tmp");
	FAILS(EPERM, vhangup);
}

static void killed(void)
{
	int fd, status, pipes[2];
	pid_t child;
	char c;

	if (pipe(pipes))
		exit(2);
	child = fork();
	if (!child) {
		char *big = mmap(NULL, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		big[0] = 1;
		if (write(pipes[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	CHECK_EQ(read(pipes[0], &c, 1), 1);
	fd = (int)syscall(434, child, 0);
	CHECK_ERRNO(syscall(448, fd, 1), EINVAL);
	CHECK_ERRNO(syscall(448, -1, 0), EBADF);
	CHECK_ERRNO(syscall(448, fd, 0), EINVAL);	/* process_mrelease of one that goes on */
	kill(child, SIGKILL);
	c = syscall(448, fd, 0) == 0 || errno == ESRCH;
	CHECK(c);
	CHECK_EQ(waitpid(child, &status, WNOHANG), child);
	CHECK_ERRNO(syscall(448, fd, 0), ESRCH);
	close(fd);
}

static volatile int hangups;
static void on_hangup(int sig) { (void)sig; hangups++; }

static void terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, status;
	pid_t child;
	char c;

	unlockpt(master);
	fflush(stdout);
	child = fork();
	if (!child) {
		signal(SIGHUP, on_hangup);
		setsid();
		slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
		ioctl(slave, TIOCSCTTY, 0);
		if (syscall(SYS_vhangup))
			_exit(2);
		_exit(hangups != 1 || read(slave, &c, 1) != 0 || write(slave, "x", 1) >= 0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(master);
}

int main(void)
{
	int fd = open("/tmp/absent", O_CREAT | O_RDWR, 0600);

	close(fd);
	GIVES(0, acct, NULL);
	FAILS(ENOENT, acct, "/tmp/nowhere");
	FAILS(EFAULT, acct, 8L);
	FAILS(ENOSYS, acct, "/tmp/absent");
	FAILS(EINVAL, quotactl, QCMD(Q_SYNC, 7), NULL, 0, NULL);
	GIVES(0, quotactl, Q_SYNC_USERS, NULL, 0, NULL);
	FAILS(ENODEV, quotactl, QCMD(Q_GETINFO, USRQUOTA), NULL, 0, NULL);
	FAILS(ENOENT, quotactl, QCMD(Q_GETINFO, USRQUOTA), "/tmp/nowhere", 0, NULL);
	FAILS(ENOTBLK, quotactl, QCMD(Q_GETINFO, USRQUOTA), "/tmp/absent", 0, NULL);
	FAILS(EINVAL, swapon, "/tmp/absent", -1);
	FAILS(EINVAL, swapon, "/tmp/absent", 0);
	FAILS(ENOENT, swapon, "/tmp/nowhere", 0);
	FAILS(EINVAL, swapoff, "/tmp/absent");
	FAILS(ENOENT, swapoff, "/tmp/nowhere");
	in_child(stranger);
	killed();
	terminal();
	unlink("/tmp/absent");
	return test_done();
}
