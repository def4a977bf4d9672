#ifndef AUTHD_SESSION_CACHE_H
#define AUTHD_SESSION_CACHE_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "authd/identity.h"

/*
 * The JWTs of a while: one per person, and two of the instance itself, whose
 * id is 0.  Whether one is still good is for sessions.c to say.
 */

struct session_cache;

/* A JWT that was made, and what it was made from. */
struct session_entry {
	RB_ENTRY(session_entry) by_id;
	TAILQ_ENTRY(session_entry) by_use;
	uint64_t github_id;
	bool is_watching; /* the instance itself has two of them */
	char *login;
	char *jwt; /* in the vault */
	struct identity identity;
	uint64_t generation; /* of the upstream's database */
	time_t issued;
	time_t checked; /* when the databases last confirmed it */
};

/*
 * For at most so many; the least recently used goes first.  Fatal when out of
 * memory.
 */
struct session_cache *session_cache_new(size_t max);
void session_cache_free(struct session_cache *);

/* What is kept for those, or NULL; valid until the cache changes. */
struct session_entry *session_cache_get(
    struct session_cache *, uint64_t github_id, bool is_watching);

/*
 * Keep a copy of that, with a login and a JWT of its own, where nothing is
 * kept for the same.  Without memory it is not kept.
 */
void session_cache_put(struct session_cache *, const struct session_entry *,
    const char *login, const char *jwt);

/* Forget one that is kept; or all. */
void session_cache_forget(struct session_cache *, struct session_entry *);
void session_cache_clear(struct session_cache *);

size_t session_cache_count(const struct session_cache *);

#endif
