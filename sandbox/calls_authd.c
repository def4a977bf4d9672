#include <sys/mman.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sandbox/calls.h"

/* authd: SQLite, and GitHub over sockets that it is handed. */
static const struct call list[] = {
	/* databases and their journals */
	ALLOW(getcwd), /* of a relative path */
	ALLOW(mkdir),  /* authd's own folder */
	ALLOW(mkdirat),
	ALLOW(unlink), /* journals */
	ALLOW(unlinkat),
	ALLOW(fchmod), /* journals are the database's owner's, too */
	ALLOW(fchown),
	ALLOW(geteuid), /* and only root gives them away */
	ALLOW(ftruncate),
	ALLOW(fallocate),
	ALLOW(fsync),
	ALLOW(fdatasync),
	ALLOW(pwrite64),
	/* the index of a write-ahead log */
	ALLOW_IF(mmap, LACKS(2, PROT_EXEC), IS(3, MAP_SHARED)),
	ALLOW_IF(fcntl, IS(1, F_GETLK)),
	ALLOW_IF(fcntl, IS(1, F_SETLK)),
	/* waiting for a lock */
	ALLOW(clock_nanosleep),
	ALLOW(nanosleep),

	/* libcurl, on those sockets */
	ALLOW(shutdown),
	ALLOW_IF(getsockopt, IS(1, SOL_SOCKET), IS(2, SO_ERROR)),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW_IF(setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)),
	ALLOW_IF(fcntl, IS(1, F_GETFL)),
	ALLOW_IF(fcntl, IS(1, F_SETFL)),
};

const struct calls calls_authd = CALLS(list);
