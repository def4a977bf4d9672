#include <sys/socket.h>

#include <fcntl.h>
#include <netinet/in.h>

#include "sandbox/calls.h"

/* authd: SQLite, and GitHub over sockets that it is handed. */
static const struct call list[] = {
	/* SQLite: where it may open files is up to Landlock */
	ALLOW(open),
	ALLOW(openat),
	ALLOW(stat),
	ALLOW(lstat),
	ALLOW(access),
	ALLOW(readlink),
	ALLOW(getcwd),
	ALLOW(mkdir),
	ALLOW(unlink),
	ALLOW(fchmod),
	ALLOW(fchown),
	ALLOW(ftruncate),
	ALLOW(fallocate),
	ALLOW(fsync),
	ALLOW(fdatasync),
	ALLOW(pread64),
	ALLOW(pwrite64),
	ALLOW(geteuid),
	ALLOW(utimensat),
	ALLOW_IF(fcntl, IS(1, F_GETLK)),
	ALLOW_IF(fcntl, IS(1, F_SETLK)),
	ALLOW_IF(fcntl, IS(1, F_SETLKW)),
	/* waiting for a lock */
	ALLOW(clock_nanosleep),
	ALLOW(nanosleep),

	/* libcurl, on those sockets */
	ALLOW_IF(setsockopt, IS(1, SOL_SOCKET)),
	ALLOW_IF(setsockopt, IS(1, IPPROTO_TCP)),
	ALLOW_IF(socketpair, IS(0, AF_UNIX), IS_TYPE(1, SOCK_STREAM)),
};

const struct calls calls_authd = CALLS(list);
