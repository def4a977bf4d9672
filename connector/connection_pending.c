#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "connector/connection_internal.h"
#include "connector/connector.h"
#include "connector/outgoing.h"
#include "connector/target.h"

/*
 * Without a token: the orchestrator is told who may claim this instance, and
 * somebody does, or does not (protocol: "Pending mode").
 */

void
connection_forget_grant(struct connection *c)
{
	struct grant *grant = c->grant;

	if (grant == NULL)
		return;
	freezero(grant->token, strlen(grant->token));
	freezero(grant, sizeof(*grant));
	c->grant = NULL;
}

/* authd keeps it if that is the orchestrator that it knows, too. */
static void
send_grant(struct connection *c)
{
	struct child *child = &c->connector->child;
	struct msg_out m;

	msg_start(&m, MSG_TOKEN_GRANTED, 0);
	msg_add_u64(&m, child->conf_id);
	msg_add_str(&m, c->grant->token);
	msg_add_str(&m, c->grant->client_id);
	if (!child_send(child, PROGRAM_AUTHD, &m))
		log_debugx("no authd to keep the token: it will be back");
}

static bool
is_granted_here(const struct connection *c)
{
	char host[CONNECTION_HOST_SIZE];

	connection_host(c, host);
	return c->grant != NULL && strcmp(c->grant->host, host) == 0;
}

static void
make_pending_id(struct connection *c)
{
	static const char prefix[] = "pending_";
	uint8_t random[16];
	size_t i;

	arc4random_buf(random, sizeof(random));
	(void)strlcpy(c->pending_id, prefix, sizeof(c->pending_id));
	for (i = 0; i < sizeof(random); i++)
		(void)snprintf(c->pending_id + strlen(prefix) + 2 * i, 3,
		    "%02x", random[i]);
}

static void
give_up(struct connection *c)
{
	char host[CONNECTION_HOST_SIZE], why[CONNECTION_HOST_SIZE + 32];

	connection_host(c, host);
	(void)snprintf(why, sizeof(why), "no token for %s", host);
	log_warnx("%s: set orchestrator token, or claim user, org or team to "
		  "have one granted",
	    why);
	connection_lose(c, THEN_HOLD, why);
}

void
connection_on_no_token(struct connection *c)
{
	const struct connector_conf *conf = &c->connector->conf;

	/* authd, or its configuration, was another one meanwhile. */
	if (is_granted_here(c) && !c->grant->sent_again) {
		c->grant->sent_again = true;
		send_grant(c);
		connection_ask_token(c);
		return;
	}
	connection_forget_grant(c);
	c->connector->granted_id[0] = '\0';
	if (c->state != STATE_HANDSHAKE)
		connection_lose(c, THEN_RETRY, "there is no token any more");
	else if (conf->claim_users[0] == '\0' && conf->claim_orgs[0] == '\0' &&
		 conf->claim_teams[0] == '\0')
		give_up(c);
	else {
		make_pending_id(c);
		connection_send_upgrade(c, target_new_pending(conf));
	}
}

void
connection_start_pending(struct connection *c)
{
	evtimer_del(c->timer);
	connection_set_state(c, STATE_PENDING);
	heartbeat_start(&c->heartbeat);
	outgoing_pending_register(c->connector, c->pending_id);
	connection_log_pending(c);
}

bool
connection_is_pending(const struct connection *c)
{
	return c->state == STATE_PENDING;
}

bool
connection_shows_claims(const struct connection *c)
{
	return c->pending_id[0] != '\0';
}

void
connection_on_granted(
    struct connection *c, const char *token, const char *client_id)
{
	connection_forget_grant(c);
	c->grant = calloc(1, sizeof(*c->grant));
	if (c->grant == NULL || (c->grant->token = strdup(token)) == NULL)
		fatal("token");
	(void)strlcpy(
	    c->grant->client_id, client_id, sizeof(c->grant->client_id));
	connection_host(c, c->grant->host);
	log_infox("claimed as %s", client_id);
	/* At once: we may be lost before there is another connection. */
	send_grant(c);
	backoff_reset(&c->backoff);
	c->refusal_logged = false;
	connection_lose(c, THEN_CONNECT, "a token was granted");
}

void
connection_on_claim_timeout(struct connection *c, const char *why)
{
	connection_lose(c, THEN_LATER, why);
}
