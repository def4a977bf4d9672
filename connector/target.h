#ifndef CONNECTOR_TARGET_H
#define CONNECTOR_TARGET_H

struct connector_conf;

/*
 * The target of the opening handshake: the configured one, with the token
 * and the client id in its query.  For freezero(); NULL when out of memory.
 */
char *target_new(
    const struct connector_conf *, const char *client_id, const char *token);

/*
 * The same without a token: "pending" as a reference that is relative to the
 * configured target (RFC 3986 section 5.2: it takes the place of the last
 * segment of the path), with those who may claim this instance in its query,
 * as comma lists in "user", "org" and "team".
 */
char *target_new_pending(const struct connector_conf *);

#endif
