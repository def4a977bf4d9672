#ifndef CONNECTOR_OUTGOING_H
#define CONNECTOR_OUTGOING_H

#include <stddef.h>

struct connector;

/*
 * The small messages that we send ourselves (protocol: "Messages we send").
 */

/* The status is "idle", "active" or "busy". */
void outgoing_register(
    struct connector *, const char *token, const char *status);
void outgoing_status_update(struct connector *, const char *status);

/* Without a token, with the id that this connection has instead. */
void outgoing_pending_register(struct connector *, const char *pending_id);

/* pending_id is NULL unless there is one. */
void outgoing_ping(struct connector *, const char *pending_id);

/*
 * A http_proxy_response with an error of our own; request_id has len bytes.
 * The text is for whoever sits at the browser.
 */
void outgoing_error(struct connector *, const char *request_id, size_t len,
    int status, const char *text);

/*
 * The last reply to a user_request, with an error of our own; and a message
 * of type "error", which does not end it.  As above.
 */
void outgoing_user_error(
    struct connector *, const char *request_id, size_t len, const char *text);
void outgoing_user_message(
    struct connector *, const char *request_id, size_t len, const char *text);

#endif
