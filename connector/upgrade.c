#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "common/base64.h"
#include "common/slice.h"
#include "common/ws.h"
#include "connector/upgrade.h"

static void
make_key(char key[UPGRADE_KEY_SIZE])
{
	struct base64 encoder = { 0 };
	uint8_t nonce[16];
	size_t n;

	arc4random_buf(nonce, sizeof(nonce));
	n = base64_feed(&encoder, nonce, sizeof(nonce), key);
	n += base64_finish(&encoder, key + n);
	key[n] = '\0';
}

/* Percent-encode all but the unreserved characters (RFC 3986). */
static char *
encode_component(const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	char *encoded = malloc(3 * strlen(s) + 1), *out = encoded;

	if (encoded == NULL)
		return NULL;
	for (; *s != '\0'; s++) {
		if (isalnum((unsigned char)*s) || strchr("-._~", *s) != NULL)
			*out++ = *s;
		else {
			*out++ = '%';
			*out++ = hex[(unsigned char)*s >> 4];
			*out++ = hex[*s & 15];
		}
	}
	*out = '\0';
	return encoded;
}

static void
wipe(const void *data, size_t len, void *arg)
{
	(void)data;
	freezero(arg, len);
}

static char *
format_request(const struct connector_conf *conf, const char *key,
    const char *token, const char *client_id)
{
	bool v6 = strchr(conf->host, ':') != NULL;
	char *request;
	char port[8] = "";

	if (conf->port != (conf->tls ? 443 : 80))
		(void)snprintf(port, sizeof(port), ":%u", conf->port);
	if (asprintf(&request,
		"GET %s%ctoken=%s&client_id=%s HTTP/1.1\r\n"
		"Host: %s%s%s%s\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Key: %s\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"User-Agent: tetherd/%s\r\n"
		"\r\n",
		conf->target, strchr(conf->target, '?') == NULL ? '?' : '&',
		token, client_id, v6 ? "[" : "", conf->host, v6 ? "]" : "",
		port, key, conf->version) == -1)
		return NULL;
	return request;
}

int
upgrade_request(const struct connector_conf *conf, const char *token,
    char key[UPGRADE_KEY_SIZE], struct evbuffer *out)
{
	char *token_encoded = encode_component(token);
	char *id_encoded = encode_component(conf->client_id);
	char *request = NULL;
	int rc = -1;

	make_key(key);
	if (token_encoded != NULL && id_encoded != NULL)
		request = format_request(conf, key, token_encoded, id_encoded);
	if (request != NULL)
		rc = evbuffer_add_reference(
		    out, request, strlen(request), wipe, request);
	if (rc == -1 && request != NULL)
		freezero(request, strlen(request));
	if (token_encoded != NULL)
		freezero(token_encoded, strlen(token_encoded));
	free(id_encoded);
	return rc;
}

/* "HTTP/1.1 101 Switching Protocols": the status, or -1. */
static int
parse_status(const char *line)
{
	int i, status = 0;

	if (strncmp(line, "HTTP/1.1 ", 9) != 0)
		return -1;
	for (i = 9; i < 12; i++) {
		if (!isdigit((unsigned char)line[i]))
			return -1;
		status = 10 * status + line[i] - '0';
	}
	return line[12] == ' ' || line[12] == '\0' ? status : -1;
}

/* Does a comma-separated list have this token, in any case? */
static bool
list_has(const char *list, const char *token)
{
	size_t n, len = strlen(token);

	while (*list != '\0') {
		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n == len && strncasecmp(list, token, n) == 0)
			return true;
		list += n;
	}
	return false;
}

struct fields {
	bool upgrade;
	bool connection;
	bool accept;
	const char *why;
};

static void
check_field(struct fields *f, char *line, const char *key)
{
	char accept[WS_ACCEPT_SIZE];
	char *value = strchr(line, ':'), *end;

	if (value == NULL || value == line) {
		f->why = "malformed header in the answer";
		return;
	}
	*value++ = '\0';
	value += strspn(value, " \t");
	end = value + strcspn(value, "\r");
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	if (strcasecmp(line, "upgrade") == 0)
		f->upgrade = strcasecmp(value, "websocket") == 0;
	else if (strcasecmp(line, "connection") == 0)
		f->connection |= list_has(value, "upgrade");
	else if (strcasecmp(line, "sec-websocket-accept") == 0) {
		ws_accept(accept, key);
		f->accept = strcmp(value, accept) == 0;
	} else if (strcasecmp(line, "sec-websocket-extensions") == 0 ||
		   strcasecmp(line, "sec-websocket-protocol") == 0)
		f->why = "extension or subprotocol that was not asked for";
}

static enum upgrade_result
check_head(char *head, const char *key, int *status, const char **why)
{
	struct fields f = { 0 };
	char *line = strsep(&head, "\n");

	line[strcspn(line, "\r")] = '\0';
	*status = parse_status(line);
	if (*status == -1) {
		*why = "not an HTTP/1.1 answer";
		return UPGRADE_BROKEN;
	}
	if (*status != 101)
		return UPGRADE_REFUSED;
	while ((line = strsep(&head, "\n")) != NULL && f.why == NULL)
		if (line[0] != '\r' && line[0] != '\0')
			check_field(&f, line, key);
	if (f.why == NULL && !(f.upgrade && f.connection && f.accept))
		f.why = "not the answer of a WebSocket server";
	*why = f.why;
	return f.why == NULL ? UPGRADE_DONE : UPGRADE_BROKEN;
}

enum upgrade_result
upgrade_response(
    struct evbuffer *in, const char *key, int *status, const char **why)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	char head[UPGRADE_HEAD_MAX];
	size_t len =
	    end.pos == -1 ? evbuffer_get_length(in) : (size_t)end.pos + 4;

	if (len >= sizeof(head)) {
		*why = "answer with too many headers";
		return UPGRADE_BROKEN;
	}
	if (end.pos == -1)
		return UPGRADE_MORE;
	(void)evbuffer_remove(in, head, len);
	head[len] = '\0';
	if (memchr(head, '\0', len) != NULL) {
		*why = "NUL in the answer";
		return UPGRADE_BROKEN;
	}
	return check_head(head, key, status, why);
}
