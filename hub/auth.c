#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "hub/auth.h"
#include "hub/http.h"
#include "hub/hub.h"
#include "hub/secret.h"

#define COOKIE	  "tether_hub"
#define BASIC_MAX 1024

/* Whether the credentials are "Basic" with any name and our password. */
static bool
auth_basic(struct hub *hub, const char *value)
{
	uint8_t text[BASIC_MAX];
	const char *colon;
	ssize_t len;
	bool good;

	if (strncasecmp(value, "Basic ", 6) != 0)
		return false;
	value += 6;
	if (strlen(value) >= sizeof(text) ||
	    (len = base64_decode(value, strlen(value), text)) == -1)
		return false;
	text[len] = '\0';
	colon = strchr((char *)text, ':');
	good = colon != NULL && secret_equal(colon + 1, hub->password);
	explicit_bzero(text, sizeof(text));
	return good;
}

/* The next cookie of a Cookie header: its start and length. */
static const char *
cookie_next(const char **rest, size_t *len)
{
	const char *p = *rest + strspn(*rest, "; ");

	*len = strcspn(p, ";");
	*rest = p + *len;
	return *len > 0 ? p : NULL;
}

static bool
cookie_is_ours(const char *p, size_t len)
{
	return len > sizeof(COOKIE) - 1 && p[sizeof(COOKIE) - 1] == '=' &&
	       strncmp(p, COOKIE, sizeof(COOKIE) - 1) == 0;
}

static bool
auth_cookie(struct hub *hub, const char *rest)
{
	const char *p;
	char value[sizeof(hub->session)];
	size_t len;

	while ((p = cookie_next(&rest, &len)) != NULL) {
		if (!cookie_is_ours(p, len))
			continue;
		p += sizeof(COOKIE);
		len -= sizeof(COOKIE);
		if (len >= sizeof(value))
			continue;
		memcpy(value, p, len);
		value[len] = '\0';
		if (secret_equal(value, hub->session))
			return true;
	}
	return false;
}

static bool
auth_signed_in(struct hub *hub, struct evhttp_request *req)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const char *cookie = evhttp_find_header(in, "Cookie");
	const char *basic = evhttp_find_header(in, "Authorization");
	char set[128];

	if (cookie != NULL && auth_cookie(hub, cookie))
		return true;
	if (basic == NULL || !auth_basic(hub, basic))
		return false;
	(void)snprintf(set, sizeof(set),
	    COOKIE "=%s; Path=/; HttpOnly; SameSite=Lax", hub->session);
	(void)evhttp_add_header(
	    evhttp_request_get_output_headers(req), "Set-Cookie", set);
	return true;
}

/* Whether host, with or without a port, names this host for itself. */
static bool
auth_host_is_loopback(const char *host)
{
	size_t len = strcspn(host, ":");

	if (*host == '[')
		return strncmp(host, "[::1]", 5) == 0 &&
		       (host[5] == '\0' || host[5] == ':');
	if (strncmp(host, "127.", 4) == 0)
		return strspn(host, "0123456789.") == len;
	return len >= 9 && strncasecmp(host + len - 9, "localhost", 9) == 0 &&
	       (len == 9 || host[len - 10] == '.');
}

/* A page may act on the hub only when it came from the hub. */
static bool
auth_same_origin(struct evhttp_request *req, const char *host)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const char *origin = evhttp_find_header(in, "Origin");
	const char *p;

	if (origin == NULL)
		return true; /* no browser */
	p = strstr(origin, "://");
	return p != NULL && strcasecmp(p + 3, host) == 0;
}

bool
auth_person(struct hub *hub, struct evhttp_request *req, bool same_origin)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const char *host = evhttp_find_header(in, "Host");

	if (hub->password != NULL && !auth_signed_in(hub, req)) {
		(void)evhttp_add_header(evhttp_request_get_output_headers(req),
		    "WWW-Authenticate", "Basic realm=\"tether-hub\"");
		http_error(req, 401, "password needed");
		return false;
	}
	if (host == NULL ||
	    (hub->password == NULL && !auth_host_is_loopback(host))) {
		http_error(req, 403, "unknown host name");
		return false;
	}
	if (same_origin && !auth_same_origin(req, host)) {
		http_error(req, 403, "another origin");
		return false;
	}
	return true;
}

const char *
auth_strip(
    struct hub *hub, const struct evkeyval *header, char *buffer, size_t size)
{
	const char *rest = header->value, *p;
	size_t len, used = 0;

	if (hub->password == NULL)
		return header->value;
	if (strcasecmp(header->key, "Authorization") == 0)
		return auth_basic(hub, header->value) ? NULL : header->value;
	if (strcasecmp(header->key, "Cookie") != 0)
		return header->value;
	*buffer = '\0';
	while ((p = cookie_next(&rest, &len)) != NULL) {
		if (cookie_is_ours(p, len))
			continue;
		used += (size_t)snprintf(buffer + used, size - used, "%s%.*s",
		    used > 0 ? "; " : "", (int)len, p);
		if (used >= size)
			return NULL;
	}
	return used > 0 ? buffer : NULL;
}
