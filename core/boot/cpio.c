/*
 * Reader of newc cpio archives in memory (cpio(5), "New ASCII Format"): no allocation, no state, any context.
 *
 * Invariant: `at` never passes `size`; each field is checked against size - at before it is used.
 */
#include "core/boot/cpio.h"

#include "core/lib/string.h"

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

const char *cpio_parse_header(const char *h, struct initrd_entry *e, uint32_t *name_size)
{
	uint32_t field[FIELDS];

	if (memcmp(h, "070701", 6) && memcmp(h, "070702", 6))
		return "no newc header";
	for (unsigned int i = 0; i < FIELDS; i++)
		if (!parse_hex(h + 6 + 8 * i, &field[i]))
			return "header field is not a number";
	if (field[F_NAME_SIZE] == 0 || field[F_NAME_SIZE] > CPIO_NAME_MAX)
		return "length of a name is out of range";
	*name_size = field[F_NAME_SIZE];
	*e = (struct initrd_entry){
		.mode = field[F_MODE], .uid = field[F_UID], .gid = field[F_GID], .nlink = field[F_NLINK],
		.mtime = field[F_MTIME], .ino = field[F_INO], .dev_major = field[F_DEV_MAJOR],
		.dev_minor = field[F_DEV_MINOR], .rdev_major = field[F_RDEV_MAJOR], .rdev_minor = field[F_RDEV_MINOR],
		.size = field[F_SIZE],
	};
	return NULL;
}

const char *cpio_parse_name(const char *name, uint32_t name_size, struct initrd_entry *e)
{
	if (name[name_size - 1] != '\0')
		return "name does not end";
	while (name[0] == '/' || (name[0] == '.' && name[1] == '/'))
		name += name[0] == '/' ? 1 : 2;
	e->name = name;
	e->name_len = strlen(name);
	return e->name_len >= CPIO_PATH_SIZE ? "name is too long" : NULL;
}

bool cpio_is_trailer(const struct initrd_entry *e)
{
	return e->name_len == 10 && !memcmp(e->name, "TRAILER!!!", 10);
}

/* Parses one entry at `at`. Null, or what is wrong. *next is the offset behind it. */
static const char *parse_entry(const char *base, size_t size, size_t at, struct initrd_entry *e, size_t *next)
{
	const char *h = base + at, *wrong;
	size_t left = size - at, name_end, data_end;
	uint32_t name_size;

	if (left < CPIO_HEADER)
		return left < 6 || !memcmp(h, "0707", 4) ? "header is cut off" : "no newc header";
	wrong = cpio_parse_header(h, e, &name_size);
	if (wrong)
		return wrong;
	if (left - CPIO_HEADER < name_size)
		return "name is cut off";
	wrong = cpio_parse_name(h + CPIO_HEADER, name_size, e);
	if (wrong)
		return wrong;
	name_end = ALIGN_UP(CPIO_HEADER + (size_t)name_size, 4);
	if (e->size && (left < name_end || left - name_end < e->size))
		return "data is cut off";
	e->data = h + name_end;
	data_end = ALIGN_UP(name_end + e->size, 4);
	*next = at + (data_end < left ? data_end : left);
	return NULL;
}

const char *cpio_entry_at(const void *data, size_t size, size_t at, struct initrd_entry *e)
{
	size_t next;

	return parse_entry(data, size, at, e, &next);
}

size_t cpio_end(const void *data, size_t size, const char **wrong)
{
	const char *base = data;
	size_t at = 0, next = 0;

	for (*wrong = NULL; at < size; at = next) {
		struct initrd_entry e;

		next = at + 1;
		if (base[at] != '\0')
			*wrong = parse_entry(base, size, at, &e, &next);
		if (*wrong)
			break;
	}
	return at;
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
		if (cpio_is_trailer(&e))
			continue;
		error = fn(&e, arg);
		if (error)
			return error;
	}
	return 0;
}
