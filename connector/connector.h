#ifndef CONNECTOR_CONNECTOR_H
#define CONNECTOR_CONNECTOR_H

#include <stdint.h>

#include "common/child.h"
#include "common/client_id.h"
#include "common/slice.h"
#include "common/trust.h"
#include "connector/relay.h"

/*
 * The program as a whole: a connection to the orchestrator, and the exchange
 * of requests and answers, user requests and replies between it and proxyd.
 */

/* What happened since the start; see common/status.def. */
struct counters {
	uint64_t attempts;
	uint64_t connections;
	uint64_t messages_in;
	uint64_t bytes_in;
	uint64_t messages_ignored;
	uint64_t answers;
	uint64_t answer_bytes;
	uint64_t answers_own;
	uint64_t status_updates;
	uint64_t replies;
	uint64_t reply_bytes;
};

struct connector {
	struct child child;
	/* In force for the connection that there is; see turnover.h. */
	struct connector_conf conf;
	struct trust trust;
	struct turnover *turnover;
	struct connection *connection;
	struct uploads *uploads;
	struct exchange *exchange;
	struct user_requests *user_requests;
	struct presence *presence;
	struct relay relay; /* between those two and the connection */
	/* That came with a token that was granted; else "". */
	char granted_id[CLIENT_ID_MAX + 1];
	uint32_t capabilities; /* of the orchestrator, see common/link.h */
	struct counters counters;
	/* Lines of the log, of what the orchestrator said. */
	struct {
		int64_t since_ms;
		uint32_t lines;
	} said;
};

/* What this instance is called: as its token says, else as configured. */
const char *connector_client_id(const struct connector *);

#endif
