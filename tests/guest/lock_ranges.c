/* Record locks of several owners against a model of every byte: what is refused, merged, cut and given back. */
// calls: fcntl
#include "include/proof.h"

#ifndef F_OFD_SETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif
#define OWNERS 4
#define BYTES 48
#define STEPS 4000

static unsigned int seed = 12345;
static int fd[OWNERS], watcher;
static char held[OWNERS][BYTES];	/* 0, 'r', 'w' */

static unsigned int draw(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static int call(int file, int command, int type, int start, int length, struct flock *l)
{
	memset(l, 0, sizeof(*l));
	l->l_type = type;
	l->l_start = start;
	l->l_len = length;
	return fcntl(file, command, l);
}

static int refused(int owner, int type, int from, int to)
{
	for (int o = 0; o < OWNERS; o++)
		for (int b = from; o != owner && b < to; b++)
			if (held[o][b] == 'w' || (held[o][b] == 'r' && type == F_WRLCK))
				return 1;
	return 0;
}

/* One step; 1 if the kernel did what the model says. */
static int step(void)
{
	static const int types[] = { F_RDLCK, F_WRLCK, F_UNLCK };
	int owner = draw(OWNERS), type = types[draw(3)], from = draw(BYTES), to = from + 1 + draw(BYTES - from), no;
	struct flock l;

	if (draw(8))
		to = from + 1 + draw(to - from < 5 ? to - from : 5);
	no = type != F_UNLCK && refused(owner, type, from, to);
	if (call(fd[owner], F_OFD_SETLK, type, from, to - from, &l) != (no ? -1 : 0))
		return 0;
	for (int b = from; !no && b < to; b++)
		held[owner][b] = type == F_UNLCK ? 0 : type == F_RDLCK ? 'r' : 'w';
	return 1;
}

/* Each byte as somebody sees it who has no lock: the first one in the way covers it, and is as long as its owner's run. */
static int as_told(void)
{
	struct flock l;

	for (int b = 0; b < BYTES; b++) {
		int reads = 0, writes = 0, fits = 0;

		for (int o = 0; o < OWNERS; o++) {
			reads += held[o][b] == 'r';
			writes += held[o][b] == 'w';
		}
		if (call(watcher, F_OFD_GETLK, F_WRLCK, b, 1, &l))
			return 0;
		if ((l.l_type == F_UNLCK) != (!reads && !writes) || (writes && l.l_type != F_WRLCK))
			return 0;
		for (int o = 0; l.l_type != F_UNLCK && o < OWNERS; o++) {
			int from = b, to = b + 1;

			if (!held[o][b])
				continue;
			while (from > 0 && held[o][from - 1] == held[o][b])
				from--;
			while (to < BYTES && held[o][to] == held[o][b])
				to++;
			fits |= l.l_start == from && l.l_len == to - from;
		}
		if (l.l_type != F_UNLCK && !fits)
			return 0;
		if (call(watcher, F_OFD_GETLK, F_RDLCK, b, 1, &l) || (l.l_type == F_WRLCK) != !!writes)
			return 0;
	}
	return 1;
}

int main(void)
{
	int right = 1, i;

	own_directory("lock_ranges");
	watcher = own_file("file", "");
	for (i = 0; i < OWNERS; i++)
		fd[i] = open("file", O_RDWR);
	for (i = 0; i < STEPS && right; i++) {
		right = step();
		if (right && i % 10 == 0)
			right = as_told();
	}
	CHECK_EQ(i, STEPS);
	CHECK(as_told());
	/* Closing gives back what was the file's. */
	for (i = 0; i < OWNERS; i++) {
		close(fd[i]);
		memset(held[i], 0, BYTES);
	}
	CHECK(as_told());
	unlink("file");
	proof_remove();
	return test_done();
}
