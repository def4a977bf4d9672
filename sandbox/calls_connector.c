#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sandbox/calls.h"

/* connector: TLS and WebSocket on sockets that it is handed. */
static const struct call list[] = {
	/* certificates that come with a reload */
	ALLOW(pread64),

	/* the orchestrator's socket: keep-alive, and how long to wait */
	ALLOW_IF(setsockopt, IS(1, SOL_SOCKET)),
	ALLOW_IF(setsockopt, IS(1, IPPROTO_TCP)),
};

const struct calls calls_connector = CALLS(list);
