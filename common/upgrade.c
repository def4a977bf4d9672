#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "common/base64.h"
#include "common/upgrade.h"
#include "common/ws.h"

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

/* How many bytes of s are those of a token (RFC 9110 section 5.6.2). */
static size_t
token_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) ||
	       (s[n] != '\0' && strchr("!#$%&'*+-.^_`|~", s[n]) != NULL))
		n++;
	return n;
}

bool
upgrade_is_protocol(const char *s)
{
	return s[0] != '\0' && s[token_length(s)] == '\0';
}

/* Nothing that could end a line, or be taken for its end. */
static bool
is_value(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

static bool
is_header(const char *s)
{
	size_t n = token_length(s);

	return n > 0 && s[n] == ':' && is_value(s + n + 1);
}

static bool
is_good(const struct upgrade *u)
{
	size_t i;

	for (i = 0; i < u->nheaders; i++)
		if (!is_header(u->headers[i]))
			return false;
	for (i = 0; i < u->nprotocols; i++)
		if (!upgrade_is_protocol(u->protocols[i]))
			return false;
	return u->target[0] == '/' && is_value(u->target) &&
	       strpbrk(u->target, " \t") == NULL && is_value(u->host) &&
	       strpbrk(u->host, " \t") == NULL && is_value(u->version);
}

/* A text under way, or only its length where there is no place for it. */
struct writer {
	char *at;
	size_t len;
};

static void
put(struct writer *w, const char *s)
{
	size_t len = strlen(s);

	if (w->at != NULL)
		memcpy(w->at + w->len, s, len);
	w->len += len;
}

static void
put_field(struct writer *w, const char *name, const char *value)
{
	put(w, name);
	put(w, ": ");
	put(w, value);
	put(w, "\r\n");
}

static void
put_host(struct writer *w, const struct upgrade *u)
{
	bool v6 = strchr(u->host, ':') != NULL;
	char port[16];

	put(w, "Host: ");
	put(w, v6 ? "[" : "");
	put(w, u->host);
	put(w, v6 ? "]" : "");
	(void)snprintf(port, sizeof(port), ":%u", u->port);
	put(w, u->default_port ? "" : port);
	put(w, "\r\n");
}

static void
put_request(struct writer *w, const struct upgrade *u, const char *key)
{
	size_t i;

	put(w, "GET ");
	put(w, u->target);
	put(w, " HTTP/1.1\r\n");
	put_host(w, u);
	put_field(w, "Upgrade", "websocket");
	put_field(w, "Connection", "Upgrade");
	put_field(w, "Sec-WebSocket-Key", key);
	put_field(w, "Sec-WebSocket-Version", "13");
	for (i = 0; i < u->nprotocols; i++) {
		put(w, i == 0 ? "Sec-WebSocket-Protocol: " : ", ");
		put(w, u->protocols[i]);
	}
	put(w, u->nprotocols > 0 ? "\r\n" : "");
	put(w, "User-Agent: tetherd/");
	put(w, u->version);
	put(w, "\r\n");
	for (i = 0; i < u->nheaders; i++) {
		put(w, u->headers[i]);
		put(w, "\r\n");
	}
	put(w, "\r\n");
}

static void
wipe(const void *data, size_t len, void *arg)
{
	(void)data;
	freezero(arg, len);
}

int
upgrade_request(
    const struct upgrade *u, char key[UPGRADE_KEY_SIZE], struct evbuffer *out)
{
	struct writer w = { 0 };
	size_t len;

	if (!is_good(u))
		return -1;
	make_key(key);
	put_request(&w, u, key);
	len = w.len;
	w.len = 0;
	w.at = malloc(len);
	if (w.at == NULL)
		return -1;
	put_request(&w, u, key);
	if (evbuffer_add_reference(out, w.at, len, wipe, w.at) == -1) {
		freezero(w.at, len);
		return -1;
	}
	return 0;
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
	const struct upgrade *offer;
	const char *key;
	bool upgrade;
	bool connection;
	bool accept;
	const char *protocol;
	const char *why;
};

static void
check_protocol(struct fields *f, const char *value)
{
	size_t i;

	/* At most one such field (RFC 6455 section 11.3.4). */
	for (i = 0; f->protocol == NULL && i < f->offer->nprotocols; i++) {
		if (strcmp(value, f->offer->protocols[i]) == 0) {
			f->protocol = f->offer->protocols[i];
			return;
		}
	}
	f->why = "subprotocol that was not asked for";
}

static void
check_field(struct fields *f, char *line)
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
		ws_accept(accept, f->key);
		f->accept = strcmp(value, accept) == 0;
	} else if (strcasecmp(line, "sec-websocket-protocol") == 0)
		check_protocol(f, value);
	else if (strcasecmp(line, "sec-websocket-extensions") == 0)
		f->why = "extension that was not asked for";
}

static enum upgrade_result
check_head(char *head, struct fields *f, int *status)
{
	char *line = strsep(&head, "\n");

	line[strcspn(line, "\r")] = '\0';
	*status = parse_status(line);
	if (*status == -1) {
		f->why = "not an HTTP/1.1 answer";
		return UPGRADE_BROKEN;
	}
	if (*status != 101)
		return UPGRADE_REFUSED;
	while ((line = strsep(&head, "\n")) != NULL && f->why == NULL)
		if (line[0] != '\r' && line[0] != '\0')
			check_field(f, line);
	if (f->why == NULL && !(f->upgrade && f->connection && f->accept))
		f->why = "not the answer of a WebSocket server";
	return f->why == NULL ? UPGRADE_DONE : UPGRADE_BROKEN;
}

enum upgrade_result
upgrade_response(struct evbuffer *in, const struct upgrade *offer,
    const char *key, struct upgrade_answer *answer)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	struct fields f = { .offer = offer, .key = key };
	enum upgrade_result result;
	char head[UPGRADE_HEAD_MAX];
	size_t len =
	    end.pos == -1 ? evbuffer_get_length(in) : (size_t)end.pos + 4;

	memset(answer, 0, sizeof(*answer));
	if (len >= sizeof(head)) {
		answer->why = "answer with too many headers";
		return UPGRADE_BROKEN;
	}
	if (end.pos == -1)
		return UPGRADE_MORE;
	(void)evbuffer_remove(in, head, len);
	head[len] = '\0';
	if (memchr(head, '\0', len) != NULL) {
		answer->why = "NUL in the answer";
		return UPGRADE_BROKEN;
	}
	result = check_head(head, &f, &answer->status);
	answer->protocol = f.protocol;
	answer->why = f.why;
	return result;
}
