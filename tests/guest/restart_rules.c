/*
 * What a signal does to each call that sleeps (signal(7)): with a handler that asks for it some go on and others never do, without
 * that all but a few fail, and a stop that is continued is not noticed but by a few.
 */
// libc: gcc
// timeout: 60
// calls: read readv write open wait4 waitid flock fcntl futex futex_waitv splice tee vmsplice pause rt_sigsuspend rt_sigtimedwait nanosleep clock_nanosleep poll ppoll select pselect6 epoll_wait epoll_pwait epoll_pwait2
// errors: read readv write open wait4 waitid flock fcntl futex futex_waitv splice tee vmsplice pause rt_sigsuspend rt_sigtimedwait nanosleep clock_nanosleep poll ppoll select pselect6 epoll_wait epoll_pwait epoll_pwait2
#include "include/proof.h"

#include <linux/futex.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>

enum rule { RESTARTS, NEVER, ALWAYS };	/* with SA_RESTART: goes on, fails; goes on even without it */

struct shared {
	volatile int handled, asleep;
	volatile uint32_t word, lock;
};

static struct shared *s;
static int in[2], out[2], full[2], event, timer, ep, sfd;
static pid_t grandchild;
static char page[4096] __attribute__((aligned(4096)));

static void on_signal(int sig) { s->handled++; (void)sig; }

static long read_pipe(void) { return read(in[0], page, 1) == 1 ? 0 : -1; }

static long readv_pipe(void)
{
	struct iovec v = { page, 1 };

	return readv(in[0], &v, 1) == 1 ? 0 : -1;
}

static long write_pipe(void) { return write(full[1], page, 4096) == 4096 ? 0 : -1; }

static long vmsplice_pipe(void)
{
	struct iovec v = { page, 4096 };

	return syscall(SYS_vmsplice, full[1], &v, 1l, 0) == 4096 ? 0 : -1;
}

static long splice_pipe(void) { return splice(in[0], NULL, out[1], NULL, 1, 0) == 1 ? 0 : -1; }
static long tee_pipe(void) { return tee(in[0], out[1], 1, 0) == 1 ? 0 : -1; }

static long open_fifo(void)
{
	int fd = open("fifo", O_RDONLY);

	return fd >= 0 ? 0 : -1;
}

static long read_event(void)
{
	uint64_t v;

	return read(event, &v, 8) == 8 ? 0 : -1;
}

static long read_timer(void)
{
	uint64_t v;

	return read(timer, &v, 8) == 8 ? 0 : -1;
}

static long read_signal(void)
{
	struct signalfd_siginfo info;

	return read(sfd, &info, sizeof(info)) == sizeof(info) ? 0 : -1;
}

static long wait_child(void) { return waitpid(grandchild, NULL, 0) == grandchild ? 0 : -1; }

static long waitid_child(void)
{
	siginfo_t info;

	return waitid(P_PID, grandchild, &info, WEXITED);
}

static long lock_file(void) { return flock(open("file", O_RDWR), LOCK_EX); }

static long lock_record(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(open("file", O_RDWR), F_SETLKW, &l);
}

static long lock_ofd(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(open("file", O_RDWR), F_OFD_SETLKW, &l);
}

static long wait_word(void) { return syscall(SYS_futex, &s->word, FUTEX_WAIT, 0, NULL, NULL, 0); }

static long wait_words(void)
{
	struct { uint64_t val, uaddr; uint32_t flags, reserved; } v = { 0, (uintptr_t)&s->word, 2, 0 };

	return syscall(SYS_futex_waitv, &v, 1, 0, NULL, 0) == 0 ? 0 : -1;
}

static long wait_word_timed(void)
{
	struct timespec t = { 100, 0 };

	return syscall(SYS_futex, &s->word, FUTEX_WAIT, 0, &t, NULL, 0);
}

static long lock_pi(void) { return syscall(SYS_futex, &s->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0); }
static long pause_(void) { return pause(); }

static long suspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	return sigsuspend(&none);
}

static long timed_wait(void)
{
	struct timespec t = { 100, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigtimedwait(&set, NULL, &t) == SIGUSR2 ? 0 : -1;
}

static long sleep_long(void)
{
	struct timespec t = { 100, 0 };

	return syscall(SYS_nanosleep, &t, NULL);
}

static long sleep_clock(void)
{
	struct timespec t = { 2000000000, 0 };

	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static struct pollfd p;

static struct pollfd *pfd(void)
{
	p = (struct pollfd){ in[0], POLLIN, 0 };
	return &p;
}

static long poll_pipe(void) { return syscall(SYS_poll, pfd(), 1, -1) == 1 ? 0 : -1; }

static long ppoll_pipe(void)
{
	struct timespec t = { 100, 0 };

	return syscall(SYS_ppoll, pfd(), 1, &t, NULL, 8l) == 1 ? 0 : -1;
}

static long select_pipe(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(in[0], &set);
	return syscall(SYS_select, in[0] + 1, &set, NULL, NULL, NULL) == 1 ? 0 : -1;
}

static long pselect_pipe(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(in[0], &set);
	return syscall(SYS_pselect6, in[0] + 1, &set, NULL, NULL, NULL, NULL) == 1 ? 0 : -1;
}

static struct epoll_event e;
static long epoll_pipe(void) { return syscall(SYS_epoll_wait, ep, &e, 1, -1) == 1 ? 0 : -1; }
static long epoll_pipe_masked(void) { return syscall(SYS_epoll_pwait, ep, &e, 1, -1, NULL, 8l) == 1 ? 0 : -1; }
static long epoll_pipe_timed(void) { return syscall(SYS_epoll_pwait2, ep, &e, 1, NULL, NULL, 8l) == 1 ? 0 : -1; }

/* What ends the sleep, by the parent. */
static void give_byte(void) { if (write(in[1], "x", 1) != 1) exit(2); }
static void take_bytes(void) { if (read(full[0], page, 4096) != 4096 || read(full[0], page, 4096) != 4096) exit(2); }
static void open_other(void) { close(open("fifo", O_WRONLY)); }

static void give_event(void)
{
	uint64_t v = 1;

	if (write(event, &v, 8) != 8)
		exit(2);
}

static void give_time(void)
{
	struct itimerspec t = { { 0, 0 }, { 0, 1 } };

	timerfd_settime(timer, 0, &t, NULL);
}

static int held;

static void unlock(void)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	flock(held, LOCK_UN);
	fcntl(held, F_SETLK, &l);
}

static void wake(void) { syscall(SYS_futex, &s->word, FUTEX_WAKE, 10, NULL, NULL, 0); }
static void unlock_pi(void) { syscall(SYS_futex, &s->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0); }

static pid_t child;

static void end_grandchild(void) { kill(s->asleep, SIGKILL); }
static void send_second(void) { kill(child, SIGUSR2); }

static const struct row {
	const char *name;
	long (*sleep)(void);
	void (*end)(void);
	enum rule rule;
	int stop_fails;			/* even a stop without a handler ends it */
} rows[] = {
	{ "read of a pipe", read_pipe, give_byte, RESTARTS, 0 },
	{ "readv of a pipe", readv_pipe, give_byte, RESTARTS, 0 },
	{ "write to a full pipe", write_pipe, take_bytes, RESTARTS, 0 },
	{ "vmsplice to a full pipe", vmsplice_pipe, take_bytes, RESTARTS, 0 },
	{ "splice from a pipe", splice_pipe, give_byte, RESTARTS, 0 },
	{ "tee of a pipe", tee_pipe, give_byte, RESTARTS, 0 },
	{ "open of a fifo", open_fifo, open_other, RESTARTS, 0 },
	{ "read of an eventfd", read_event, give_event, RESTARTS, 0 },
	{ "read of a timerfd", read_timer, give_time, RESTARTS, 0 },
	{ "read of a signalfd", read_signal, send_second, RESTARTS, 0 },
	{ "wait4", wait_child, end_grandchild, RESTARTS, 0 },
	{ "waitid", waitid_child, end_grandchild, RESTARTS, 0 },
	{ "flock", lock_file, unlock, RESTARTS, 0 },
	{ "fcntl(F_SETLKW)", lock_record, unlock, RESTARTS, 0 },
	{ "fcntl(F_OFD_SETLKW)", lock_ofd, unlock, RESTARTS, 0 },
	{ "futex wait", wait_word, wake, RESTARTS, 0 },
	{ "futex_waitv", wait_words, wake, RESTARTS, 0 },
	{ "futex wait with a timeout", wait_word_timed, wake, NEVER, 0 },
	{ "futex lock_pi", lock_pi, unlock_pi, ALWAYS, 0 },
	{ "pause", pause_, NULL, NEVER, 0 },
	{ "rt_sigsuspend", suspend, NULL, NEVER, 0 },
	{ "rt_sigtimedwait", timed_wait, send_second, NEVER, 1 },
	{ "nanosleep", sleep_long, NULL, NEVER, 0 },
	{ "clock_nanosleep", sleep_clock, NULL, NEVER, 0 },
	{ "poll", poll_pipe, give_byte, NEVER, 0 },
	{ "ppoll", ppoll_pipe, give_byte, NEVER, 0 },
	{ "select", select_pipe, give_byte, NEVER, 0 },
	{ "pselect6", pselect_pipe, give_byte, NEVER, 0 },
	{ "epoll_wait", epoll_pipe, give_byte, NEVER, 1 },
	{ "epoll_pwait", epoll_pipe_masked, give_byte, NEVER, 1 },
	{ "epoll_pwait2", epoll_pipe_timed, give_byte, NEVER, 1 },
};

/* The state letter of /proc/<pid>/stat. */
static char state(pid_t pid)
{
	char path[64], text[300] = "", *at;
	int fd;

	sprintf(path, "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return '-';
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	at = strrchr(text, ')');
	return at ? at[2] : '-';
}

/* Until it sleeps in the call: seen three times in a row, since it sleeps for moments on the way there, too. */
static void wait_asleep(pid_t pid)
{
	for (int i = 0, n = 0; i < 10000 && n < 3; i++) {
		n = s->asleep && state(pid) == 'S' ? n + 1 : 0;
		usleep(1000);
	}
}

static void prepare(void)
{
	struct epoll_event event_in = { .events = EPOLLIN };
	uint64_t mask = 1ull << (SIGUSR2 - 1);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (pipe(in) || pipe(out) || pipe(full))
		exit(2);
	fcntl(full[1], F_SETPIPE_SZ, 4096 * 2);
	for (int i = 0; i < 2; i++)
		if (write(full[1], page, 4096) != 4096)
			exit(2);
	event = eventfd(0, 0);
	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	sfd = signalfd(-1, (sigset_t *)&mask, 0);
	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, in[0], &event_in);
	held = own_file("file", "");
	flock(held, LOCK_EX);
	fcntl(held, F_SETLK, &l);
	s->handled = s->asleep = 0;
	s->word = 0;
	s->lock = getpid();
}

static void forget(void)
{
	int all[] = { in[0], in[1], out[0], out[1], full[0], full[1], event, timer, sfd, ep, held };

	for (int i = 0; i < 11; i++)
		close(all[i]);
}

/* The child: 0 the call succeeded, EINTR, or another error. */
static void sleeper(const struct row *r, int flags)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = flags };
	sigset_t set;
	long result;

	sigaction(SIGUSR1, &a, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	grandchild = fork();
	if (grandchild == 0) {
		for (;;)
			pause();
	}
	s->asleep = grandchild;
	result = r->sleep();
	_exit(result == 0 ? 0 : errno);
}

/* How the child ended, by exit code; -1 if it had to be killed, -2 if it slept as it should when there was nothing to end it. */
static int outcome(const struct row *r, int sleeps_on)
{
	int status;

	if (sleeps_on) {
		/* It must not have ended by itself. */
		wait_asleep(child);
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? 1000 + WEXITSTATUS(status) : 2000;
		if (!r->end) {
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
			return -2;
		}
		r->end();
	}
	for (int i = 0; i < 5000; i++) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 3000;
		usleep(1000);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return -1;
}

static void judge(const struct row *r, const char *when, int got, int expected)
{
	char what[100];

	snprintf(what, sizeof(what), "%s, %s: %s", r->name, when, expected == EINTR ? "fails with EINTR" : "goes on");
	test_result(got == expected, what, __FILE__, __LINE__, got);
	if (s->asleep)
		kill(s->asleep, SIGKILL);
	forget();
}

static void handled(const struct row *r, int flags)
{
	int fails = r->rule == NEVER || (r->rule == RESTARTS && !flags), expected = fails ? EINTR : r->end ? 0 : -2;

	prepare();
	child = fork();
	if (child == 0)
		sleeper(r, flags);
	wait_asleep(child);
	kill(child, SIGUSR1);
	for (int i = 0; i < 5000 && !s->handled; i++)
		usleep(1000);
	judge(r, flags ? "handler with SA_RESTART" : "handler without it", outcome(r, !fails), expected);
}

static void stopped(const struct row *r)
{
	int status, expected = r->stop_fails ? EINTR : r->end ? 0 : -2;

	prepare();
	child = fork();
	if (child == 0)
		sleeper(r, 0);
	wait_asleep(child);
	kill(child, SIGSTOP);
	waitpid(child, &status, WUNTRACED);
	kill(child, SIGCONT);
	judge(r, "stopped and continued", outcome(r, !r->stop_fails), expected);
}

int main(void)
{
	own_directory("restart_rules");
	mkfifo("fifo", 0600);
	s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		handled(&rows[i], SA_RESTART);
		handled(&rows[i], 0);
		stopped(&rows[i]);
	}
	unlink("fifo");
	unlink("file");
	proof_remove();
	return test_done();
}
