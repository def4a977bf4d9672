#ifndef AUTHD_ACCESS_CACHE_H
#define AUTHD_ACCESS_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "authd/finding.h"

/*
 * What was found out about people and tokens, and until when GitHub wants no
 * more questions with a token: for a while each, and the least recently used
 * goes first.  Tokens are known by a keyed hash that means nothing outside of
 * the process.
 */

struct access_cache;

struct access_key {
	uint8_t bytes[32];
};

/* For so many entries.  Fatal when out of memory. */
struct access_cache *access_cache_new(size_t max);
void access_cache_free(struct access_cache *);

/* Keys never collide, not even those of different kinds. */
void access_key_of_person(const struct access_cache *, uint64_t github_id,
    const char *login, struct access_key *);
void access_key_of_token(
    const struct access_cache *, const char *token, struct access_key *);
/* Of a limit: a token at one GitHub (the URL of its API). */
void access_key_of_limit(const struct access_cache *, const char *token,
    const char *api, struct access_key *);

/*
 * What is known, and for how many milliseconds on, 1 at least; NULL if
 * nothing is.  Valid until the cache changes.
 */
const struct finding *access_cache_get(
    struct access_cache *, const struct access_key *, uint32_t *left_ms);

/* In place of what was known; not at all if it counts for no time. */
void access_cache_put(struct access_cache *, const struct access_key *,
    const struct finding *, uint32_t lifetime_ms);

/* Forget all but limits. */
void access_cache_forget(struct access_cache *);

#endif
