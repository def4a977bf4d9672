#include <sys/queue.h>
#include <sys/tree.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "authd/sign_ins.h"
#include "authd/trouble.h"
#include "common/audit.h"
#include "common/child.h"
#include "common/log.h"
#include "common/session.h"

/* A verdict about a person that is in the audit log. */
struct noted {
	RB_ENTRY(noted) by_verdict;
	TAILQ_ENTRY(noted) by_use;
	uint64_t github_id;
	char *login;
	char *reason;
	enum session_status status;
	enum session_role role;
	int64_t recorded_ms;
};

RB_HEAD(noted_tree, noted);
TAILQ_HEAD(noted_list, noted);

struct sign_ins {
	struct child *child;
	struct noted_tree tree;
	struct noted_list list; /* most recently used first */
	size_t count;
};

static struct noted *noted_find(struct sign_ins *, const struct session *);
static struct noted *noted_new(struct sign_ins *, const struct session *);
static void noted_free(struct sign_ins *, struct noted *);
static void record(struct sign_ins *, const struct session *);

static int
noted_compare(const struct noted *a, const struct noted *b)
{
	int order;

	if (a->github_id != b->github_id)
		return a->github_id < b->github_id ? -1 : 1;
	if (a->status != b->status)
		return a->status < b->status ? -1 : 1;
	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	order = strcmp(a->login, b->login);
	return order != 0 ? order : strcmp(a->reason, b->reason);
}

RB_PROTOTYPE(noted_tree, noted, by_verdict, noted_compare)
RB_GENERATE(noted_tree, noted, by_verdict, noted_compare)

struct sign_ins *
sign_ins_new(struct child *child)
{
	struct sign_ins *s = calloc(1, sizeof(*s));

	if (s == NULL)
		fatal("sign-ins");
	s->child = child;
	RB_INIT(&s->tree);
	TAILQ_INIT(&s->list);
	return s;
}

void
sign_ins_free(struct sign_ins *s)
{
	sign_ins_forget(s);
	free(s);
}

void
sign_ins_note(struct sign_ins *s, const struct session *session, bool fresh)
{
	int64_t now = trouble_clock();
	struct noted *n = noted_find(s, session);
	bool known = n != NULL;

	if (!known)
		n = noted_new(s, session);
	TAILQ_REMOVE(&s->list, n, by_use);
	TAILQ_INSERT_HEAD(&s->list, n, by_use);
	if (known && ((session->status == SESSION_OK && !fresh) ||
			 now - n->recorded_ms < SIGN_INS_PAUSE_MS))
		return;
	n->recorded_ms = now;
	record(s, session);
}

void
sign_ins_forget(struct sign_ins *s)
{
	struct noted *n;

	while ((n = TAILQ_FIRST(&s->list)) != NULL)
		noted_free(s, n);
}

static struct noted *
noted_find(struct sign_ins *s, const struct session *session)
{
	char login[SESSION_LOGIN_MAX], reason[SESSION_REASON_MAX];
	struct noted key = { .github_id = session->github_id,
		.login = login,
		.reason = reason,
		.status = session->status,
		.role = session->role };

	(void)strlcpy(login, session->login, sizeof(login));
	(void)strlcpy(reason, session->reason, sizeof(reason));
	return RB_FIND(noted_tree, &s->tree, &key);
}

static struct noted *
noted_new(struct sign_ins *s, const struct session *session)
{
	struct noted *n = calloc(1, sizeof(*n));

	if (n == NULL || (n->login = strdup(session->login)) == NULL ||
	    (n->reason = strdup(session->reason)) == NULL)
		fatal("sign-in");
	n->github_id = session->github_id;
	n->status = session->status;
	n->role = session->role;
	if (s->count == SIGN_INS_MAX)
		noted_free(s, TAILQ_LAST(&s->list, noted_list));
	(void)RB_INSERT(noted_tree, &s->tree, n);
	TAILQ_INSERT_HEAD(&s->list, n, by_use);
	s->count++;
	return n;
}

static void
noted_free(struct sign_ins *s, struct noted *n)
{
	(void)RB_REMOVE(noted_tree, &s->tree, n);
	TAILQ_REMOVE(&s->list, n, by_use);
	s->count--;
	free(n->login);
	free(n->reason);
	free(n);
}

static void
record(struct sign_ins *s, const struct session *session)
{
	struct audit_record r = { .event = AUDIT_SIGN_IN,
		.verdict = session->status == SESSION_OK ? AUDIT_ALLOWED
							 : AUDIT_REFUSED,
		.github_id = session->github_id };

	audit_set(r.login, sizeof(r.login), session->login);
	if (session->status == SESSION_OK)
		audit_set(
		    r.role, sizeof(r.role), session_role_name(session->role));
	audit_set(r.why, sizeof(r.why), session->reason);
	child_audit(s->child, &r);
}
