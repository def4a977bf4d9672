#ifndef CONNECTOR_OUTGOING_H
#define CONNECTOR_OUTGOING_H

#include <stddef.h>

struct connector;

/*
 * The small messages that we send ourselves (protocol: "Messages we send").
 */

void outgoing_register(struct connector *, const char *token);
void outgoing_status_update(struct connector *);
void outgoing_ping(struct connector *);

/*
 * A http_proxy_response with an error of our own; request_id has len bytes.
 * The text is for whoever sits at the browser.
 */
void outgoing_error(struct connector *, const char *request_id, size_t len,
    int status, const char *text);

/*
 * The end of a user_request whose action we do not know: an error, and the
 * response_complete without which the browser would wait for ever.
 */
void outgoing_unknown_action(
    struct connector *, const char *request_id, const char *action);

#endif
