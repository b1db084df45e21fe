/* The kernel's log by syslog: its size, its text read without taking it away, marks of what was cleared. */
// libc: gcc
// calls: syslog
#include "include/proof.h"

static char text[1 << 20];

int main(void)
{
	long size, n;

	if (geteuid() != 0)
		return test_done();
	size = syscall(SYS_syslog, 10, NULL, 0);
	CHECK(size >= 4096);
	n = syscall(SYS_syslog, 3, text, (int)sizeof(text));
	CHECK(n > 0);
	CHECK(text[0] == '<' && memchr(text, '\n', n));
	/* Reading all takes nothing away. */
	CHECK(syscall(SYS_syslog, 3, text, (int)sizeof(text)) >= n);
	/* A small buffer gets the last whole lines. */
	n = syscall(SYS_syslog, 3, text, 200);
	CHECK(n >= 0 && n <= 200);
	GIVES(0, syslog, 0, NULL, 0);
	GIVES(0, syslog, 1, NULL, 0);
	CHECK(syscall(SYS_syslog, 9, NULL, 0) >= 0);
	return test_done();
}
