#include <stdlib.h>
#include <string.h>

#include "authd/session_cache.h"
#include "authd/vault.h"
#include "common/log.h"

RB_HEAD(entry_tree, session_entry);
TAILQ_HEAD(entry_list, session_entry);

struct session_cache {
	struct entry_tree tree;
	struct entry_list list; /* most recently used first */
	size_t count, max;
};

static int
entry_compare(const struct session_entry *a, const struct session_entry *b)
{
	if (a->github_id != b->github_id)
		return a->github_id < b->github_id ? -1 : 1;
	return (int)a->is_watching - (int)b->is_watching;
}

RB_PROTOTYPE(entry_tree, session_entry, by_id, entry_compare)
RB_GENERATE(entry_tree, session_entry, by_id, entry_compare)

struct session_cache *
session_cache_new(size_t max)
{
	struct session_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("calloc");
	RB_INIT(&c->tree);
	TAILQ_INIT(&c->list);
	c->max = max;
	return c;
}

static void
entry_free(struct session_entry *e)
{
	free(e->login);
	vault_free(e->jwt);
	free(e);
}

void
session_cache_forget(struct session_cache *c, struct session_entry *e)
{
	(void)RB_REMOVE(entry_tree, &c->tree, e);
	TAILQ_REMOVE(&c->list, e, by_use);
	c->count--;
	entry_free(e);
}

void
session_cache_free(struct session_cache *c)
{
	session_cache_clear(c);
	free(c);
}

struct session_entry *
session_cache_get(struct session_cache *c, uint64_t github_id, bool is_watching)
{
	struct session_entry key = { .github_id = github_id,
		.is_watching = is_watching };
	struct session_entry *e = RB_FIND(entry_tree, &c->tree, &key);

	if (e == NULL)
		return NULL;
	TAILQ_REMOVE(&c->list, e, by_use);
	TAILQ_INSERT_HEAD(&c->list, e, by_use);
	return e;
}

/* Long ones fill the vault before there are as many as may be. */
static char *
keep_jwt(struct session_cache *c, const char *jwt)
{
	char *copy;

	while ((copy = vault_copy_cached(jwt)) == NULL && c->count > 0)
		session_cache_forget(c, TAILQ_LAST(&c->list, entry_list));
	return copy;
}

void
session_cache_put(struct session_cache *c, const struct session_entry *from,
    const char *login, const char *jwt)
{
	struct session_entry *e;

	if (c->count == c->max)
		session_cache_forget(c, TAILQ_LAST(&c->list, entry_list));
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return;
	*e = *from;
	e->login = strdup(login);
	e->jwt = keep_jwt(c, jwt);
	if (e->login == NULL || e->jwt == NULL) {
		entry_free(e);
		return;
	}
	(void)RB_INSERT(entry_tree, &c->tree, e);
	TAILQ_INSERT_HEAD(&c->list, e, by_use);
	c->count++;
}

void
session_cache_clear(struct session_cache *c)
{
	struct session_entry *e;

	while ((e = TAILQ_FIRST(&c->list)) != NULL)
		session_cache_forget(c, e);
}

size_t
session_cache_count(const struct session_cache *c)
{
	return c->count;
}
