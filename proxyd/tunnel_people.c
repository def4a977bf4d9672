#include <sys/queue.h>
#include <sys/tree.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "proxyd/proxyd.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnel.h"
#include "proxyd/tunnel_people.h"

/* How long authd is left alone when it could not say. */
#define RETRY_MS 5000

#define OTHER_ROLE "your access changed"

TAILQ_HEAD(person_tunnels, tunnel);

struct tunnel_person {
	RB_ENTRY(tunnel_person) entry;
	struct tunnel_people *in;
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];
	struct person_tunnels tunnels; /* never empty */
	struct session_wait wait;
	int64_t not_before; /* to ask again, monotonic ms */
};

RB_HEAD(people_tree, tunnel_person);

struct tunnel_people {
	struct proxyd *proxyd;
	struct people_tree all;
};

static int people_compare(
    const struct tunnel_person *, const struct tunnel_person *);
RB_PROTOTYPE(people_tree, tunnel_person, entry, people_compare)
RB_GENERATE(people_tree, tunnel_person, entry, people_compare)

static int
people_compare(const struct tunnel_person *a, const struct tunnel_person *b)
{
	if (a->github_id != b->github_id)
		return a->github_id < b->github_id ? -1 : 1;
	return strcmp(a->login, b->login);
}

struct tunnel_people *
tunnel_people_new(struct proxyd *proxyd)
{
	struct tunnel_people *people = calloc(1, sizeof(*people));

	if (people == NULL)
		fatal("tunnels");
	people->proxyd = proxyd;
	RB_INIT(&people->all);
	return people;
}

void
tunnel_people_free(struct tunnel_people *people)
{
	free(people);
}

static void
end_denied(struct tunnel *t, const struct session *session)
{
	char reason[SESSION_REASON_MAX + 4];

	(void)snprintf(reason, sizeof(reason), "403 %s", session->reason);
	tunnel_advise(t, session->advice);
	/* One of the two does it. */
	tunnel_refuse(t, reason);
	tunnel_break(t, WS_CLOSE_POLICY,
	    t->kind == TUNNEL_STREAM ? reason : session->reason);
}

static void
end_changed(struct tunnel *t)
{
	tunnel_refuse(t, "503 " OTHER_ROLE);
	tunnel_break(t, WS_CLOSE_RESTART,
	    t->kind == TUNNEL_STREAM ? "503 " OTHER_ROLE : OTHER_ROLE);
}

/* Tunnels that end leave later. */
static void
judge(struct tunnel_person *person, const struct session *session)
{
	struct tunnel *t;

	if (session->status == SESSION_UNAVAILABLE ||
	    session->status == SESSION_BUSY) {
		person->not_before = monotonic_ms() + RETRY_MS;
		return;
	}
	TAILQ_FOREACH (t, &person->tunnels, of_person) {
		if (session->status != SESSION_OK)
			end_denied(t, session);
		else if (session->role != t->role)
			end_changed(t);
	}
}

static void
on_session(void *arg, const struct session *session)
{
	judge(arg, session);
}

static struct tunnel_person *
person_new(struct tunnel_people *people, const struct tunnel_person *key)
{
	struct tunnel_person *person = calloc(1, sizeof(*person));

	if (person == NULL)
		fatal("tunnels");
	person->in = people;
	person->github_id = key->github_id;
	(void)strlcpy(person->login, key->login, sizeof(person->login));
	TAILQ_INIT(&person->tunnels);
	person->wait.done = on_session;
	person->wait.arg = person;
	RB_INSERT(people_tree, &people->all, person);
	return person;
}

void
tunnel_people_join(struct tunnel_people *people, struct tunnel *t)
{
	struct tunnel_person key = { .github_id = t->github_id };
	struct tunnel_person *person;

	(void)strlcpy(key.login, t->login, sizeof(key.login));
	person = RB_FIND(people_tree, &people->all, &key);
	if (person == NULL)
		person = person_new(people, &key);
	TAILQ_INSERT_TAIL(&person->tunnels, t, of_person);
	t->person = person;
}

void
tunnel_people_leave(struct tunnel *t)
{
	struct tunnel_person *person = t->person;

	if (person == NULL)
		return;
	t->person = NULL;
	TAILQ_REMOVE(&person->tunnels, t, of_person);
	if (!TAILQ_EMPTY(&person->tunnels))
		return;
	sessions_cancel(&person->wait);
	RB_REMOVE(people_tree, &person->in->all, person);
	free(person);
}

static void
check_person(
    struct sessions *sessions, struct tunnel_person *person, int64_t now_ms)
{
	const struct session *session;

	if (person->wait.in != NULL || now_ms < person->not_before)
		return;
	session = sessions_get(
	    sessions, person->github_id, person->login, &person->wait);
	if (session != NULL)
		judge(person, session);
}

void
tunnel_people_check(struct tunnel_people *people, int64_t now_ms)
{
	struct tunnel_person *person;

	RB_FOREACH (person, people_tree, &people->all)
		check_person(people->proxyd->sessions, person, now_ms);
}

void
tunnel_people_hurry(struct tunnel_people *people)
{
	struct tunnel_person *person;

	RB_FOREACH (person, people_tree, &people->all)
		person->not_before = 0;
}
