#ifndef COMMON_ADMIN_H
#define COMMON_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"
#include "common/session.h"

/*
 * What the operator asks about people and tokens: tetherctl asks the parent
 * (CTL_ADMIN), which asks authd (ADMIN) and gets rows (ADMIN_USER,
 * ADMIN_TOKEN) and the end (ADMIN_DONE), all with the id of the question.
 */

enum admin_op {
	ADMIN_USERS,	    /* list them */
	ADMIN_USER_DISABLE, /* whom */
	ADMIN_USER_ENABLE,  /* whom */
	ADMIN_USER_ROLE,    /* whom, and "full", "read-only" or "default" */
	ADMIN_TOKENS,	    /* list them */
	ADMIN_TOKEN_FORGET, /* the orchestrator's "host:port" or host */
	ADMIN_OP_COUNT
};

/* Rows of an answer; beyond, the text of ADMIN_DONE says how many more. */
#define ADMIN_ROWS_MAX 1000

#define ADMIN_WHOM_SIZE	 256 /* a login or a GitHub id; a host */
#define ADMIN_VALUE_SIZE 32
#define ADMIN_TEXT_SIZE	 512

struct admin_request {
	enum admin_op op;
	char whom[ADMIN_WHOM_SIZE];
	char value[ADMIN_VALUE_SIZE];
};

struct admin_user {
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];
	char user_name[SESSION_LOGIN_MAX]; /* of the upstream, "" for none */
	bool has_role;			   /* that the operator gave: */
	enum session_role role;
	bool disabled;
	uint64_t created_at; /* seconds since 1970 */
	uint64_t last_seen;
	uint32_t handles; /* of pages */
};

struct admin_token {
	char host[ADMIN_WHOM_SIZE]; /* "host:port" */
	char client_id[ADMIN_WHOM_SIZE];
	uint64_t granted_at; /* seconds since 1970 */
	bool used;	     /* it is what this instance signs in with */
};

struct admin_done {
	bool good;
	char text[ADMIN_TEXT_SIZE]; /* for a person; why not, if not good */
};

/* True for an operation that changes something. */
bool admin_op_changes(enum admin_op);

/* The payloads; the readers return -1 if one is malformed. */
void admin_request_add(struct msg_out *, const struct admin_request *);
int admin_request_read(struct msg *, struct admin_request *);
void admin_user_add(struct msg_out *, const struct admin_user *);
int admin_user_read(struct msg *, struct admin_user *);
void admin_token_add(struct msg_out *, const struct admin_token *);
int admin_token_read(struct msg *, struct admin_token *);
void admin_done_add(struct msg_out *, const struct admin_done *);
int admin_done_read(struct msg *, struct admin_done *);

#endif
