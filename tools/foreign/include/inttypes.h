/* For packaged sources that the kernel compiles. */
#pragma once

#include <stdint.h>
