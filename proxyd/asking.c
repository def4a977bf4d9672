#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "proxyd/asking.h"
#include "proxyd/request.h"
#include "proxyd/upstream.h"

void
asking_init(struct asking *a, const struct request *request)
{
	memset(a, 0, sizeof(*a));
	a->request = request;
}

void
asking_clear(struct asking *a)
{
	free(a->redirect.target);
	free(a->kept);
	asking_init(a, a->request);
}

void
asking_fill(const struct asking *a, struct upstream_request *ask)
{
	const struct request *r = a->request;
	bool redirected = a->redirects > 0;

	*ask = (struct upstream_request){
		.method = redirected ? a->redirect.method : r->method,
		.target = redirected ? a->redirect.target : r->target,
		.headers = r->headers,
		.nheaders = r->nheaders,
		.has_body = r->has_body,
		.body = r->body,
		.body_len = r->body_len,
	};
	if (!redirected || a->redirect.keep_body)
		return;
	ask->has_body = false;
	ask->headers = a->kept;
	for (ask->nheaders = 0; ask->headers[ask->nheaders] != NULL;)
		ask->nheaders++;
}

/* The headers that still make sense without the body. */
static void
keep_headers(struct asking *a)
{
	const struct request *r = a->request;
	size_t i, n = 0;

	free(a->kept);
	a->kept = calloc(r->nheaders + 1, sizeof(char *));
	if (a->kept == NULL)
		fatal("redirect");
	for (i = 0; i < r->nheaders; i++)
		if (!redirect_drops(r->headers[i]))
			a->kept[n++] = r->headers[i];
}

bool
asking_follow(
    struct asking *a, const char *base, int status, const char *location)
{
	struct upstream_request was;
	struct redirect next;
	bool was_kept = a->redirects == 0 || a->redirect.keep_body;

	asking_fill(a, &was);
	if (a->redirects == REDIRECT_MAX ||
	    !redirect_next(
		base, was.method, was.target, status, location, &next))
		return false;
	free(a->redirect.target);
	a->redirect = next;
	a->redirect.keep_body = next.keep_body && was_kept;
	a->redirects++;
	if (!a->redirect.keep_body)
		keep_headers(a);
	return true;
}
