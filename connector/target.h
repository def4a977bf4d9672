#ifndef CONNECTOR_TARGET_H
#define CONNECTOR_TARGET_H

struct connector_conf;

/*
 * The target of the opening handshake: the configured one, with the token
 * and the client id in its query.  For freezero(); NULL when out of memory.
 */
char *target_new(const struct connector_conf *, const char *token);

#endif
