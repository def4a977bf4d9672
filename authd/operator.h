#ifndef AUTHD_OPERATOR_H
#define AUTHD_OPERATOR_H

#include "common/msg.h"

/*
 * What the operator wants to know or changes about people and tokens, asked
 * by the parent with ADMIN (common/admin.h).  ADMIN_DONE always follows; what
 * was changed counts at once, and is in the log and the audit log.
 */

struct authd_conf;
struct child;
struct sessions;
struct sign_ins;
struct tokens;

struct operator_desk {
	struct child *child;
	const struct authd_conf *conf;
	struct sessions *sessions;
	struct sign_ins *sign_ins;
	struct tokens *tokens;
};

/* The message: 0, or -1 if malformed. */
int operator_on_admin(const struct operator_desk *, struct msg *);

/* What proxyd has been told about people is to be asked again. */
void operator_flush(const struct operator_desk *);

#endif
