#ifndef COMMON_LINK_H
#define COMMON_LINK_H

#include <stdint.h>

#include "common/client_id.h"
#include "common/msg.h"

/*
 * What connector and proxyd must agree on about the connection to the
 * orchestrator and the requests that come over it.
 */

/* The longest request_id that can be answered, in bytes. */
#define LINK_REQUEST_ID_MAX 256

/* Room for a client id with its NUL, in bytes. */
#define LINK_CLIENT_ID_SIZE (CLIENT_ID_MAX + 1)

/* What the orchestrator announced in "registered" (capabilities). */
#define LINK_STATUS		0x1 /* status codes and repeated headers arrive as sent */
#define LINK_BASE64		0x2 /* it undoes and sends base64 bodies */
#define LINK_CAPABILITIES_KNOWN (LINK_STATUS | LINK_BASE64)

struct link_up {
	uint32_t capabilities;
	uint64_t message_max; /* bytes that one answer may have */
	char client_id[LINK_CLIENT_ID_SIZE]; /* that we are registered as */
};

/* The payload of LINK_UP; the reader returns -1 if it is malformed. */
void link_up_add(struct msg_out *, const struct link_up *);
int link_up_read(struct msg *, struct link_up *);

#endif
