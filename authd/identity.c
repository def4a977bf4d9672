#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "authd/identity.h"
#include "authd/tether_service.h"
#include "common/log.h"

/* The upstream's server may write between our looks: look again. */
#define ATTEMPTS 3

static const struct identity_why unavailable = {
	"user database is not available", ""
};
static const struct identity_why disabled = {
	"your access to this instance is disabled",
	"Ask the operator of this instance to enable it: tetherctl users enable."
};
static const struct identity_why no_name = { "no account name is free for you",
	"Ask the operator of this instance for an account." };
static const struct identity_why inactive = { "your account is not active",
	"Ask the operator of this instance to make it active in the web app." };

/* For the instance itself. */
#define SERVICE_OTHER "orch_0_" SESSION_SERVICE_LOGIN
static const struct identity_why service_no_name = {
	"no account name is free for this instance",
	"Ask the operator of this instance to free the account "
	"\"" SERVICE_OTHER "\" in the web app."
};
static const struct identity_why service_inactive = {
	"the account " SESSION_SERVICE_LOGIN " is not active",
	"Ask the operator of this instance to make it active in the web app."
};
static const struct identity_why service_other_inactive = {
	"the account " SERVICE_OTHER " is not active",
	"Ask the operator of this instance to make it active in the web app."
};
static const struct identity_why no_users = { "the web app has no users yet",
	"" };

/* What a search for the upstream user found, and knows so far. */
struct search {
	const struct identity_query *query;
	struct tether_identity known; /* user_id 0: not bound yet */
	struct upstream_user user;
	enum { FOUND, BOUND, CREATED } done;
};

static enum db_result search_known(struct search *);
static enum db_result search_read(struct search *);
static enum db_result search_bound(struct search *);
static enum db_result search_row(struct search *);
static enum db_result search_write(struct search *);
static enum db_result search_names(struct search *);
static enum db_result search_candidate(struct search *, const char *, bool);
static bool search_is_claimed(const struct search *);
static enum db_result search_is_free(struct search *, bool *);
static enum db_result search_bind(struct search *);
static enum session_status search_result(struct search *, enum db_result,
    struct identity *, struct identity_counts *, struct identity_why *);
static void search_log(const struct search *, struct identity_counts *);
static const struct identity_why *search_inactive(const struct search *);
static bool login_is_reserved(const char *);

enum session_status
identity_find(const struct identity_query *query, struct identity *identity,
    struct identity_counts *counts, struct identity_why *why)
{
	struct search s = { .query = query };
	enum db_result result;
	int attempts = 0;

	*why = unavailable;
	if (tether_db_open(query->tether) != DB_OK ||
	    upstream_db_open(query->upstream) != DB_OK)
		return SESSION_UNAVAILABLE;
	result = search_known(&s);
	if (result == DB_FAILED)
		return SESSION_UNAVAILABLE;
	if (s.known.disabled) {
		*why = disabled;
		return SESSION_DENIED;
	}
	s.known.github_id = query->github_id;
	(void)strlcpy(s.known.login, query->login, sizeof(s.known.login));

	result = search_read(&s);
	if (result == DB_NONE && !query->is_watching) {
		do
			result = search_write(&s);
		while (result == DB_TAKEN && ++attempts < ATTEMPTS);
	}
	if (result == DB_TAKEN)
		trouble_report(&query->upstream->db.trouble,
		    "user database %s: no row can be made for login %s",
		    query->upstream->db.path, query->login);
	return search_result(&s, result, identity, counts, why);
}

bool
identity_is_current(
    const struct identity_query *query, const struct identity *identity)
{
	struct search s = { .query = query };

	if (tether_db_open(query->tether) != DB_OK ||
	    upstream_db_open(query->upstream) != DB_OK ||
	    search_known(&s) == DB_FAILED || s.known.disabled ||
	    s.known.has_role != identity->has_role ||
	    s.known.role != identity->role || search_read(&s) != DB_OK)
		return false;
	return s.user.active && s.user.id == identity->user_id &&
	       strcmp(s.user.name, identity->user_name) == 0;
}

enum db_result
identity_seen(
    const struct identity_query *query, const struct identity *identity)
{
	enum db_result seen, touched;

	if (query->is_watching)
		return DB_OK;
	if (query->is_service)
		seen = tether_service_seen(query->tether, query->now);
	else
		seen = tether_db_seen(
		    query->tether, query->github_id, query->login, query->now);
	touched = upstream_db_touch(query->upstream, identity->user_id);
	return seen == DB_OK && touched == DB_OK ? DB_OK : DB_FAILED;
}

/* What was noted the last time. */
static enum db_result
search_known(struct search *s)
{
	const struct identity_query *query = s->query;

	if (query->is_service)
		return tether_service_get(query->tether, &s->known);
	return tether_db_get(query->tether, query->github_id, &s->known);
}

/* The search without writing: all of it, if it is to watch. */
static enum db_result
search_read(struct search *s)
{
	enum db_result result = search_bound(s);

	if (s->query->is_watching &&
	    (result == DB_NONE || (result == DB_OK && !s->user.active)))
		result = upstream_db_find_active(s->query->upstream, &s->user);
	return result;
}

/*
 * Look for the user that belongs to this GitHub id already, without
 * writing: DB_NONE as well if there is one and a note of it is missing.
 */
static enum db_result
search_bound(struct search *s)
{
	enum db_result result = search_row(s);

	if (result != DB_OK || !s->user.active)
		return result;
	if (s->known.user_id != s->user.id ||
	    strcmp(s->known.user_name, s->user.name) != 0)
		return DB_NONE;
	if (s->query->upstream->has_github_id && !s->user.claimed &&
	    !s->query->is_service)
		return DB_NONE;
	return DB_OK;
}

/* The upstream's own column is right where it and our binding differ. */
static enum db_result
search_row(struct search *s)
{
	const struct identity_query *query = s->query;
	enum db_result result = DB_NONE;

	if (!query->is_service)
		result = upstream_db_find_github(
		    query->upstream, query->github_id, &s->user);
	if (result != DB_NONE || s->known.user_id == 0)
		return result;
	result = upstream_db_get(query->upstream, s->known.user_id, &s->user);
	if (result != DB_OK)
		return result;
	if (strcmp(s->user.name, s->known.user_name) != 0 ||
	    search_is_claimed(s))
		return DB_NONE;
	return DB_OK;
}

/* The row itself says that it is another one's. */
static bool
search_is_claimed(const struct search *s)
{
	return s->user.claimed && (s->query->is_service ||
				      s->user.github_id != s->query->github_id);
}

/* The whole search again, in a transaction that may write. */
static enum db_result
search_write(struct search *s)
{
	const struct identity_query *query = s->query;
	enum db_result result;

	s->done = FOUND;
	if (upstream_db_begin(query->upstream) != DB_OK)
		return DB_FAILED;
	result = search_row(s);
	if (result == DB_OK && s->user.active)
		result = search_bind(s);
	if (result == DB_NONE)
		result = search_names(s);
	if (result == DB_OK)
		result = upstream_db_commit(query->upstream);
	if (result != DB_OK)
		upstream_db_rollback(query->upstream);
	return result;
}

static enum db_result
search_names(struct search *s)
{
	char namespaced[UPSTREAM_NAME_MAX];
	const struct identity_query *query = s->query;
	enum db_result result = DB_NONE;

	(void)snprintf(namespaced, sizeof(namespaced), "orch_%" PRIu64 "_%s",
	    query->github_id, query->login);
	if (query->is_service || !login_is_reserved(query->login))
		result = search_candidate(s, query->login, query->adopt);
	if (result == DB_NONE)
		result = search_candidate(s, namespaced, true);
	return result;
}

/*
 * Take the user of that name, if such a one may be adopted, or make it;
 * DB_NONE if it is someone else.
 */
static enum db_result
search_candidate(struct search *s, const char *name, bool adopt)
{
	const struct identity_query *query = s->query;
	enum db_result result;
	bool is_free;

	result = upstream_db_find_name(query->upstream, name, &s->user);
	if (result == DB_NONE) {
		result = upstream_db_create(
		    query->upstream, name, query->github_id, &s->user);
		if (result == DB_OK && (result = search_bind(s)) == DB_OK)
			s->done = CREATED;
		return result;
	}
	if (result != DB_OK)
		return result;
	if (!adopt)
		return DB_NONE;
	if ((result = search_is_free(s, &is_free)) != DB_OK)
		return result;
	if (!is_free)
		return DB_NONE;
	if (!s->user.active)
		return DB_OK;
	return search_bind(s);
}

static enum db_result
search_is_free(struct search *s, bool *is_free)
{
	bool other = false;
	enum db_result result;

	result = tether_db_is_bound(s->query->tether, s->user.id, s->user.name,
	    s->query->github_id, &other);
	*is_free = !other && !search_is_claimed(s);
	return result;
}

/*
 * Our note is committed before the upstream's row: should the latter fail,
 * the note names a user that is not there, and the next request looks again.
 */
static enum db_result
search_bind(struct search *s)
{
	struct tether_identity note = s->known;
	enum db_result result = DB_OK;

	note.user_id = s->user.id;
	(void)strlcpy(note.user_name, s->user.name, sizeof(note.user_name));
	if (!s->user.claimed && !s->query->is_service)
		result = upstream_db_bind(
		    s->query->upstream, s->user.id, s->query->github_id);
	if (result == DB_OK)
		result = s->query->is_service
			     ? tether_service_bind(
				   s->query->tether, &note, s->query->now)
			     : tether_db_bind(
				   s->query->tether, &note, s->query->now);
	if (result != DB_OK)
		return result;
	s->known = note;
	s->done = BOUND;
	return DB_OK;
}

static enum session_status
search_result(struct search *s, enum db_result result,
    struct identity *identity, struct identity_counts *counts,
    struct identity_why *why)
{
	if (result == DB_NONE && s->query->is_watching) {
		*why = no_users;
		return SESSION_UNAVAILABLE;
	}
	if (result == DB_NONE) {
		*why = s->query->is_service ? service_no_name : no_name;
		return SESSION_DENIED;
	}
	if (result != DB_OK)
		return SESSION_UNAVAILABLE;
	if (!s->user.active) {
		*why = *search_inactive(s);
		return SESSION_DENIED;
	}
	search_log(s, counts);
	identity->user_id = s->user.id;
	(void)strlcpy(
	    identity->user_name, s->user.name, sizeof(identity->user_name));
	identity->has_role = s->known.has_role;
	identity->role = s->known.role;
	why->reason = why->advice = "";
	return SESSION_OK;
}

static const struct identity_why *
search_inactive(const struct search *s)
{
	if (!s->query->is_service)
		return &inactive;
	return strcmp(s->user.name, SERVICE_OTHER) == 0
		   ? &service_other_inactive
		   : &service_inactive;
}

static void
search_log(const struct search *s, struct identity_counts *counts)
{
	char name[UPSTREAM_NAME_MAX];

	(void)log_safe(name, sizeof(name), s->user.name);
	if (s->query->is_watching)
		log_debugx("what runs is asked as user %s (id %" PRId64 ")",
		    name, s->user.id);
	if (s->done == FOUND)
		return;
	if (s->done == CREATED)
		counts->created++;
	else
		counts->bound++;
	if (s->query->is_service) {
		log_infox("instance itself: %s user %s (id %" PRId64 ")%s",
		    s->done == CREATED ? "created" : "bound to existing", name,
		    s->user.id,
		    strcmp(s->user.name, s->query->login) == 0
			? ""
			: ": " SESSION_SERVICE_LOGIN " is somebody's");
		return;
	}
	/* The login is a valid one: it is safe as it is. */
	log_infox("GitHub id %" PRIu64 " login %s: %s user %s (id %" PRId64 ")",
	    s->query->github_id, s->query->login,
	    s->done == CREATED ? "created" : "bound to existing", name,
	    s->user.id);
}

/*
 * The instance's own name, in whatever case; or orch_ID_..., as search_names()
 * makes them, which is only for the id that it contains.
 */
static bool
login_is_reserved(const char *login)
{
	size_t digits;

	if (strcasecmp(login, SESSION_SERVICE_LOGIN) == 0)
		return true;
	if (strncmp(login, "orch_", 5) != 0)
		return false;
	digits = strspn(login + 5, "0123456789");
	return digits > 0 && login[5 + digits] == '_';
}
