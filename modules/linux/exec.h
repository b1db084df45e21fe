/*
 * Private to the exec parts of modules/linux: what they hand to each other.
 */
#pragma once

#include <linux/auxvec.h>
#include <linux/elf.h>

#include "core/mem/aspace.h"
#include "modules/linux/internal.h"
#include "modules/vfs/file.h"

#define EXEC_HEAD 256			/* bytes of the file that the format is told from */
#define EXEC_INTERPRETERS 5		/* nesting of #! */
#define EXEC_STRING_MAX (32 * PAGE_SIZE)
#define EXEC_AUX_MAX 24

/* Argument and environment strings in one growing buffer, each with its NUL; arguments first. */
struct exec_strings {
	char *data;
	size_t used, room, limit;
	unsigned int argc, envc;
	size_t env_at;			/* offset of the first environment string */
};

struct exec_image {
	uintptr_t entry;		/* of the program */
	uintptr_t start;		/* where execution begins: the interpreter's entry, or `entry` */
	uintptr_t phdr;			/* program headers in user memory */
	unsigned int phnum;
	uintptr_t base;			/* the interpreter's load address, 0 without */
	bool stack_exec;
};

struct exec {
	struct file *file;		/* opened by file_for_exec */
	struct file *script;		/* the first file, where it was a script; for AT_EXECFN only its name matters */
	char *name;			/* as given: AT_EXECFN */
	char *interpreter_name;		/* buffer of #! lines */
	char head[EXEC_HEAD];
	struct exec_strings strings;
	struct exec_image image;
	struct aspace *as;
	uintptr_t stack_top, stack_pointer;
	struct exec_change change;
	char *missing;			/* the interpreter that was not found; null: none */
	bool no_random;
	bool closes_script;		/* the name is /dev/fd/N of a descriptor that exec closes */
};

/* exec_strings.c. -E2BIG, -ENOMEM, -EFAULT. */
int exec_strings_init(struct exec_strings *s);
void exec_strings_free(struct exec_strings *s);
int exec_strings_user(struct exec_strings *s, uintptr_t argv, uintptr_t envp);
int exec_strings_kernel(struct exec_strings *s, const char *const *argv, const char *const *envp);
/* Puts `count` strings before the arguments, after dropping the first argument (scripts). */
int exec_strings_prepend(struct exec_strings *s, const char *const *words, unsigned int count);

/* exec.c: file_for_exec of an interpreter; one that is not there is noted in x->missing. */
int exec_open_interpreter(struct exec *x, const char *path, struct file **out);

/* exec_elf.c: maps the program and its interpreter into x->as. -ENOEXEC, ... */
int exec_load_elf(struct exec *x);

/* exec_stack.c: chooses the layout, maps stack and vDSO, writes the initial stack. */
int exec_layout(struct exec *x);
int exec_build_stack(struct exec *x);
