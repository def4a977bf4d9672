#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/json.h"
#include "common/log.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/outgoing.h"

/* Running out of memory for a few members of a message is not survivable. */
static struct json_object *
check(struct json_object *object)
{
	if (object == NULL)
		fatalx("json: out of memory");
	return object;
}

/* Frees the message; returns its length. */
static size_t
message_send(struct connector *connector, struct json_object *message)
{
	size_t len;
	const char *text = json_text(message, &len);

	connection_send(connector->connection, text, len);
	json_object_put(message);
	return len;
}

/*
 * The same with one more member: a token, of printable ASCII.  Added by hand
 * so that the only text that holds it is one that can be wiped.
 */
static void
message_send_token(
    struct connector *connector, struct json_object *message, const char *token)
{
	static const char member[] = ",\"user_token\":\"";
	size_t len, size;
	const char *text = json_text(message, &len);
	char *copy, *end;

	size = len + sizeof(member) + 2 * strlen(token) + 2;
	copy = malloc(size);
	if (copy == NULL)
		fatal("register");
	memcpy(copy, text, len - 1); /* all but the last brace */
	end = stpcpy(copy + len - 1, member);
	for (; *token != '\0'; token++) {
		if (*token == '"' || *token == '\\')
			*end++ = '\\';
		*end++ = *token;
	}
	*end++ = '"';
	*end++ = '}';
	connection_send(connector->connection, copy, (size_t)(end - copy));
	freezero(copy, size);
	json_object_put(message);
}

void
outgoing_register(
    struct connector *connector, const char *token, const char *status)
{
	const struct connector_conf *conf = &connector->conf;
	struct json_object *message = json_message("register");
	struct json_object *metadata = check(json_object_new_object());
	struct json_object *capabilities = check(json_object_new_array());

	/* WebSockets of pages; request bodies that come as base64. */
	if (json_object_array_add(
		capabilities, check(json_object_new_string("tunnel"))) != 0 ||
	    json_object_array_add(
		capabilities, check(json_object_new_string("base64"))) != 0)
		fatalx("json: out of memory");
	json_add_string(metadata, "hostname", conf->hostname);
	json_add_string(metadata, "platform", "linux");
	json_add_string(metadata, "project", conf->project);
	json_add_string(metadata, "status", status);
	json_add_string(metadata, "version", conf->version);
	json_add(metadata, "callback_url",
	    conf->callback_url[0] == '\0'
		? NULL
		: check(json_object_new_string(conf->callback_url)));
	json_add(metadata, "capabilities", capabilities);
	json_add_string(message, "client_id", connector_client_id(connector));
	json_add(message, "metadata", metadata);
	message_send_token(connector, message, token);
}

void
outgoing_pending_register(struct connector *connector, const char *pending_id)
{
	const struct connector_conf *conf = &connector->conf;
	struct json_object *message = json_message("pending_register");

	json_add_string(message, "pending_id", pending_id);
	json_add_string(message, "hostname", conf->hostname);
	json_add_string(message, "project", conf->project);
	json_add_string(message, "platform", "linux");
	(void)message_send(connector, message);
}

void
outgoing_status_update(struct connector *connector, const char *status)
{
	struct json_object *message = json_message("status_update");

	json_add_string(message, "client_id", connector_client_id(connector));
	json_add_string(message, "status", status);
	connector->counters.status_updates++;
	(void)message_send(connector, message);
}

void
outgoing_ping(struct connector *connector, const char *pending_id)
{
	struct json_object *message = json_message("ping");

	json_add_string(message, "client_id", connector_client_id(connector));
	if (pending_id != NULL)
		json_add_string(message, "pending_id", pending_id);
	(void)message_send(connector, message);
}

/* The body is JSON itself, as a string. */
static struct json_object *
error_body(const char *text)
{
	struct json_object *error = check(json_object_new_object()), *body;

	json_add_string(error, "error", text);
	body = check(json_object_new_string(
	    json_object_to_json_string_ext(error, JSON_C_TO_STRING_PLAIN)));
	json_object_put(error);
	return body;
}

void
outgoing_error(struct connector *connector, const char *request_id, size_t len,
    int status, const char *text)
{
	struct json_object *message = json_message("http_proxy_response");
	struct json_object *headers = check(json_object_new_array());
	struct json_object *header = check(json_object_new_array());

	json_add(message, "request_id",
	    check(json_object_new_string_len(request_id, (int)len)));
	json_add(message, "status", check(json_object_new_int(status)));
	json_object_array_add(
	    header, check(json_object_new_string("content-type")));
	json_object_array_add(
	    header, check(json_object_new_string("application/json")));
	json_object_array_add(headers, header);
	json_add(message, "headers", headers);
	json_add(message, "body", error_body(text));
	connector->counters.answers++;
	connector->counters.answers_own++;
	connector->counters.answer_bytes += message_send(connector, message);
}

void
outgoing_user_error(struct connector *connector, const char *request_id,
    size_t len, const char *text)
{
	struct json_object *message = json_message("response_complete");
	struct json_object *data = check(json_object_new_object());

	json_add(data, "error", check(json_object_new_boolean(true)));
	json_add_string(data, "message", text);
	json_add(message, "request_id",
	    check(json_object_new_string_len(request_id, (int)len)));
	json_add(message, "data", data);
	connector->counters.replies++;
	connector->counters.reply_bytes += message_send(connector, message);
}

void
outgoing_user_message(struct connector *connector, const char *request_id,
    size_t len, const char *text)
{
	struct json_object *message = json_message("error");

	json_add(message, "request_id",
	    check(json_object_new_string_len(request_id, (int)len)));
	json_add_string(message, "message", text);
	connector->counters.replies++;
	connector->counters.reply_bytes += message_send(connector, message);
}
