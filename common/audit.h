#ifndef COMMON_AUDIT_H
#define COMMON_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * The audit log: one record for each decision about somebody.  proxyd and
 * authd send them to the parent (AUDIT), which adds the time and writes a
 * line to the log and, where one is configured, an object to a file of JSON
 * lines.  A record never holds a token, a query or a body; its strings may
 * come from anywhere, so whoever writes them makes them safe.
 */

#define AUDIT_LOGIN_SIZE 128 /* with their NULs; what is longer is cut */
#define AUDIT_WORD_SIZE	 32
#define AUDIT_PATH_SIZE	 512
#define AUDIT_WHY_SIZE	 320

/* What the decision was about; AUDIT_EVENTS in audit.c names them. */
enum audit_event {
	AUDIT_SIGN_IN,	/* authd let somebody in, or did not */
	AUDIT_REQUEST,	/* of HTTP */
	AUDIT_TUNNEL,	/* opened or refused */
	AUDIT_MESSAGE,	/* in a tunnel, that was held back */
	AUDIT_ACTION,	/* a user_request */
	AUDIT_OPERATOR, /* a change that the operator asked for */
	AUDIT_TOKEN,	/* of the orchestrator, granted or forgotten */
	AUDIT_EVENT_COUNT
};

enum audit_verdict {
	AUDIT_ALLOWED,
	AUDIT_REFUSED,
	AUDIT_GIVEN_UP, /* whoever asked went before it was decided */
	AUDIT_VERDICT_COUNT
};

struct audit_record {
	enum audit_event event;
	enum audit_verdict verdict;
	uint64_t github_id; /* 0 for nobody */
	char login[AUDIT_LOGIN_SIZE];
	char role[AUDIT_WORD_SIZE];   /* "" if there is none */
	char method[AUDIT_WORD_SIZE]; /* of a request, or the action */
	char path[AUDIT_PATH_SIZE];   /* without a query; "" for none */
	uint32_t status;	      /* of HTTP, 0 for none */
	char why[AUDIT_WHY_SIZE];     /* "" if there is nothing to say */
};

/* "sign-in", "allowed" and so on. */
const char *audit_event_name(enum audit_event);
const char *audit_verdict_name(enum audit_verdict);

/* Copy src into a field of a record: what does not fit is cut. */
void audit_set(char *dst, size_t size, const char *src);

/* The payload of AUDIT; the reader returns -1 if it is malformed. */
void audit_add(struct msg_out *, const struct audit_record *);
int audit_read(struct msg *, struct audit_record *);

#endif
