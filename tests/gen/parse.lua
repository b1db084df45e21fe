-- parse.lua: what the parser of syscalls.tbl refuses, and with which words; one malformed row a case.
local numbers = require "tools.gen.numbers"
local parse = require "tools.gen.parse"

local MODULES = { vfs = true, futex = true }

-- The row, and a part of the reason. The row stands on line 2.
local REFUSED = {
	{ "0 63 read vfs", "a row has six columns" },
	{ "x 63 read vfs - fd:fd", "bad number x" },
	{ "0x1 63 read vfs - fd:fd", "bad number 0x1" },
	{ "-1 63 read vfs - fd:fd", "bad number -1" },
	{ "1024 63 read vfs - fd:fd", "beyond the table" },
	{ "99999999999999999999 63 read vfs - fd:fd", "beyond the table" },
	{ "1 1 Read vfs - fd:fd", "bad name Read" },
	{ "- - read vfs - fd:fd", "no port has read" },
	{ "0 63 read nowhere - fd:fd", "no such module nowhere" },
	{ "0 63 read vfs sleepy fd:fd", "unknown flag sleepy" },
	{ "0 63 read vfs block,block fd:fd", "flag block twice" },
	{ "0 63 read vfs block, fd:fd", "unknown flag (empty)" },
	{ "0 63 read vfs - fd", "argument is not name:type: fd" },
	{ "0 63 read vfs - Fd:fd", "argument is not name:type: Fd:fd" },
	{ "0 63 read vfs - fd:int", "unknown type int" },
	{ "0 63 read vfs - buf:stat", "type stat does not fit a register" },
	{ "0 63 read vfs - buf:to(stat)", "unknown direction to" },
	{ "0 63 read vfs - buf:out(bytes)", "unknown type bytes" },
	{ "0 63 read vfs - buf:out(u8)x", "text after the type: x" },
	{ "0 63 read vfs - buf:out(u8)[count]", "length count is not an argument by value" },
	{ "0 63 read vfs - buf:out(u8)[other] other:out(u32)", "length other is not an argument by value" },
	{ "0 63 read vfs - how:ext(open_how) size:usize", "ext needs (type,size)" },
	{ "0 63 read vfs - how:ext(open_how,n) size:usize", "length n is not an argument by value" },
	{ "0 63 read vfs - word:addr(u32)[n] n:u32", "text after the type" },
	{ "0 63 read vfs - a:fd a:fd", "argument a twice" },
	{ "0 63 read vfs - a:fd b:fd c:fd d:fd e:fd f:fd g:fd", "more than six arguments" },
	{ "0 63 read - - fd:fd", "has no reason in a comment" },
}

local function rows(text)
	return parse.text(text, "t.tbl", MODULES)
end

local function refusals(t)
	for _, case in ipairs(REFUSED) do
		t.fails(function() rows("\n" .. case[1] .. "\n") end, "t.tbl:2: ", case[1] .. " names file and line")
		t.fails(function() rows("\n" .. case[1] .. "\n") end, case[2], case[1])
	end
	t.fails(function() rows("0 63 read vfs - \n0 64 write vfs -\n") end, "t.tbl:2: x86_64 number 0 is taken by read", "number twice")
	t.fails(function() rows("0 63 read vfs - \n1 63 write vfs -\n") end, "t.tbl:2: aarch64 number 63 is taken by read",
		"number twice on the other port")
	t.fails(function() rows("0 63 read vfs - \n1 64 read vfs -\n") end, "t.tbl:2: name read is taken by line 1", "name twice")
	t.fails(function() rows("# why\n0 63 read - -\n\n1 64 write - -\n") end, "t.tbl:4: ", "a blank line ends a reason")
end

local function accepted(t)
	local list = rows("# a comment\n0 63 read vfs block fd:fd buf:out(u8)[count] count:usize\n\n# why\n1 64 write - -\n2 - open - - path:str\n")
	t.equal(#list, 3, "three rows")
	t.equal(list[1].name, "read", "name")
	t.equal(list[1].nr.aarch64, 63, "number of the other port")
	t.equal(list[1].args[2].count, "count", "count")
	t.check(list[1].flags.block, "flag")
	t.equal(list[2].reason, "why", "reason")
	t.equal(list[3].reason, "why", "a reason covers the refused rows after it")
	t.equal(list[3].nr.aarch64, nil, "no number on the other port")
end

local function header_numbers(t)
	local calls = { read = 0, write = 1 }
	local function check(text)
		return function() numbers.check_port(rows(text), "t.tbl", "x86_64", calls) end
	end
	t.fails(check("0 63 read vfs -\n2 64 write vfs -\n"), "t.tbl:2: write is 1 on x86_64, not 2", "a wrong number")
	t.fails(check("0 63 read vfs -\n- 64 write vfs -\n"), "t.tbl:2: write is 1 on x86_64, not -", "a number left out")
	t.fails(check("0 63 read vfs -\n"), "calls without a row: write", "a missing call")
	t.fails(check("0 63 read vfs -\n1 64 write vfs -\n2 65 draw vfs -\n"), "t.tbl:3: x86_64 has no call draw", "an invented call")
	t.fails(check("0 63 read vfs -\n1 64 write vfs -\n700 701 draw vfs -\n"), "t.tbl:3: draw is a call of our own and needs one number", "an own call with two numbers")
	t.fails(check("0 63 read vfs -\n1 64 write vfs -\n453 454 futex_wake vfs -\n"), "futex_wake is 454 on x86_64, not 453",
		"a call younger than the headers with a wrong number")
	t.check(pcall(check("0 63 read vfs -\n1 64 write vfs -\n454 454 futex_wake vfs -\n")), "a call younger than the headers")
end

local function whole_table(t)
	local main = require "tools.gen.main"
	local context = main.context { arch = "x86_64", abi_hash = "0" }
	t.check(#context.rows > 360, "the table has every call")
	local unchecked = numbers.check(context.rows, "syscalls.tbl", {
		x86_64 = dofile("arch/x86_64/arch.lua").uapi, aarch64 = dofile("arch/aarch64/arch.lua").uapi,
	})
	t.equal(table.concat(unchecked, " "), "", "numbers of both ports are those of the Linux headers")
end

return {
	{ "refusals", refusals },
	{ "accepted rows", accepted },
	{ "numbers of the headers", header_numbers },
	{ "the whole table", whole_table },
}
