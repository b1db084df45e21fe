/* mq_notify: what is told to whom and when; one shot; a receiver that waits goes first; closing, exec and the end of a process undo it. */
// libc: gcc
// timeout: 120
// calls: mq_notify
#include "include/mq.h"

static mqd_t q;
static volatile int signals;
static siginfo_t last;

static void on_signal(int s, siginfo_t *info, void *context)
{
	(void)s;
	(void)context;
	signals++;
	last = *info;
}

static int ask(mqd_t on, int how, int sig, int value)
{
	struct sigevent e = { .sigev_notify = how, .sigev_signo = sig, .sigev_value.sival_int = value };

	return mq_notify(on, &e);
}

static void own_message(void)
{
	CHECK_EQ(ask(q, SIGEV_SIGNAL, SIGUSR1, 4711), 0);
	CHECK_ERRNO(ask(q, SIGEV_NONE, 0, 0), EBUSY);
	CHECK_EQ(signals, 0);
	CHECK_EQ(say(q, "one", 0), 0);
	CHECK_EQ(signals, 1);
	CHECK_EQ(last.si_signo, SIGUSR1);
	CHECK_EQ(last.si_code, SI_MESGQ);
	CHECK_EQ(last.si_errno, 0);
	CHECK_EQ(last.si_pid, getpid());
	CHECK_EQ(last.si_uid, getuid());
	CHECK_EQ(last.si_value.sival_int, 4711);
	/* Once only, and only when the queue was empty. */
	CHECK(heard(q, "one", 0));
	CHECK_EQ(say(q, "two", 0), 0);
	CHECK_EQ(signals, 1);
	CHECK_EQ(ask(q, SIGEV_SIGNAL, SIGUSR1, 1), 0);
	CHECK_EQ(say(q, "three", 0), 0);
	CHECK_EQ(signals, 1);
	CHECK(heard(q, "two", 0));
	CHECK(heard(q, "three", 0));
	CHECK_EQ(say(q, "four", 0), 0);
	CHECK_EQ(signals, 2);
	CHECK(heard(q, "four", 0));
}

static void undone(void)
{
	mqd_t other;

	CHECK_EQ(ask(q, SIGEV_SIGNAL, SIGUSR1, 1), 0);
	CHECK_EQ(mq_notify(q, NULL), 0);
	CHECK_EQ(mq_notify(q, NULL), 0);
	CHECK_EQ(say(q, "x", 0), 0);
	CHECK(heard(q, "x", 0));
	CHECK_EQ(signals, 2);
	/* By the close of any descriptor of the queue in the process. */
	other = mq_open("/notify", O_RDONLY);
	CHECK_EQ(ask(q, SIGEV_SIGNAL, SIGUSR1, 1), 0);
	CHECK_EQ(mq_close(other), 0);
	CHECK_EQ(say(q, "x", 0), 0);
	CHECK(heard(q, "x", 0));
	CHECK_EQ(signals, 2);
	other = dup(q);
	CHECK_EQ(ask(q, SIGEV_SIGNAL, SIGUSR1, 1), 0);
	CHECK_EQ(mq_close(other), 0);
	CHECK_EQ(ask(q, SIGEV_NONE, 0, 0), 0);
	CHECK_EQ(say(q, "none", 0), 0);
	CHECK(heard(q, "none", 0));
	CHECK_EQ(ask(q, SIGEV_SIGNAL, 0, 0), 0);	/* no signal at all */
	CHECK_EQ(say(q, "none", 0), 0);
	CHECK(heard(q, "none", 0));
	CHECK_EQ(signals, 2);
}

/* Another process: its registration is its own, and goes with it. */
static void others(void)
{
	int go[2], status;
	pid_t child;
	char c;

	if (pipe(go))
		exit(2);
	fflush(stdout);
	child = fork();
	if (!child) {
		signals = 0;
		if (ask(q, SIGEV_SIGNAL, SIGUSR1, 12) || write(go[1], "x", 1) != 1)
			_exit(1);
		while (!signals)
			pause();
		_exit(last.si_pid == getppid() && last.si_code == SI_MESGQ && last.si_value.sival_int == 12 ? 42 : 2);
	}
	CHECK_EQ(read(go[0], &c, 1), 1);
	CHECK_ERRNO(ask(q, SIGEV_NONE, 0, 0), EBUSY);
	CHECK_EQ(mq_notify(q, NULL), 0);		/* not ours to take back */
	CHECK_ERRNO(ask(q, SIGEV_NONE, 0, 0), EBUSY);
	until_sleeps(child);
	CHECK_EQ(say(q, "x", 0), 0);
	CHECK_EQ(ended_with(child), 42);
	CHECK(heard(q, "x", 0));
	fflush(stdout);
	child = fork();
	if (!child) {
		ask(q, SIGEV_SIGNAL, SIGUSR1, 1);
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK_EQ(ask(q, SIGEV_NONE, 0, 0), 0);
	/* A child's closing does not concern the parent's registration. */
	fflush(stdout);
	child = fork();
	if (!child) {
		mq_close(q);
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK_ERRNO(ask(q, SIGEV_NONE, 0, 0), EBUSY);
	CHECK_EQ(mq_notify(q, NULL), 0);
	/* Killed. */
	fflush(stdout);
	child = fork();
	if (!child) {
		ask(q, SIGEV_SIGNAL, SIGUSR1, 1);
		if (write(go[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	CHECK_EQ(read(go[0], &c, 1), 1);
	kill(child, SIGKILL);
	CHECK_EQ(ended_with(child), -SIGKILL);
	CHECK_EQ(ask(q, SIGEV_NONE, 0, 0), 0);
	CHECK_EQ(mq_notify(q, NULL), 0);
	close(go[0]);
	close(go[1]);
}

/* Descriptors are closed by exec, so the registration goes. */
static void program(char *self)
{
	int go[2], status;
	pid_t child;
	char c;

	if (pipe(go))
		exit(2);
	fflush(stdout);
	child = fork();
	if (!child) {
		char number[16];

		snprintf(number, sizeof(number), "%d", go[1]);
		ask(q, SIGEV_SIGNAL, SIGKILL, 1);
		execl(self, self, number, NULL);
		_exit(9);
	}
	CHECK_EQ(read(go[0], &c, 1), 1);
	CHECK_EQ(say(q, "x", 0), 0);
	CHECK(heard(q, "x", 0));
	kill(child, SIGTERM);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	close(go[0]);
	close(go[1]);
}

static void receiver_first(void)
{
	pid_t child;

	CHECK_EQ(ask(q, SIGEV_SIGNAL, SIGUSR1, 1), 0);
	fflush(stdout);
	child = fork();
	if (!child) {
		char text[64];

		_exit(mq_receive(q, text, sizeof(text), NULL) == 5 ? 0 : 1);
	}
	until_sleeps(child);
	signals = 0;
	CHECK_EQ(say(q, "taken", 0), 0);
	CHECK_EQ(ended_with(child), 0);
	CHECK_EQ(signals, 0);
	CHECK_ERRNO(ask(q, SIGEV_NONE, 0, 0), EBUSY);
	CHECK_EQ(say(q, "told", 0), 0);
	CHECK_EQ(signals, 1);
	CHECK(heard(q, "told", 0));
}

/* A blocked real-time signal is queued with what it carries. */
static void queued(void)
{
	struct timespec none = { 0, 0 };
	sigset_t set;
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 1; i <= 3; i++) {
		CHECK_EQ(ask(q, SIGEV_SIGNAL, SIGRTMIN + 3, i), 0);
		CHECK_EQ(say(q, "x", 0), 0);
		CHECK(heard(q, "x", 0));
	}
	for (int i = 1; i <= 3; i++) {
		CHECK_EQ(sigtimedwait(&set, &info, &none), SIGRTMIN + 3);
		CHECK_EQ(info.si_code, SI_MESGQ);
		CHECK_EQ(info.si_value.sival_int, i);
	}
	CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	if (argc > 1) {
		if (write(atoi(argv[1]), "x", 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	own_ipc();
	sigaction(SIGUSR1, &act, NULL);
	q = queue("/notify", O_RDWR | O_EXCL, 4, 64);
	CHECK(q >= 0);
	own_message();
	undone();
	others();
	program(argv[0]);
	receiver_first();
	queued();
	mq_close(q);
	CHECK_EQ(mq_unlink("/notify"), 0);
	return test_done();
}
