/* What a new program gets and what it does not keep: words, environment, descriptors, handlers, masks, name, by path, descriptor and script. */
// libc: gcc
// calls: execve execveat
#include "include/proof.h"

#include <sys/auxv.h>
#include <sys/prctl.h>

static char self[200];

static int child(int argc, char **argv)
{
	struct sigaction a;
	sigset_t set;
	char name[16] = "";
	int keep = atoi(argv[2]), gone = atoi(argv[3]), error = 0;

	error |= argc != 5 || strcmp(argv[4], "") ? 1 : 0;
	error |= !getenv("KEY") || strcmp(getenv("KEY"), "value") || getenv("HOME") ? 2 : 0;
	error |= fcntl(keep, F_GETFD) != 0 || fcntl(gone, F_GETFD) != -1 ? 4 : 0;
	sigaction(SIGUSR1, NULL, &a);
	error |= a.sa_handler != SIG_DFL ? 8 : 0;
	sigaction(SIGUSR2, NULL, &a);
	error |= a.sa_handler != SIG_IGN ? 16 : 0;
	sigprocmask(SIG_SETMASK, NULL, &set);
	sigpending(&set);
	error |= !sigismember(&set, SIGTERM) ? 32 : 0;
	prctl(PR_GET_NAME, name);
	/* Of a program without a name, Linux has changed what it is called. */
	error |= strcmp(name, argv[0]) && argv[0][0] > '9' ? 64 : 0;
	error |= getauxval(AT_PAGESZ) != 4096 || !getauxval(AT_RANDOM) || getauxval(AT_SECURE) ? 128 : 0;
	return error;
}

static void on_signal(int sig) { (void)sig; }

static int status_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

static void prepare(char words[2][16])
{
	int keep = open("/dev/null", O_RDONLY), gone = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t set;

	sprintf(words[0], "%d", keep);
	sprintf(words[1], "%d", gone);
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGTERM);
}

static pid_t start(int how)
{
	char words[2][16], *args[] = { "program", "child", words[0], words[1], "", NULL }, *env[] = { "KEY=value", NULL };
	pid_t pid = fork();

	if (pid)
		return pid;
	prepare(words);
	if (how == 0)
		syscall(SYS_execve, "program", args, env);
	if (how == 1)
		syscall(SYS_execveat, open(".", O_PATH), "program", args, env, 0);
	if (how == 2) {
		int fd = open("program", O_PATH);

		args[0] = malloc(16);
		sprintf(args[0], "%d", fd);
		syscall(SYS_execveat, fd, "", args, env, AT_EMPTY_PATH);
	}
	_exit(255);
}

static void scripts(void)
{
	char *args[] = { "zero", "one", NULL }, *env[] = { NULL }, text[300];
	int fd = open("script", O_WRONLY | O_CREAT, 0700);
	pid_t pid;

	sprintf(text, "#! %s/program  script word \n", proof_name);
	if (write(fd, text, strlen(text)) < 0)
		exit(2);
	close(fd);
	pid = fork();
	if (pid == 0) {
		syscall(SYS_execve, "./script", args, env);
		_exit(255);
	}
	CHECK_EQ(status_of(pid), 0);
	unlink("script");
}

/* No words at all: a program gets one that is empty. */
static void wordless(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		syscall(SYS_execve, "program", NULL, NULL);
		_exit(255);
	}
	CHECK_EQ(status_of(pid), 33 << 8);
}

static void copy(const char *from, const char *to)
{
	char buf[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, n) != n)
			exit(2);
	close(in);
	close(out);
}

int main(int argc, char **argv)
{
	if (argc == 1 && argv[0][0] == 0)
		return 33;
	if (argc > 1 && !strcmp(argv[1], "child"))
		return child(argc, argv);
	/* The script's interpreter: its path, the one word of its line, the script, the words but the first. */
	if (argc > 1 && !strncmp(argv[1], "script", 6))
		return !(argc == 4 && !strcmp(argv[1], "script word") && !strcmp(argv[2], "./script") && !strcmp(argv[3], "one"));
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 2;
	own_directory("exec_images");
	copy(self, "program");
	for (int how = 0; how < 3; how++)
		CHECK_EQ(status_of(start(how)), 0);
	scripts();
	wordless();
	unlink("program");
	proof_remove();
	return test_done();
}
