#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/url.h"

#define HOST_MAX 255 /* RFC 1035 section 2.3.4 */

static bool
host_is_valid(const char *host, size_t n, bool bracketed)
{
	size_t i;

	if (n == 0 || n > HOST_MAX)
		return false;
	for (i = 0; i < n; i++) {
		if (isalnum((unsigned char)host[i]) || host[i] == '.')
			continue;
		if (bracketed ? host[i] != ':' && host[i] != '%'
			      : host[i] != '-' && host[i] != '_')
			return false;
	}
	return true;
}

static const char *
parse_port(const char *s, size_t n, uint32_t *port)
{
	char digits[6];
	const char *error;
	size_t i;

	if (n == 0 || n >= sizeof(digits))
		return "port out of range";
	for (i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]))
			return "port is not a number";
	memcpy(digits, s, n);
	digits[n] = '\0';
	*port = (uint32_t)strtonum(digits, 1, 65535, &error);
	return error == NULL ? NULL : "port out of range";
}

const char *
url_parse_authority(const char *s, size_t n, char **host, uint32_t *port)
{
	const char *end = s + n, *name = s, *name_end, *rest, *why;
	bool bracketed = n > 0 && s[0] == '[';

	if (bracketed) {
		name = s + 1;
		name_end = memchr(name, ']', n - 1);
		if (name_end == NULL)
			return "bracket without its partner";
		rest = name_end + 1;
	} else {
		name_end = memchr(s, ':', n);
		if (name_end == NULL)
			name_end = end;
		rest = name_end;
	}
	if (!host_is_valid(name, (size_t)(name_end - name), bracketed))
		return "no valid host name in it";
	if (rest != end) {
		if (*rest != ':')
			return "text after the host name";
		why = parse_port(rest + 1, (size_t)(end - rest - 1), port);
		if (why != NULL)
			return why;
	}
	*host = strndup(name, (size_t)(name_end - name));
	if (*host == NULL)
		fatal("strndup");
	return NULL;
}

static bool
is_member(const char *s, size_t n, const char *name)
{
	size_t len = strlen(name);

	return n >= len && strncmp(s, name, len) == 0 &&
	       (n == len || s[len] == '=');
}

/* Path and query without the members that we set ourselves. */
static char *
make_target(const char *s)
{
	size_t path = strcspn(s, "?#"), n;
	char *target = calloc(1, strlen(s) + 2), *at;
	char separator = '?';

	if (target == NULL)
		fatal("calloc");
	at = target;
	if (path == 0)
		*at++ = '/';
	memcpy(at, s, path);
	at += path;
	for (s += path; *s == '?' || *s == '&'; s += n) {
		n = strcspn(++s, "&#");
		if (n == 0 || is_member(s, n, "token") ||
		    is_member(s, n, "client_id"))
			continue;
		*at++ = separator;
		separator = '&';
		memcpy(at, s, n);
		at += n;
	}
	return target;
}

/* The schemes of a protocol, without and with TLS, and what is neither. */
struct schemes {
	const char *plain;
	const char *tls;
	const char *why;
};

static const struct schemes websocket = { "ws://", "wss://",
	"not a ws:// or wss:// URL" };
static const struct schemes http = { "http://", "https://",
	"not an http:// or https:// URL" };

static const char *
parse(const char *s, const struct schemes *schemes, struct url *url)
{
	const char *why, *c;
	size_t n, plain = strlen(schemes->plain), tls = strlen(schemes->tls);

	memset(url, 0, sizeof(*url));
	for (c = s; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return "white space or other characters that have no "
			       "place in a URL";
	if (strncasecmp(s, schemes->plain, plain) == 0) {
		url->port = 80;
		s += plain;
	} else if (strncasecmp(s, schemes->tls, tls) == 0) {
		url->tls = true;
		url->port = 443;
		s += tls;
	} else
		return schemes->why;
	n = strcspn(s, "/?#");
	if (memchr(s, '@', n) != NULL)
		return "user names and passwords have no place in it";
	why = url_parse_authority(s, n, &url->host, &url->port);
	if (why != NULL)
		return why;
	url->target = make_target(s + n);
	return NULL;
}

const char *
url_parse(const char *s, struct url *url)
{
	return parse(s, &websocket, url);
}

const char *
url_parse_http(const char *s, struct url *url)
{
	return parse(s, &http, url);
}

bool
url_is_local(const struct url *url)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, url->host, &v4) == 1)
		return ntohl(v4.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, url->host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return strcasecmp(url->host, "localhost") == 0;
}

void
url_free(struct url *url)
{
	free(url->host);
	free(url->target);
	memset(url, 0, sizeof(*url));
}
