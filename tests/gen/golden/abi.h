/* Generated: the hash of the public headers, which every module carries. */
#pragma once
#define ABI_HASH_STRING "0123456789abcdef"
