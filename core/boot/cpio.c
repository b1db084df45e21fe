/*
 * Reader of newc cpio archives in memory (cpio(5), "New ASCII Format"): no allocation, no state, any context.
 *
 * Invariant: `at` never passes `size`; each field is checked against size - at before it is used.
 */
#include "core/boot/cpio.h"

#include "core/lib/string.h"

#define HEADER_SIZE 110u
#define NAME_MAX_SIZE 4096u

enum { F_INO, F_MODE, F_UID, F_GID, F_NLINK, F_MTIME, F_SIZE, F_DEV_MAJOR, F_DEV_MINOR, F_RDEV_MAJOR, F_RDEV_MINOR,
       F_NAME_SIZE, F_CHECK, FIELDS };

static bool parse_hex(const char *s, uint32_t *out)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < 8; i++) {
		char c = s[i];

		v <<= 4;
		if (c >= '0' && c <= '9')
			v |= (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v |= (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v |= (uint32_t)(c - 'A' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

/* Parses one entry at `at`. Null, or what is wrong. *next is the offset behind it. */
static const char *parse_entry(const char *base, size_t size, size_t at, struct initrd_entry *e, size_t *next)
{
	const char *h = base + at;
	uint32_t field[FIELDS];
	size_t left = size - at, name_end, data_end;
	const char *name = h + HEADER_SIZE;

	if (left < HEADER_SIZE)
		return "header is cut off";
	if (memcmp(h, "070701", 6) && memcmp(h, "070702", 6))
		return "no newc header";
	for (unsigned int i = 0; i < FIELDS; i++)
		if (!parse_hex(h + 6 + 8 * i, &field[i]))
			return "header field is not a number";
	if (field[F_NAME_SIZE] == 0 || field[F_NAME_SIZE] > 2 * NAME_MAX_SIZE)
		return "length of a name is out of range";
	if (left - HEADER_SIZE < field[F_NAME_SIZE])
		return "name is cut off";
	if (name[field[F_NAME_SIZE] - 1] != '\0')
		return "name does not end";
	name_end = ALIGN_UP(HEADER_SIZE + (size_t)field[F_NAME_SIZE], 4);
	if (left < name_end && field[F_SIZE])
		return "data is cut off";
	if (field[F_SIZE] && left - name_end < field[F_SIZE])
		return "data is cut off";
	data_end = ALIGN_UP(name_end + field[F_SIZE], 4);
	*next = at + (data_end < left ? data_end : left);
	while (name[0] == '/' || (name[0] == '.' && name[1] == '/'))
		name += name[0] == '/' ? 1 : 2;
	*e = (struct initrd_entry){
		.name = name, .name_len = strlen(name), .mode = field[F_MODE], .uid = field[F_UID], .gid = field[F_GID],
		.nlink = field[F_NLINK], .mtime = field[F_MTIME], .ino = field[F_INO], .dev_major = field[F_DEV_MAJOR],
		.dev_minor = field[F_DEV_MINOR], .rdev_major = field[F_RDEV_MAJOR], .rdev_minor = field[F_RDEV_MINOR],
		.data = h + name_end, .size = field[F_SIZE],
	};
	if (e->name_len >= NAME_MAX_SIZE)
		return "name is too long";
	return NULL;
}

int cpio_for_each(const void *data, size_t size, int (*fn)(const struct initrd_entry *e, void *arg), void *arg,
		  void (*report)(void *report_arg, size_t offset, const char *what), void *report_arg)
{
	const char *base = data;
	size_t at = 0, next;

	while (at < size) {
		struct initrd_entry e;
		const char *wrong;
		int error;

		if (base[at] == '\0') {
			at++;		/* padding between archives */
			continue;
		}
		wrong = parse_entry(base, size, at, &e, &next);
		if (wrong) {
			report(report_arg, at, wrong);
			return 0;
		}
		at = next;
		if (e.name_len == 10 && !memcmp(e.name, "TRAILER!!!", 10))
			continue;
		error = fn(&e, arg);
		if (error)
			return error;
	}
	return 0;
}
