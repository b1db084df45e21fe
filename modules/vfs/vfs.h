/*
 * Everything that vfs offers to other modules.
 */
#pragma once

#include "modules/vfs/account.h"
#include "modules/vfs/device.h"
#include "modules/vfs/fd.h"
#include "modules/vfs/file.h"
#include "modules/vfs/inode.h"
#include "modules/vfs/io_iter.h"
#include "modules/vfs/path.h"
#include "modules/vfs/poll.h"
