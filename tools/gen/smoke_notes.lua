--[[
smoke_notes.lua: what the smoke tests must know beyond the table, each line learnt from Linux, where the same program runs.
	values = { argument = C expression }     so that the call gets as far as the pointer
	expect = { argument = errno | "none" }   Linux answers this first; none: the argument is not tested
	no_null = true                           null is allowed, but other arguments would then do something
]]
local NO_EVENT = { events = "none" }			-- written only when something happened
local NO_ATTRIBUTE = { value = "none", list = "none" }	-- written only when the file has attributes
local SOCKET = { fd = "SMOKE_SOCKET" }
local SOCKET_NAME = { fd = "SMOKE_SOCKET", address = "SMOKE_BUFFER" }

return {
	-- Without a time they would sleep; without a count the sets are not read.
	select = { values = { count = "8", timeout = "SMOKE_BUFFER" } },
	pselect6 = { values = { count = "8", timeout = "SMOKE_BUFFER" } },
	ppoll = { values = { timeout = "SMOKE_BUFFER" } },
	getdents = { values = { fd = "SMOKE_DIR" } },
	getdents64 = { values = { fd = "SMOKE_DIR" } },
	readlink = { values = { path = "SMOKE_LINK" } },
	readlinkat = { values = { path = "SMOKE_LINK" } },
	epoll_wait = { values = { epfd = "SMOKE_EPOLL" }, expect = NO_EVENT },
	epoll_pwait = { values = { epfd = "SMOKE_EPOLL" }, expect = NO_EVENT },
	epoll_pwait2 = { values = { epfd = "SMOKE_EPOLL", timeout = "SMOKE_BUFFER" }, expect = NO_EVENT },
	getxattr = { expect = NO_ATTRIBUTE },
	lgetxattr = { expect = NO_ATTRIBUTE },
	fgetxattr = { expect = NO_ATTRIBUTE },
	listxattr = { expect = NO_ATTRIBUTE },
	llistxattr = { expect = NO_ATTRIBUTE },
	flistxattr = { expect = NO_ATTRIBUTE },
	mincore = { values = { addr = "SMOKE_PAGE", length = "4096" } },
	-- The other side's list is read only when this side's has bytes.
	process_vm_readv = { expect = { remote = "none" } },
	process_vm_writev = { expect = { remote = "none" } },
	rt_sigaction = { values = { signal = "10" } },
	rt_sigtimedwait = { values = { timeout = "SMOKE_BUFFER" }, expect = { info = "none" } },
	wait4 = { expect = { status = "none", usage = "none" } },
	waitid = { expect = { usage = "none" } },
	pidfd_send_signal = { values = { pidfd = "SMOKE_PIDFD" } },
	futex_wait = { values = { uaddr = "SMOKE_PAGE", value = "1", mask = "1", flags = "2", clock = "1" } },
	-- No such timer: the result is not written.
	timer_settime = { expect = { old = "none" } },
	timer_gettime = { expect = { value = "none" } },
	-- Written only when a signal ends the sleep.
	clock_nanosleep = { expect = { remaining = "none" } },
	nanosleep = { expect = { remaining = "none" } },
	timerfd_settime = { values = { fd = "SMOKE_TIMERFD" } },
	timerfd_gettime = { values = { fd = "SMOKE_TIMERFD" } },
	-- Not served where the build machine's kernel has no modules; tests/guest/module_calls.c tests them here.
	init_module = { expect = { image = "none", parameters = "none" } },
	finit_module = { expect = { parameters = "none" } },
	delete_module = { expect = { name = "none" } },
	bind = { values = SOCKET },
	connect = { values = SOCKET },
	getsockname = { values = SOCKET_NAME },
	getpeername = { values = SOCKET_NAME },
	sendto = { values = SOCKET },
	recvfrom = { values = SOCKET },
	recvmmsg = { values = SOCKET },
	getsockopt = { values = { fd = "SMOKE_SOCKET", level = "1", name = "3", value = "SMOKE_BUFFER" } },	-- SO_TYPE
	-- No such queue: that comes first.
	mq_timedsend = { expect = { message = "none" } },
	mq_timedreceive = { expect = { message = "none", priority = "none" } },
	mq_getsetattr = { expect = { old = "none" } },
	-- Nothing is to be changed: the name is not looked at. tests/guest/mount_descriptor_errors.c has it.
	mount_setattr = { expect = { path = "none" } },
	getgroups = { expect = { list = "none" } },
}
