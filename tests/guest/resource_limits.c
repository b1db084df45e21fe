/* Limits: set and read back in three ways, of another process, inherited, and what they do. */
// libc: gcc
// calls: getrlimit setrlimit prlimit64
#include "include/proof.h"

#include <sys/resource.h>

static struct rlimit r, old;

int main(void)
{
	int ends[2], status;
	char c;
	pid_t child;

	r.rlim_cur = 50;
	r.rlim_max = 60;
	GIVES(0, prlimit64, 0, RLIMIT_NOFILE, &r, &old);
	CHECK(old.rlim_max >= 60);
	GIVES(0, getrlimit, RLIMIT_NOFILE, &r);
	CHECK(r.rlim_cur == 50 && r.rlim_max == 60);
	GIVES(0, prlimit64, getpid(), RLIMIT_NOFILE, NULL, &r);
	CHECK(r.rlim_cur == 50 && r.rlim_max == 60);
	/* Below what is open already: that stays open. */
	CHECK_EQ(dup2(0, 49), 49);
	r.rlim_cur = 10;
	GIVES(0, setrlimit, RLIMIT_NOFILE, &r);
	CHECK_EQ(fcntl(49, F_GETFD), 0);
	FAILS(EBADF, dup2, 0, 10);
	r.rlim_cur = 50;
	GIVES(0, setrlimit, RLIMIT_NOFILE, &r);
	close(49);
	child = fork();
	if (child == 0) {
		getrlimit(RLIMIT_NOFILE, &r);
		_exit(r.rlim_cur == 50 && r.rlim_max == 60 && fcntl(0, F_DUPFD, 50) == -1 && errno == EINVAL ? 0 : 1);
	}
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	/* Another's memory limit counts from then on. */
	if (pipe(ends))
		return 2;
	child = fork();
	if (child == 0) {
		close(ends[1]);
		if (read(ends[0], &c, 1) != 1)
			_exit(1);
		getrlimit(RLIMIT_DATA, &r);
		_exit(r.rlim_cur == 4096 && mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		      MAP_FAILED && errno == ENOMEM ? 0 : 2);
	}
	r.rlim_cur = 4096;
	r.rlim_max = RLIM_INFINITY;
	GIVES(0, prlimit64, child, RLIMIT_DATA, &r, &old);
	CHECK(old.rlim_cur == RLIM_INFINITY);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	return test_done();
}
