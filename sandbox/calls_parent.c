#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>

#include "sandbox/calls.h"

/*
 * tetherd itself: its children's sockets and deaths, the configuration, logs,
 * and the control socket.  Its processes are started by the launcher.
 */
static const struct call list[] = {
	/* configuration and logs: which files is up to Landlock */
	ALLOW(open),
	ALLOW(openat),
	ALLOW(stat),
	ALLOW(lstat),
	ALLOW(access),
	ALLOW(readlink),
	ALLOW(pread64),
	ALLOW(sendfile),
	ALLOW(memfd_create),
	ALLOW(umask),
	ALLOW(getcwd),
	ALLOW(uname),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getegid),
	ALLOW(getgid),
	ALLOW(unlink),
	ALLOW(fchmod),
	ALLOW_IF(fcntl, IS(1, F_ADD_SEALS)),
	ALLOW_IF(fcntl, IS(1, F_DUPFD)),

	/* channels, syslog, the service manager, tetherctl */
	ALLOW_IF(socket, IS(0, AF_UNIX)),
	ALLOW_IF(socketpair, IS(0, AF_UNIX)),
	ALLOW(connect),
	ALLOW(accept),
	ALLOW(accept4),
	ALLOW(setsockopt),

	/* the children's ends */
	ALLOW(wait4),
	ALLOW(pidfd_send_signal),

	/* a module of the name service, asked for a group, is not to be had */
	REFUSE_IF(mmap, EACCES, HAS(2, PROT_EXEC)),
	REFUSE_IF(mprotect, EACCES, HAS(2, PROT_EXEC)),
};

const struct calls calls_parent = CALLS(list);
