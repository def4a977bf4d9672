#ifndef COMMON_SESSION_H
#define COMMON_SESSION_H

#include <stdint.h>

#include "common/msg.h"

/*
 * Who a person is at the upstream: proxyd asks authd with SESSION_GET, for
 * the person that the orchestrator names, with SESSION_GET_BY_TOKEN, for the
 * one that a GitHub token belongs to, or with SESSION_GET_SERVICE, for the
 * instance itself; and gets a SESSION of the same id back, always.
 */

/* The instance itself, and the upstream user that it acts as. */
#define SESSION_SERVICE_LOGIN "orchestrator"

/* What for, in SESSION_GET_SERVICE. */
enum session_service {
	/* To act for people, where no rule says who they are: as an upstream
	 * user of its own, which is made if it is not there. */
	SESSION_SERVICE_ACT,
	/* To ask what runs: as that user, or the first active one where it is
	 * not there; nothing is written for it. */
	SESSION_SERVICE_WATCH,
	SESSION_SERVICE_COUNT
};

/* GitHub allows logins of 39 characters; other orchestrators may differ. */
#define SESSION_LOGIN_MAX  256
#define SESSION_JWT_MAX	   4096
#define SESSION_REASON_MAX 256
#define SESSION_TOKEN_MAX  4096 /* bytes of a GitHub token */

enum session_status {
	SESSION_OK,	     /* the JWT is valid for lifetime_ms */
	SESSION_DENIED,	     /* policy says no: 403 */
	SESSION_UNAVAILABLE, /* no database, no secret: 503, ask again later */
	SESSION_BUSY,	     /* too many failures of late: 429 */
	SESSION_STATUS_COUNT
};

/* What somebody may do, from the most to the least. */
enum session_role {
	SESSION_ROLE_FULL,
	SESSION_ROLE_READ_ONLY, /* look, but neither change nor run anything */
	SESSION_ROLE_COUNT
};

struct session {
	enum session_status status;
	enum session_role role;
	uint32_t lifetime_ms; /* how long proxyd may keep this answer */
	uint64_t github_id;   /* whose it is; 0 if nobody knows, or ours */
	char login[SESSION_LOGIN_MAX];
	char jwt[SESSION_JWT_MAX];
	/* For the person, if not OK; else the rule that lets them in. */
	char reason[SESSION_REASON_MAX];
	/* If not OK: what the person can ask the operator for, or "". */
	char advice[SESSION_REASON_MAX];
};

/* As in tetherd.conf: "full", "read-only". */
const char *session_role_name(enum session_role);
/* The role of that name, or SESSION_ROLE_COUNT. */
enum session_role session_role_find(const char *name);

/* The payload of SESSION_GET. */
void session_get_add(struct msg_out *, uint64_t github_id, const char *login);
int session_get_read(
    struct msg *, uint64_t *github_id, char login[SESSION_LOGIN_MAX]);

/*
 * The payload of SESSION_GET_BY_TOKEN: printable ASCII.  The reader returns
 * -1, with "", if it is anything else; the caller wipes the token.
 */
void session_token_add(struct msg_out *, const char *token);
int session_token_read(struct msg *, char token[SESSION_TOKEN_MAX + 1]);

/* The payload of SESSION_GET_SERVICE; the reader returns -1 as above. */
void session_service_add(struct msg_out *, enum session_service);
int session_service_read(struct msg *, enum session_service *);

/* The payload of SESSION; the reader returns -1 if it is malformed. */
void session_add(struct msg_out *, const struct session *);
int session_read(struct msg *, struct session *);

#endif
