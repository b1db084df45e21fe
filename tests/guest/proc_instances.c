/* Mounts of proc: each is a file system of its own with its own options, which hide processes of others (hidepid, gid) and all that is no process (subset). */
// calls: mount umount2
// errors: mount open stat
#include "include/proof.h"

#include <dirent.h>
#include <sys/mount.h>

static pid_t other;			/* a process of root's that sleeps */

/* Is the name among the entries of the directory? -1 without the directory. */
static int lists(const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int found = 0;

	if (!d)
		return -1;
	while ((e = readdir(d)))
		found += !strcmp(e->d_name, name);
	closedir(d);
	return found;
}

static const char *name_of(const char *dir, const char *file)
{
	static char names[4][80];
	static int next;
	char *name = names[next++ % 4];

	snprintf(name, sizeof(names[0]), "%s/%d%s%s", dir, other, *file ? "/" : "", file);
	return name;
}

/* Is the text among the options of what is mounted on that directory of the test? */
static int shows(const char *dir, const char *options)
{
	char buf[16384], want[100], *line;
	int fd = open("/proc/self/mounts", O_RDONLY);
	long n = 0, got;

	while (n < (long)sizeof(buf) - 1 && (got = read(fd, buf + n, sizeof(buf) - 1 - (size_t)n)) > 0)
		n += got;
	close(fd);
	buf[n] = 0;
	snprintf(want, sizeof(want), "/%s proc ", dir);
	line = strstr(buf, want);
	if (!line)
		return -1;
	line[strcspn(line, "\n")] = 0;
	snprintf(want, sizeof(want), "%s 0 0", options);
	return strlen(line) > strlen(want) && !strcmp(line + strlen(line) - strlen(want), want);
}

static void options(void)
{
	static const char *const bad[] = {
		"hidepid=3", "hidepid=5", "hidepid=", "hidepid", "hidepid=none", "gid=", "gid=x", "gid", "gid=4294967296",
		"subset=net", "subset=", "subset", "nosuchoption", "hidepid=1,nosuch=2",
	};
	static const struct { const char *given, *shown; } good[] = {
		{ "", ",relatime" }, { "hidepid=0", ",relatime" }, { "hidepid=off", ",relatime" }, { "hidepid=1", ",hidepid=noaccess" },
		{ "hidepid=noaccess", ",hidepid=noaccess" }, { "hidepid=2", ",hidepid=invisible" },
		{ "hidepid=invisible", ",hidepid=invisible" }, { "hidepid=4", ",hidepid=ptraceable" },
		{ "hidepid=ptraceable", ",hidepid=ptraceable" }, { "subset=pid", ",subset=pid" }, { "gid=7", ",gid=7" },
		{ "subset=pid,hidepid=2,gid=7", ",gid=7,hidepid=invisible,subset=pid" }, { "hidepid=2,hidepid=0", ",relatime" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		FAILS(EINVAL, mount, "proc", "a", "proc", 0l, bad[i]);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		GIVES(0, mount, "proc", "a", "proc", 0l, good[i].given);
		CHECK_EQ(shows("a", good[i].shown), 1);
		GIVES(0, umount2, "a", 0);
	}
}

static void instances(void)
{
	struct stat a, b;
	int fd;

	GIVES(0, mount, "proc", "a", "proc", 0l, "hidepid=1");
	GIVES(0, mount, "proc", "b", "proc", 0l, "");
	CHECK_EQ(stat("a/meminfo", &a), 0);
	CHECK_EQ(stat("b/meminfo", &b), 0);
	CHECK(a.st_dev != b.st_dev);
	CHECK_EQ(stat("a", &a), 0);
	CHECK_EQ(stat("b", &b), 0);
	CHECK(a.st_dev != b.st_dev);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(access("a/sys/kernel/ostype", R_OK), 0);
	CHECK_EQ(access("b/sys/kernel/ostype", R_OK), 0);
	CHECK_EQ(lists("a/sys/kernel", "ostype"), 1);
	CHECK_EQ(lists("b/sys/kernel", "ostype"), 1);
	CHECK_EQ(lists("b", "self"), 1);
	CHECK_EQ(lists("b", "thread-self"), 1);
	CHECK_EQ(lists("b", "mounts"), 1);
	CHECK_EQ(lists("b", "1"), 1);
	fd = open("a/uptime", O_RDONLY);
	CHECK(fd >= 0);
	FAILS(EBUSY, umount2, "a", 0);
	close(fd);
	GIVES(0, umount2, "a", 0);
	CHECK_EQ(access("b/self/status", R_OK), 0);
	GIVES(0, umount2, "b", 0);
}

static void subset(void)
{
	struct dirent *e;
	int strange = 0;
	DIR *d;

	GIVES(0, mount, "proc", "a", "proc", 0l, "subset=pid");
	FAILS(ENOENT, openat, AT_FDCWD, "a/meminfo", O_RDONLY);
	FAILS(ENOENT, openat, AT_FDCWD, "a/sys", O_RDONLY);
	FAILS(ENOENT, openat, AT_FDCWD, "a/mounts", O_RDONLY);
	CHECK_EQ(access("a/self/status", R_OK), 0);
	CHECK_EQ(access("a/thread-self/status", R_OK), 0);
	d = opendir("a");
	while (d && (e = readdir(d)))
		strange += e->d_name[0] != '.' && strcmp(e->d_name, "self") && strcmp(e->d_name, "thread-self") &&
			   strspn(e->d_name, "0123456789") != strlen(e->d_name);
	if (d)
		closedir(d);
	CHECK_EQ(strange, 0);
	CHECK_EQ(lists("a", "self"), 1);
	CHECK_EQ(lists("a", "thread-self"), 1);
	CHECK_EQ(lists("a", "1"), 1);
	GIVES(0, umount2, "a", 0);
}

/* What an ordinary user sees of root's process, and of itself. */
static void shown(void)
{
	struct stat st;

	CHECK_EQ(stat(name_of("a", ""), &st), 0);
	CHECK_EQ(access(name_of("a", "status"), R_OK), 0);
	CHECK_EQ(lists("a", name_of("a", "") + 2), 1);
	CHECK_EQ(access("a/self/status", R_OK), 0);
}

static void barred(void)
{
	struct stat st;

	CHECK_EQ(stat(name_of("a", ""), &st), 0);
	CHECK_ERRNO(stat(name_of("a", "status"), &st), EPERM);
	CHECK_ERRNO(open(name_of("a", "stat"), O_RDONLY), EPERM);
	CHECK_EQ(lists("a", name_of("a", "") + 2), 1);
	CHECK_EQ(access("a/self/status", R_OK), 0);
	CHECK_EQ(access("a/meminfo", R_OK), 0);
}

static void hidden(void)
{
	struct stat st;

	CHECK_ERRNO(stat(name_of("a", ""), &st), ENOENT);
	CHECK_ERRNO(stat(name_of("a", "status"), &st), ENOENT);
	CHECK_ERRNO(open(name_of("a", "stat"), O_RDONLY), ENOENT);
	CHECK_EQ(lists("a", name_of("a", "") + 2), 0);
	CHECK_EQ(access("a/self/status", R_OK), 0);
	CHECK(lists("a", "self") == 1);
}

static void member(void)
{
	gid_t group = 7;

	if (setgroups(1, &group) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		exit(2);
	shown();
}

static void hidden_member(void)
{
	gid_t group = 7;

	if (setgroups(1, &group) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		exit(2);
	hidden();
}

static void hide(void)
{
	GIVES(0, mount, "proc", "a", "proc", 0l, NULL);
	as_user(shown);
	GIVES(0, mount, "proc", "a", NULL, MS_REMOUNT, "hidepid=1");
	as_user(barred);
	GIVES(0, mount, "proc", "a", NULL, MS_REMOUNT, "hidepid=2");
	CHECK_EQ(shows("a", ",hidepid=invisible"), 1);
	as_user(hidden);
	shown();
	/* Without the option it stays. */
	GIVES(0, mount, "proc", "a", NULL, MS_REMOUNT, "gid=7");
	as_user(hidden);
	in_child(member);
	GIVES(0, mount, "proc", "a", NULL, MS_REMOUNT, "");
	in_child(member);
	FAILS(EINVAL, mount, "proc", "a", NULL, MS_REMOUNT, "hidepid=0,gid=x");
	as_user(hidden);
	GIVES(0, mount, "proc", "a", NULL, MS_REMOUNT, "hidepid=off");
	as_user(shown);
	GIVES(0, umount2, "a", 0);
	/* Nothing of the process is in the cache: not even members find it. */
	GIVES(0, mount, "proc", "a", "proc", 0l, "hidepid=4,gid=7");
	in_child(hidden_member);
	shown();
	GIVES(0, umount2, "a", 0);
}

/* Mounts come and go while processes end and are looked at in them. */
static void storm(void)
{
	pid_t each[4];
	int bad = 0;

	for (int i = 0; i < 4; i++) {
		each[i] = fork();
		if (each[i])
			continue;
		for (int j = 0; j < 40; j++) {
			char name[40];
			pid_t child = fork();

			if (child == 0)
				_exit(0);
			snprintf(name, sizeof(name), "%c/%d/status", 'a' + j % 2, child);
			close(open(name, O_RDONLY));
			snprintf(name, sizeof(name), "%c", 'a' + i % 2);
			if (i < 2 && (mount("proc", name, "proc", 0, "") || (lists(name, "self") != 1) || umount2(name, MNT_DETACH)))
				_exit(1);
			waitpid(child, NULL, 0);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status;

		waitpid(each[i], &status, 0);
		bad += status != 0;
	}
	CHECK_EQ(bad, 0);
}

/* Names of all descriptors in one mount, by both directories. */
static int look_at_descriptors(const char *where)
{
	char name[60];
	int found = 0;

	for (int fd = 100; fd < 900; fd++) {
		snprintf(name, sizeof(name), "%s/self/fdinfo/%d", where, fd);
		found += access(name, F_OK) == 0;
		snprintf(name, sizeof(name), "%s/self/fd/%d", where, fd);
		found += access(name, F_OK) == 0;
	}
	return found;
}

/* Mounts go while the kernel's cache of names is so full that it drops what is theirs. */
static void crowd(void)
{
	char name[12];
	pid_t each[2];
	int bad = 0;

	for (int fd = 100; fd < 900; fd++)
		dup2(1, fd);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		if (mkdir(name, 0755) || mount("proc", name, "proc", 0, "") || look_at_descriptors(name) != 1600)
			bad++;
	}
	CHECK_EQ(bad, 0);
	for (int i = 0; i < 2; i++) {
		each[i] = fork();
		if (each[i])
			continue;
		for (int j = 0; j < 4; j++) {
			snprintf(name, sizeof(name), "%c", 'a' + i);
			if (mount("proc", name, "proc", 0, "") || look_at_descriptors(name) != 1600 || umount2(name, 0))
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 2; i++) {
		int status;

		waitpid(each[i], &status, 0);
		bad += status != 0;
	}
	CHECK_EQ(bad, 0);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		bad += umount2(name, 0) || rmdir(name);
	}
	CHECK_EQ(bad, 0);
	for (int fd = 100; fd < 900; fd++)
		close(fd);
}

static void all(void)
{
	if (unshare(CLONE_NEWNS) == 0)
		mount("none", "/", NULL, MS_PRIVATE | MS_REC, NULL);
	if (mkdir("a", 0755) || mkdir("b", 0755))
		exit(2);
	options();
	instances();
	subset();
	hide();
	storm();
	crowd();
	rmdir("a");
	rmdir("b");
}

int main(void)
{
	own_directory("proc_instances");
	if (geteuid() == 0) {
		other = fork();
		if (other == 0) {
			pause();
			_exit(0);
		}
		in_child(all);
		kill(other, SIGKILL);
		waitpid(other, NULL, 0);
	}
	proof_remove();
	return test_done();
}
