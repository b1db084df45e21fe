/* Shared memory segments: attaching, counting over fork, exec, exit and splits, removal, names, permissions, the line in maps. */
// libc: gcc
// flags: -pthread
// calls: shmget shmat shmdt shmctl
#include "include/ipc.h"

#include <sys/shm.h>
#include <time.h>

#define MEG (1 << 20)

static int id;
static char *at;

static struct shmid_ds stat_of(int which)
{
	struct shmid_ds d = { 0 };

	if (shmctl(which, IPC_STAT, &d))
		d.shm_nattch = 999;
	return d;
}

static long attached(int which) { return (long)stat_of(which).shm_nattch; }

static void basic(void)
{
	struct shmid_ds d;
	time_t before = time(NULL);
	char *second, *ro;

	id = shmget(IPC_PRIVATE, 3 * 4096 - 100, IPC_CREAT | 0640);
	CHECK(id >= 0);
	d = stat_of(id);
	CHECK_EQ(d.shm_segsz, 3 * 4096 - 100);
	CHECK_EQ(d.shm_perm.mode, 0640);
	CHECK_EQ(d.shm_perm.uid, geteuid());
	CHECK_EQ(d.shm_perm.cgid, getegid());
	CHECK_EQ(d.shm_cpid, getpid());
	CHECK_EQ(d.shm_lpid, 0);
	CHECK_EQ(d.shm_nattch, 0);
	CHECK_EQ(d.shm_atime, 0);
	CHECK_EQ(d.shm_dtime, 0);
	CHECK(d.shm_ctime >= before - 1 && d.shm_ctime <= time(NULL));
	at = shmat(id, NULL, 0);
	CHECK(at != (void *)-1 && ((long)at & 4095) == 0);
	CHECK(at[0] == 0 && at[3 * 4096 - 1] == 0);
	second = shmat(id, NULL, 0);
	CHECK(second != at);
	strcpy(at + 5000, "seen twice");
	CHECK(!strcmp(second + 5000, "seen twice"));
	ro = shmat(id, NULL, SHM_RDONLY);
	CHECK(!strcmp(ro + 5000, "seen twice"));
	CHECK_ERRNO(mprotect(ro, 4096, PROT_READ | PROT_WRITE), EACCES);
	d = stat_of(id);
	CHECK_EQ(d.shm_nattch, 3);
	CHECK_EQ(d.shm_lpid, getpid());
	CHECK(d.shm_atime >= before - 1);
	CHECK_EQ(shmdt(ro), 0);
	CHECK_EQ(shmdt(second), 0);
	CHECK_EQ(attached(id), 1);
	CHECK(stat_of(id).shm_dtime >= before - 1);
	CHECK_ERRNO(shmdt(second), EINVAL);
}

static void in_maps(void)
{
	char line[300], want[40];
	FILE *f = fopen("/proc/self/maps", "r");
	int found = 0, keyed = shmget(0x4d4f5254, 100, IPC_CREAT | IPC_EXCL | 0600);
	char *p = shmat(keyed, NULL, 0);

	snprintf(want, sizeof(want), " %d ", keyed);
	while (f && fgets(line, sizeof(line), f))
		if (strtoul(line, NULL, 16) == (unsigned long)p)
			found = strstr(line, "/SYSV4d4f5254 (deleted)") && strstr(line, "rw-s 00000000") && strstr(line, want);
	CHECK(found);
	if (f)
		fclose(f);
	CHECK_EQ(shmget(0x4d4f5254, 50, 0), keyed);
	CHECK_EQ(shmget(0x4d4f5254, 100, IPC_CREAT | 0600), keyed);
	CHECK_ERRNO(shmget(0x4d4f5254, 101, 0), EINVAL);
	CHECK_ERRNO(shmget(0x4d4f5254, 100, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	/* Removed while attached: it stays, marked, without its key, until the last user goes. */
	CHECK_EQ(shmctl(keyed, IPC_RMID, NULL), 0);
	CHECK_EQ(stat_of(keyed).shm_perm.mode & SHM_DEST, SHM_DEST);
	CHECK_EQ(stat_of(keyed).shm_perm.__key, IPC_PRIVATE);
	CHECK_ERRNO(shmget(0x4d4f5254, 100, 0), ENOENT);
	strcpy(p, "still here");
	{
		char *again = shmat(keyed, NULL, 0);

		CHECK(again != (void *)-1 && !strcmp(again, "still here"));
		CHECK_EQ(shmdt(again), 0);
	}
	CHECK_EQ(shmdt(p), 0);
	CHECK_ERRNO(shmctl(keyed, IPC_STAT, (struct shmid_ds[1]){ 0 }), EINVAL);
}

static void child_counts(void)
{
	CHECK_EQ(attached(id), 2);
	CHECK(!strcmp(at + 5000, "seen twice"));
	strcpy(at, "from the child");
	CHECK_EQ(stat_of(id).shm_lpid, getppid());	/* fork attached it */
	CHECK_EQ(shmdt(at), 0);
	CHECK_EQ(attached(id), 1);
	CHECK_EQ(stat_of(id).shm_lpid, getpid());
}

static void processes(void)
{
	int status, ends[2];
	pid_t child;
	char c;

	in_child(child_counts);
	CHECK(!strcmp(at, "from the child"));
	/* Exit and a deadly signal detach; so does exec. */
	child = fork();
	if (!child)
		pause();
	CHECK_EQ(attached(id), 2);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	CHECK_EQ(attached(id), 1);
	CHECK_EQ(stat_of(id).shm_lpid, child);
	if (pipe(ends))
		exit(2);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	child = fork();
	if (!child) {
		close(ends[0]);
		execl("/proc/self/exe", "exec", "sleep", NULL);
		_exit(1);
	}
	close(ends[1]);
	CHECK_EQ(read(ends[0], &c, 1), 0);	/* exec closed it */
	for (int i = 0; i < 2000 && attached(id) != 1; i++)
		usleep(1000);
	CHECK_EQ(attached(id), 1);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(ends[0]);
}

/* Holes cut into a mapping make several: each counts; shmdt takes what is left of them. */
static void splits(void)
{
	int big = shmget(IPC_PRIVATE, 5 * 4096, 0600);
	char *p = shmat(big, NULL, 0), *other = shmat(big, NULL, 0);

	CHECK_EQ(attached(big), 2);
	CHECK_EQ(munmap(p + 4096, 4096), 0);
	CHECK_EQ(attached(big), 3);
	CHECK_EQ(mprotect(p + 3 * 4096, 4096, PROT_READ), 0);
	CHECK_EQ(attached(big), 5);
	CHECK_EQ(shmdt(p), 0);
	CHECK_EQ(attached(big), 1);
	CHECK_ERRNO(msync(p + 4 * 4096, 4096, MS_ASYNC), ENOMEM);
	/* Without its first page it still counts as attached there. */
	CHECK_EQ(munmap(other, 4096), 0);
	CHECK_EQ(attached(big), 1);
	CHECK_EQ(shmdt(other), 0);
	CHECK_EQ(attached(big), 0);
	CHECK_EQ(shmctl(big, IPC_RMID, NULL), 0);
}

static void places(void)
{
	char *area = mmap(NULL, MEG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;

	CHECK_ERRNO(shmat(id, area, 0), EINVAL);		/* in use */
	CHECK_ERRNO(shmat(id, area + 1, 0), EINVAL);
	CHECK_ERRNO(shmat(id, NULL, SHM_REMAP), EINVAL);
	p = shmat(id, area, SHM_REMAP);
	CHECK(p == area && !strcmp(p, "from the child"));
	area[3 * 4096] = 1;
	CHECK_EQ(shmdt(p), 0);
	munmap(area, MEG);
	p = shmat(id, area + 4096 + 77, SHM_RND);
	CHECK(p == area + 4096);
	CHECK_EQ(shmdt(p), 0);
	CHECK_EQ(attached(id), 1);
}

static void change(void)
{
	struct shmid_ds d = stat_of(id);
	char *p;

	d.shm_perm.mode = 0600 | 07000;
	d.shm_perm.uid = 1000;
	d.shm_perm.gid = 1001;
	CHECK_EQ(shmctl(id, IPC_SET, &d), 0);
	d = stat_of(id);
	CHECK_EQ(d.shm_perm.mode, 0600);
	CHECK_EQ(d.shm_perm.uid, 1000);
	CHECK_EQ(d.shm_perm.gid, 1001);
	CHECK_EQ(d.shm_perm.cuid, geteuid());
	d.shm_perm.mode = 0700;
	CHECK_EQ(shmctl(id, IPC_SET, &d), 0);
	p = shmat(id, NULL, SHM_EXEC);
	CHECK(p != (void *)-1);
	CHECK_EQ(shmdt(p), 0);
	d.shm_perm.uid = -1;
	CHECK_ERRNO(shmctl(id, IPC_SET, &d), EINVAL);
}

static void information(void)
{
	struct shminfo limits;
	struct shm_info use;
	int highest = shmctl(0, IPC_INFO, (void *)&limits), seen = 0;

	CHECK(highest >= 0);
	CHECK_EQ(limits.shmmin, 1);
	CHECK_EQ(limits.shmmni, 4096);
	CHECK(limits.shmmax > 1ul << 40);
	CHECK_EQ(shmctl(0, SHM_INFO, (void *)&use), highest);
	CHECK(use.used_ids >= 1 && use.shm_tot >= 3 && use.shm_rss >= 1);
	for (int i = 0; i <= highest; i++) {
		struct shmid_ds d;
		int found = shmctl(i, SHM_STAT, &d);

		if (found == id)
			seen = d.shm_segsz == 3 * 4096 - 100 && d.shm_nattch == 1;
		else
			CHECK(found >= 0 || errno == EINVAL);
		found = shmctl(i, 15, &d);	/* SHM_STAT_ANY */
		CHECK(found >= 0 || errno == EINVAL);
	}
	CHECK(seen);
	CHECK_EQ(shmctl(id, SHM_LOCK, NULL), 0);
	CHECK_EQ(stat_of(id).shm_perm.mode & SHM_LOCKED, SHM_LOCKED);
	CHECK_EQ(shmctl(id, SHM_LOCK, NULL), 0);
	CHECK_EQ(shmctl(id, SHM_UNLOCK, NULL), 0);
	CHECK_EQ(stat_of(id).shm_perm.mode & SHM_LOCKED, 0);
}

static void listed(void)
{
	FILE *f = fopen("/proc/sysvipc/shm", "r");
	char line[400];
	int seen = 0;

	CHECK(f && fgets(line, sizeof(line), f) && strstr(line, "key      shmid perms"));
	while (f && fgets(line, sizeof(line), f)) {
		long key, shmid, perms, size, cpid, lpid, n;

		if (sscanf(line, "%ld %ld %lo %ld %ld %ld %ld", &key, &shmid, &perms, &size, &cpid, &lpid, &n) == 7 && shmid == id)
			seen = key == 0 && perms == 0700 && size == 3 * 4096 - 100 && cpid == getpid() && n == 1;
	}
	CHECK(seen);
	if (f)
		fclose(f);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		pause();
		return 0;
	}
	own_ipc();
	basic();
	in_maps();
	processes();
	splits();
	places();
	change();
	information();
	listed();
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
	CHECK_EQ(shmdt(at), 0);
	CHECK_ERRNO(shmat(id, NULL, 0), EINVAL);
	return test_done();
}
