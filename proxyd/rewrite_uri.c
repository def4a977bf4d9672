#include <string.h>

#include "proxyd/field.h"
#include "proxyd/prefix.h"
#include "proxyd/rewrite_fields.h"
#include "proxyd/rewrite_uri.h"

/* Scheme, host and port; the host is inside the URL. */
struct origin {
	bool secure;
	const char *host;
	size_t host_len;
	unsigned port;
};

static bool
starts_with(const char *s, size_t len, const char *start)
{
	return len >= strlen(start) &&
	       strncasecmp(s, start, strlen(start)) == 0;
}

/* A port, or the default for none, from what follows the host. */
static bool
parse_port(const char *s, size_t len, struct origin *origin)
{
	unsigned port = 0;
	size_t i;

	if (len == 0 || (len == 1 && s[0] == ':')) {
		origin->port = origin->secure ? 443 : 80;
		return true;
	}
	if (s[0] != ':')
		return false;
	for (i = 1; i < len; i++) {
		if (s[i] < '0' || s[i] > '9' || port > 65535)
			return false;
		port = port * 10 + (unsigned)(s[i] - '0');
	}
	origin->port = port;
	return true;
}

/*
 * Parse the beginning of an absolute URL; the bytes taken, or 0.  A user in
 * it ("host:3001@evil") makes it somebody else's: no port looks like that.
 */
static size_t
parse_origin(const char *url, size_t len, struct origin *origin)
{
	static const char plain[] = "http://", secure[] = "https://";
	size_t start, end, host;

	origin->secure = starts_with(url, len, secure);
	if (!origin->secure && !starts_with(url, len, plain))
		return 0;
	start = origin->secure ? strlen(secure) : strlen(plain);
	for (end = start; end < len && strchr("/?#\\", url[end]) == NULL;)
		end++;
	host = start;
	if (host < end && url[host] == '[') {
		while (host < end && url[host] != ']')
			host++;
		host += host < end ? 1 : 0;
	} else {
		while (host < end && url[host] != ':')
			host++;
	}
	origin->host = url + start;
	origin->host_len = host - start;
	if (!parse_port(url + host, end - host, origin))
		return 0;
	return end;
}

static bool
is_host(const struct origin *origin, const char *name, size_t len)
{
	return origin->host_len == len &&
	       strncasecmp(origin->host, name, len) == 0;
}

static bool
is_loopback(const struct origin *origin)
{
	static const char *const names[] = { "localhost", "127.0.0.1",
		"[::1]" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_host(origin, names[i], strlen(names[i])))
			return true;
	return false;
}

/* The bytes with which a URL names the upstream itself, or 0. */
static size_t
upstream_length(const char *upstream, const char *url, size_t len)
{
	struct origin ours, theirs;
	size_t used;

	if (upstream == NULL ||
	    parse_origin(upstream, strlen(upstream), &ours) == 0 ||
	    (used = parse_origin(url, len, &theirs)) == 0)
		return 0;
	if (ours.secure != theirs.secure || ours.port != theirs.port)
		return 0;
	if (is_host(&theirs, ours.host, ours.host_len) ||
	    (is_loopback(&ours) && is_loopback(&theirs)))
		return used;
	return 0;
}

static void
write_rooted(
    const struct prefix *prefix, const char *url, size_t len, FILE *out)
{
	switch (prefix_judge(prefix, url, len, true)) {
	case PREFIX_ADD:
		(void)fputs(prefix->text, out);
		break;
	case PREFIX_CLOSE:
		(void)fprintf(out, "%s/", prefix->text);
		url += prefix->len;
		len -= prefix->len;
		break;
	case PREFIX_KEEP:
	case PREFIX_MORE:
		break;
	}
	(void)fwrite(url, 1, len, out);
}

void
rewrite_uri_path(
    const struct rewrite_fields *how, const char *path, size_t len, FILE *out)
{
	const struct prefix *prefix = how->prefix;
	bool inside =
	    len > prefix->len && memcmp(path, prefix->text, prefix->len) == 0;

	if (len == 0 || path[0] != '/')
		(void)fprintf(out, "%s/", prefix->text);
	else if (!inside && prefix_judge(prefix, path, len, true) ==
				PREFIX_KEEP) /* "//x", which is no host here */
		(void)fputs(prefix->text, out);
	else {
		write_rooted(prefix, path, len, out);
		return;
	}
	(void)fwrite(path, 1, len, out);
}

/* One URL, perhaps with blanks around it, which browsers drop. */
static void
write_url(
    const struct rewrite_fields *how, const char *url, size_t len, FILE *out)
{
	size_t used;

	field_trim(&url, &len);
	used = upstream_length(how->upstream, url, len);
	if (used > 0)
		rewrite_uri_path(how, url + used, len - used, out);
	else
		write_rooted(how->prefix, url, len, out);
}

bool
rewrite_uri(const struct rewrite_fields *how, const char *value, FILE *out)
{
	write_url(how, value, strlen(value), out);
	return true;
}

/* Where the URL begins in a Refresh, or its end if there is none. */
static const char *
refresh_url(const char *value)
{
	const char *s = value + strspn(value, " \t");
	const char *after = s + strspn(s, "0123456789."), *p;

	if (after == s || (*after != '\0' && strchr(";, \t", *after) == NULL))
		return value + strlen(value);
	s = after + strspn(after, " \t");
	if (*s == ';' || *s == ',')
		s++;
	s += strspn(s, " \t");
	if (strncasecmp(s, "url", 3) == 0) {
		p = s + 3 + strspn(s + 3, " \t");
		if (*p != '=')
			return s;
		s = p + 1 + strspn(p + 1, " \t");
	}
	if (*s == '"' || *s == '\'')
		s++;
	return s;
}

bool
rewrite_uri_refresh(
    const struct rewrite_fields *how, const char *value, FILE *out)
{
	const char *url = refresh_url(value);
	char quote = url > value ? url[-1] : '\0';
	const char *end = NULL;

	if (quote == '"' || quote == '\'')
		end = strchr(url, quote);
	if (end == NULL)
		end = url + strlen(url);
	(void)fwrite(value, 1, (size_t)(url - value), out);
	write_url(how, url, (size_t)(end - url), out);
	(void)fputs(end, out);
	return true;
}

/* The bytes of a quoted string, both quotes included where they are. */
static size_t
quoted_length(const char *s)
{
	size_t i = 1;

	while (s[i] != '\0' && s[i] != '"')
		i += s[i] == '\\' && s[i + 1] != '\0' ? 2 : 1;
	return i + (s[i] == '"' ? 1 : 0);
}

bool
rewrite_uri_link(const struct rewrite_fields *how, const char *value, FILE *out)
{
	bool first = true; /* nothing but blanks of this link so far */
	const char *end;
	size_t len;

	for (; *value != '\0'; value += len) {
		len = *value == '"' ? quoted_length(value) : 1;
		end = *value == '<' && first ? strchr(value, '>') : NULL;
		if (*value == '<' && first && end == NULL)
			len = strlen(value);
		if (end == NULL) {
			(void)fwrite(value, 1, len, out);
			first = *value == ',' ||
				(first && strchr(" \t", *value) != NULL);
			continue;
		}
		len = (size_t)(end - value) + 1;
		(void)fputc('<', out);
		write_url(how, value + 1, len - 2, out);
		(void)fputc('>', out);
		first = false;
		if (ftell(out) > REWRITE_FIELDS_SIZE_MAX)
			break;
	}
	return true;
}
