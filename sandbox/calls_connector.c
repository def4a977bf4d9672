#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sandbox/calls.h"

/* connector: TLS and WebSocket on sockets that it is handed. */
static const struct call list[] = {
	/* certificates that come with a reload */
	ALLOW(pread64),

	/* the orchestrator's socket: how long it may be silent */
	ALLOW_IF(setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_USER_TIMEOUT)),
};

const struct calls calls_connector = CALLS(list);
