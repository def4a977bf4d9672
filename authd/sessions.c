#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "authd/access.h"
#include "authd/identity.h"
#include "authd/jwt.h"
#include "authd/policy.h"
#include "authd/secret.h"
#include "authd/session_cache.h"
#include "authd/sessions.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/status.h"

/* Why the instance itself could not be signed in, and when. */
struct refusal {
	time_t at;
	struct session session;
};

struct sessions {
	const struct authd_conf *conf;
	struct upstream_db upstream;
	struct tether_db tether;
	struct secret secret;
	struct session_cache *cache;
	struct refusal refusals[SESSION_SERVICE_COUNT];
	struct identity_counts identities;
	unsigned long signed_in; /* JWTs made */
	unsigned long answers[SESSION_STATUS_COUNT];
};

static struct session_entry *sessions_cached(
    struct sessions *, const struct identity_query *);
static void sessions_allow(
    struct sessions *, const struct access_verdict *, time_t, struct session *);
static const struct identity *sessions_identify(struct sessions *,
    const struct identity_query *, struct identity *, struct session *);
static bool sessions_make(struct sessions *, const struct identity_query *,
    struct identity *, struct session *);
static void sessions_refuse(
    struct session *, enum session_status, const char *);

struct sessions *
sessions_new(const struct authd_conf *conf)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (s == NULL)
		fatal("calloc");
	s->conf = conf;
	s->cache = session_cache_new(SESSIONS_MAX);
	upstream_db_init(&s->upstream, conf->database_path);
	tether_db_init(&s->tether, conf->state_dir);
	secret_init(&s->secret, conf);
	secret_check(&s->secret);
	(void)tether_db_open(&s->tether);
	return s;
}

void
sessions_free(struct sessions *s)
{
	sessions_refresh(s);
	session_cache_free(s->cache);
	secret_free(&s->secret);
	upstream_db_free(&s->upstream);
	tether_db_free(&s->tether);
	freezero(s, sizeof(*s));
}

struct tether_db *
sessions_tether_db(struct sessions *s)
{
	return &s->tether;
}

/* Whatever the verdict is, it is about somebody, as far as is known. */
static void
session_start(struct session *session, const struct access_verdict *verdict)
{
	memset(session, 0, sizeof(*session));
	session->github_id = verdict->github_id;
	(void)strlcpy(session->login, verdict->login, sizeof(session->login));
}

void
sessions_get(struct sessions *s, const struct access_verdict *verdict,
    time_t now, struct session *session)
{
	session_start(session, verdict);
	switch (verdict->result) {
	case ACCESS_ALLOWED:
		sessions_allow(s, verdict, now, session);
		break;
	case ACCESS_BUSY:
		sessions_refuse(session, SESSION_BUSY, verdict->reason);
		break;
	case ACCESS_REFUSED:
	default:
		sessions_refuse(session, SESSION_DENIED, verdict->reason);
		break;
	}
	if (verdict->result != ACCESS_ALLOWED)
		(void)strlcpy(
		    session->advice, verdict->advice, sizeof(session->advice));
	s->answers[session->status]++;
}

/* The rules let the person in; what remains is the operator's word. */
static void
sessions_allow(struct sessions *s, const struct access_verdict *verdict,
    time_t now, struct session *session)
{
	struct identity_query query = {
		.upstream = &s->upstream,
		.tether = &s->tether,
		.github_id = verdict->github_id,
		.login = verdict->login,
		.now = now,
		.adopt = s->conf->adopt,
	};
	const struct identity *identity;
	struct identity made = { 0 };

	/* Nothing else gets near a query. */
	if (!policy_id_is_valid(query.github_id) ||
	    !policy_login_is_valid(query.login)) {
		sessions_refuse(
		    session, SESSION_DENIED, "your user name is not valid");
		return;
	}
	identity = sessions_identify(s, &query, &made, session);
	if (identity == NULL)
		return;
	session->role = identity->has_role ? identity->role : verdict->role;
	session->lifetime_ms = verdict->lifetime_ms < SESSIONS_LIFETIME_OK
				   ? verdict->lifetime_ms
				   : SESSIONS_LIFETIME_OK;
	(void)strlcpy(session->reason, verdict->rule, sizeof(session->reason));
}

bool
sessions_get_service(struct sessions *s, enum session_service service,
    time_t now, struct session *session)
{
	static const char unknown[] =
	    "this instance lets in only whom it knows";
	struct identity_query query = {
		.upstream = &s->upstream,
		.tether = &s->tether,
		.login = SESSION_SERVICE_LOGIN,
		.now = now,
		.adopt = s->conf->adopt,
		.is_service = true,
		.is_watching = service == SESSION_SERVICE_WATCH,
	};
	const unsigned long signed_in = s->signed_in;
	struct refusal *last = &s->refusals[service];
	struct identity made = { 0 };

	memset(session, 0, sizeof(*session));
	(void)strlcpy(session->login, query.login, sizeof(session->login));
	if (query.is_watching && !s->conf->watch_runs) {
		sessions_refuse(session, SESSION_DENIED, "watch runs is off");
	} else if (!query.is_watching && policy_has_rules(s->conf)) {
		sessions_refuse(session, SESSION_DENIED, unknown);
		(void)strlcpy(session->advice,
		    "Sign in to the orchestrator with GitHub.",
		    sizeof(session->advice));
	} else if (last->at == now) {
		/* As with those who are let in: one look a second. */
		*session = last->session;
	} else if (sessions_identify(s, &query, &made, session) != NULL) {
		session->role = SESSION_ROLE_FULL;
		session->lifetime_ms = SESSIONS_LIFETIME_OK;
		(void)strlcpy(session->reason,
		    query.is_watching ? "watch runs" : "no rules",
		    sizeof(session->reason));
	} else {
		last->at = now;
		last->session = *session;
	}
	s->answers[session->status]++;
	return s->signed_in != signed_in;
}

/*
 * Who it is, with the JWT in *session: as known, or as found out in *made.
 * NULL if there is nobody, with the reason in *session.
 */
static const struct identity *
sessions_identify(struct sessions *s, const struct identity_query *query,
    struct identity *made, struct session *session)
{
	struct session_entry *entry = sessions_cached(s, query);

	if (entry != NULL) {
		(void)strlcpy(session->jwt, entry->jwt, sizeof(session->jwt));
		return &entry->identity;
	}
	return sessions_make(s, query, made, session) ? made : NULL;
}

/* A JWT from before that is still good, as is the user it is for. */
static struct session_entry *
sessions_cached(struct sessions *s, const struct identity_query *query)
{
	struct session_entry *e =
	    session_cache_get(s->cache, query->github_id, query->is_watching);

	if (e == NULL)
		return NULL;
	/* A clock that was set back is a reason to start over, too. */
	if (strcasecmp(e->login, query->login) != 0 || query->now < e->issued ||
	    query->now - e->issued >= SESSIONS_RENEW)
		goto stale;
	/* One look into the databases a second is enough for a burst. */
	if (e->checked != query->now) {
		if (!identity_is_current(query, &e->identity) ||
		    e->generation != s->upstream.db.generation)
			goto stale;
		e->checked = query->now;
	}
	return e;
stale:
	session_cache_forget(s->cache, e);
	return NULL;
}

/* False if there is none, with the reason in *session. */
static bool
sessions_make(struct sessions *s, const struct identity_query *query,
    struct identity *identity, struct session *session)
{
	static const char nobody[] = "this instance cannot sign anybody in";
	enum session_status status;
	struct identity_why why;
	const char *secret;

	status = identity_find(query, identity, &s->identities, &why);
	if (status != SESSION_OK) {
		sessions_refuse(session, status, why.reason);
		(void)strlcpy(
		    session->advice, why.advice, sizeof(session->advice));
		return false;
	}
	secret = secret_get(&s->secret, &s->upstream);
	if (secret == NULL) {
		sessions_refuse(session, SESSION_UNAVAILABLE, nobody);
		return false;
	}
	if (jwt_sign(session->jwt, sizeof(session->jwt), secret,
		identity->user_id, identity->user_name, query->now) == -1) {
		log_warnx(
		    "can't make a JWT for user id %" PRId64, identity->user_id);
		sessions_refuse(session, SESSION_UNAVAILABLE, nobody);
		return false;
	}
	s->signed_in++;
	session_cache_put(s->cache,
	    &(struct session_entry){
		.github_id = query->github_id,
		.is_watching = query->is_watching,
		.identity = *identity,
		.generation = s->upstream.db.generation,
		.issued = query->now,
		.checked = query->now,
	    },
	    query->login, session->jwt);
	/* A database that can only be read is no reason to refuse. */
	if (identity_seen(query, identity) == DB_OK) {
		trouble_over(&s->upstream.db.trouble, s->upstream.db.what);
		trouble_over(&s->tether.db.trouble, s->tether.db.what);
	}
	return true;
}

static void
sessions_refuse(
    struct session *session, enum session_status status, const char *reason)
{
	session->status = status;
	if (status == SESSION_DENIED)
		session->lifetime_ms = SESSIONS_LIFETIME_DENIED;
	else if (status == SESSION_BUSY)
		session->lifetime_ms = SESSIONS_LIFETIME_BUSY;
	(void)strlcpy(session->reason, reason, sizeof(session->reason));
}

void
sessions_drop(struct sessions *s, uint64_t github_id)
{
	struct session_entry *e = session_cache_get(s->cache, github_id, false);

	if (e != NULL)
		session_cache_forget(s->cache, e);
}

void
sessions_refresh(struct sessions *s)
{
	session_cache_clear(s->cache);
	memset(s->refusals, 0, sizeof(s->refusals));
	secret_forget(&s->secret);
	database_close(&s->upstream.db);
	database_close(&s->tether.db);
}

void
sessions_reload(struct sessions *s)
{
	sessions_refresh(s);
	secret_check(&s->secret);
}

void
sessions_status(const struct sessions *s, struct status *status)
{
	const unsigned long *answers = s->answers;
	const struct database *db = &s->upstream.db;
	char text[STATUS_TEXT_SIZE];
	const char *how = "";

	if (db->trouble.announced)
		how = " (cannot be used)";
	else if (db->handle == NULL)
		how = " (not opened yet)";
	(void)snprintf(text, sizeof(text), "%s%s", db->path, how);
	status_set_text(status, STATUS_AUTHD_DATABASE, text);
	status_set_number(status, STATUS_AUTHD_ASKED,
	    answers[SESSION_OK] + answers[SESSION_DENIED] +
		answers[SESSION_UNAVAILABLE] + answers[SESSION_BUSY]);
	status_set_number(status, STATUS_AUTHD_ALLOWED, answers[SESSION_OK]);
	status_set_number(status, STATUS_AUTHD_DENIED, answers[SESSION_DENIED]);
	status_set_number(
	    status, STATUS_AUTHD_FAILED, answers[SESSION_UNAVAILABLE]);
	status_set_number(
	    status, STATUS_AUTHD_USERS_CREATED, s->identities.created);
	status_set_number(
	    status, STATUS_AUTHD_USERS_BOUND, s->identities.bound);
}

void
sessions_log_status(const struct sessions *s)
{
	log_infox("status: %zu sessions cached; %lu JWTs made, %lu users "
		  "created, %lu bound; answers: %lu ok, %lu denied, "
		  "%lu unavailable, %lu too busy",
	    session_cache_count(s->cache), s->signed_in, s->identities.created,
	    s->identities.bound, s->answers[SESSION_OK],
	    s->answers[SESSION_DENIED], s->answers[SESSION_UNAVAILABLE],
	    s->answers[SESSION_BUSY]);
}
