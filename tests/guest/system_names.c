/* Names and figures of the system: uname, host and domain names (in a name space of its own where there is such a thing), sysinfo. */
// libc: gcc
// calls: uname sethostname setdomainname sysinfo getrandom
#include <stdbool.h>

#include "include/proof.h"

#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

struct names { char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65]; };

static struct names n;

static void names(void)
{
	char longest[64];

	if (unshare(CLONE_NEWUTS) && !strstr(n.release, "mortise"))
		return;
	GIVES(0, sethostname, "a-host", 6);
	GIVES(0, setdomainname, "a.domain", 8);
	GIVES(0, uname, &n);
	CHECK(!strcmp(n.nodename, "a-host") && !strcmp(n.domainname, "a.domain"));
	/* The length counts, not an end within the name. */
	GIVES(0, sethostname, "shorter", 3);
	GIVES(0, uname, &n);
	CHECK(!strcmp(n.nodename, "sho"));
	memset(longest, 'h', 64);
	GIVES(0, sethostname, longest, 64);
	GIVES(0, uname, &n);
	CHECK(strlen(n.nodename) == 64);
	GIVES(0, sethostname, "mortise", 7);
}

static void random_bytes(void)
{
	unsigned char a[512] = { 0 }, b[512] = { 0 };
	int zeros = 0;

	GIVES(512, getrandom, a, 512l, 0);
	GIVES(512, getrandom, b, 512l, GRND_NONBLOCK | GRND_RANDOM);
	CHECK(memcmp(a, b, 512));
	for (int i = 0; i < 512; i++)
		zeros += !a[i];
	CHECK(zeros < 30);
	GIVES(7, getrandom, a, 7l, GRND_INSECURE);
}

int main(void)
{
	struct sysinfo before, after;
	bool shows = false;
	char *memory;

	GIVES(0, uname, &n);
	CHECK(!strcmp(n.sysname, "Linux") && n.release[0] >= '5' && n.release[1] == '.' && strlen(n.machine) > 5);
	if (geteuid() == 0)
		in_child(names);
	GIVES(0, sysinfo, &before);
	CHECK(before.mem_unit && before.totalram > before.freeram && before.uptime > 0 && before.procs > 0);
	/* What is used is not free. Freed pages that a processor keeps at hand count as used: so much that it cannot be those. */
	GIVES(0, sysinfo, &before);
	for (int i = 0; i < 16 && !shows; i++) {
		memory = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		CHECK(memory != MAP_FAILED);
		GIVES(0, sysinfo, &after);
		shows = before.freeram > after.freeram && (before.freeram - after.freeram) * after.mem_unit > 32 << 20;
	}
	CHECK(shows);
	random_bytes();
	return test_done();
}
