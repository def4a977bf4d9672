#ifndef PROXYD_PROXYD_H
#define PROXYD_PROXYD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/activity.h"
#include "common/child.h"
#include "common/link.h"
#include "common/slice.h"

/*
 * The program as a whole: transactions (a request, its session, its transfer
 * from the upstream), tunnels (WebSockets and streams of pages), chats (sessions
 * of user_requests), and the outbox of what goes back.
 */

/* 2xx and so on, and two that are not counted. */
#define COUNT_CLASSES 6

/* What was done since the start, for status.def. */
struct proxyd_counts {
	uint64_t requests;
	uint64_t answers[COUNT_CLASSES]; /* by their status / 100 */
	uint64_t denied;
	uint64_t busy;
	uint64_t rate;
	uint64_t upstream_failed;
	uint64_t body_bytes;
	uint64_t tunnels_opened;
	uint64_t tunnels_refused;
	uint64_t chats_opened;
	uint64_t chats_refused;
	uint64_t messages_held;
};

struct proxyd {
	struct child child;
	struct proxyd_conf conf;
	struct deny *deny; /* of conf, NULL for none */
	struct proxyd_counts counts;
	struct upstream *upstream;
	struct rates *rates;
	struct sessions *sessions;
	struct handles *handles;
	struct intake *intake;
	struct transactions *transactions;
	struct tunnels *tunnels;
	struct chats *chats;
	struct runs *runs;
	struct user_auth *user_auth;
	struct outbox *outbox;
	enum activity_status activity; /* that the connector was told */
	bool link_is_up;
	struct link_up link;
	bool upstream_asked;	/* and answered, or not: */
	const char *trouble;	/* of the last transfer, NULL if it was good */
	bool base_is_refused;	/* the last proxy_base was */
	bool answer_is_refused; /* some answer of the upstream was */
	bool trim_is_due;	/* much was buffered since the last time */
	size_t buffered;	/* bytes of all requests and answers */
	struct event *timer;	/* limits hand-over and shutdown */
	struct {
		bool noted;   /* connector sends no more */
		bool goodbye; /* that of the upstream is all that is missing */
	} leave;
};

#endif
