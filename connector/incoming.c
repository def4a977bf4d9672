#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/client_id.h"
#include "common/json.h"
#include "common/link.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "common/slice.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/exchange.h"
#include "connector/incoming.h"
#include "connector/presence.h"
#include "connector/user_requests.h"

/* So many lines of the log in so many milliseconds. */
#define SAID_MAX 100
#define SAID_MS	 60000

/* One message under way from the parser to its handler. */
struct incoming {
	struct json_object *json;
	struct evbuffer *text;
};

/* Returns NULL, or the required member that is missing. */
typedef const char *(*handler)(struct connector *, const struct incoming *);

static void
count_ignored(struct connector *connector)
{
	connector->counters.messages_ignored++;
}

/* Whether there is room in the log for a line that a message leads to. */
static bool
may_log(struct connector *connector)
{
	int64_t now = monotonic_ms();

	if (connector->said.lines == 0 ||
	    now - connector->said.since_ms >= SAID_MS) {
		connector->said.since_ms = now;
		connector->said.lines = 0;
	}
	if (connector->said.lines < SAID_MAX) {
		connector->said.lines++;
		return true;
	}
	if (connector->said.lines++ == SAID_MAX)
		log_warnx("the orchestrator causes too many lines: the rest of "
			  "this minute is not logged");
	return false;
}

/* Text of the orchestrator for our log. */
static const char *
get_safe(const struct incoming *in, const char *name, char *buf, size_t size)
{
	const char *value = json_string(in->json, name, NULL);

	return log_safe(buf, size, value == NULL ? "" : value);
}

static uint32_t
get_capabilities(const struct incoming *in)
{
	struct json_object *list, *item;
	uint32_t capabilities = 0;
	const char *name;
	size_t i;

	if (!json_object_object_get_ex(in->json, "capabilities", &list) ||
	    !json_object_is_type(list, json_type_array))
		return 0;
	for (i = 0; i < json_object_array_length(list); i++) {
		item = json_object_array_get_idx(list, i);
		if (!json_object_is_type(item, json_type_string))
			continue;
		name = json_object_get_string(item);
		if (strcmp(name, "status") == 0)
			capabilities |= LINK_STATUS;
		else if (strcmp(name, "base64") == 0)
			capabilities |= LINK_BASE64;
	}
	return capabilities;
}

/* The required member "success": 1 or 0, or -1 if it is missing. */
static int
get_success(const struct incoming *in)
{
	struct json_object *success;

	if (!json_object_object_get_ex(in->json, "success", &success) ||
	    !json_object_is_type(success, json_type_boolean))
		return -1;
	return json_object_get_boolean(success);
}

static const char *
on_registered(struct connector *connector, const struct incoming *in)
{
	int success = get_success(in);
	char text[256], why[320];

	if (success == -1)
		return "success";
	if (connection_is_pending(connector->connection)) {
		count_ignored(connector);
		if (may_log(connector))
			log_warnx("registered while pending ignored");
		return NULL;
	}
	if (!success) {
		(void)snprintf(why, sizeof(why), "registration refused: %s",
		    get_safe(in, "message", text, sizeof(text)));
		connection_refuse(connector->connection, why);
		return NULL;
	}
	connector->capabilities = get_capabilities(in);
	connection_on_registered(connector->connection);
	return NULL;
}

static const char *
on_pong(struct connector *connector, const struct incoming *in)
{
	(void)in;
	connection_on_pong(connector->connection);
	return NULL;
}

static const char *
on_command(struct connector *connector, const struct incoming *in)
{
	const char *command = json_string(in->json, "command", NULL);
	char text[64];

	if (strcmp(command, "disconnect") == 0)
		connection_refuse(connector->connection,
		    "the orchestrator told us to disconnect");
	else if (strcmp(command, "refresh_status") == 0 &&
		 !connection_is_pending(connector->connection))
		presence_refresh(connector->presence);
	else {
		count_ignored(connector);
		if (may_log(connector))
			log_infox("command ignored: %s",
			    get_safe(in, "command", text, sizeof(text)));
	}
	return NULL;
}

static const char *
on_error(struct connector *connector, const struct incoming *in)
{
	char text[512];

	if (may_log(connector))
		log_warnx("the orchestrator says: %s",
		    get_safe(in, "message", text, sizeof(text)));
	return NULL;
}

/* All but the id is proxyd's to check, which answers what is malformed. */
static const char *
on_http_proxy_request(struct connector *connector, const struct incoming *in)
{
	size_t len;
	const char *request_id = json_string(in->json, "request_id", &len);

	if (request_id == NULL || len > LINK_REQUEST_ID_MAX ||
	    strlen(request_id) != len)
		return "request_id";
	if (connection_is_up(connector->connection))
		exchange_request(
		    connector->exchange, request_id, len, in->text);
	else {
		count_ignored(connector);
		if (may_log(connector))
			log_warnx(
			    "http_proxy_request before registered ignored");
	}
	return NULL;
}

/* Whether a message of pending mode comes to an instance that is in it. */
static bool
is_for_pending(struct connector *connector, const struct incoming *in)
{
	char type[32];

	if (connection_is_pending(connector->connection))
		return true;
	count_ignored(connector);
	if (may_log(connector))
		log_warnx("%s ignored: not pending",
		    get_safe(in, "type", type, sizeof(type)));
	return false;
}

/* Some say so of every instance, and let it be claimed nevertheless. */
static const char *
on_pending_registered(struct connector *connector, const struct incoming *in)
{
	int success = get_success(in);
	char text[256];

	if (success == -1)
		return "success";
	if (is_for_pending(connector, in) && !success)
		if (may_log(connector))
			log_infox(
			    "still pending, though the orchestrator says: %s",
			    get_safe(in, "message", text, sizeof(text)));
	return NULL;
}

static const char *
on_token_granted(struct connector *connector, const struct incoming *in)
{
	const char *token = json_string(in->json, "token", NULL);
	const char *client_id = json_string(in->json, "client_id", NULL);

	if (!is_for_pending(connector, in))
		return NULL;
	if (token[0] == '\0' || strlen(token) > CONF_SECRET_MAX ||
	    !slice_is_token(token))
		return "token";
	if (client_id_check(client_id) != NULL)
		return "client_id";
	connection_on_granted(connector->connection, token, client_id);
	return NULL;
}

static const char *
on_authorization_denied(struct connector *connector, const struct incoming *in)
{
	char text[256], why[320];

	(void)snprintf(why, sizeof(why), "authorization denied: %s",
	    get_safe(in, "reason", text, sizeof(text)));
	if (is_for_pending(connector, in))
		connection_refuse(connector->connection, why);
	return NULL;
}

static const char *
on_authorization_timeout(struct connector *connector, const struct incoming *in)
{
	char text[256], why[320];

	(void)snprintf(why, sizeof(why), "nobody claimed this instance: %s",
	    get_safe(in, "message", text, sizeof(text)));
	if (is_for_pending(connector, in))
		connection_on_claim_timeout(connector->connection, why);
	return NULL;
}

/* A user_request, or what follows one: the rest is proxyd's to check. */
static const char *
on_user_request(struct connector *connector, const struct incoming *in)
{
	size_t len;
	const char *request_id = json_string(in->json, "request_id", &len);
	char type[32];

	if (len > LINK_REQUEST_ID_MAX)
		return "request_id";
	if (connection_is_up(connector->connection))
		user_requests_add(
		    connector->user_requests, request_id, len, in->text);
	else {
		count_ignored(connector);
		if (may_log(connector))
			log_warnx("%s before registered ignored",
			    get_safe(in, "type", type, sizeof(type)));
	}
	return NULL;
}

/* Members that a message needs besides what its handler checks: strings. */
#define NEEDS_MAX 2

static const struct {
	const char *type;
	handler handle;
	const char *needs[NEEDS_MAX];
} handlers[] = {
	{ "http_proxy_request", on_http_proxy_request, { NULL } },
	{ "pong", on_pong, { NULL } },
	{ "registered", on_registered, { NULL } },
	{ "pending_registered", on_pending_registered, { NULL } },
	{ "command", on_command, { "command" } },
	{ "error", on_error, { "message" } },
	{ "user_request", on_user_request, { "request_id", "action" } },
	{ "user_request_follow_up", on_user_request, { "request_id" } },
	{ "token_granted", on_token_granted, { "token", "client_id" } },
	{ "authorization_denied", on_authorization_denied, { "reason" } },
	{ "authorization_timeout", on_authorization_timeout, { "message" } },
};

static const char *
missing_member(const struct incoming *in, const char *const *needs)
{
	size_t i;

	for (i = 0; i < NEEDS_MAX && needs[i] != NULL; i++)
		if (json_string(in->json, needs[i], NULL) == NULL)
			return needs[i];
	return NULL;
}

static void
wipe_string(const struct json_object *object, const char *name)
{
	size_t len;
	const char *string = json_string(object, name, &len);

	if (string != NULL)
		explicit_bzero((void *)(uintptr_t)string, len);
}

/* Wherever a token may stand, nothing of it is to stay; text is used up. */
static void
wipe(const struct incoming *in)
{
	size_t n;

	wipe_string(in->json, "token");
	while ((n = evbuffer_get_contiguous_space(in->text)) > 0) {
		explicit_bzero(evbuffer_pullup(in->text, (ev_ssize_t)n), n);
		evbuffer_drain(in->text, n);
	}
}

/* The same for somebody's token, which is on its way to proxyd. */
static void
wipe_payload(const struct incoming *in)
{
	struct json_object *payload;

	if (json_object_object_get_ex(in->json, "payload", &payload) &&
	    json_object_is_type(payload, json_type_object))
		wipe_string(payload, "auth_token");
}

static void
dispatch(struct connector *connector, const struct incoming *in)
{
	const char *type = json_string(in->json, "type", NULL), *missing;
	char text[64];
	size_t i;

	if (type == NULL) {
		count_ignored(connector);
		if (may_log(connector))
			log_warnx("message without a type ignored");
		return;
	}
	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (strcmp(handlers[i].type, type) != 0)
			continue;
		missing = missing_member(in, handlers[i].needs);
		if (missing == NULL)
			missing = handlers[i].handle(connector, in);
		if (missing != NULL) {
			count_ignored(connector);
			if (may_log(connector))
				log_warnx("%s without a valid %s ignored", type,
				    missing);
		}
		if (handlers[i].handle == on_token_granted)
			wipe(in);
		if (handlers[i].handle == on_user_request)
			wipe_payload(in);
		return;
	}
	count_ignored(connector);
	log_debugx("message of unknown type ignored: %s",
	    get_safe(in, "type", text, sizeof(text)));
}

void
incoming_message(struct connector *connector, struct evbuffer *text)
{
	struct incoming in = {
		.json = json_parse(text, connector->conf.json_depth),
		.text = text,
	};

	if (in.json == NULL) {
		count_ignored(connector);
		if (may_log(connector))
			log_warnx("message that is not a JSON object ignored");
		return;
	}
	dispatch(connector, &in);
	json_object_put(in.json);
}

void
incoming_binary(struct connector *connector)
{
	count_ignored(connector);
	if (may_log(connector))
		log_warnx("binary message ignored");
}
