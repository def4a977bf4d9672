#include <sys/tree.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "proxyd/proxyd.h"
#include "proxyd/sessions.h"

/* People at once; beyond, the one not asked for the longest has to go. */
#define SESSIONS_MAX 1024

TAILQ_HEAD(wait_list, session_wait);

/* Somebody, or the instance itself: those are in no list. */
struct session_entry {
	RB_ENTRY(session_entry) by_person;
	TAILQ_ENTRY(session_entry) by_use; /* the latest first */
	bool is_service;
	enum session_service service;
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];
	uint64_t asked; /* id of the question under way, or 0 */
	int64_t expires_ms;
	struct session session;
	struct wait_list waiting;
};

RB_HEAD(person_tree, session_entry);
TAILQ_HEAD(use_list, session_entry);

struct sessions {
	struct proxyd *proxyd;
	struct person_tree people;
	struct use_list used;
	struct session_entry services[SESSION_SERVICE_COUNT];
	size_t count;
	uint64_t questions;
	void (*flushed)(void *arg);
	void *flushed_arg;
};

static int person_compare(
    const struct session_entry *, const struct session_entry *);
RB_PROTOTYPE(person_tree, session_entry, by_person, person_compare)
RB_GENERATE(person_tree, session_entry, by_person, person_compare)

static int
person_compare(const struct session_entry *a, const struct session_entry *b)
{
	if (a->github_id != b->github_id)
		return a->github_id < b->github_id ? -1 : 1;
	return strcmp(a->login, b->login);
}

struct sessions *
sessions_new(struct proxyd *proxyd)
{
	struct sessions *s = calloc(1, sizeof(*s));
	struct session_entry *e;
	int service;

	if (s == NULL)
		fatal("sessions");
	s->proxyd = proxyd;
	RB_INIT(&s->people);
	TAILQ_INIT(&s->used);
	for (service = 0; service < SESSION_SERVICE_COUNT; service++) {
		e = &s->services[service];
		e->is_service = true;
		e->service = (enum session_service)service;
		(void)strlcpy(
		    e->login, SESSION_SERVICE_LOGIN, sizeof(e->login));
		TAILQ_INIT(&e->waiting);
	}
	return s;
}

static void
entry_let_go(struct session_entry *e)
{
	struct session_wait *wait;

	while ((wait = TAILQ_FIRST(&e->waiting)) != NULL)
		sessions_cancel(wait);
}

static void
entry_free(struct sessions *s, struct session_entry *e)
{
	entry_let_go(e);
	RB_REMOVE(person_tree, &s->people, e);
	TAILQ_REMOVE(&s->used, e, by_use);
	s->count--;
	freezero(e, sizeof(*e));
}

void
sessions_free(struct sessions *s)
{
	struct session_entry *e;
	int service;

	while ((e = TAILQ_FIRST(&s->used)) != NULL)
		entry_free(s, e);
	for (service = 0; service < SESSION_SERVICE_COUNT; service++)
		entry_let_go(&s->services[service]);
	freezero(s, sizeof(*s));
}

static void
entry_ask(struct sessions *s, struct session_entry *e)
{
	struct msg_out m;

	e->asked = ++s->questions;
	if (e->is_service) {
		msg_start(&m, MSG_SESSION_GET_SERVICE, e->asked);
		session_service_add(&m, e->service);
	} else {
		msg_start(&m, MSG_SESSION_GET, e->asked);
		session_get_add(&m, e->github_id, e->login);
	}
	if (!child_send(&s->proxyd->child, PROGRAM_AUTHD, &m))
		log_debugx("no authd to ask: it will be back");
}

static struct session_entry *
find(struct sessions *s, uint64_t github_id, const char *login)
{
	static struct session_entry key; /* too large to be zeroed each time */

	key.github_id = github_id;
	(void)strlcpy(key.login, login, sizeof(key.login));
	return RB_FIND(person_tree, &s->people, &key);
}

/* Make room by forgetting one that nobody waits for. */
static void
evict(struct sessions *s)
{
	struct session_entry *e;

	TAILQ_FOREACH_REVERSE(e, &s->used, use_list, by_use)
	{
		if (TAILQ_EMPTY(&e->waiting)) {
			entry_free(s, e);
			return;
		}
	}
}

static struct session_entry *
entry_new(struct sessions *s, uint64_t github_id, const char *login)
{
	struct session_entry *e = calloc(1, sizeof(*e));

	if (s->count >= SESSIONS_MAX)
		evict(s);
	if (e == NULL)
		fatal("session");
	e->github_id = github_id;
	(void)strlcpy(e->login, login, sizeof(e->login));
	TAILQ_INIT(&e->waiting);
	RB_INSERT(person_tree, &s->people, e);
	TAILQ_INSERT_HEAD(&s->used, e, by_use);
	s->count++;
	return e;
}

/* What is known and still counts; else it is asked, and the wait told. */
static const struct session *
entry_get(
    struct sessions *s, struct session_entry *e, struct session_wait *wait)
{
	if (e->asked == 0 && monotonic_ms() < e->expires_ms)
		return &e->session;
	TAILQ_INSERT_TAIL(&e->waiting, wait, entry);
	wait->in = e;
	if (e->asked == 0)
		entry_ask(s, e);
	return NULL;
}

const struct session *
sessions_get(struct sessions *s, uint64_t github_id, const char *login,
    struct session_wait *wait)
{
	struct session_entry *e = find(s, github_id, login);

	if (e == NULL)
		e = entry_new(s, github_id, login);
	TAILQ_REMOVE(&s->used, e, by_use);
	TAILQ_INSERT_HEAD(&s->used, e, by_use);
	return entry_get(s, e, wait);
}

const struct session *
sessions_get_service(
    struct sessions *s, enum session_service service, struct session_wait *wait)
{
	return entry_get(s, &s->services[service], wait);
}

void
sessions_cancel(struct session_wait *wait)
{
	if (wait->in == NULL)
		return;
	TAILQ_REMOVE(&wait->in->waiting, wait, entry);
	wait->in = NULL;
}

void
sessions_forget(struct sessions *s, uint64_t github_id, const char *login)
{
	struct session_entry *e = find(s, github_id, login);

	if (e != NULL)
		e->expires_ms = 0;
}

void
sessions_forget_service(struct sessions *s)
{
	int service;

	for (service = 0; service < SESSION_SERVICE_COUNT; service++)
		s->services[service].expires_ms = 0;
}

/*
 * Whether the session is that person's; who is refused may be nobody.  The
 * instance itself is the one without an id that is somebody.
 */
static bool
is_of(const struct session *session, const struct session_entry *e)
{
	if (e->is_service)
		return session->github_id == 0 &&
		       strcmp(session->login, e->login) == 0;
	if (session->github_id == 0)
		return session->status != SESSION_OK;
	return session->github_id == e->github_id &&
	       strcasecmp(session->login, e->login) == 0;
}

/* The one that was asked about under that id, or NULL. */
static struct session_entry *
entry_asked(struct sessions *s, uint64_t id)
{
	struct session_entry *e;
	int service;

	if (id == 0)
		return NULL;
	for (service = 0; service < SESSION_SERVICE_COUNT; service++)
		if (s->services[service].asked == id)
			return &s->services[service];
	TAILQ_FOREACH (e, &s->used, by_use)
		if (e->asked == id)
			break;
	return e;
}

int
sessions_on_session(struct sessions *s, struct msg *m)
{
	struct session_entry *e;
	struct session_wait *wait;
	struct session session;

	if (session_read(m, &session) == -1) {
		explicit_bzero(&session, sizeof(session));
		return -1;
	}
	if ((e = entry_asked(s, m->id)) == NULL) {
		explicit_bzero(&session, sizeof(session));
		return 0; /* forgotten meanwhile */
	}
	if (!is_of(&session, e)) {
		explicit_bzero(&session, sizeof(session));
		return -1;
	}
	e->asked = 0;
	e->session = session;
	e->expires_ms = monotonic_ms() + session.lifetime_ms;

	while ((wait = TAILQ_FIRST(&e->waiting)) != NULL) {
		sessions_cancel(wait);
		wait->done(wait->arg, &session);
	}
	explicit_bzero(&session, sizeof(session));
	return 0;
}

static void
expire_all(struct sessions *s)
{
	struct session_entry *e;

	TAILQ_FOREACH (e, &s->used, by_use)
		e->expires_ms = 0;
	sessions_forget_service(s);
}

static void
tell_flushed(struct sessions *s)
{
	if (s->flushed != NULL)
		s->flushed(s->flushed_arg);
}

void
sessions_flush(struct sessions *s)
{
	expire_all(s);
	tell_flushed(s);
}

void
sessions_on_authd(struct sessions *s)
{
	struct session_entry *e;
	int service;

	/* It may have come with other rules: what the last one said of a
	 * person counts no more. */
	expire_all(s);
	TAILQ_FOREACH (e, &s->used, by_use)
		if (e->asked != 0)
			entry_ask(s, e);
	for (service = 0; service < SESSION_SERVICE_COUNT; service++)
		if (s->services[service].asked != 0)
			entry_ask(s, &s->services[service]);
	tell_flushed(s);
}

void
sessions_on_flush(struct sessions *s, void (*flushed)(void *arg), void *arg)
{
	s->flushed = flushed;
	s->flushed_arg = arg;
}

size_t
sessions_count(const struct sessions *s)
{
	return s->count;
}
