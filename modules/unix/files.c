/*
 * Descriptors in messages: from numbers to files and back to nothing.
 *
 * Dropping the last reference of a socket's file frees the messages in its queue, and those may hold further sockets, and so on
 * for as many as somebody cared to nest. So a thread that is dropping files already only notes further ones: the loop that
 * it came from drops them, at one depth of the stack.
 */
#include <linux/capability.h>
#include <linux/resource.h>

#include "modules/unix/internal.h"

/* A thread in unix_files_drop, on its stack. */
struct dropper {
	struct list link;
	struct thread *thread;
	struct unix_files *todo;	/* only the thread itself touches it */
};

static struct spinlock dropper_lock = SPINLOCK_INIT(dropper_lock);
static struct list droppers = LIST_INIT(droppers);

static bool too_many(const struct account *a)
{
	return READ_ONCE(a->used[ACCOUNT_RIGHTS]) > service(process)->rlimit(RLIMIT_NOFILE) && !account_privileged();
}

void unix_files_charge(const struct unix_files *files, bool leave)
{
	if (leave)
		account_sub(files->account, ACCOUNT_RIGHTS, files->count);
	else
		account_add(files->account, ACCOUNT_RIGHTS, files->count);
}

/* A copy with room for more, the references not raised. Null when out. */
static struct unix_files *grow(const struct unix_files *old, unsigned int more)
{
	unsigned int count = old ? old->count : 0;
	struct unix_files *f = kzalloc(sizeof(*f) + (count + more) * sizeof(f->file[0]), 0);

	if (f && old)
		memcpy(f, old, sizeof(*f) + count * sizeof(f->file[0]));
	return f;
}

int unix_files_add(struct unix_files **files, const int32_t *fds, unsigned int count)
{
	unsigned int had = *files ? (*files)->count : 0;
	struct unix_files *f;

	if (had + count > SCM_FILES_MAX)
		return -EINVAL;
	f = grow(*files, count);
	if (!f)
		return -ENOMEM;
	kfree(*files);
	*files = f;
	if (!f->account)
		f->account = account_find();
	if (!f->account)
		return -ENOMEM;
	for (unsigned int i = 0; i < count; i++) {
		struct fd_ref r;
		int error = fd_get_raw(fds[i], &r);

		if (error)
			return error;
		if (!r.counted)
			file_get(r.file);
		f->file[f->count++] = r.file;
		f->sockets += unix_of_file(r.file) != NULL;
	}
	return too_many(f->account) ? -ETOOMANYREFS : 0;
}

struct unix_files *unix_files_copy(const struct unix_files *files)
{
	struct unix_files *f = grow(files, 0);

	if (!f)
		return NULL;
	for (unsigned int i = 0; i < f->count; i++)
		file_get(f->file[i]);
	account_get(f->account);
	return f;
}

/* Hands the files to the loop that the thread is in: false if it is in none. */
static bool drop_later(struct unix_files *files)
{
	struct dropper *d;
	bool found = false;

	spin_lock(&dropper_lock);
	list_for_each(d, &droppers, link) {
		if (d->thread == current) {
			files->next = d->todo;
			d->todo = files;
			found = true;
			break;
		}
	}
	spin_unlock(&dropper_lock);
	return found;
}

void unix_files_drop(struct unix_files *files)
{
	struct dropper self = { .thread = current, .todo = files };

	if (drop_later(files))
		return;
	files->next = NULL;
	spin_lock(&dropper_lock);
	list_add_head(&droppers, &self.link);
	spin_unlock(&dropper_lock);
	while (self.todo) {
		files = self.todo;
		self.todo = files->next;
		for (unsigned int i = 0; i < files->count; i++)
			file_put(files->file[i]);
		account_put(files->account);
		kfree(files);
	}
	spin_lock(&dropper_lock);
	list_remove(&self.link);
	spin_unlock(&dropper_lock);
}
