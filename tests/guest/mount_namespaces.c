/* Name spaces of mounts: unshare, clone and setns with CLONE_NEWNS, /proc/<pid>/ns/mnt; who sees which mount, and what is refused. */
// libc: gcc
// flags: -pthread
// calls: unshare setns
// errors: unshare setns clone
#include "include/proof.h"

#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define NS_GET_NSTYPE 0xb703

static int sees(const char *name) { return access(name, F_OK) == 0; }

/* The number of its name space, as the link and the file tell it; 0: they do not. Children ask, too, so it checks nothing aloud. */
static unsigned long ns_of(pid_t pid)
{
	char path[64], text[64] = "";
	unsigned long n = 0;
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	if (readlink(path, text, sizeof(text) - 1) < 0 || sscanf(text, "mnt:[%lu]", &n) != 1 || stat(path, &st) || st.st_ino != n)
		return 0;
	return n;
}

/* The directory again, in a name space that was entered: by its name from the top, which is not where our root was if that had been changed. */
static int go_to(int dir)
{
	char link[64], name[5000];
	long n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, name, sizeof(name) - 1);
	if (n < 0)
		return -1;
	name[n] = 0;
	return chdir(name);
}

static int pipes[2][2];

static void tell(int to) { if (write(pipes[to][1], "x", 1) != 1) _exit(90); }
static void hear(int from) { char c; if (read(pipes[from][0], &c, 1) != 1) _exit(91); }

static int mount_marked(const char *where)
{
	char name[64];
	int error = mount("none", where, "tmpfs", 0, "size=8m");

	snprintf(name, sizeof(name), "%s/mark", where);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	return error;
}

/* A child with a name space of its own, that says when it is ready and stays until it is told. */
static pid_t other(int by_clone)
{
	pid_t pid;

	for (int i = 0; i < 2; i++)
		CHECK_EQ(pipe(pipes[i]), 0);
	pid = by_clone ? (pid_t)syscall(SYS_clone, (long)CLONE_NEWNS | SIGCHLD, 0l, 0l, 0l, 0l) : fork();
	if (pid == 0) {
		if (!by_clone && unshare(CLONE_NEWNS))
			_exit(80);
		if (mount_marked("a"))
			_exit(82);
		tell(0);
		hear(1);
		_exit(sees("a/mark") && !sees("b/mark") ? 0 : 81);
	}
	hear(0);
	return pid;
}

static void end(pid_t pid)
{
	int status;

	tell(1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	for (int i = 0; i < 4; i++)
		close(pipes[i / 2][i % 2]);
}

static void apart(int by_clone)
{
	pid_t pid = other(by_clone);

	CHECK(!sees("a/mark"));
	CHECK_EQ(mount_marked("b"), 0);
	CHECK(ns_of(pid) != 0 && ns_of(getpid()) != 0);
	CHECK(ns_of(pid) != ns_of(getpid()));
	CHECK_EQ(ns_of(getppid()), ns_of(getppid()));
	end(pid);
	CHECK(sees("b/mark"));
	CHECK_EQ(umount("b"), 0);
}

/* In a child, since nobody comes back to the old directories: enters by what `open_it` gives. */
static void enter(int by_pidfd)
{
	pid_t pid = other(0), child = fork();
	char path[64];
	int status;

	if (child == 0) {
		int fd, here = open(".", O_PATH | O_DIRECTORY);

		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
		fd = by_pidfd ? (int)syscall(SYS_pidfd_open, pid, 0) : open(path, O_RDONLY | O_CLOEXEC);
		if (here < 0 || fd < 0)
			_exit(1);
		if (!by_pidfd && ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNS)
			_exit(2);
		if (by_pidfd && (setns(fd, 0) != -1 || errno != EINVAL))
			_exit(3);
		if (setns(fd, CLONE_NEWNS))
			_exit(4);
		if (ns_of(getpid()) != ns_of(pid) || sees("a/mark"))	/* "a" is looked for in the new root */
			_exit(5);
		if (go_to(here) || !sees("a/mark"))
			_exit(6);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	end(pid);
}

/* An open descriptor keeps a name space whose processes are gone. */
static void kept_by_descriptor(void)
{
	char path[64];
	pid_t pid = other(0), child;
	int fd, here = open(".", O_PATH | O_DIRECTORY), status;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	fd = open(path, O_RDONLY);
	end(pid);
	child = fork();
	if (child == 0)
		_exit(setns(fd, 0) == 0 && go_to(here) == 0 && sees("a/mark") ? 0 : 1);
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	close(fd);
	close(here);
}

/* What is in a name space goes with it. */
static void goes_with_the_last(void)
{
	static char mib[1 << 20];
	int status, bad = 0;

	for (int i = 0; i < 400 && !bad; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			int fd;

			if (unshare(CLONE_NEWNS))
				_exit(1);
			mount("none", "a", "tmpfs", 0, "size=8m");
			fd = open("a/much", O_CREAT | O_WRONLY, 0600);
			_exit(write(fd, mib, sizeof(mib)) == sizeof(mib) ? 0 : 2);
		}
		waitpid(pid, &status, 0);
		bad = status;
	}
	CHECK_EQ(bad, 0);
}

static void *unshares(void *arg)
{
	long *r = arg;

	*r = unshare(CLONE_NEWNS) || mount("none", "b", "tmpfs", 0, NULL);
	close(open("b/mark", O_CREAT | O_WRONLY, 0600));
	*r |= !sees("b/mark");
	return NULL;
}

static void *enters_own(void *arg)
{
	int fd = open("/proc/thread-self/ns/mnt", O_RDONLY);

	*(long *)arg = setns(fd, CLONE_NEWNS) == -1 ? errno : 0;
	close(fd);
	return NULL;
}

/* A thread leaves alone; while its directories are shared it can enter none. */
static void threads(void)
{
	pthread_t t;
	long r = -1;

	pthread_create(&t, NULL, unshares, &r);
	pthread_join(t, NULL);
	CHECK_EQ(r, 0);
	CHECK(!sees("b/mark"));
	pthread_create(&t, NULL, enters_own, &r);
	pthread_join(t, NULL);
	CHECK_EQ(r, EINVAL);
}

/* Mounts of another name space are seen through descriptors, but not changed. */
static void foreign_mounts(void)
{
	pid_t pid = other(0);
	char path[300], cwd[200];

	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	snprintf(path, sizeof(path), "/proc/%d/root%s/a", pid, cwd);
	CHECK(sees(path));
	CHECK_ERRNO(umount(path), EINVAL);
	CHECK_ERRNO(mount("none", path, "tmpfs", 0, NULL), EINVAL);
	CHECK_ERRNO(mount(path, "b", NULL, MS_BIND, NULL), EINVAL);
	CHECK_ERRNO(mount(path, "b", NULL, MS_MOVE, NULL), EINVAL);
	CHECK_ERRNO(mount("none", path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EINVAL);
	end(pid);
}

static void refusals(void)
{
	int file = open("/proc/self/status", O_RDONLY), own = open("/proc/self/ns/mnt", O_RDONLY), status;
	pid_t pid;

	FAILS(EBADF, setns, -1, 0);
	FAILS(EINVAL, setns, file, 0);
	FAILS(EINVAL, setns, file, CLONE_NEWNS);
	FAILS(EINVAL, setns, own, CLONE_NEWUTS);
	FAILS(EINVAL, clone, (long)CLONE_NEWNS | CLONE_FS | SIGCHLD, 0l, 0l, 0l, 0l);
	FAILS(EINVAL, unshare, 0x1l);
	pid = fork();
	if (pid == 0) {
		char text[64];
		int bad = 0;

		if (setuid(1000))
			_exit(1);
		bad |= (unshare(CLONE_NEWNS) != -1 || errno != EPERM) << 1;
		bad |= (setns(own, 0) != -1 || errno != EPERM) << 2;
		bad |= (syscall(SYS_clone, (long)CLONE_NEWNS | SIGCHLD, 0l, 0l, 0l, 0l) != -1 || errno != EPERM) << 3;
		bad |= (readlink("/proc/1/ns/mnt", text, sizeof(text)) != -1 || errno != EACCES) << 4;
		_exit(bad);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
	close(file);
	close(own);
}

int main(void)
{
	own_directory("mount_namespaces");
	/* Our directory becomes a private mount, so that nothing of this is passed on to other name spaces. */
	if (unshare(CLONE_NEWNS) || mount(proof_name, proof_name, NULL, MS_BIND, NULL) ||
	    mount("none", proof_name, NULL, MS_PRIVATE, NULL) || chdir(proof_name))
		exit(99);
	mkdir("a", 0755);
	mkdir("b", 0755);
	apart(0);
	apart(1);
	enter(0);
	enter(1);
	kept_by_descriptor();
	goes_with_the_last();
	threads();
	foreign_mounts();
	refusals();
	rmdir("a");
	rmdir("b");
	if (chdir("/") == 0)
		umount(proof_name);
	proof_remove();
	return test_done();
}
