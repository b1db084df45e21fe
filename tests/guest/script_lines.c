/* The first line of a script: blanks, arguments, ends, what is too long, scripts of scripts; and exec without arguments. */
// calls: execve execveat
// errors: execve execveat
#include "include/proof.h"

static char out[4096];

/* The program itself shows its arguments. */
static int show(int argc, char **argv)
{
	printf("%d", argc);
	for (int i = 0; i < argc; i++)
		printf("|%s", argv[i]);
	fflush(stdout);
	return 0;
}

static void script(const char *name, const char *text, size_t n)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	if (write(fd, text, n) != (long)n)
		exit(2);
	close(fd);
}

/* 0 and what it showed, or the errno of the exec. `how` 'n': by name, 'd': by descriptor, 'c': by one that closes, 'e': without arguments. */
static int run(const char *name, int how)
{
	char *args[] = { "zero", "one", NULL }, *none[] = { NULL }, *environment[] = { "SHOW=1", NULL };
	int ends[2], status;
	size_t used = 0;
	pid_t child;
	long n;

	if (pipe(ends))
		exit(2);
	child = fork();
	if (child == 0) {
		int fd;

		dup2(ends[1], 1);
		if (how == 'n' || how == 'e') {
			syscall(SYS_execve, name, how == 'e' ? none : args, environment);
		} else {
			fd = open(name, O_RDONLY | (how == 'c' ? O_CLOEXEC : 0));
			dup3(fd, 50, how == 'c' ? O_CLOEXEC : 0);
			syscall(SYS_execveat, 50, "", args, environment, 0x1000);
		}
		_exit(errno);
	}
	close(ends[1]);
	while ((n = read(ends[0], out + used, sizeof(out) - 1 - used)) > 0)
		used += n;
	out[used] = 0;
	close(ends[0]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define SHOWS(name, how, text) (CHECK_EQ(run(name, how), 0), CHECK(!strcmp(out, text)))
#define LINE(text) script("s", text, sizeof(text) - 1)

static void lines(void)
{
	LINE("#!./i\n");
	SHOWS("s", 'n', "3|./i|s|one");
	SHOWS("./s", 'n', "3|./i|./s|one");
	SHOWS("s", 'd', "3|./i|/dev/fd/50|one");
	CHECK_EQ(run("s", 'c'), ENOENT);
	LINE("#! \t./i \t a b  c \t\nmore");
	SHOWS("s", 'n', "4|./i|a b  c|s|one");
	LINE("#!./i");
	SHOWS("s", 'n', "3|./i|s|one");
	LINE("#!./i word");
	SHOWS("s", 'n', "4|./i|word|s|one");
	LINE("#!./i \t");
	SHOWS("s", 'n', "4|./i||s|one");
	LINE("#!./i\0junk\n");
	SHOWS("s", 'n', "3|./i|s|one");
	LINE("#!./i wo\0rd\n");
	SHOWS("s", 'n', "4|./i|wo|s|one");
	LINE("#!./i\r\n");
	CHECK_EQ(run("s", 'n'), ENOENT);
	LINE("#!\n");
	CHECK_EQ(run("s", 'n'), ENOEXEC);
	LINE("#! \t\n./i");
	CHECK_EQ(run("s", 'n'), ENOEXEC);
	LINE("#!");
	CHECK_EQ(run("s", 'n'), EACCES);
	LINE("#");
	CHECK_EQ(run("s", 'n'), ENOEXEC);
	LINE("#!/\n");
	CHECK_EQ(run("s", 'n'), EACCES);
	chmod("s", 0644);
	CHECK_EQ(run("s", 'n'), EACCES);
	chmod("s", 0755);
}

static void long_lines(void)
{
	char text[1000];

	memset(text, 'x', sizeof(text));
	memcpy(text, "#!./i ", 6);
	script("s", text, sizeof(text));
	CHECK_EQ(run("s", 'n'), 0);
	CHECK_EQ(strlen(out), strlen("4|./i||s|one") + 255 - 6);
	/* One that ends with the head of the file, and one by a byte longer. */
	text[255] = '\n';
	script("s", text, sizeof(text));
	CHECK_EQ(run("s", 'n'), 0);
	CHECK_EQ(strlen(out), strlen("4|./i||s|one") + 255 - 6);
	script("s", text, 255);
	CHECK_EQ(run("s", 'n'), 0);
	CHECK_EQ(strlen(out), strlen("4|./i||s|one") + 255 - 6);
	/* A path that may go on cannot be run. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "#!./", 4);
	text[600] = '\n';
	script("s", text, sizeof(text));
	CHECK_EQ(run("s", 'n'), ENOEXEC);
	memset(text + 2, ' ', 300);
	script("s", text, sizeof(text));
	CHECK_EQ(run("s", 'n'), ENOEXEC);
	memcpy(text + 200, "./i", 3);
	script("s", text, sizeof(text));
	SHOWS("s", 'n', "3|./i|s|one");
}

static void nested(void)
{
	char name[2] = "0", text[20];

	script("0", "#!./i\n", 6);
	for (int i = 1; i < 6; i++) {
		name[0] = '0' + i;
		script(name, text, snprintf(text, sizeof(text), "#!./%d\n", i - 1));
	}
	SHOWS("4", 'n', "7|./i|./0|./1|./2|./3|4|one");
	CHECK_EQ(run("5", 'n'), ELOOP);
	for (int i = 0; i < 6; i++) {
		name[0] = '0' + i;
		unlink(name);
	}
}

int main(int argc, char **argv)
{
	char me[256];
	long n;

	if (getenv("SHOW"))
		return show(argc, argv);
	own_directory("script_lines");
	n = readlink("/proc/self/exe", me, sizeof(me) - 1);
	me[n < 0 ? 0 : n] = 0;
	if (symlink(me, "i"))
		return 2;
	SHOWS("./i", 'e', "1|");
	lines();
	long_lines();
	nested();
	unlink("i");
	unlink("s");
	proof_remove();
	return test_done();
}
