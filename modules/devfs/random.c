/*
 * /dev/random and /dev/urandom: the kernel's generator as files (random(4)).
 *
 * random waits, when it is read, until the generator has seen enough entropy; urandom never does. What
 * is written to either stirs the generator and is credited with nothing; only RNDADDENTROPY and
 * RNDADDTOENTCNT credit, and they want CAP_SYS_ADMIN. Reading is interruptible after each page.
 *
 * No state and no locks of its own. Thread context.
 */
#include <linux/capability.h>
#include <linux/random.h>

#include "core/lib/random.h"
#include "modules/devfs/internal.h"
#include "modules/vfs/poll.h"

static long urandom_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	unsigned char block[256];
	long total = 0;

	while (to->count) {
		size_t n = MIN(to->count, sizeof(block)), done;

		random_bytes(block, n);
		done = io_iter_write(to, block, n);
		total += (long)done;
		if (done < n) {
			total = total ? total : -EFAULT;
			break;
		}
		if (total % (long)PAGE_SIZE == 0 && wait_interrupted(WAIT_INTERRUPTIBLE))
			break;
	}
	memset(block, 0, sizeof(block));
	return total;
}

static long random_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	if (unlikely(!random_ready()) && to->count) {
		int error = io_flags & IO_NONBLOCK ? -EAGAIN : random_wait_ready();

		if (error)
			return error == -EINTR ? -ERESTARTSYS : error;
	}
	return urandom_read(f, to, pos, io_flags);
}

static unsigned int random_poll(struct file *f, struct poll_table *table)
{
	poll_wait(table, f, &random_ready_wait);
	return random_ready() ? EPOLLIN | EPOLLRDNORM : EPOLLOUT | EPOLLWRNORM;
}

static long random_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	unsigned char block[64];
	long total = 0;

	while (from->count) {
		size_t n = MIN(from->count, sizeof(block)), done = io_iter_read(from, block, n);

		random_mix(block, done);
		total += (long)done;
		if (done < n)
			return total ? total : -EFAULT;
		if (total % (long)PAGE_SIZE == 0 && wait_interrupted(WAIT_INTERRUPTIBLE))
			break;
	}
	return total;
}

/* struct rand_pool_info: the bits to credit, the size of the data in bytes, the data. */
static long add_entropy(uintptr_t arg)
{
	unsigned char block[64];
	uint32_t bits, size;

	if (user_load_u32(arg, &bits) || user_load_u32(arg + 4, &size))
		return -EFAULT;
	if (bits > INT32_MAX || size > INT32_MAX)
		return -EINVAL;
	for (uint32_t at = 0; at < size;) {
		size_t n = MIN(size - at, (uint32_t)sizeof(block));

		if (copy_from_user(block, arg + 8 + at, n))
			return -EFAULT;
		at += (uint32_t)n;
		random_mix(block, n);
		if (at % PAGE_SIZE == 0 && wait_interrupted(WAIT_KILLABLE))
			return -EINTR;
	}
	random_add(NULL, 0, bits);
	return 0;
}

static long credit_only(uintptr_t arg)
{
	uint32_t bits;

	if (user_load_u32(arg, &bits))
		return -EFAULT;
	if (bits > INT32_MAX)
		return -EINVAL;
	random_add(NULL, 0, bits);
	return 0;
}

static long reseed(void)
{
	if (!random_ready())
		return -ENODATA;
	random_reseed();
	return 0;
}

static long random_ioctl(struct file *f, unsigned int cmd, uintptr_t arg)
{
	if (cmd == RNDGETENTCNT)
		return user_store_u32(arg, random_entropy_bits());
	if (cmd != RNDADDTOENTCNT && cmd != RNDADDENTROPY && cmd != RNDZAPENTCNT && cmd != RNDCLEARPOOL &&
	    cmd != RNDRESEEDCRNG)
		return -EINVAL;
	if (!service(authority)->capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (cmd) {
	case RNDADDENTROPY:
		return add_entropy(arg);
	case RNDADDTOENTCNT:
		return credit_only(arg);
	case RNDRESEEDCRNG:
		return reseed();
	default:
		return 0;	/* nothing can be taken back from a generator of this kind, as on Linux */
	}
}

/* random(4): both can be moved in, to no effect. */
static int64_t random_seek(struct file *f, int64_t offset, int whence)
{
	return f->pos = 0;
}

const struct file_ops random_ops = {
	.read = random_read, .write = random_write, .ioctl = random_ioctl, .poll = random_poll,
	.seek = random_seek,
};
const struct file_ops urandom_ops = {
	.read = urandom_read, .write = random_write, .ioctl = random_ioctl, .seek = random_seek,
};
