/* For packaged sources that the kernel compiles: a declaration for an inline function that nobody calls. */
#pragma once

typedef unsigned long sigset_t;
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
