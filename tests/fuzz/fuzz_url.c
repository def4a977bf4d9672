#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tetherd/url.h"

/*
 * Any text as the orchestrator's URL: what is accepted must be fit for a
 * request line and a Host header, and be without a token.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_host(const char *host)
{
	if (host[0] == '\0' || strlen(host) > 255)
		abort();
	for (; *host != '\0'; host++)
		if (*host <= ' ' || *host >= 0x7f ||
		    strchr("/?#@[]\\\"", *host) != NULL)
			abort();
}

static void
check_member(const char *s, size_t n, const char *name)
{
	size_t len = strlen(name);

	if (n >= len && memcmp(s, name, len) == 0 &&
	    (n == len || s[len] == '='))
		abort();
}

static void
check_target(const char *target)
{
	const char *c;
	size_t n;

	if (target[0] != '/')
		abort();
	for (c = target; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '#')
			abort();
	c = strchr(target, '?');
	while (c != NULL && *c != '\0') {
		n = strcspn(++c, "&");
		check_member(c, n, "token");
		check_member(c, n, "client_id");
		c += n;
	}
}

static void
check_url(const char *text, const char *(*parse)(const char *, struct url *))
{
	struct url url;

	if (parse(text, &url) != NULL)
		return;
	if (url.port < 1 || url.port > 65535)
		abort();
	check_host(url.host);
	check_target(url.target);
	(void)url_is_local(&url);
	url_free(&url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *host;
	uint32_t port = 1;

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	check_url(text, url_parse);
	check_url(text, url_parse_http);
	free(text);

	/* Of exactly n bytes, without a NUL behind them. */
	text = malloc(size + (size == 0));
	if (text == NULL)
		abort();
	memcpy(text, data, size);
	if (url_parse_authority(text, size, &host, &port) == NULL) {
		if (port < 1 || port > 65535)
			abort();
		check_host(host);
		free(host);
	}
	free(text);
	return 0;
}
