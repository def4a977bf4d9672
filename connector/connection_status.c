#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/status.h"
#include "connector/connection_internal.h"
#include "connector/connector.h"

/* Room for "wss://" and a host. */
#define URL_SIZE (CONNECTION_HOST_SIZE + 6)

/* Room for whom the operator is told of. */
#define CLAIMS_SIZE 256

static const char *
state_text(const struct connection *c)
{
	static const char *const states[] = {
		[STATE_HELD] = "held until asked to reconnect",
		[STATE_WAITING] = "waiting for the next attempt",
		[STATE_DIALING] = "connecting",
		[STATE_HANDSHAKE] = "in the opening handshake",
		[STATE_REGISTERING] = "registering",
		[STATE_PENDING] = "pending: waiting to be claimed",
		[STATE_UP] = "registered",
		[STATE_CLOSING] = "closing",
	};

	if (!c->started)
		return "not started";
	if (c->state == STATE_HELD && !c->connector->conf.enabled)
		return "standalone";
	return states[c->state];
}

void
connection_host(const struct connection *c, char host[CONNECTION_HOST_SIZE])
{
	const struct connector_conf *conf = &c->connector->conf;
	bool v6 = strchr(conf->host, ':') != NULL;

	(void)snprintf(host, CONNECTION_HOST_SIZE, "%s%s%s:%u", v6 ? "[" : "",
	    conf->host, v6 ? "]" : "", conf->port);
}

/* Where we connect to; "none" if nowhere. */
static const char *
connection_url(const struct connection *c, char *buf, size_t size)
{
	const struct connector_conf *conf = &c->connector->conf;
	char host[CONNECTION_HOST_SIZE];

	if (!conf->enabled)
		return "none";
	connection_host(c, host);
	(void)snprintf(buf, size, "%s://%s", conf->tls ? "wss" : "ws", host);
	return buf;
}

static void
add_claims(char *buf, size_t size, const char *kind, const char *names)
{
	if (names[0] == '\0')
		return;
	if (buf[0] != '\0')
		(void)strlcat(buf, ", ", size);
	(void)strlcat(buf, kind, size);
	(void)strlcat(buf, names, size);
}

/* "user ada bob, org acme": who may claim us, as far as there is room. */
static const char *
claims_text(const struct connection *c, char *buf, size_t size)
{
	const struct connector_conf *conf = &c->connector->conf;

	buf[0] = '\0';
	add_claims(buf, size, "user ", conf->claim_users);
	add_claims(buf, size, "org ", conf->claim_orgs);
	add_claims(buf, size, "team ", conf->claim_teams);
	if (strlen(buf) == size - 1)
		memcpy(buf + size - 4, "...", 4);
	return buf;
}

void
connection_log_pending(const struct connection *c)
{
	char url[URL_SIZE], claims[CLAIMS_SIZE];

	log_infox("pending at %s: waiting to be claimed by %s",
	    connection_url(c, url, sizeof(url)),
	    claims_text(c, claims, sizeof(claims)));
}

void
connection_log_registered(const struct connection *c)
{
	char url[URL_SIZE];

	log_infox("registered with %s as %s",
	    connection_url(c, url, sizeof(url)),
	    connector_client_id(c->connector));
}

void
connection_log_status(const struct connection *c)
{
	log_infox("status: orchestrator %s, %s", c->connector->conf.host,
	    state_text(c));
}

void
connection_status(const struct connection *c, struct status *s)
{
	char url[URL_SIZE], text[CLAIMS_SIZE + 64], claims[CLAIMS_SIZE];
	struct timespec now;

	(void)snprintf(text, sizeof(text), "%s%s%s", state_text(c),
	    c->state == STATE_PENDING ? " by " : "",
	    c->state == STATE_PENDING ? claims_text(c, claims, sizeof(claims))
				      : "");
	clock_gettime(CLOCK_BOOTTIME, &now);
	status_set_text(s, STATUS_CONNECTOR_CONNECTION, text);
	status_set_number(s, STATUS_CONNECTOR_SINCE,
	    (uint64_t)(now.tv_sec - c->since.tv_sec -
		       (now.tv_nsec < c->since.tv_nsec)));
	status_set_text(s, STATUS_CONNECTOR_LAST_DISCONNECT, c->reason);
	status_set_text(s, STATUS_CONNECTOR_ORCHESTRATOR,
	    connection_url(c, url, sizeof(url)));
	status_set_text(
	    s, STATUS_CONNECTOR_CLIENT_ID, connector_client_id(c->connector));
}
