/* What executing refuses: names, permissions, formats, sizes, pointers. */
// libc: gcc
// errors: execve execveat
#include "include/proof.h"

#include <elf.h>
#include <stdint.h>

static char *args[] = { "program", NULL }, *env[] = { NULL };

static void program(const char *name, const void *text, size_t size, int mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	if (fd < 0 || write(fd, text, size) != (ssize_t)size || fchmod(fd, mode))
		exit(2);
	close(fd);
}

static void formats(void)
{
	Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC,
			 .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = sizeof(h), .e_ehsize = sizeof(h),
			 .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1 };

	program("garbage", "\1\2\3\4 and more that is no program", 30, 0700);
	FAILS(ENOEXEC, execve, "garbage", args, env);
	program("garbage", "", 0, 0700);
	FAILS(ENOEXEC, execve, "garbage", args, env);
	program("garbage", &h, sizeof(h), 0700);		/* its program headers are not there */
	if (fork() == 0) {
		execve("garbage", args, env);
		_exit(errno == ENOEXEC || errno == EIO || errno == EINVAL ? 0 : 1);
	} else {
		int status;

		wait(&status);
		CHECK_EQ(status, 0);
	}
	h.e_machine = EM_AARCH64;
	program("garbage", &h, sizeof(h), 0700);
	FAILS(ENOEXEC, execve, "garbage", args, env);
	h.e_machine = EM_X86_64;
	h.e_type = ET_REL;
	program("garbage", &h, sizeof(h), 0700);
	FAILS(ENOEXEC, execve, "garbage", args, env);
	program("garbage", "#! \t\n", 5, 0700);
	FAILS(ENOEXEC, execve, "garbage", args, env);
	program("garbage", "#!/none/such\n", 13, 0700);
	FAILS(ENOENT, execve, "garbage", args, env);
	program("garbage", "#!/\n", 4, 0700);
	FAILS(EACCES, execve, "garbage", args, env);
	unlink("garbage");
	/* Scripts of scripts, without an end. */
	program("endless", "#!./endless\n", 12, 0700);
	FAILS(ELOOP, execve, "./endless", args, env);
	unlink("endless");
}

static void names(void)
{
	int dir = open("dir", O_RDONLY), file = open("file", O_RDONLY);

	FAILS(ENOENT, execve, "none", args, env);
	FAILS(ENOENT, execve, "", args, env);
	FAILS(ENOENT, execve, "dangling", args, env);
	FAILS(ENOTDIR, execve, "file/below", args, env);
	FAILS(ELOOP, execve, "loop", args, env);
	FAILS(ENAMETOOLONG, execve, long_name, args, env);
	FAILS(ENAMETOOLONG, execve, long_path, args, env);
	FAILS(EACCES, execve, "dir", args, env);
	FAILS(EACCES, execve, "file", args, env);
	FAILS(EACCES, execve, "/dev/null", args, env);
	FAILS(EINVAL, execveat, AT_FDCWD, "file", args, env, 0x80000);
	FAILS(EBADF, execveat, 9999, "file", args, env, 0);
	FAILS(ENOTDIR, execveat, file, "file", args, env, 0);
	FAILS(ENOENT, execveat, dir, "none", args, env, 0);
	FAILS(ENOENT, execveat, dir, "", args, env, 0);
	FAILS(EACCES, execveat, dir, "", args, env, AT_EMPTY_PATH);
	FAILS(EACCES, execveat, file, "", args, env, AT_EMPTY_PATH);
	FAILS(ELOOP, execveat, AT_FDCWD, "link", args, env, AT_SYMLINK_NOFOLLOW);
	close(dir);
	close(file);
}

static void pointers(void)
{
	char *bad[] = { (char *)8, NULL };
	char **edge = proof_edge(sizeof(char *), NULL);

	edge[0] = "program";		/* and no end */
	FAULTS(execve, 0, 0, 0, P(args), P(env));
	FAULTS(execveat, 1, 0, AT_FDCWD, 0, P(args), P(env), 0);
	FAILS(EFAULT, execve, "program", (void *)8, env);
	FAILS(EFAULT, execve, "program", args, (void *)8);
	FAILS(EFAULT, execve, "program", bad, env);
	FAILS(EFAULT, execve, "program", args, bad);
	FAILS(EFAULT, execve, "program", edge, env);
	FAILS(EFAULT, execveat, AT_FDCWD, "program", edge, env, 0);
	FAILS(EFAULT, execve, "program", (void *)0xffff888000001000ul, env);
}

static void sizes(void)
{
	size_t count = 100000;
	char *huge = malloc(140000), *line = malloc(100000), **many = malloc((count + 1) * sizeof(*many)), *one[] = { huge, NULL };

	memset(huge, 'x', 139999);
	huge[139999] = 0;
	memset(line, 'y', 99999);
	line[99999] = 0;
	FAILS(E2BIG, execve, "program", one, env);
	FAILS(E2BIG, execve, "program", args, one);
	for (size_t i = 0; i < count; i++)
		many[i] = line;
	many[count] = NULL;
	FAILS(E2BIG, execve, "program", many, env);
	FAILS(E2BIG, execveat, AT_FDCWD, "program", args, many, 0);
	free(huge);
	free(line);
	free(many);
}

static void permissions(void)
{
	FAILS(EACCES, execve, "closed/file", args, env);
	FAILS(EACCES, execve, "mine", args, env);
	FAILS(EACCES, execveat, AT_FDCWD, "mine", args, env, 0);
}

static void busy(void)
{
	int fd = open("program", O_RDWR);

	FAILS(ETXTBSY, execve, "program", args, env);
	FAILS(ETXTBSY, execveat, AT_FDCWD, "program", args, env, 0);
	close(fd);
}

int main(void)
{
	char *text = malloc(4 << 20);
	int fd = open("/proc/self/exe", O_RDONLY);
	ssize_t size = read(fd, text, 4 << 20);

	close(fd);
	own_directory("exec_errors");
	own_names();
	program("program", text, size, 0755);
	program("mine", text, size, 0700);
	formats();
	names();
	pointers();
	sizes();
	as_user(permissions);
	busy();
	unlink("program");
	unlink("mine");
	own_names_remove();
	return test_done();
}
