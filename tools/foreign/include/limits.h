/* For packaged sources that the kernel compiles: the limits of the integer types, as the compiler knows them. */
#pragma once

#define CHAR_BIT __CHAR_BIT__
#define UCHAR_MAX 255
#define SHRT_MAX __SHRT_MAX__
#define USHRT_MAX (SHRT_MAX * 2 + 1)
#define INT_MAX __INT_MAX__
#define INT_MIN (-INT_MAX - 1)
#define UINT_MAX (INT_MAX * 2u + 1)
#define LONG_MAX __LONG_MAX__
#define ULONG_MAX (LONG_MAX * 2ul + 1)
#define ULLONG_MAX (__LONG_LONG_MAX__ * 2ull + 1)
