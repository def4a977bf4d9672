#include <sys/queue.h>
#include <sys/tree.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "authd/access_cache.h"
#include "common/log.h"
#include "common/monotonic.h"

/* What a key is of; all under the same secret, and yet apart. */
enum key_kind { KEY_PERSON, KEY_TOKEN, KEY_API, KEY_LIMIT };

struct known {
	RB_ENTRY(known) by_key;
	TAILQ_ENTRY(known) by_use;
	struct access_key key;
	struct finding finding;
	int64_t expires_ms;
};

struct access_cache {
	RB_HEAD(known_tree, known) tree;
	TAILQ_HEAD(known_list, known) list; /* the last used first */
	size_t count, max;
	uint8_t secret[32];
};

static int
known_compare(const struct known *a, const struct known *b)
{
	return memcmp(&a->key, &b->key, sizeof(a->key));
}

RB_PROTOTYPE(known_tree, known, by_key, known_compare)
RB_GENERATE(known_tree, known, by_key, known_compare)

struct access_cache *
access_cache_new(size_t max)
{
	struct access_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("calloc");
	RB_INIT(&c->tree);
	TAILQ_INIT(&c->list);
	c->max = max;
	arc4random_buf(c->secret, sizeof(c->secret));
	return c;
}

static void
access_cache_drop(struct access_cache *c, struct known *e)
{
	(void)RB_REMOVE(known_tree, &c->tree, e);
	TAILQ_REMOVE(&c->list, e, by_use);
	c->count--;
	free(e);
}

void
access_cache_free(struct access_cache *c)
{
	struct known *e;

	while ((e = TAILQ_FIRST(&c->list)) != NULL)
		access_cache_drop(c, e);
	freezero(c, sizeof(*c));
}

static void
access_key_make(const struct access_cache *c, enum key_kind kind,
    const void *data, size_t len, struct access_key *key)
{
	uint8_t secret[sizeof(c->secret) + 1];
	unsigned size = sizeof(key->bytes);

	memcpy(secret, c->secret, sizeof(c->secret));
	secret[sizeof(c->secret)] = (uint8_t)kind;
	if (HMAC(EVP_sha256(), secret, (int)sizeof(secret), data, len,
		key->bytes, &size) == NULL ||
	    size != sizeof(key->bytes))
		fatalx("libcrypto does not compute HMAC-SHA256");
	explicit_bzero(secret, sizeof(secret));
}

void
access_key_of_person(const struct access_cache *c, uint64_t github_id,
    const char *login, struct access_key *key)
{
	char text[POLICY_LOGIN_MAX + 32];
	size_t i;

	(void)snprintf(text, sizeof(text), "%" PRIu64 " %s", github_id, login);
	for (i = 0; text[i] != '\0'; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
	access_key_make(c, KEY_PERSON, text, i, key);
}

void
access_key_of_token(
    const struct access_cache *c, const char *token, struct access_key *key)
{
	access_key_make(c, KEY_TOKEN, token, strlen(token), key);
}

void
access_key_of_limit(const struct access_cache *c, const char *token,
    const char *api, struct access_key *key)
{
	struct access_key parts[2];

	access_key_make(c, KEY_TOKEN, token, strlen(token), &parts[0]);
	access_key_make(c, KEY_API, api, strlen(api), &parts[1]);
	access_key_make(c, KEY_LIMIT, parts, sizeof(parts), key);
}

static struct known *
access_cache_find(struct access_cache *c, const struct access_key *key)
{
	struct known sought = { .key = *key };

	return RB_FIND(known_tree, &c->tree, &sought);
}

const struct finding *
access_cache_get(
    struct access_cache *c, const struct access_key *key, uint32_t *left_ms)
{
	struct known *e = access_cache_find(c, key);
	int64_t now = monotonic_ms();

	if (e == NULL)
		return NULL;
	if (now >= e->expires_ms) {
		access_cache_drop(c, e);
		return NULL;
	}
	TAILQ_REMOVE(&c->list, e, by_use);
	TAILQ_INSERT_HEAD(&c->list, e, by_use);
	*left_ms = (uint32_t)(e->expires_ms - now);
	return &e->finding;
}

void
access_cache_put(struct access_cache *c, const struct access_key *key,
    const struct finding *finding, uint32_t lifetime_ms)
{
	struct known *e = access_cache_find(c, key);

	if (e != NULL)
		access_cache_drop(c, e);
	if (lifetime_ms == 0)
		return;
	e = calloc(1, sizeof(*e));
	/* Without memory it is merely asked again next time. */
	if (e == NULL)
		return;
	e->key = *key;
	e->finding = *finding;
	e->expires_ms = monotonic_ms() + lifetime_ms;
	if (c->count == c->max)
		access_cache_drop(c, TAILQ_LAST(&c->list, known_list));
	(void)RB_INSERT(known_tree, &c->tree, e);
	TAILQ_INSERT_HEAD(&c->list, e, by_use);
	c->count++;
}

void
access_cache_forget(struct access_cache *c)
{
	struct known *e, *next;

	TAILQ_FOREACH_SAFE (e, &c->list, by_use, next)
		if (e->finding.kind != FINDING_LIMITED)
			access_cache_drop(c, e);
}
