#ifndef COMMON_SESSION_H
#define COMMON_SESSION_H

#include <stdint.h>

#include "common/msg.h"

/*
 * Who a person is at the upstream: proxyd asks authd with SESSION_GET and
 * gets a SESSION of the same id back, always.
 */

/* GitHub allows logins of 39 characters; other orchestrators may differ. */
#define SESSION_LOGIN_MAX  256
#define SESSION_JWT_MAX	   4096
#define SESSION_REASON_MAX 256

enum session_status {
	SESSION_OK,	     /* the JWT is valid for lifetime_ms */
	SESSION_DENIED,	     /* policy says no: 403 */
	SESSION_UNAVAILABLE, /* no database, no secret: 503, ask again later */
	SESSION_STATUS_COUNT
};

enum session_role { SESSION_ROLE_FULL, SESSION_ROLE_COUNT };

struct session {
	enum session_status status;
	enum session_role role;
	uint32_t lifetime_ms; /* how long proxyd may keep this answer */
	char jwt[SESSION_JWT_MAX];
	char reason[SESSION_REASON_MAX]; /* for the person, if not OK */
};

/* The payload of SESSION_GET. */
void session_get_add(struct msg_out *, uint64_t github_id, const char *login);
int session_get_read(
    struct msg *, uint64_t *github_id, char login[SESSION_LOGIN_MAX]);

/* The payload of SESSION; the reader returns -1 if it is malformed. */
void session_add(struct msg_out *, const struct session *);
int session_read(struct msg *, struct session *);

#endif
