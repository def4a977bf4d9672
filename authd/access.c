#include <sys/queue.h>
#include <sys/tree.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "authd/access.h"
#include "authd/access_cache.h"
#include "authd/failures.h"
#include "authd/finding.h"
#include "authd/health.h"
#include "authd/membership.h"
#include "authd/policy.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "common/slice.h"
#include "common/status.h"
#include "common/timer.h"

/* Somebody who is being asked about, and who waits for the verdict. */
struct access_question {
	RB_ENTRY(access_question) by_key;
	struct access *access;
	struct access_key key;
	struct access_key limit; /* of the token to ask with */
	char *token;		 /* of the person, or NULL */
	uint64_t github_id;	 /* else whom the orchestrator named */
	char login[POLICY_LOGIN_MAX + 1];
	TAILQ_HEAD(, access_wait) waits;
	struct membership *membership; /* or NULL */
	struct finding finding;	       /* once the timer is set */
	struct event *timer;
};

struct access {
	struct event_base *base;
	const struct authd_conf *conf;
	struct github *github;
	struct access_cache *cache;
	struct health health;
	RB_HEAD(question_tree, access_question) open;
	size_t open_count;
	struct failures failures;
};

static int question_compare(
    const struct access_question *, const struct access_question *);
static void question_begin(struct access_question *);
static void question_free(struct access_question *);
static void question_answer(evutil_socket_t, short, void *);

RB_PROTOTYPE(question_tree, access_question, by_key, question_compare)
RB_GENERATE(question_tree, access_question, by_key, question_compare)

struct access *
access_new(struct event_base *base, const struct authd_conf *conf,
    struct github *github)
{
	struct access *a = calloc(1, sizeof(*a));

	if (a == NULL)
		fatal("calloc");
	a->base = base;
	a->conf = conf;
	a->github = github;
	a->cache = access_cache_new(ACCESS_KEPT_MAX);
	RB_INIT(&a->open);
	return a;
}

void
access_free(struct access *a)
{
	struct access_question *q;

	while ((q = RB_MIN(question_tree, &a->open)) != NULL)
		question_free(q);
	access_cache_free(a->cache);
	free(a);
}

/* Of what was asked about, and is no error. */
static bool
access_is_failure(const struct finding *f)
{
	return f->kind == FINDING_NOT_NAMED || f->kind == FINDING_NO_MEMBER ||
	       f->kind == FINDING_NOT_SEEN || f->kind == FINDING_TOKEN_REFUSED;
}

/* Whether GitHub wants no questions with a token: then *f says so. */
static bool
access_is_limited(
    struct access *a, const struct access_key *limit, struct finding *f)
{
	uint32_t left_ms;

	if (access_cache_get(a->cache, limit, &left_ms) == NULL)
		return false;
	f->kind = FINDING_LIMITED;
	f->wait_ms = left_ms;
	return true;
}

static void
access_allow(struct finding *f, const struct policy_rule *rule)
{
	f->kind = FINDING_ALLOWED;
	if (rule == NULL) {
		f->role = SESSION_ROLE_FULL;
		(void)strlcpy(f->rule, "no rules", sizeof(f->rule));
		return;
	}
	f->role = rule->role;
	policy_describe(rule, f->rule, sizeof(f->rule));
}

/* Whether no question is needed for the person in *f, or may be asked. */
static bool
access_decide(struct access *a, const struct access_key *limit,
    const char *token, struct finding *f)
{
	struct policy_rule rule;

	if (token != NULL) {
		f->kind = FINDING_NO_RULES;
		return !policy_has_rules(a->conf) ||
		       access_is_limited(a, limit, f);
	}
	if (!policy_has_rules(a->conf)) {
		access_allow(f, NULL);
		return true;
	}
	if (policy_find_user(a->conf, f->login, &rule)) {
		access_allow(f, &rule);
		return true;
	}
	f->kind =
	    policy_asks_github(a->conf) ? FINDING_NO_TOKEN : FINDING_NOT_NAMED;
	return f->kind == FINDING_NOT_NAMED ||
	       a->conf->github_token[0] == '\0' ||
	       access_is_limited(a, limit, f);
}

/* Limits are kept for the token that they are of. */
static void
access_keep(
    struct access *a, const struct access_key *key, const struct finding *f)
{
	if (f->kind != FINDING_LIMITED)
		access_cache_put(
		    a->cache, key, f, finding_lifetime(f, a->conf));
}

/* Say at once what is so. */
static bool
access_tell(
    struct access *a, const struct finding *f, struct access_verdict *verdict)
{
	finding_verdict(f, verdict);
	verdict->lifetime_ms = finding_lifetime(f, a->conf);
	verdict->fresh = true;
	return true;
}

static bool
access_tell_kind(
    struct access *a, enum finding_kind kind, struct access_verdict *verdict)
{
	const struct finding f = { .kind = kind };

	return access_tell(a, &f, verdict);
}

static bool
access_tell_known(struct access *a, const struct access_key *key,
    struct access_verdict *verdict)
{
	const struct finding *known;
	uint32_t left_ms;

	known = access_cache_get(a->cache, key, &left_ms);
	if (known == NULL)
		return false;
	finding_verdict(known, verdict);
	verdict->lifetime_ms = left_ms;
	return true;
}

static struct access_question *
access_find(struct access *a, const struct access_key *key)
{
	struct access_question sought = { .key = *key };

	return RB_FIND(question_tree, &a->open, &sought);
}

/* Wait for a question's end; it is made if nobody asked it yet. */
static void
access_join(struct access *a, const struct access_key *key,
    const struct finding *f, const char *token, struct access_wait *wait)
{
	struct access_question *q = access_find(a, key);
	bool is_new = q == NULL;

	if (is_new) {
		q = calloc(1, sizeof(*q));
		if (q == NULL ||
		    (token != NULL && (q->token = strdup(token)) == NULL))
			fatal("calloc");
		q->timer = evtimer_new(a->base, question_answer, q);
		if (q->timer == NULL)
			fatalx("evtimer_new");
		q->access = a;
		q->key = *key;
		q->github_id = f->github_id;
		(void)strlcpy(q->login, f->login, sizeof(q->login));
		TAILQ_INIT(&q->waits);
		(void)RB_INSERT(question_tree, &a->open, q);
		a->open_count++;
	}
	TAILQ_INSERT_TAIL(&q->waits, wait, entry);
	wait->in = q;
	if (is_new)
		question_begin(q);
}

bool
access_by_identity(struct access *a, uint64_t github_id, const char *login,
    struct access_verdict *verdict, struct access_wait *wait)
{
	struct finding f = { .github_id = github_id };
	struct access_key key, limit;

	access_cancel(wait);
	if (!policy_id_is_valid(github_id))
		return access_tell_kind(a, FINDING_ID_INVALID, verdict);
	if (!policy_login_is_valid(login))
		return access_tell_kind(a, FINDING_LOGIN_INVALID, verdict);
	(void)strlcpy(f.login, login, sizeof(f.login));
	access_key_of_person(a->cache, github_id, login, &key);
	if (access_tell_known(a, &key, verdict))
		return true;
	access_key_of_limit(
	    a->cache, a->conf->github_token, a->conf->github_api, &limit);
	if (access_find(a, &key) == NULL) {
		if (access_decide(a, &limit, NULL, &f)) {
			access_keep(a, &key, &f);
			return access_tell(a, &f, verdict);
		}
		if (a->open_count >= ACCESS_OPEN_MAX)
			return access_tell_kind(a, FINDING_TOO_MANY, verdict);
	}
	access_join(a, &key, &f, NULL, wait);
	return false;
}

bool
access_by_token(struct access *a, const char *token,
    struct access_verdict *verdict, struct access_wait *wait)
{
	struct access_key key, limit;
	struct finding f = { 0 };

	access_cancel(wait);
	if (token[0] == '\0' || strlen(token) > SESSION_TOKEN_MAX ||
	    !slice_is_token(token))
		return access_tell_kind(a, FINDING_TOKEN_REFUSED, verdict);
	access_key_of_token(a->cache, token, &key);
	if (access_tell_known(a, &key, verdict))
		return true;
	access_key_of_limit(a->cache, token, a->conf->github_api, &limit);
	if (access_find(a, &key) == NULL) {
		if (access_decide(a, &limit, token, &f))
			return access_tell(a, &f, verdict);
		if (a->open_count >= ACCESS_OPEN_MAX)
			return access_tell_kind(a, FINDING_TOO_MANY, verdict);
		if (!failures_allow(&a->failures, a->conf->failures_rate))
			return access_tell_kind(a, FINDING_FAILURES, verdict);
	}
	access_join(a, &key, &f, token, wait);
	return false;
}

void
access_cancel(struct access_wait *wait)
{
	if (wait->in == NULL)
		return;
	TAILQ_REMOVE(&wait->in->waits, wait, entry);
	wait->in = NULL;
}

void
access_reload(struct access *a)
{
	struct access_question *q, *next;

	access_cache_forget(a->cache);
	health_reset(&a->health);
	RB_FOREACH_SAFE (q, question_tree, &a->open, next) {
		membership_free(q->membership);
		q->membership = NULL;
		(void)evtimer_del(q->timer);
		if (TAILQ_EMPTY(&q->waits))
			question_free(q);
		else
			question_begin(q);
	}
}

void
access_status(const struct access *a, struct status *status)
{
	char text[STATUS_TEXT_SIZE];
	struct access_key limit;
	uint32_t left_ms;

	access_key_of_limit(
	    a->cache, a->conf->github_token, a->conf->github_api, &limit);
	if (access_cache_get(a->cache, &limit, &left_ms) != NULL)
		(void)snprintf(text, sizeof(text), "limited for %u s",
		    (left_ms + 999) / 1000);
	else
		health_describe(&a->health, text, sizeof(text));
	status_set_text(status, STATUS_AUTHD_GITHUB, text);
}

static int
question_compare(
    const struct access_question *a, const struct access_question *b)
{
	return memcmp(&a->key, &b->key, sizeof(a->key));
}

static uint32_t
question_limited(void *arg)
{
	struct access_question *q = arg;
	struct finding f;

	return access_is_limited(q->access, &q->limit, &f) ? f.wait_ms : 0;
}

/*
 * The answer is given from the event loop, whoever found it out: those who
 * wait may do anything then.
 */
static void
question_end(void *arg, const struct finding *f)
{
	struct access_question *q = arg;

	q->finding = *f;
	if (f->kind == FINDING_LIMITED)
		access_cache_put(q->access->cache, &q->limit, &q->finding,
		    q->finding.wait_ms);
	timer_set(q->timer, 0);
}

static void
question_begin(struct access_question *q)
{
	struct access *a = q->access;
	const struct authd_conf *conf = a->conf;
	struct finding f = { .github_id = q->github_id };
	struct membership_question ask = {
		.conf = conf,
		.github = a->github,
		.health = &a->health,
		.token = q->token != NULL ? q->token : conf->github_token,
		.own = q->token != NULL,
		.github_id = q->github_id,
		.login = q->login,
		.deadline_ms = monotonic_ms() + ACCESS_TIME_MS,
		.limited = question_limited,
		.done = question_end,
		.arg = q,
	};

	(void)strlcpy(f.login, q->login, sizeof(f.login));
	access_key_of_limit(a->cache, ask.token, conf->github_api, &q->limit);
	if (access_decide(a, &q->limit, q->token, &f))
		question_end(q, &f);
	else
		q->membership = membership_ask(&ask);
}

static void
question_close(struct access_question *q)
{
	(void)RB_REMOVE(question_tree, &q->access->open, q);
	q->access->open_count--;
	membership_free(q->membership);
	q->membership = NULL;
}

static void
question_free_closed(struct access_question *q)
{
	struct access_wait *wait;

	while ((wait = TAILQ_FIRST(&q->waits)) != NULL)
		access_cancel(wait);
	if (q->token != NULL)
		freezero(q->token, strlen(q->token));
	event_free(q->timer);
	free(q);
}

static void
question_free(struct access_question *q)
{
	question_close(q);
	question_free_closed(q);
}

/* Once closed, it is not found by those who ask again. */
static void
question_answer(evutil_socket_t fd, short what, void *arg)
{
	struct access_question *q = arg;
	struct access *a = q->access;
	struct access_verdict verdict;
	struct access_wait *wait;

	(void)fd;
	(void)what;
	question_close(q);
	if (q->token != NULL && access_is_failure(&q->finding))
		failures_count(&a->failures, a->conf->failures_rate);
	access_keep(a, &q->key, &q->finding);
	(void)access_tell(a, &q->finding, &verdict);
	while ((wait = TAILQ_FIRST(&q->waits)) != NULL) {
		access_cancel(wait);
		wait->done(wait->arg, &verdict);
		verdict.fresh = false;
	}
	question_free_closed(q);
}
