#ifndef PROXYD_CLOSE_CODE_H
#define PROXYD_CLOSE_CODE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What browsers say of why a WebSocket is to be closed: the members code and
 * reason of a payload.
 */

struct json_object;

/* Bytes of a close frame's reason (RFC 6455 section 5.5). */
#define CLOSE_REASON_MAX 123

/*
 * What may stand in a close frame (RFC 6455 section 7.4), or
 * WS_CLOSE_NO_STATUS if there is no code.  False if it is anything else.
 */
bool close_code_read(struct json_object *payload, uint16_t *code);

/*
 * A reason, "" for none; NULL if it is none that a close frame can hold.
 * Owned by the payload.
 */
const char *close_reason_read(struct json_object *payload);

#endif
