#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/base64.h"
#include "common/json.h"
#include "common/log.h"
#include "proxyd/close_code.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/tunnel_actions.h"
#include "proxyd/tunnels.h"
#include "proxyd/user_requests.h"

static void
complain(struct proxyd *p, const struct user_request *r, const char *why)
{
	reply_error(p, r->number, r->request_id, why);
}

/* {"ok":true} */
static void
confirm(struct proxyd *p, const struct user_request *r)
{
	struct json_object *data = json_object_new_object();
	struct json_object *ok = json_object_new_boolean(true);

	if (data == NULL || ok == NULL)
		fatalx("json: out of memory");
	json_add(data, "ok", ok);
	reply_complete(p, r->number, r->request_id, data);
}

/* The tunnel that the payload names; else the reply is on its way. */
static struct tunnel *
find(struct proxyd *p, const struct user_request *r)
{
	const char *id =
	    r->payload == NULL ? NULL : json_string(r->payload, "id", NULL);
	struct tunnel *t = id == NULL ? NULL : tunnels_find(p->tunnels, id);

	if (t == NULL)
		complain(p, r, "no such tunnel");
	return t;
}

/* A member that is a number of pieces; false if there is none. */
static bool
get_number(const struct user_request *r, const char *name, uint64_t *n)
{
	struct json_object *member;
	int64_t value;

	if (!json_object_object_get_ex(r->payload, name, &member) ||
	    !json_object_is_type(member, json_type_int))
		return false;
	value = json_object_get_int64(member);
	*n = (uint64_t)value;
	return value >= 0;
}

void
tunnel_action_open(struct proxyd *p, const struct user_request *r)
{
	tunnels_open(p->tunnels, TUNNEL_SOCKET, r);
}

void
stream_action_open(struct proxyd *p, const struct user_request *r)
{
	const char *method =
	    r->payload == NULL ? NULL : json_string(r->payload, "method", NULL);

	if (method == NULL || strcmp(method, "GET") != 0)
		complain(p, r, "only GET can be a stream");
	else
		tunnels_open(p->tunnels, TUNNEL_STREAM, r);
}

/* The bytes of the piece, as d or b; returns NULL, or what is wrong. */
static const char *
read_data(const struct user_request *r, struct piece *piece)
{
	const char *text, *base64;
	size_t len, base64_len;
	ssize_t n;

	text = json_string(r->payload, "d", &len);
	base64 = json_string(r->payload, "b", &base64_len);
	if ((text == NULL) == (base64 == NULL))
		return "either d or b must be a string";
	piece->type = text != NULL ? WS_TEXT : WS_BINARY;
	/* The decoder wants room for whole groups. */
	piece->data = malloc(text != NULL ? len + 1 : base64_len / 4 * 3 + 1);
	if (piece->data == NULL)
		fatal("piece");
	if (text != NULL) {
		memcpy(piece->data, text, len);
		piece->len = len;
		return NULL;
	}
	n = base64_decode(base64, base64_len, piece->data);
	piece->len = n == -1 ? 0 : (size_t)n;
	return n == -1 ? "b is not base64" : NULL;
}

void
tunnel_action_send(struct proxyd *p, const struct user_request *r)
{
	struct tunnel *t = find(p, r);
	struct json_object *more;
	struct piece *piece;
	const char *why;

	if (t == NULL)
		return;
	piece = piece_new(r->number, r->request_id);
	why = get_number(r, "n", &piece->n) ? read_data(r, piece)
					    : "n is not a number";
	if (why != NULL) {
		piece_free(piece);
		complain(p, r, why);
		return;
	}
	piece->more = json_object_object_get_ex(r->payload, "more", &more) &&
		      json_object_is_type(more, json_type_boolean) &&
		      json_object_get_boolean(more);
	if (tunnels_may_send(p->tunnels, t)) {
		tunnel_send(t, piece);
		return;
	}
	piece_free(piece);
	complain(p, r, "too much");
	tunnel_break(t, WS_CLOSE_TOO_BIG, "");
}

void
tunnel_action_close(struct proxyd *p, const struct user_request *r)
{
	struct tunnel *t = find(p, r);
	const char *reason;
	uint16_t code;
	uint64_t n;

	if (t == NULL)
		return;
	if (!get_number(r, "n", &n)) {
		complain(p, r, "n is not a number");
		return;
	}
	reason = close_reason_read(r->payload);
	if (reason == NULL || !close_code_read(r->payload, &code)) {
		complain(p, r, "not a close code and reason");
		return;
	}
	confirm(p, r);
	tunnel_close(t, n, code, reason);
}

void
stream_action_cancel(struct proxyd *p, const struct user_request *r)
{
	struct tunnel *t = find(p, r);

	if (t == NULL)
		return;
	confirm(p, r);
	tunnel_close(t, 0, WS_CLOSE_NORMAL, "");
}

void
tunnel_action_ack(struct proxyd *p, const struct user_request *r)
{
	struct tunnel *t = find(p, r);
	uint64_t n;

	if (t == NULL)
		return;
	if (!get_number(r, "n", &n) || tunnel_ack(t, n) == -1)
		complain(p, r, "n is not a number of pieces that were sent");
	else
		confirm(p, r);
}

void
tunnel_action_pong(struct proxyd *p, const struct user_request *r)
{
	struct tunnel *t = find(p, r);

	if (t == NULL)
		return;
	tunnel_pong(t);
	confirm(p, r);
}
