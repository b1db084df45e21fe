/* /proc/<pid>/loginuid and sessionid: unset at first, set once by anybody, then only with CAP_AUDIT_CONTROL; inherited. */
// libc: gcc
// linux: no (a login of the build machine may have set it)
// flags: -pthread
#include "include/proof.h"

#include <pthread.h>
#include <sys/prctl.h>

static long get(const char *path)
{
	char text[40] = "";
	int fd = open(path, O_RDONLY), n = fd < 0 ? -1 : (int)read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 && text[n - 1] != '\n' ? atol(text) : -1;
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), n, error;

	if (fd < 0)
		return errno;
	n = (int)write(fd, text, strlen(text));
	error = n < 0 ? errno : n == (int)strlen(text) ? 0 : -n;
	close(fd);
	return error;
}

#define LOGIN "/proc/self/loginuid"
#define SESSION "/proc/self/sessionid"
#define UNSET 4294967295l

static void *of_thread(void *unused)
{
	CHECK_EQ(get("/proc/thread-self/loginuid"), UNSET);
	CHECK_EQ(put(LOGIN, "9"), EPERM);		/* the leader's */
	CHECK_EQ(put("/proc/thread-self/loginuid", "9"), 0);
	CHECK_EQ(get("/proc/thread-self/loginuid"), 9);
	CHECK_EQ(get(LOGIN), UNSET);
	return unused;
}

static void bad_values(void)
{
	CHECK_EQ(put(LOGIN, "x"), EINVAL);
	CHECK_EQ(put(LOGIN, "-1"), EINVAL);
	CHECK_EQ(put(LOGIN, "12 "), EINVAL);
	CHECK_EQ(put(LOGIN, "0x10"), EINVAL);
	CHECK_EQ(put(LOGIN, "\n"), EINVAL);
	CHECK_EQ(put(LOGIN, "4294967296"), ERANGE);
	CHECK_EQ(put("/proc/1/loginuid", "5"), EPERM);
	CHECK_EQ(get(LOGIN), UNSET);
	CHECK_EQ(get(SESSION), UNSET);
}

/* What an ordinary user may: set it once. */
static void once(void)
{
	long session;

	CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);		/* so that the files are the user's again */
	CHECK_EQ(put(SESSION, "5"), EACCES);
	CHECK_EQ(put(LOGIN, "1000\n"), 0);
	session = get(SESSION);
	CHECK(session > 0 && session < UNSET);
	CHECK_EQ(get(LOGIN), 1000);
	CHECK_EQ(put(LOGIN, "1000"), EPERM);
	CHECK_EQ(put(LOGIN, "4294967295"), EPERM);
	CHECK_EQ(get(LOGIN), 1000);
	CHECK_EQ(get(SESSION), session);
}

static void inherited(void)
{
	CHECK_EQ(get(LOGIN), 7);
	CHECK(get(SESSION) != UNSET);
}

int main(void)
{
	pthread_t thread;
	long first;

	CHECK_EQ(get(LOGIN), UNSET);
	CHECK_EQ(get(SESSION), UNSET);
	bad_values();
	pthread_create(&thread, NULL, of_thread, NULL);
	pthread_join(thread, NULL);
	as_user(once);
	CHECK_EQ(get(LOGIN), UNSET);
	CHECK_EQ(put(LOGIN, "7"), 0);
	CHECK_EQ(get(LOGIN), 7);
	first = get(SESSION);
	in_child(inherited);
	CHECK_EQ(put(LOGIN, "8"), 0);
	CHECK(get(SESSION) > first);
	CHECK_EQ(put(LOGIN, "4294967295"), 0);
	CHECK_EQ(get(LOGIN), UNSET);
	CHECK_EQ(get(SESSION), UNSET);
	return test_done();
}
