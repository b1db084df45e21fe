/*
 * What the socket calls share with user space and the UAPI headers leave to the C library.
 */
#pragma once

#include <asm/socket.h>
#include <linux/un.h>

#include "core/lib/types.h"

enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5, SOCK_TYPES = 11 };
#define SOCK_TYPE_MASK 0xf
#define SOCK_CLOEXEC   02000000
#define SOCK_NONBLOCK  04000

#define AF_UNSPEC   0
#define AF_UNIX     1
#define AF_FAMILIES 46

#define MSG_OOB          0x1u
#define MSG_PEEK         0x2u
#define MSG_CTRUNC       0x8u
#define MSG_TRUNC        0x20u
#define MSG_DONTWAIT     0x40u
#define MSG_WAITALL      0x100u
#define MSG_NOSIGNAL     0x4000u
#define MSG_WAITFORONE   0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u
#define MSG_CMSG_COMPAT  0x80000000u

#define SCM_RIGHTS      1
#define SCM_CREDENTIALS 2
#define SCM_FILES_MAX   253u

#define SOCKET_BACKLOG_MAX 4096
#define SOCKET_NAME_MAX    128		/* sizeof(struct sockaddr_storage) */
#define SOCKET_OPTMEM_MAX  20480	/* ancillary data of one message */

struct unix_ucred {
	int32_t pid;
	uint32_t uid, gid;
};

struct unix_linger {
	int32_t on, seconds;
};

struct unix_msghdr {
	uint64_t name;
	int32_t name_length;
	uint32_t pad;
	uint64_t iov, iov_count;
	uint64_t control, control_length;
	uint32_t flags;
	uint32_t pad_end;
};

struct unix_mmsghdr {
	struct unix_msghdr header;
	uint32_t length;
	uint32_t pad;
};

struct unix_cmsghdr {
	uint64_t length;		/* with this header */
	int32_t level, type;
};
#define CMSG_PADDED(n) ALIGN_UP((size_t)(n), sizeof(uint64_t))
