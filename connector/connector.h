#ifndef CONNECTOR_CONNECTOR_H
#define CONNECTOR_CONNECTOR_H

#include "common/child.h"
#include "common/slice.h"

/*
 * The program as a whole: a connection to the orchestrator, and the exchange
 * of requests and answers, user requests and replies between it and proxyd.
 */

struct connector {
	struct child child;
	struct connector_conf conf;
	struct connection *connection;
	struct uploads *uploads;
	struct exchange *exchange;
	struct user_requests *user_requests;
	const char *status;    /* idle, active or busy */
	uint32_t capabilities; /* of the orchestrator, see common/link.h */
};

/* The largest message that the deployed orchestrators take, either way. */
#define MESSAGE_MAX (32 * 1024 * 1024)

#endif
