/* Another test of the same call. */
// calls: futex
