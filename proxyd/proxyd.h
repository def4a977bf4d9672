#ifndef PROXYD_PROXYD_H
#define PROXYD_PROXYD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/child.h"
#include "common/link.h"
#include "common/slice.h"

/*
 * The program as a whole: transactions (a request, its session, its transfer
 * from the upstream), tunnels (WebSockets and streams of pages), and the
 * outbox of what goes back.
 */

struct proxyd {
	struct child child;
	struct proxyd_conf conf;
	struct upstream *upstream;
	struct sessions *sessions;
	struct handles *handles;
	struct intake *intake;
	struct transactions *transactions;
	struct tunnels *tunnels;
	struct outbox *outbox;
	bool link_is_up;
	struct link_up link;
	bool upstream_fails;  /* the last transfer did */
	bool base_is_refused; /* the last proxy_base was */
	bool trim_is_due;     /* much was buffered since the last time */
	size_t buffered;      /* bytes of all requests and answers */
	struct event *timer;  /* limits hand-over and shutdown */
};

#endif
