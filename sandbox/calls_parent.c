#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "sandbox/calls.h"

/*
 * tetherd itself: its children's sockets and deaths, the configuration, logs,
 * and the control socket.  Its processes are started by the launcher.
 */
static const struct call list[] = {
	/* configuration and logs */
	ALLOW(getcwd), /* of a relative path */
	ALLOW_IF(fcntl, IS(1, F_GETFL)),
	ALLOW(umask),  /* of a log */
	ALLOW(unlink), /* the control socket, at the end */
	ALLOW(unlinkat),
	ALLOW(uname),  /* the default of "client-id" */
	ALLOW(getuid), /* the default of files in the home folder */
	ALLOW(geteuid),
	/* snapshots of files, for children that have none */
	ALLOW(memfd_create),
	ALLOW(sendfile),
	ALLOW_IF(fcntl, IS(1, F_ADD_SEALS)),
	ALLOW_IF(fcntl, IS(1, F_DUPFD_CLOEXEC)),

	/* syslog, when it comes back, and nscd */
	ALLOW_IF(socket, IS(0, AF_UNIX), IS_TYPE(1, SOCK_DGRAM), IS(2, 0)),
	ALLOW_IF(socket, IS(0, AF_UNIX), IS_TYPE(1, SOCK_STREAM), IS(2, 0)),
	ALLOW(connect),

	/* tetherctl */
	ALLOW(accept4),
	ALLOW_IF(getsockopt, IS(1, SOL_SOCKET), IS(2, SO_PEERCRED)),
	ALLOW_IF(getsockopt, IS(1, SOL_SOCKET), IS(2, SO_PEERGROUPS)),

	/* the children: their sockets, their deaths, and causing them */
	ALLOW_IF(
	    socketpair, IS(0, AF_UNIX), IS_TYPE(1, SOCK_SEQPACKET), IS(2, 0)),
	ALLOW(getpeername), /* is it connected what a dialer hands over? */
	ALLOW(wait4),
	ALLOW_IF(pidfd_send_signal, IS(1, SIGKILL)),

	/* a module of the name service, asked for a group, is not to be had:
	 * ld.so looks at it and gives up */
	ALLOW_IF(mmap, LACKS(2, PROT_EXEC), LACKS(3, MAP_ANONYMOUS)),
	REFUSE_IF(mmap, EACCES, HAS(2, PROT_EXEC)),
	REFUSE_IF(mprotect, EACCES, HAS(2, PROT_EXEC)),
};

const struct calls calls_parent = CALLS(list);
