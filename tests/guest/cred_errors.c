/* What the calls on ids, groups and capabilities refuse. */
// libc: gcc
// calls: setregid setresgid getresgid getgroups setgid
// errors: setuid setgid setreuid setregid setresuid getresuid setresgid getresgid getgroups setgroups capget capset
#include "include/proof.h"

#include <linux/capability.h>
#include <stdint.h>

static void unprivileged(void)
{
	gid_t list[2] = { 1, 2 };

	FAILS(EPERM, setuid, 0);
	FAILS(EPERM, setgid, 0);
	FAILS(EPERM, setreuid, 0, -1);
	FAILS(EPERM, setreuid, -1, 0);
	FAILS(EPERM, setregid, 0, -1);
	FAILS(EPERM, setregid, -1, 0);
	FAILS(EPERM, setresuid, -1, -1, 0);
	FAILS(EPERM, setresuid, 0, -1, -1);
	FAILS(EPERM, setresgid, -1, 0, -1);
	FAILS(EPERM, setresgid, -1, -1, 0);
	FAILS(EPERM, setgroups, 2, list);
	FAILS(EPERM, setgroups, 0, NULL);
	GIVES(0, setuid, 1000);
	GIVES(0, setregid, 1000, 1000);
	GIVES(0, setresgid, -1, -1, -1);
}

static void ids(void)
{
	uid_t a, b, c;

	FAILS(EINVAL, setuid, -1);
	FAILS(EINVAL, setgid, -1);
	GIVES(0, setreuid, -1, -1);
	GIVES(0, setregid, -1, -1);
	FAULTS(getresuid, 0, 4, 0, P(&b), P(&c));
	FAULTS(getresuid, 1, 4, P(&a), 0, P(&c));
	FAULTS(getresuid, 2, 4, P(&a), P(&b), 0);
	FAULTS(getresgid, 0, 4, 0, P(&b), P(&c));
	FAULTS(getresgid, 2, 4, P(&a), P(&b), 0);
}

/* Group ids as a superuser sets them: real, effective and saved apart. */
static void groups_of(void)
{
	gid_t r, e, s, list[4] = { 30, 10, 20, 10 }, got[8];

	GIVES(0, setresgid, 11, 12, 13);
	GIVES(0, getresgid, &r, &e, &s);
	CHECK(r == 11 && e == 12 && s == 13 && getgid() == 11 && getegid() == 12);
	GIVES(0, setregid, -1, 14);
	GIVES(0, getresgid, &r, &e, &s);
	CHECK(r == 11 && e == 14 && s == 14);
	GIVES(0, setregid, 15, -1);
	GIVES(0, getresgid, &r, &e, &s);
	CHECK(r == 15 && e == 14 && s == 14);
	GIVES(0, setgid, 16);
	GIVES(0, getresgid, &r, &e, &s);
	CHECK(r == 16 && e == 16 && s == 16);
	GIVES(0, setgroups, 4, list);
	GIVES(4, getgroups, 0, NULL);
	GIVES(4, getgroups, 8, got);
	CHECK(got[0] == 10 && got[1] == 10 && got[2] == 20 && got[3] == 30);
	FAILS(EINVAL, getgroups, 3, got);
	FAILS(EINVAL, getgroups, -1, got);
	FAULTS(getgroups, 1, 16, 4, 0);
	FAULTS(setgroups, 1, 8, 2, 0);
	FAILS(EINVAL, setgroups, -1, list);
	FAILS(EINVAL, setgroups, 65537, list);
	list[0] = -1;
	FAILS(EINVAL, setgroups, 1, list);
	GIVES(4, getgroups, 0, NULL);
}

static void capabilities(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2], more[2];

	GIVES(0, capget, &h, d);
	memcpy(more, d, sizeof(d));
	FAULTS(capget, 0, 0, 0, P(d));
	FAULTS(capget, 1, sizeof(d), P(&h), 0);
	FAULTS(capset, 0, 0, 0, P(d));
	FAULTS(capset, 1, sizeof(d), P(&h), 0);
	h.version = 0x1234;
	FAILS(EINVAL, capget, &h, d);
	CHECK_EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
	h.version = 0x1234;
	/* Without room for data only the version is asked for. */
	GIVES(0, capget, &h, NULL);
	CHECK_EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
	h.version = 0;
	FAILS(EINVAL, capset, &h, d);
	h.version = _LINUX_CAPABILITY_VERSION_3;
	h.pid = -1;
	FAILS(EINVAL, capget, &h, d);
	h.pid = 0x7ffffff;
	FAILS(ESRCH, capget, &h, d);
	FAILS(EPERM, capset, &h, d);
	h.pid = 1;
	FAILS(EPERM, capset, &h, d);
	h.pid = 0;
	/* Give one up; then it can neither be taken back nor be effective. */
	d[0].effective &= ~(1u << CAP_CHOWN);
	d[0].permitted &= ~(1u << CAP_CHOWN);
	GIVES(0, capset, &h, d);
	FAILS(EPERM, capset, &h, more);
	d[0].effective |= 1u << CAP_CHOWN;
	FAILS(EPERM, capset, &h, d);
	d[0].effective = 0;
	GIVES(0, capset, &h, d);
}

int main(void)
{
	ids();
	if (geteuid() == 0) {
		as_user(unprivileged);
		in_child(groups_of);
		in_child(capabilities);
	}
	return test_done();
}
