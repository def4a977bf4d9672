#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <string.h>

#include "hub/http.h"
#include "hub/socket.h"

#define KEY_LENGTH 24 /* of 16 bytes in base64 */

bool
socket_wanted(struct evhttp_request *req)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const char *version = evhttp_find_header(in, "Sec-WebSocket-Version");
	const char *key = evhttp_find_header(in, "Sec-WebSocket-Key");

	if (!http_header_has(in, "Upgrade", "websocket") ||
	    !http_header_has(in, "Connection", "upgrade")) {
		(void)evhttp_add_header(evhttp_request_get_output_headers(req),
		    "Upgrade", "websocket");
		http_error(req, 426, "expected a WebSocket");
		return false;
	}
	if (version == NULL || strcmp(version, "13") != 0) {
		(void)evhttp_add_header(evhttp_request_get_output_headers(req),
		    "Sec-WebSocket-Version", "13");
		http_error(req, 426, "unknown WebSocket version");
		return false;
	}
	if (key == NULL || strlen(key) != KEY_LENGTH) {
		http_error(req, 400, "bad Sec-WebSocket-Key");
		return false;
	}
	return true;
}

int
socket_open(struct socket *socket, struct evhttp_request *req,
    size_t message_max, const struct ws_ops *ops, void *arg)
{
	struct bufferevent *bev;
	char accept[WS_ACCEPT_SIZE];

	ws_accept(
	    accept, evhttp_find_header(evhttp_request_get_input_headers(req),
			"Sec-WebSocket-Key"));
	socket->connection = evhttp_request_get_connection(req);
	bev = evhttp_connection_get_bufferevent(socket->connection);
	/*
	 * The HTTP server forgets the connection, but still owns it and the
	 * request until it is freed.  Both it and the ws free the
	 * bufferevent, hence two references.
	 */
	bufferevent_incref(bev);
	(void)bufferevent_set_timeouts(bev, NULL, NULL);
	if (evbuffer_add_printf(bufferevent_get_output(bev),
		"HTTP/1.1 101 Switching Protocols\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n"
		"\r\n",
		accept) == -1 ||
	    (socket->ws = ws_new(bev, WS_SERVER, message_max, ops, arg)) ==
		NULL) {
		(void)bufferevent_decref(bev);
		evhttp_connection_free(socket->connection);
		return -1;
	}
	return 0;
}

void
socket_close(struct socket *socket)
{
	ws_free(socket->ws);
	evhttp_connection_free(socket->connection);
}

bool
socket_query(
    struct evhttp_request *req, const char *name, char *buffer, size_t size)
{
	const char *query = strchr(evhttp_request_get_uri(req), '?');
	const char *value;
	struct evkeyvalq pairs;
	bool found = false;

	if (query == NULL || evhttp_parse_query_str(query + 1, &pairs) == -1)
		return false;
	if ((value = evhttp_find_header(&pairs, name)) != NULL)
		found = strlcpy(buffer, value, size) < size;
	evhttp_clear_headers(&pairs);
	return found;
}
