#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "proxyd/handles.h"
#include "proxyd/proxyd.h"

/* Questions at once; beyond, the answer is "nothing". */
#define QUESTIONS_MAX 1024

TAILQ_HEAD(wait_list, handle_wait);

struct handle_question {
	struct handles *handles;
	uint64_t id; /* 0 if it is not asked */
	enum msg_type type;
	uint64_t github_id; /* of HANDLE_NEW */
	char login[SESSION_LOGIN_MAX];
	char handle[HANDLE_SIZE]; /* of HANDLE_CHECK */
};

struct handles {
	struct proxyd *proxyd;
	struct wait_list asked;
	struct wait_list refused;	/* to be told so by the timer */
	struct handle_question refusal; /* what all of those wait for */
	struct event *timer;
	size_t nasked;
	size_t nrefused;
	uint64_t questions; /* the id given last */
};

static void
handles_on_timer(int fd, short what, void *arg)
{
	static const struct handle_answer nothing;
	struct handles *h = arg;
	struct handle_wait *wait;
	size_t n;

	(void)fd;
	(void)what;
	/* Those that ask again from inside get their turn later. */
	for (n = h->nrefused; n > 0; n--) {
		if ((wait = TAILQ_FIRST(&h->refused)) == NULL)
			break;
		handles_cancel(wait);
		wait->done(wait->arg, &nothing);
	}
}

struct handles *
handles_new(struct proxyd *proxyd)
{
	struct handles *h = calloc(1, sizeof(*h));

	if (h == NULL)
		fatal("handles");
	h->proxyd = proxyd;
	h->refusal.handles = h;
	TAILQ_INIT(&h->asked);
	TAILQ_INIT(&h->refused);
	h->timer = evtimer_new(proxyd->child.base, handles_on_timer, h);
	if (h->timer == NULL)
		fatalx("no timer");
	return h;
}

void
handles_free(struct handles *h)
{
	struct handle_wait *wait;

	while ((wait = TAILQ_FIRST(&h->asked)) != NULL)
		handles_cancel(wait);
	while ((wait = TAILQ_FIRST(&h->refused)) != NULL)
		handles_cancel(wait);
	event_free(h->timer);
	free(h);
}

static void
question_ask(struct handles *h, struct handle_question *q)
{
	struct msg_out m;

	q->id = ++h->questions;
	msg_start(&m, q->type, q->id);
	if (q->type == MSG_HANDLE_NEW)
		handle_owner_add(&m, q->github_id, q->login);
	else
		handle_add(&m, q->handle);
	if (!child_send(&h->proxyd->child, PROGRAM_AUTHD, &m))
		log_debugx("no authd to ask: it will be back");
}

static void
handles_refuse(struct handles *h, struct handle_wait *wait)
{
	wait->question = &h->refusal;
	TAILQ_INSERT_TAIL(&h->refused, wait, entry);
	h->nrefused++;
	timer_set(h->timer, 0);
}

/* NULL, and refused, if too many wait already. */
static struct handle_question *
question_new(struct handles *h, enum msg_type type, struct handle_wait *wait)
{
	struct handle_question *q;

	if (h->nasked >= QUESTIONS_MAX) {
		log_debugx("too many questions about handles");
		handles_refuse(h, wait);
		return NULL;
	}
	if ((q = calloc(1, sizeof(*q))) == NULL)
		fatal("handle question");
	q->handles = h;
	q->type = type;
	wait->question = q;
	TAILQ_INSERT_TAIL(&h->asked, wait, entry);
	h->nasked++;
	return q;
}

void
handles_make(struct handles *h, uint64_t github_id, const char *login,
    struct handle_wait *wait)
{
	struct handle_question *q;

	/* A login that is cut might be somebody else's. */
	if (strlen(login) >= sizeof(q->login)) {
		handles_refuse(h, wait);
		return;
	}
	if ((q = question_new(h, MSG_HANDLE_NEW, wait)) == NULL)
		return;
	q->github_id = github_id;
	(void)strlcpy(q->login, login, sizeof(q->login));
	question_ask(h, q);
}

void
handles_check(struct handles *h, const char *handle, struct handle_wait *wait)
{
	struct handle_question *q;

	/* authd would take us for broken. */
	if (!handle_is_valid(handle)) {
		handles_refuse(h, wait);
		return;
	}
	if ((q = question_new(h, MSG_HANDLE_CHECK, wait)) == NULL)
		return;
	(void)strlcpy(q->handle, handle, sizeof(q->handle));
	question_ask(h, q);
}

void
handles_cancel(struct handle_wait *wait)
{
	struct handle_question *q = wait->question;
	struct handles *h;

	if (q == NULL)
		return;
	wait->question = NULL;
	h = q->handles;
	if (q == &h->refusal) {
		TAILQ_REMOVE(&h->refused, wait, entry);
		h->nrefused--;
		return;
	}
	TAILQ_REMOVE(&h->asked, wait, entry);
	h->nasked--;
	freezero(q, sizeof(*q));
}

/*
 * Hand over the answer to the question of that id.  Returns -1 if it was a
 * different one.
 */
static int
handles_tell(struct handles *h, uint64_t id, enum msg_type type,
    const struct handle_answer *answer)
{
	struct handle_wait *wait;

	TAILQ_FOREACH (wait, &h->asked, entry)
		if (wait->question->id == id)
			break;
	if (wait == NULL)
		return 0; /* cancelled meanwhile */
	if (wait->question->type != type)
		return -1;
	handles_cancel(wait);
	wait->done(wait->arg, answer);
	return 0;
}

int
handles_on_handle(struct handles *h, struct msg *m)
{
	struct handle_answer answer = { 0 };
	int rc;

	if (handle_read(m, answer.handle) == -1)
		return -1;
	rc = handles_tell(h, m->id, MSG_HANDLE_NEW, &answer);
	explicit_bzero(&answer, sizeof(answer));
	return rc;
}

int
handles_on_owner(struct handles *h, struct msg *m)
{
	struct handle_answer answer = { 0 };

	if (handle_owner_read(m, &answer.github_id, answer.login) == -1)
		return -1;
	return handles_tell(h, m->id, MSG_HANDLE_CHECK, &answer);
}

void
handles_on_authd(struct handles *h)
{
	struct handle_wait *wait;

	TAILQ_FOREACH (wait, &h->asked, entry)
		question_ask(h, wait->question);
}
