#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "hub/browser.h"
#include "hub/hub.h"
#include "hub/instance.h"
#include "hub/pending.h"
#include "hub/random.h"
#include "hub/request.h"
#include "hub/secret.h"

void
hub_init(
    struct hub *hub, struct event_base *base, const struct options *options)
{
	memset(hub, 0, sizeof(*hub));
	hub->base = base;
	hub->options = options;
	TAILQ_INIT(&hub->instances);
	TAILQ_INIT(&hub->browsers);
	TAILQ_INIT(&hub->pending);
	RB_INIT(&hub->requests);
	RB_INIT(&hub->forwards);
	random_hex(hub->session, sizeof(hub->session));
	tokens_init(&hub->tokens);
	if (options->token_file != NULL &&
	    tokens_load(&hub->tokens, options->token_file) == -1)
		fatalx("--token-file: can't be used");
	if (options->token != NULL &&
	    tokens_add(&hub->tokens, options->token) == -1)
		fatalx("--token: not a token");
	if (options->password_file != NULL &&
	    (hub->password = secret_read_line(options->password_file)) == NULL)
		fatalx("--password-file: can't be used");
}

void
hub_close(struct hub *hub)
{
	instances_close(hub);
	browsers_close(hub);
	pending_close(hub);
}

void
hub_clear(struct hub *hub)
{
	browsers_clear(hub);
	instances_clear(hub);
	pending_clear(hub);
	requests_clear(hub);
	tokens_clear(&hub->tokens);
	if (hub->password != NULL)
		freezero(hub->password, strlen(hub->password));
}
