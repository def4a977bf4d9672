#ifndef COMMON_CLIENT_ID_H
#define COMMON_CLIENT_ID_H

/*
 * What an orchestrator calls an instance: a segment of the path of every
 * proxied URL (RFC 3986 section 3.3: pchar), whoever chose it.
 */

/* Bytes, without the NUL. */
#define CLIENT_ID_MAX 128

/* NULL, or what is wrong with it, for the operator. */
const char *client_id_check(const char *);

#endif
