#include <stdio.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "authd/token_question.h"
#include "authd/tokens.h"
#include "common/audit.h"
#include "common/child.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/timer.h"

static void
on_again(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	token_question_answer(arg);
}

void
token_question_init(struct token_question *q, struct child *child,
    const struct authd_conf *conf, struct tokens *tokens)
{
	*q = (struct token_question){
		.child = child,
		.conf = conf,
		.tokens = tokens,
		.again = evtimer_new(child->base, on_again, q),
	};
	if (q->again == NULL)
		fatalx("no timer");
}

void
token_question_clear(struct token_question *q)
{
	event_free(q->again);
}

static bool
is_configured(const struct token_question *q)
{
	return q->conf->token[0] != '\0';
}

/* Both wiped by the caller.  False while nobody knows. */
static bool
find_token(struct token_question *q, char token[TOKENS_TOKEN_MAX + 1],
    char client_id[TOKENS_CLIENT_ID_MAX + 1])
{
	enum db_result result;

	if (is_configured(q)) {
		(void)strlcpy(token, q->conf->token, TOKENS_TOKEN_MAX + 1);
		client_id[0] = '\0';
		return true;
	}
	result = tokens_get(q->tokens, q->conf->orchestrator, token, client_id);
	return result == DB_OK || result == DB_NONE;
}

void
token_question_answer(struct token_question *q)
{
	char token[TOKENS_TOKEN_MAX + 1], client_id[TOKENS_CLIENT_ID_MAX + 1];
	struct msg_out answer;

	if (!q->waits || q->conf_id != q->child->conf_id)
		return;
	if (find_token(q, token, client_id)) {
		token_question_forget(q);
		msg_start(&answer, MSG_TOKEN, q->id);
		msg_add_str(&answer, token);
		msg_add_str(&answer, client_id);
		(void)child_send(q->child, PROGRAM_CONNECTOR, &answer);
	} else {
		/* To say that there is none would give up one that is kept. */
		timer_set(q->again, TOKEN_QUESTION_WAIT_MS);
	}
	explicit_bzero(token, sizeof(token));
}

int
token_question_on_get(struct token_question *q, struct msg *m)
{
	uint64_t conf_id = msg_get_u64(m);

	if (!msg_end(m))
		return -1;
	q->waits = true;
	q->id = m->id;
	q->conf_id = conf_id;
	token_question_answer(q);
	return 0;
}

void
token_question_forget(struct token_question *q)
{
	q->waits = false;
	evtimer_del(q->again);
}

static void
audit(struct token_question *q, const char *client_id, enum db_result kept)
{
	struct audit_record record = {
		.event = AUDIT_TOKEN,
		.verdict = AUDIT_ALLOWED,
	};

	audit_set(record.method, sizeof(record.method), "grant");
	(void)snprintf(record.why, sizeof(record.why), "%.128s, for %s%s",
	    q->conf->orchestrator, client_id,
	    kept == DB_OK ? "" : "; not stored");
	child_audit(q->child, &record);
}

/* DB_NONE if nothing is stored for this orchestrator, DB_OK if one is. */
static enum db_result
look_up_stored(const struct token_question *q)
{
	char token[TOKENS_TOKEN_MAX + 1], client_id[TOKENS_CLIENT_ID_MAX + 1];
	enum db_result result =
	    tokens_get(q->tokens, q->conf->orchestrator, token, client_id);

	explicit_bzero(token, sizeof(token));
	return result;
}

static void
keep(struct token_question *q, uint64_t conf_id, const char *token,
    const char *client_id)
{
	enum db_result stored;
	const char *why = NULL;

	/* Nobody knows whose it is: connector comes again if it is right. */
	if (conf_id != q->child->conf_id) {
		log_infox("orchestrator token granted meanwhile not kept: "
			  "another configuration");
		return;
	}
	/* connector does not ask for one then, unless somebody took it over:
	 * what he brings must not outlive it. */
	if (is_configured(q))
		why = "one is configured";
	else if ((stored = look_up_stored(q)) == DB_OK)
		why = "there is one";
	else if (stored != DB_NONE)
		why = "cannot tell whether there is one";
	if (why != NULL) {
		log_warnx("orchestrator token granted by %s not kept: %s",
		    q->conf->orchestrator, why);
		return;
	}
	audit(q, client_id,
	    tokens_put(q->tokens, q->conf->orchestrator, token, client_id,
		time(NULL)));
}

int
token_question_on_granted(struct token_question *q, struct msg *m)
{
	char token[TOKENS_TOKEN_MAX + 1], client_id[TOKENS_CLIENT_ID_MAX + 1];
	uint64_t conf_id = msg_get_u64(m);
	bool good;

	msg_get_str(m, token, sizeof(token));
	msg_get_str(m, client_id, sizeof(client_id));
	good = msg_end(m) && token[0] != '\0' && slice_is_token(token) &&
	       client_id_check(client_id) == NULL;
	if (good)
		keep(q, conf_id, token, client_id);
	explicit_bzero(token, sizeof(token));
	return good ? 0 : -1;
}
