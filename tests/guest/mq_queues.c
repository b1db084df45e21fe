/* POSIX message queues: order, sizes, attributes, waiting on both sides, deadlines, signals, names, inheritance. */
// libc: gcc
// timeout: 120
// calls: mq_open mq_unlink mq_timedsend mq_timedreceive mq_getsetattr
#include "include/mq.h"

static mqd_t q;

static void order(void)
{
	struct mq_attr a;

	q = queue("/order", O_RDWR | O_EXCL, 8, 64);
	CHECK(q >= 0);
	CHECK_EQ(fcntl(q, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(q, F_GETFL) & ~0100000, O_RDWR);
	CHECK_EQ(say(q, "low", 0), 0);
	CHECK_EQ(say(q, "high", 32767), 0);
	CHECK_EQ(say(q, "middle", 5), 0);
	CHECK_EQ(say(q, "second high", 32767), 0);
	CHECK_EQ(say(q, "", 5), 0);
	a = attr_of(q);
	CHECK_EQ(a.mq_flags, 0);
	CHECK_EQ(a.mq_maxmsg, 8);
	CHECK_EQ(a.mq_msgsize, 64);
	CHECK_EQ(a.mq_curmsgs, 5);
	CHECK(heard(q, "high", 32767));
	CHECK(heard(q, "second high", 32767));
	CHECK(heard(q, "middle", 5));
	CHECK(heard(q, "", 5));
	CHECK(heard(q, "low", 0));
	CHECK_EQ(count_of(q), 0);
	CHECK_EQ(mq_close(q), 0);
	/* A second opening sees the same queue, with what is in it. */
	q = mq_open("/order", O_WRONLY);
	CHECK_EQ(say(q, "kept", 1), 0);
	mq_close(q);
	q = queue("/order", O_RDONLY, 3, 3);	/* exists: the attributes mean nothing */
	CHECK_EQ(attr_of(q).mq_maxmsg, 8);
	CHECK(heard(q, "kept", 1));
	mq_close(q);
	CHECK_EQ(mq_unlink("/order"), 0);
	q = mq_open("/defaults", O_RDWR | O_CREAT, 0600, NULL);
	a = attr_of(q);
	CHECK_EQ(a.mq_maxmsg, get_limit("msg_default"));
	CHECK_EQ(a.mq_msgsize, get_limit("msgsize_default"));
	mq_close(q);
	CHECK_EQ(mq_unlink("/defaults"), 0);
}

static void many_priorities(void)
{
	int bad = 0;

	set_limit("msg_max", "200");
	q = queue("/many", O_RDWR, 200, 8);
	CHECK(q >= 0);
	for (long i = 0; i < 200; i++)
		bad += mq_send(q, (char *)&i, 8, (unsigned int)(i * 7919 % 13));
	for (unsigned int p = 13; p-- > 0;) {
		for (long i = 0; i < 200; i++) {
			unsigned int got;
			long n;

			if (i * 7919 % 13 == p)
				bad += mq_receive(q, (char *)&n, 8, &got) != 8 || got != p || n != i;
		}
	}
	CHECK_EQ(bad, 0);
	CHECK_EQ(count_of(q), 0);
	mq_close(q);
	mq_unlink("/many");
	set_limit("msg_max", "10");
}

static void sizes(void)
{
	static char text[20000], got[20000];
	int bad = 0;

	set_limit("msgsize_max", "20000");
	q = queue("/sizes", O_RDWR, 2, 20000);
	CHECK(q >= 0);
	for (int i = 0; i < 20000; i++)
		text[i] = (char)(i * 7 + i / 256);
	for (long n = 0; n <= 20000; n += n < 4200 && n > 3900 ? 1 : 163) {
		memset(got, 0xee, sizeof(got));
		bad += mq_send(q, text, (size_t)n, 0) != 0;
		bad += mq_receive(q, got, sizeof(got), NULL) != n;
		bad += memcmp(text, got, (size_t)n) || (n < 20000 && got[n] != (char)0xee);
	}
	CHECK_EQ(bad, 0);
	mq_close(q);
	mq_unlink("/sizes");
	set_limit("msgsize_max", "8192");
}

static void flags(void)
{
	struct mq_attr want = { .mq_flags = O_NONBLOCK, .mq_maxmsg = 99, .mq_curmsgs = 99 }, old = { .mq_flags = 99 };
	mqd_t other;
	char text[16];

	q = queue("/flags", O_RDWR | O_NONBLOCK, 1, 16);
	CHECK_EQ(attr_of(q).mq_flags, O_NONBLOCK);
	CHECK_ERRNO(mq_receive(q, text, 16, NULL), EAGAIN);
	CHECK_EQ(say(q, "x", 0), 0);
	CHECK_ERRNO(say(q, "y", 0), EAGAIN);
	other = dup(q);				/* shares the flag */
	CHECK_EQ(fcntl(q, F_SETFL, 0), 0);
	CHECK_EQ(mq_setattr(other, &want, &old), 0);
	CHECK_EQ(old.mq_flags, 0);
	CHECK_EQ(old.mq_maxmsg, 1);
	CHECK_EQ(old.mq_curmsgs, 1);
	CHECK_EQ(attr_of(q).mq_flags, O_NONBLOCK);
	CHECK_EQ(attr_of(q).mq_maxmsg, 1);
	CHECK(fcntl(q, F_GETFL) & O_NONBLOCK);
	mq_close(other);
	other = mq_open("/flags", O_RDONLY);	/* has its own */
	CHECK_EQ(attr_of(other).mq_flags, 0);
	CHECK(heard(other, "x", 0));
	mq_close(other);
	CHECK_EQ(syscall(SYS_mq_getsetattr, q, NULL, NULL), 0);
	mq_close(q);
	CHECK_EQ(mq_unlink("/flags"), 0);
}

static pid_t receiver(int nice_by)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		char text[64];
		long n;

		nice(nice_by);
		n = mq_receive(q, text, sizeof(text), NULL);
		_exit(n < 0 ? 100 + errno : text[0]);
	}
	until_sleeps(child);
	return child;
}

static pid_t sender(const char *s, unsigned int priority, int nice_by)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		nice(nice_by);
		_exit(say(q, s, priority) ? 100 + errno : 0);
	}
	until_sleeps(child);
	return child;
}

/* Who waits gets the message at once, the highest scheduling priority first, then the one that came first. */
static void waiting(void)
{
	pid_t a, b, c;

	q = queue("/waiting", O_RDWR, 1, 64);
	a = receiver(5);
	b = receiver(5);
	c = receiver(0);
	CHECK_EQ(say(q, "1", 0), 0);
	CHECK_EQ(count_of(q), 0);
	CHECK_EQ(ended_with(c), '1');
	CHECK_EQ(say(q, "2", 0), 0);
	CHECK_EQ(ended_with(a), '2');
	CHECK_EQ(say(q, "3", 0), 0);
	CHECK_EQ(ended_with(b), '3');
	CHECK_EQ(say(q, "first", 0), 0);
	a = sender("a", 1, 5);
	b = sender("b", 9, 5);
	c = sender("c", 0, 0);
	CHECK(heard(q, "first", 0));
	CHECK_EQ(count_of(q), 1);		/* taken from who waits first, whatever the messages' priorities */
	CHECK_EQ(ended_with(c), 0);
	CHECK(heard(q, "c", 0));
	CHECK_EQ(ended_with(a), 0);
	CHECK(heard(q, "a", 1));
	CHECK_EQ(ended_with(b), 0);
	CHECK(heard(q, "b", 9));
	CHECK_EQ(count_of(q), 0);
}

static void deadlines(void)
{
	struct timespec t, past = { 1, 0 }, far = { (time_t)(~0ul >> 1), 999999999 };
	char text[64];

	t = in_ms(30);
	CHECK_ERRNO(mq_timedreceive(q, text, 64, NULL, &t), ETIMEDOUT);
	CHECK(in_ms(0).tv_sec > t.tv_sec || (in_ms(0).tv_sec == t.tv_sec && in_ms(0).tv_nsec >= t.tv_nsec));
	CHECK_ERRNO(mq_timedreceive(q, text, 64, NULL, &past), ETIMEDOUT);
	CHECK_EQ(mq_timedsend(q, "x", 1, 0, &past), 0);	/* need not wait */
	CHECK_ERRNO(mq_timedsend(q, "y", 1, 0, &past), ETIMEDOUT);
	t = in_ms(30);
	CHECK_ERRNO(mq_timedsend(q, "y", 1, 0, &t), ETIMEDOUT);
	CHECK_EQ(mq_timedreceive(q, text, 64, NULL, &far), 1);
	CHECK_EQ(count_of(q), 0);
}

static void on_signal(int s) { (void)s; }

static pid_t with_handler(int sends, int act_flags)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		struct sigaction act = { .sa_handler = on_signal, .sa_flags = act_flags };
		char text[64];

		sigaction(SIGUSR1, &act, NULL);
		_exit((sends ? say(q, "w", 0) : mq_receive(q, text, 64, NULL)) < 0 ? errno : 0);
	}
	until_sleeps(child);
	return child;
}

static void interrupt(pid_t child)
{
	kill(child, SIGUSR1);
	usleep(20000);
	until_sleeps(child);
}

static void signals(void)
{
	pid_t a = with_handler(0, 0);

	kill(a, SIGUSR1);
	CHECK_EQ(ended_with(a), EINTR);
	a = with_handler(0, SA_RESTART);
	interrupt(a);
	CHECK_EQ(say(q, "go", 0), 0);
	CHECK_EQ(ended_with(a), 0);
	a = receiver(0);
	kill(a, SIGSTOP);
	waitpid(a, NULL, WUNTRACED);
	kill(a, SIGCONT);
	until_sleeps(a);
	CHECK_EQ(say(q, "z", 0), 0);
	CHECK_EQ(ended_with(a), 'z');
	CHECK_EQ(say(q, "full", 0), 0);
	a = with_handler(1, 0);
	kill(a, SIGUSR1);
	CHECK_EQ(ended_with(a), EINTR);
	a = sender("never", 0, 0);
	kill(a, SIGKILL);
	CHECK_EQ(ended_with(a), -SIGKILL);
	a = with_handler(1, SA_RESTART);
	interrupt(a);
	CHECK(heard(q, "full", 0));
	CHECK_EQ(ended_with(a), 0);
	CHECK(heard(q, "w", 0));
	a = receiver(0);
	kill(a, SIGKILL);
	CHECK_EQ(ended_with(a), -SIGKILL);
	CHECK_EQ(say(q, "still", 0), 0);
	CHECK(heard(q, "still", 0));
}

/* The name goes; the queue lives on for those who have it open, and another one may have the name. */
static void names(void)
{
	char longest[257] = "/";
	mqd_t again;
	pid_t a = receiver(0);

	CHECK_EQ(mq_unlink("/waiting"), 0);
	CHECK_ERRNO(mq_open("/waiting", O_RDWR), ENOENT);
	again = queue("/waiting", O_RDWR | O_EXCL, 2, 64);
	CHECK(again >= 0);
	CHECK_EQ(say(again, "other", 0), 0);
	CHECK_EQ(say(q, "this", 0), 0);
	CHECK_EQ(ended_with(a), 't');
	CHECK_EQ(count_of(again), 1);
	mq_close(again);
	mq_close(q);
	CHECK_EQ(mq_unlink("/waiting"), 0);
	memset(longest + 1, 'n', 255);
	q = queue(longest, O_RDWR, 1, 1);
	CHECK(q >= 0);
	mq_close(q);
	CHECK_EQ(mq_unlink(longest), 0);
}

static void modes(void)
{
	struct stat st;
	mode_t before = umask(027);

	q = mq_open("/modes", O_RDWR | O_CREAT, 07777, NULL);
	CHECK_EQ(fstat(q, &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 07750);
	CHECK_EQ(st.st_uid, geteuid());
	CHECK_EQ(st.st_size, 80);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(mq_unlink("/modes"), 0);
	fstat(q, &st);
	CHECK_EQ(st.st_nlink, 0);
	mq_close(q);
	umask(before);
	/* Whom the mode does not let open it, may when it is made. */
	q = mq_open("/modes", O_RDWR | O_CREAT, 0, NULL);
	CHECK_EQ(say(q, "own", 0), 0);
	CHECK(heard(q, "own", 0));
	mq_close(q);
	mq_unlink("/modes");
}

int main(void)
{
	own_ipc();
	order();
	many_priorities();
	sizes();
	flags();
	waiting();
	deadlines();
	signals();
	names();
	modes();
	return test_done();
}
