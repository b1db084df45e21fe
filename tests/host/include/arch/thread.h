/* The port's part of a thread: nothing on the build machine. */
#pragma once

struct arch_thread {
	int unused;
};
