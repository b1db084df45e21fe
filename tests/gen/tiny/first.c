/* A test's head: calls and errors, in more than one line. */
// calls: futex fork
// calls: writev
// errors: futex
