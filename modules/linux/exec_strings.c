/*
 * Arguments and environment of exec: read once from user memory into a buffer, within Linux's limits (a quarter of the stack limit at most 6 MiB in
 * all, 128 KiB a string).
 */
#include "exec.h"

#include "core/mem/uaccess.h"
#include "core/mem/vmap.h"

#define STRINGS_FIRST_ROOM 2048

int exec_strings_init(struct exec_strings *s)
{
	uint64_t limit = current_task ? process_limit(current_process, RLIMIT_STACK) / 4 : 128 * 1024;

	memset(s, 0, sizeof(*s));
	limit = MIN(limit, 6ul << 20);
	s->limit = MAX(limit, EXEC_STRING_MAX);
	s->room = STRINGS_FIRST_ROOM;
	s->data = kmalloc(s->room, 0);
	return s->data ? 0 : -ENOMEM;
}

void exec_strings_free(struct exec_strings *s)
{
	kvfree(s->data);
	s->data = NULL;
}

/* Room for `need` more bytes. */
static int reserve(struct exec_strings *s, size_t need)
{
	size_t room = s->room;
	char *data;

	if (s->used + need > s->limit)
		return -E2BIG;
	if (s->used + need <= room)
		return 0;
	while (room < s->used + need)
		room *= 2;
	data = kvmalloc(room, 0);
	if (!data)
		return -ENOMEM;
	memcpy(data, s->data, s->used);
	kvfree(s->data);
	s->data = data;
	s->room = room;
	return 0;
}

static int append_user(struct exec_strings *s, uintptr_t from)
{
	size_t taken = 0;

	for (;;) {
		size_t chunk = MIN(s->room - s->used, EXEC_STRING_MAX - taken);
		long n;
		int error;

		if (chunk == 0) {
			if (taken == EXEC_STRING_MAX)
				return -E2BIG;
			error = reserve(s, s->room - s->used + 1);
			if (error)
				return error;
			continue;
		}
		n = copy_string_from_user(s->data + s->used, (struct ustr){ from + taken }, chunk);
		if (n >= 0) {
			s->used += (size_t)n + 1;
			return s->used > s->limit ? -E2BIG : 0;
		}
		if (n != -ENAMETOOLONG)
			return (int)n;
		s->used += chunk;
		taken += chunk;
	}
}

/* A null-terminated array of user pointers; null means empty. */
static int append_vector(struct exec_strings *s, uintptr_t vector, unsigned int *count)
{
	for (uintptr_t at = vector; vector; at += sizeof(uint64_t)) {
		uint64_t pointer;
		int error;

		if (user_load_u64(at, &pointer))
			return -EFAULT;
		if (!pointer)
			break;
		/* Each pointer takes room on the new stack, too. */
		if ((*count + 1ul) * sizeof(uint64_t) > s->limit)
			return -E2BIG;
		error = append_user(s, pointer);
		if (error)
			return error;
		(*count)++;
		if (wait_interrupted(WAIT_KILLABLE))
			return -ERESTARTNOINTR;
	}
	return 0;
}

static int append_kernel(struct exec_strings *s, const char *text)
{
	size_t n = strlen(text) + 1;
	int error = reserve(s, n);

	if (error)
		return error;
	memcpy(s->data + s->used, text, n);
	s->used += n;
	return 0;
}

int exec_strings_user(struct exec_strings *s, uintptr_t argv, uintptr_t envp)
{
	int error = append_vector(s, argv, &s->argc);

	if (!error && s->argc == 0) {
		/* A program without argv[0] is given an empty one, as Linux does. */
		error = append_kernel(s, "");
		s->argc = 1;
	}
	s->env_at = s->used;
	return error ? error : append_vector(s, envp, &s->envc);
}

int exec_strings_kernel(struct exec_strings *s, const char *const *argv, const char *const *envp)
{
	int error = 0;

	for (; *argv && !error; argv++, s->argc++)
		error = append_kernel(s, *argv);
	s->env_at = s->used;
	for (; *envp && !error; envp++, s->envc++)
		error = append_kernel(s, *envp);
	return error;
}

int exec_strings_prepend(struct exec_strings *s, const char *const *words, unsigned int count)
{
	size_t first = strlen(s->data) + 1, add = 0;
	int error;

	for (unsigned int i = 0; i < count; i++)
		add += strlen(words[i]) + 1;
	error = reserve(s, add);
	if (error)
		return error;
	memmove(s->data + add, s->data + first, s->used - first);
	s->used += add - first;
	s->env_at += add - first;
	s->argc += count - 1;
	add = 0;
	for (unsigned int i = 0; i < count; i++) {
		size_t n = strlen(words[i]) + 1;

		memcpy(s->data + add, words[i], n);
		add += n;
	}
	return 0;
}
