#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/proxy.h"
#include "tetherd/url.h"

/* Undo percent-encoding in place; -1 for a bad or NUL escape. */
static int
percent_decode(char *s)
{
	char *out = s, hex[3] = "";

	for (; *s != '\0'; s++) {
		if (*s != '%') {
			*out++ = *s;
			continue;
		}
		if (!isxdigit((unsigned char)s[1]) ||
		    !isxdigit((unsigned char)s[2]))
			return -1;
		hex[0] = s[1];
		hex[1] = s[2];
		*out = (char)strtol(hex, NULL, 16);
		if (*out++ == '\0')
			return -1;
		s += 2;
	}
	*out = '\0';
	return 0;
}

static char *
take(const char *s, size_t n)
{
	char *c = strndup(s, n);

	if (c == NULL)
		fatal("strndup");
	return c;
}

const char *
proxy_parse(const char *s, struct dialer_conf *dialer)
{
	const char *at, *why;
	char *host;
	size_t n;

	if (strncasecmp(s, "http://", 7) == 0)
		s += 7;
	else if (strstr(s, "://") != NULL)
		return "only http:// proxies can be used";
	n = strcspn(s, "/?#");
	at = memrchr(s, '@', n);
	if (at != NULL) {
		free(dialer->proxy_auth);
		dialer->proxy_auth = take(s, (size_t)(at - s));
		if (percent_decode(dialer->proxy_auth) == -1)
			return "bad percent-encoding in user or password";
		n -= (size_t)(at + 1 - s);
		s = at + 1;
	}
	dialer->proxy_port = 80;
	why = url_parse_authority(s, n, &host, &dialer->proxy_port);
	if (why != NULL)
		return why;
	free(dialer->proxy_host);
	dialer->proxy_host = host;
	return NULL;
}

static bool
entry_matches(const char *entry, const char *host, uint32_t port)
{
	uint32_t only = 0;
	size_t len, host_len = strlen(host);
	bool matches;
	char *name;

	if (strcmp(entry, "*") == 0)
		return true;
	if (entry[0] == '.')
		entry++;
	if (strchr(entry, ':') != strrchr(entry, ':') && entry[0] != '[')
		name = take(entry, strlen(entry)); /* a bare IPv6 address */
	else if (url_parse_authority(entry, strlen(entry), &name, &only) !=
		 NULL)
		return false;
	len = strlen(name);
	matches = (only == 0 || only == port) && host_len >= len &&
		  strcasecmp(host + host_len - len, name) == 0 &&
		  (host_len == len || host[host_len - len - 1] == '.');
	free(name);
	return matches;
}

bool
proxy_is_bypassed(const char *list, const char *host, uint32_t port)
{
	bool bypassed = false;
	size_t n;
	char *entry;

	while (*list != '\0' && !bypassed) {
		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		entry = take(list, n);
		bypassed = n > 0 && entry_matches(entry, host, port);
		free(entry);
		list += n;
	}
	return bypassed;
}
