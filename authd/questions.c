#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authd/access.h"
#include "authd/questions.h"
#include "authd/sessions.h"
#include "authd/sign_ins.h"
#include "common/child.h"
#include "common/log.h"
#include "common/session.h"

struct question {
	TAILQ_ENTRY(question) entry;
	struct questions *questions;
	uint64_t id; /* of the message */
	struct access_wait wait;
};

TAILQ_HEAD(question_list, question);

struct questions {
	struct child *child;
	struct access *access;
	struct sessions *sessions;
	struct sign_ins *sign_ins;
	struct question_list open;
	size_t count;
};

static struct question *question_new(struct questions *, uint64_t);
static void question_free(struct question *);
static void question_on_verdict(void *, const struct access_verdict *);
static void answer(struct questions *, uint64_t, const struct access_verdict *);
static void send_session(struct questions *, uint64_t, struct session *);
static void answer_busy(
    struct questions *, uint64_t, uint64_t github_id, const char *login);

struct questions *
questions_new(struct child *child, struct access *access,
    struct sessions *sessions, struct sign_ins *sign_ins)
{
	struct questions *q = calloc(1, sizeof(*q));

	if (q == NULL)
		fatal("questions");
	q->child = child;
	q->access = access;
	q->sessions = sessions;
	q->sign_ins = sign_ins;
	TAILQ_INIT(&q->open);
	return q;
}

void
questions_free(struct questions *q)
{
	questions_cancel(q);
	free(q);
}

int
questions_on_session_get(struct questions *q, struct msg *m)
{
	char login[SESSION_LOGIN_MAX];
	struct access_verdict verdict;
	struct question *question;
	uint64_t github_id;

	if (session_get_read(m, &github_id, login) == -1)
		return -1;
	if (q->count == QUESTIONS_MAX) {
		answer_busy(q, m->id, github_id, login);
		return 0;
	}
	question = question_new(q, m->id);
	if (access_by_identity(
		q->access, github_id, login, &verdict, &question->wait))
		question_on_verdict(question, &verdict);
	return 0;
}

int
questions_on_session_get_by_token(struct questions *q, struct msg *m)
{
	char token[SESSION_TOKEN_MAX + 1];
	struct access_verdict verdict;
	struct question *question;

	if (session_token_read(m, token) == -1)
		return -1;
	if (q->count == QUESTIONS_MAX) {
		answer_busy(q, m->id, 0, "");
	} else {
		question = question_new(q, m->id);
		if (access_by_token(
			q->access, token, &verdict, &question->wait))
			question_on_verdict(question, &verdict);
	}
	explicit_bzero(token, sizeof(token));
	return 0;
}

int
questions_on_session_get_service(struct questions *q, struct msg *m)
{
	enum session_service service;
	struct session session;
	bool made;

	if (session_service_read(m, &service) == -1)
		return -1;
	made = sessions_get_service(q->sessions, service, time(NULL), &session);
	/* To watch is nobody's doing. */
	if (service == SESSION_SERVICE_ACT)
		sign_ins_note(q->sign_ins, &session, made);
	send_session(q, m->id, &session);
	return 0;
}

void
questions_cancel(struct questions *q)
{
	struct question *question;

	while ((question = TAILQ_FIRST(&q->open)) != NULL) {
		access_cancel(&question->wait);
		question_free(question);
	}
}

static struct question *
question_new(struct questions *q, uint64_t id)
{
	struct question *question = calloc(1, sizeof(*question));

	if (question == NULL)
		fatal("question");
	question->questions = q;
	question->id = id;
	question->wait.done = question_on_verdict;
	question->wait.arg = question;
	TAILQ_INSERT_TAIL(&q->open, question, entry);
	q->count++;
	return question;
}

static void
question_free(struct question *question)
{
	TAILQ_REMOVE(&question->questions->open, question, entry);
	question->questions->count--;
	free(question);
}

static void
question_on_verdict(void *arg, const struct access_verdict *verdict)
{
	struct question *question = arg;
	struct questions *q = question->questions;
	uint64_t id = question->id;

	question_free(question);
	answer(q, id, verdict);
}

static void
answer(struct questions *q, uint64_t id, const struct access_verdict *verdict)
{
	struct session session;

	sessions_get(q->sessions, verdict, time(NULL), &session);
	sign_ins_note(q->sign_ins, &session, verdict->fresh);
	send_session(q, id, &session);
}

/* And wipe it. */
static void
send_session(struct questions *q, uint64_t id, struct session *session)
{
	struct msg_out m;

	msg_start(&m, MSG_SESSION, id);
	session_add(&m, session);
	(void)child_send(q->child, PROGRAM_PROXYD, &m);
	explicit_bzero(session, sizeof(*session));
}

static void
answer_busy(
    struct questions *q, uint64_t id, uint64_t github_id, const char *login)
{
	struct access_verdict verdict = { .result = ACCESS_BUSY,
		.github_id = github_id };

	(void)strlcpy(verdict.login, login, sizeof(verdict.login));
	(void)strlcpy(verdict.reason,
	    "too many people are being asked about: try again later",
	    sizeof(verdict.reason));
	answer(q, id, &verdict);
}
