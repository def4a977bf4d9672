#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "authd/operator.h"
#include "authd/sessions.h"
#include "authd/sign_ins.h"
#include "authd/tether_db.h"
#include "authd/tokens.h"
#include "authd/users.h"
#include "common/admin.h"
#include "common/audit.h"
#include "common/child.h"
#include "common/log.h"
#include "common/slice.h"

/* A question that is being answered. */
struct errand {
	const struct operator_desk *desk;
	const struct admin_request *request;
	uint64_t id; /* of the message */
	struct users_person person;
	struct admin_done done;
};

typedef void (*errand_handler)(struct errand *);

static void errand_list_users(struct errand *);
static void errand_disable(struct errand *);
static void errand_enable(struct errand *);
static void errand_role(struct errand *);
static void errand_list_tokens(struct errand *);
static void errand_forget_token(struct errand *);
static void send_user(void *, const struct admin_user *);
static void send_token(void *, const struct admin_token *);
static bool errand_find(struct errand *);
static void errand_changed(struct errand *, enum db_result, const char *what,
    const char *role, const char *text);
static void errand_failed(struct errand *);
static void errand_refuse(struct errand *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static const errand_handler handlers[ADMIN_OP_COUNT] = {
	[ADMIN_USERS] = errand_list_users,
	[ADMIN_USER_DISABLE] = errand_disable,
	[ADMIN_USER_ENABLE] = errand_enable,
	[ADMIN_USER_ROLE] = errand_role,
	[ADMIN_TOKENS] = errand_list_tokens,
	[ADMIN_TOKEN_FORGET] = errand_forget_token,
};

int
operator_on_admin(const struct operator_desk *desk, struct msg *m)
{
	struct admin_request request;
	struct errand errand = {
		.desk = desk, .request = &request, .id = m->id
	};
	struct msg_out done;

	if (admin_request_read(m, &request) == -1)
		return -1;
	handlers[request.op](&errand);
	msg_start(&done, MSG_ADMIN_DONE, errand.id);
	admin_done_add(&done, &errand.done);
	(void)child_send(desk->child, PROGRAM_PARENT, &done);
	return 0;
}

void
operator_flush(const struct operator_desk *desk)
{
	struct msg_out flush;

	msg_start(&flush, MSG_SESSION_FLUSH, 0);
	(void)child_send(desk->child, PROGRAM_PROXYD, &flush);
}

static void
errand_list_users(struct errand *e)
{
	struct tether_db *t = sessions_tether_db(e->desk->sessions);
	uint64_t total;

	if (users_list(t, ADMIN_ROWS_MAX, time(NULL), send_user, e, &total) !=
	    DB_OK) {
		errand_failed(e);
		return;
	}
	e->done.good = true;
	if (total > ADMIN_ROWS_MAX)
		(void)snprintf(e->done.text, sizeof(e->done.text),
		    "%" PRIu64 " more", total - ADMIN_ROWS_MAX);
}

static void
send_user(void *arg, const struct admin_user *user)
{
	const struct errand *e = arg;
	struct msg_out m;

	msg_start(&m, MSG_ADMIN_USER, e->id);
	admin_user_add(&m, user);
	(void)child_send(e->desk->child, PROGRAM_PARENT, &m);
}

static void
errand_disable(struct errand *e)
{
	if (errand_find(e))
		errand_changed(e,
		    users_disable(sessions_tether_db(e->desk->sessions),
			e->person.github_id),
		    "disable", "", "disabled");
}

static void
errand_enable(struct errand *e)
{
	if (errand_find(e))
		errand_changed(e,
		    users_enable(sessions_tether_db(e->desk->sessions),
			e->person.github_id),
		    "enable", "", "enabled");
}

static void
errand_role(struct errand *e)
{
	const char *name = e->request->value;
	enum session_role role = session_role_find(name);
	char value[ADMIN_VALUE_SIZE], text[64];

	if (role == SESSION_ROLE_COUNT && strcmp(name, "default") != 0) {
		errand_refuse(e, "no such role: %s",
		    log_safe(value, sizeof(value), name));
		return;
	}
	(void)snprintf(text, sizeof(text), "role %s", name);
	if (errand_find(e))
		errand_changed(e,
		    users_set_role(sessions_tether_db(e->desk->sessions),
			e->person.github_id, role),
		    "role", name, text);
}

static void
errand_list_tokens(struct errand *e)
{
	if (tokens_list(e->desk->tokens, ADMIN_ROWS_MAX, send_token, e) ==
	    DB_OK)
		e->done.good = true;
	else
		errand_failed(e);
}

static void
send_token(void *arg, const struct admin_token *token)
{
	const struct errand *e = arg;
	struct admin_token row = *token;
	struct msg_out m;

	/* One in the settings counts more than what was granted. */
	row.used = e->desk->conf->token[0] == '\0' &&
		   strcmp(row.host, e->desk->conf->orchestrator) == 0;
	msg_start(&m, MSG_ADMIN_TOKEN, e->id);
	admin_token_add(&m, &row);
	(void)child_send(e->desk->child, PROGRAM_PARENT, &m);
}

static void
errand_forget_token(struct errand *e)
{
	struct audit_record record = { .event = AUDIT_TOKEN };
	char host[ADMIN_WHOM_SIZE];

	(void)log_safe(host, sizeof(host), e->request->whom);
	switch (tokens_forget(e->desk->tokens, e->request->whom)) {
	case DB_OK:
		break;
	case DB_NONE:
		errand_refuse(e, "no token of %s is stored", host);
		return;
	case DB_TAKEN:
		errand_refuse(e,
		    "there are tokens of several ports of %s: name one as "
		    "host:port",
		    host);
		return;
	case DB_MISSING:
	case DB_FAILED:
	default:
		errand_failed(e);
		return;
	}
	e->done.good = true;
	(void)snprintf(e->done.text, sizeof(e->done.text),
	    "the token of %s is forgotten", host);
	log_infox("operator: %s", e->done.text);
	audit_set(record.method, sizeof(record.method), "forget");
	audit_set(record.why, sizeof(record.why), host);
	child_audit(e->desk->child, &record);
}

/* The person whom the request names; false if there is not just one. */
static bool
errand_find(struct errand *e)
{
	const char *whom = e->request->whom;
	char safe[ADMIN_WHOM_SIZE];
	uint64_t count;

	(void)log_safe(safe, sizeof(safe), whom);
	switch (users_find(
	    sessions_tether_db(e->desk->sessions), whom, &e->person, &count)) {
	case DB_OK:
		return true;
	case DB_NONE:
		errand_refuse(e, "no such user: %s", safe);
		return false;
	case DB_TAKEN:
		errand_refuse(e,
		    "%" PRIu64 " users have the login %s: name one by its "
		    "GitHub id",
		    count, safe);
		return false;
	case DB_MISSING:
	case DB_FAILED:
	default:
		errand_failed(e);
		return false;
	}
}

/* Something was changed about a person: have it count, and say so. */
static void
errand_changed(struct errand *e, enum db_result result, const char *what,
    const char *role, const char *text)
{
	struct audit_record record = { .event = AUDIT_OPERATOR,
		.github_id = e->person.github_id };
	char login[SESSION_LOGIN_MAX];

	if (result != DB_OK) {
		errand_failed(e);
		return;
	}
	sessions_drop(e->desk->sessions, e->person.github_id);
	sign_ins_forget(e->desk->sign_ins);
	operator_flush(e->desk);

	e->done.good = true;
	(void)snprintf(e->done.text, sizeof(e->done.text),
	    "%s (GitHub id %" PRIu64 "): %s",
	    log_safe(login, sizeof(login), e->person.login),
	    e->person.github_id, text);
	log_infox("operator: %s", e->done.text);
	audit_set(record.login, sizeof(record.login), e->person.login);
	audit_set(record.role, sizeof(record.role), role);
	audit_set(record.method, sizeof(record.method), what);
	child_audit(e->desk->child, &record);
}

static void
errand_failed(struct errand *e)
{
	errand_refuse(e, "the identity database cannot be used: see the log");
}

static void
errand_refuse(struct errand *e, const char *format, ...)
{
	va_list ap;

	e->done.good = false;
	va_start(ap, format);
	(void)vsnprintf(e->done.text, sizeof(e->done.text), format, ap);
	va_end(ap);
}
