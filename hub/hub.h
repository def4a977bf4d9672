#ifndef HUB_HUB_H
#define HUB_HUB_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdint.h>

#include "hub/options.h"
#include "hub/token.h"

struct event_base;
struct evhttp;

/*
 * Bounds.  Everybody but the operator may be hostile: nothing that comes
 * from outside grows without one of these.
 */
#define HUB_INSTANCES_MAX 1024
#define HUB_BROWSERS_MAX  256
#define HUB_PENDING_MAX	  64
#define HUB_REQUESTS_MAX  1024		      /* proxied, unanswered */
#define HUB_ANSWERS_MAX	  (256 * 1024 * 1024) /* bytes being written */
#define HUB_OUTPUT_MAX	  (64 * 1024 * 1024)  /* unsent, to one instance */
#define HUB_REPLIES_MAX	  (1024 * 1024) /* unsent, to one that asks for them */
#define HUB_FORWARDS_MAX  1024		/* open, of one browser */
#define HUB_HEADERS_MAX	  (64 * 1024)	/* bytes, of a request */

/* The length of client ids, request ids and the like, with the NUL. */
#define HUB_ID_MAX 129

TAILQ_HEAD(instance_list, instance);
TAILQ_HEAD(browser_list, browser);
TAILQ_HEAD(pending_list, pending);
RB_HEAD(request_tree, request);
RB_HEAD(forward_tree, forward);

/* All there is. */
struct hub {
	const struct options *options;
	struct event_base *base;
	struct evhttp *http;
	struct tokens tokens;
	char *password;	  /* or NULL */
	char session[65]; /* what the cookie of a signed-in browser holds */

	struct instance_list instances;
	size_t ninstances;
	struct browser_list browsers;
	size_t nbrowsers;
	struct pending_list pending;
	size_t npending;
	struct request_tree requests;
	size_t nrequests;
	struct forward_tree forwards;
	size_t answers; /* bytes of answers on their way to browsers */
};

/* Set up all but the listening socket; fatal() on failure. */
void hub_init(struct hub *, struct event_base *, const struct options *);

/* Start the closing handshake with everybody. */
void hub_close(struct hub *);

/* Drop everything that is connected. */
void hub_clear(struct hub *);

#endif
