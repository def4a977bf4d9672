#ifndef HUB_TOKEN_H
#define HUB_TOKEN_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>

/* The tokens with which instances may connect. */

#define TOKEN_MAX 256 /* bytes with the NUL */

struct token {
	TAILQ_ENTRY(token) entry;
	char text[TOKEN_MAX];
};

struct tokens {
	TAILQ_HEAD(token_list, token) list;
	const char *file; /* where granted ones are kept too, or NULL */
};

void tokens_init(struct tokens *);
void tokens_clear(struct tokens *);

/* Add one; -1 if it is empty, too long or has spaces or control bytes. */
int tokens_add(struct tokens *, const char *text);

/*
 * Read a file that nobody but its owner may read: one token a line, '#'
 * begins a comment.  The name is kept.  Returns -1, having logged why.
 */
int tokens_load(struct tokens *, const char *file);

/*
 * Make a new token and keep it, in the file too; NULL if that failed.
 * The result belongs to the list.
 */
const char *tokens_grant(struct tokens *);

/* Whether it is one of them, in time that depends on lengths only. */
bool tokens_have(const struct tokens *, const char *text);

#endif
