/*
 * Ancillary data: descriptors and credentials, from and to the caller's control buffer.
 */
#include <linux/capability.h>

#include "modules/unix/internal.h"

#define HEADER sizeof(struct unix_cmsghdr)
#define OVERFLOW_ID 65534u

static int check_cred(const struct unix_ucred *c)
{
	struct identity me;

	service(authority)->identity(current, &me);
	if (c->pid != service(process)->pid() && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (c->uid != me.uid && c->uid != me.euid && c->uid != me.suid && !capable(CAP_SETUID))
		return -EPERM;
	if (c->gid != me.gid && c->gid != me.egid && c->gid != me.sgid && !capable(CAP_SETGID))
		return -EPERM;
	if (c->pid != service(process)->pid()) {
		struct thread *t = service(process)->thread_find(c->pid);

		if (!t)
			return -ESRCH;
		thread_put(t);
	}
	return 0;
}

static int parse_one(const struct unix_cmsghdr *h, struct unix_transfer *t)
{
	size_t n = h->length - HEADER;

	if (h->level != SOL_SOCKET)
		return 0;
	if (h->type == SCM_RIGHTS)
		return n >= sizeof(int32_t) ? unix_files_add(&t->files, (const int32_t *)(h + 1),
							      (unsigned int)(n / sizeof(int32_t))) : 0;
	if (h->type != SCM_CREDENTIALS || n != sizeof(t->cred))
		return -EINVAL;
	memcpy(&t->cred, h + 1, sizeof(t->cred));
	t->has_cred = true;
	return check_cred(&t->cred);
}

int unix_control_parse(uintptr_t control, uint64_t length, struct unix_transfer *t)
{
	size_t at = 0, size = (size_t)length;
	char *buffer;
	int error = 0;

	if (!length)
		return 0;
	if (length > SOCKET_OPTMEM_MAX)
		return -ENOBUFS;
	buffer = kmalloc(size, 0);
	if (!buffer)
		return -ENOBUFS;
	if (copy_from_user(buffer, control, size))
		error = -EFAULT;
	while (!error && size - at >= HEADER) {
		const struct unix_cmsghdr *h = (const struct unix_cmsghdr *)(buffer + at);

		if (h->length < HEADER || h->length > size - at) {
			error = -EINVAL;
			break;
		}
		error = parse_one(h, t);
		at += MIN(CMSG_PADDED(h->length), size - at);
	}
	kfree(buffer);
	return error;
}

/* One entry, cut to what there is room for. */
static int put_entry(struct unix_transfer *t, uintptr_t *control, size_t *room, int type, const void *data, size_t n)
{
	struct unix_cmsghdr h = { HEADER + n, SOL_SOCKET, type };

	if (*room < HEADER) {
		t->out_flags |= MSG_CTRUNC;
		return 0;
	}
	if (*room < h.length) {
		t->out_flags |= MSG_CTRUNC;
		h.length = *room;
	}
	if (copy_to_user(*control, &h, HEADER) || copy_to_user(*control + HEADER, data, h.length - HEADER))
		return -EFAULT;
	n = MIN(CMSG_PADDED(h.length), *room);
	*control += n;
	*room -= n;
	return 0;
}

/* As many of the files as fit become descriptors. A number that cannot be stored ends it, and is given back. */
static unsigned int install_files(const struct unix_files *files, uintptr_t where, unsigned int limit,
				  unsigned int fd_flags)
{
	unsigned int n = 0;

	for (; n < MIN(files->count, limit); n++) {
		int fd = fd_reserve(fd_flags);

		if (fd < 0)
			break;
		if (user_store_u32(where + n * sizeof(int32_t), (uint32_t)fd)) {
			fd_cancel(fd);
			break;
		}
		file_get(files->file[n]);
		fd_publish(fd, files->file[n]);
	}
	return n;
}

static void put_files(struct unix_transfer *t, uintptr_t *control, size_t *room)
{
	unsigned int limit = *room > HEADER ? (unsigned int)((*room - HEADER) / sizeof(int32_t)) : 0;
	unsigned int n = install_files(t->files, *control + HEADER, limit,
				       t->flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0);
	struct unix_cmsghdr h = { HEADER + n * sizeof(int32_t), SOL_SOCKET, SCM_RIGHTS };

	if (n < t->files->count)
		t->out_flags |= MSG_CTRUNC;
	/* As on Linux, descriptors stay open when the header cannot be stored. */
	if (n && !copy_to_user(*control, &h, HEADER)) {
		size_t used = MIN(CMSG_PADDED(h.length), *room);

		*control += used;
		*room -= used;
	}
	unix_files_drop(t->files);
	t->files = NULL;
}

/* Credentials that nobody noted when the message was sent are told as Linux's overflow ids. */
static int put_cred(struct unix_transfer *t, uintptr_t *control, size_t *room)
{
	struct unix_ucred c = t->cred;

	if (c.uid == ~0u)
		c.uid = OVERFLOW_ID;
	if (c.gid == ~0u)
		c.gid = OVERFLOW_ID;
	return put_entry(t, control, room, SCM_CREDENTIALS, &c, sizeof(c));
}

int unix_control_emit(struct unix_socket *s, struct unix_transfer *t, uintptr_t control, uint64_t *length)
{
	size_t room = control ? (size_t)*length : 0, all = room;
	int error = 0;

	if (!control && (t->files || READ_ONCE(s->pass_cred)))
		t->out_flags |= MSG_CTRUNC;
	if (control && READ_ONCE(s->pass_cred))
		error = put_cred(t, &control, &room);
	if (t->files && control && !error)
		put_files(t, &control, &room);
	if (t->files) {
		unix_files_drop(t->files);
		t->files = NULL;
	}
	*length = all - room;
	return error;
}
