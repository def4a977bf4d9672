#ifndef HUB_FORWARD_H
#define HUB_FORWARD_H

#include <stdbool.h>

#include "hub/hub.h"

struct browser;
struct json_object;

/* Which browser asked what of whom: where answers of instances go. */
struct forward {
	RB_ENTRY(forward) entry;
	TAILQ_ENTRY(forward) of_browser;
	struct browser *browser;
	char client_id[HUB_ID_MAX];
	char request_id[HUB_ID_MAX];
};

/*
 * A browser wants the action to be done by an instance, with a payload that
 * is taken over (NULL if there is none).  The same request id again goes to
 * the same session.  Whatever fails is reported to the browser.
 */
void forward_request(struct browser *, const char *client_id,
    const char *request_id, const char *action, struct json_object *payload);

/*
 * An instance answered; data, taken over, goes to the browser that asked.
 * With complete the request is over.
 */
void forward_answered(struct hub *, const char *client_id,
    const char *request_id, struct json_object *data, bool complete);

/* An instance left: end what it was asked. */
void forwards_fail(struct hub *, const char *client_id);

/* A browser left: forget what it asked. */
void forwards_forget(struct browser *);

#endif
