#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/json.h"
#include "common/log.h"
#include "common/upgrade.h"
#include "proxyd/handles.h"
#include "proxyd/proxyd.h"
#include "proxyd/query.h"
#include "proxyd/request.h"
#include "proxyd/request_headers.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnel.h"
#include "proxyd/tunnel_opening.h"
#include "proxyd/tunnel_socket.h"
#include "proxyd/tunnel_stream.h"
#include "proxyd/tunnels.h"

struct tunnel_opening {
	struct tunnel *tunnel;
	struct tunnel_ask ask;
	char handle[HANDLE_SIZE];
	struct handle_wait handle_wait;
	struct session_wait session_wait;
};

static void on_owner(void *, const struct handle_answer *);
static void on_session(void *, const struct session *);

static const char *
take_handle(struct tunnel_opening *o, struct json_object *payload)
{
	const char *handle = json_string(payload, "handle", NULL);

	if (handle == NULL)
		return "no handle";
	/* One that is too long is nobody's, like any wrong one. */
	if (strlcpy(o->handle, handle, sizeof(o->handle)) >= sizeof(o->handle))
		o->handle[0] = '\0';
	return NULL;
}

static const char *
take_path(struct tunnel_opening *o, struct json_object *payload)
{
	const char *path, *why = NULL;
	size_t len;

	path = json_string(payload, "path", &len);
	if (path == NULL)
		return "no path";
	/* The web app would take what follows two slashes for a host. */
	if (path[0] == '/' && (path[1] == '/' || path[1] == '\\'))
		return "path begins with more than one /";
	o->ask.target = request_target(path, len, NULL, 0, &why);
	if (o->ask.target == NULL)
		return why;
	query_remove(o->ask.target, "token");
	o->tunnel->path = strndup(o->ask.target, strcspn(o->ask.target, "?"));
	if (o->tunnel->path == NULL)
		fatal("tunnel");
	return NULL;
}

static bool
is_offered(const struct tunnel_ask *ask, const char *protocol)
{
	size_t i;

	for (i = 0; i < ask->nprotocols; i++)
		if (strcmp(ask->protocols[i], protocol) == 0)
			return true;
	return false;
}

static const char *
take_protocols(struct tunnel_opening *o, struct json_object *payload)
{
	struct tunnel_ask *ask = &o->ask;
	struct json_object *list, *item;
	const char *protocol;
	size_t i, n, total = 0;

	if (!json_object_object_get_ex(payload, "protocols", &list) ||
	    list == NULL)
		return NULL;
	if (!json_object_is_type(list, json_type_array) ||
	    (n = json_object_array_length(list)) > TUNNEL_PROTOCOLS_MAX)
		return "bad protocols";
	ask->protocols = calloc(n + 1, sizeof(*ask->protocols));
	if (ask->protocols == NULL)
		fatal("protocols");
	for (i = 0; i < n; i++) {
		item = json_object_array_get_idx(list, i);
		if (!json_object_is_type(item, json_type_string))
			return "bad protocols";
		protocol = json_object_get_string(item);
		total += strlen(protocol);
		if (strlen(protocol) !=
			(size_t)json_object_get_string_len(item) ||
		    total > TUNNEL_PROTOCOLS_SIZE ||
		    !upgrade_is_protocol(protocol) || is_offered(ask, protocol))
			return "bad protocols";
		ask->protocols[i] = strdup(protocol);
		if (ask->protocols[i] == NULL)
			fatal("protocols");
		ask->nprotocols++;
	}
	return NULL;
}

/* The same rules as for any request of the page. */
static const char *
take_headers(struct tunnel_opening *o, struct json_object *payload)
{
	struct request r = { .json = payload };
	const char *why =
	    request_take_page_headers(&r, &o->tunnel->proxyd->conf);

	o->ask.headers = r.headers;
	o->ask.nheaders = r.nheaders;
	return why;
}

struct tunnel_opening *
tunnel_opening_new(
    struct tunnel *t, struct json_object *payload, const char **why)
{
	struct tunnel_opening *o = calloc(1, sizeof(*o));

	if (o == NULL)
		fatal("tunnel");
	o->tunnel = t;
	o->handle_wait.done = on_owner;
	o->handle_wait.arg = o;
	o->session_wait.done = on_session;
	o->session_wait.arg = o;
	if ((*why = take_handle(o, payload)) == NULL &&
	    (*why = take_path(o, payload)) == NULL)
		*why = t->kind == TUNNEL_SOCKET ? take_protocols(o, payload)
						: take_headers(o, payload);
	if (*why == NULL)
		return o;
	tunnel_opening_free(o);
	return NULL;
}

void
tunnel_ask_clear(struct tunnel_ask *ask)
{
	size_t i;

	for (i = 0; i < ask->nprotocols; i++)
		free(ask->protocols[i]);
	free(ask->protocols);
	for (i = 0; i < ask->nheaders; i++)
		free(ask->headers[i]);
	free(ask->headers);
	free(ask->target);
	memset(ask, 0, sizeof(*ask));
}

void
tunnel_opening_free(struct tunnel_opening *o)
{
	if (o == NULL)
		return;
	handles_cancel(&o->handle_wait);
	sessions_cancel(&o->session_wait);
	tunnel_ask_clear(&o->ask);
	freezero(o, sizeof(*o));
}

void
tunnel_opening_start(struct tunnel_opening *o)
{
	if (o->handle[0] == '\0')
		tunnel_refuse(o->tunnel, "403 no valid handle");
	else
		handles_check(
		    o->tunnel->proxyd->handles, o->handle, &o->handle_wait);
}

static void
on_owner(void *arg, const struct handle_answer *answer)
{
	struct tunnel_opening *o = arg;
	struct tunnel *t = o->tunnel;
	struct proxyd *p = t->proxyd;
	const struct session *session;
	const char *why;

	explicit_bzero(o->handle, sizeof(o->handle));
	if (answer->github_id == 0) {
		tunnel_refuse(t, "403 no valid handle");
		return;
	}
	t->github_id = answer->github_id;
	if ((t->login = strdup(answer->login)) == NULL)
		fatal("tunnel");
	why = tunnels_may_ask(p->tunnels, t);
	if (why != NULL) {
		tunnel_refuse(t, why);
		return;
	}
	session =
	    sessions_get(p->sessions, t->github_id, t->login, &o->session_wait);
	if (session != NULL)
		on_session(o, session);
}

static void
connect_far(struct tunnel_opening *o, const char *jwt)
{
	struct tunnel *t = o->tunnel;
	struct tunnel_ask ask = o->ask;

	memset(&o->ask, 0, sizeof(o->ask));
	t->opening = NULL;
	if (t->kind == TUNNEL_SOCKET)
		tunnel_socket_start(t, &ask, jwt);
	else
		tunnel_stream_start(t, &ask, jwt);
	tunnel_opening_free(o);
}

static int
status_of(enum session_status status)
{
	switch (status) {
	case SESSION_DENIED:
		return 403;
	case SESSION_BUSY:
		return 429;
	case SESSION_OK:
	case SESSION_UNAVAILABLE:
	case SESSION_STATUS_COUNT:
		break;
	}
	return 503;
}

static void
on_session(void *arg, const struct session *session)
{
	struct tunnel_opening *o = arg;
	struct tunnel *t = o->tunnel;
	struct tunnels *all = t->proxyd->tunnels;
	char reason[SESSION_REASON_MAX + 4];
	const char *why;

	if (session->status == SESSION_OK) {
		why = tunnels_may_open(all, t, session->role, o->ask.target);
		if (why == NULL)
			connect_far(o, session->jwt);
		else
			tunnel_refuse(t, why);
		return;
	}
	if (session->status == SESSION_DENIED)
		tunnels_note_denied(all, t);
	(void)snprintf(reason, sizeof(reason), "%d %s",
	    status_of(session->status), session->reason);
	tunnel_advise(t, session->advice);
	tunnel_refuse(t, reason);
}
