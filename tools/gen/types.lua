--[[
types.lua: the closed list of the types that syscalls.tbl may use. Each entry names the C type, the Linux header that
declares it (none for integers) and, for integers that can stand by value, nothing more: `value = true`.
`fuzz` is the name of the value class in the fuzzer's grammar where it is not the type's own name.
]]
local function integer(c, fuzz)
	return { c = c, value = true, fuzz = fuzz }
end

local function struct(c, header)
	return { c = c, header = header }
end

return {
	u8 = integer("uint8_t"),
	u32 = integer("uint32_t"),
	u64 = integer("uint64_t"),
	i32 = integer("int32_t"),
	i64 = integer("int64_t"),
	usize = integer("size_t"),
	isize = integer("long"),
	word = integer("uintptr_t"),
	fd = integer("int32_t"),
	pid = integer("int32_t"),
	uid = integer("uint32_t"),
	gid = integer("uint32_t"),
	mode = integer("uint32_t"),
	off = integer("int64_t"),
	clockid = integer("int32_t"),
	timer_id = integer("int32_t"),
	sigset = integer("uint64_t"),

	timespec = struct("struct __kernel_timespec", "linux/time_types.h"),
	timeval = struct("struct __kernel_old_timeval", "linux/time_types.h"),
	itimerspec = struct("struct __kernel_itimerspec", "linux/time_types.h"),
	itimerval = struct("struct __kernel_old_itimerval", "linux/time_types.h"),
	timezone = struct("struct timezone", "linux/time.h"),
	timex = struct("struct __kernel_timex", "linux/timex.h"),
	tms = struct("struct tms", "linux/times.h"),
	utimbuf = struct("struct utimbuf", "linux/utime.h"),
	stat = struct("struct stat", "asm/stat.h"),
	statx = struct("struct statx", "linux/stat.h"),
	statfs = struct("struct statfs", "asm/statfs.h"),
	iovec = struct("struct iovec", "linux/uio.h"),
	pollfd = struct("struct pollfd", "asm/poll.h"),
	epoll_event = struct("struct epoll_event", "linux/eventpoll.h"),
	open_how = struct("struct open_how", "linux/openat2.h"),
	mount_attr = struct("struct mount_attr", "linux/mount.h"),
	sigaction = struct("struct sigaction", "asm/signal.h"),
	siginfo = struct("struct siginfo", "asm/siginfo.h"),
	sigevent = struct("struct sigevent", "asm/siginfo.h"),
	stack = struct("struct sigaltstack", "asm/signal.h"),
	rusage = struct("struct rusage", "linux/resource.h"),
	rlimit = struct("struct rlimit", "linux/resource.h"),
	rlimit64 = struct("struct rlimit64", "linux/resource.h"),
	sysinfo = struct("struct sysinfo", "linux/sysinfo.h"),
	utsname = struct("struct new_utsname", "linux/utsname.h"),
	clone_args = struct("struct clone_args", "linux/sched.h"),
	sched_param = struct("struct sched_param", "linux/sched/types.h"),
	sched_attr = struct("struct sched_attr", "linux/sched/types.h"),
	robust_list_head = struct("struct robust_list_head", "linux/futex.h"),
	futex_waitv = struct("struct futex_waitv", "linux/futex.h"),
	rseq = struct("struct rseq", "linux/rseq.h"),
	cap_header = struct("struct __user_cap_header_struct", "linux/capability.h"),
	mq_attr = struct("struct mq_attr", "linux/mqueue.h"),
	sembuf = struct("struct sembuf", "linux/sem.h"),
}
