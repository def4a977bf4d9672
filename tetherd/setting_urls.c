#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/proxy.h"
#include "tetherd/setting.h"
#include "tetherd/url.h"
#include "tetherd/value.h"

/* port is 0 for the usual one, which is not written. */
static char *
write_host(const char *scheme, const char *auth, const char *host,
    uint32_t port, const char *rest)
{
	bool bracketed = strchr(host, ':') != NULL;
	char number[VALUE_TEXT_MAX], *text;

	if (asprintf(&text, "%s%s%s%s%s%s%s%s%s", scheme, auth,
		auth[0] == '\0' ? "" : "@", bracketed ? "[" : "", host,
		bracketed ? "]" : "", port == 0 ? "" : ":",
		port == 0 ? "" : value_number_text(number, port), rest) == -1)
		fatal("settings");
	return text;
}

/*
 * What the environment says only has to be of use where it is used: others
 * may read it, too, and the proxy is for all programs.
 */
static void
keep_unusable(
    const struct reading *r, char **text, const char *value, const char *why)
{
	setting_put(text, strdup(value));
	if (r->name == NULL)
		setting_wrong(r, "%s", why);
}

/* Kept without the token that it may hold, which is not the one in use. */
static void
set_url(const struct reading *r, const char *value)
{
	struct draft *d = &r->settings->draft;
	struct url url;
	const char *why = url_parse(value, &url), *query;

	if (why != NULL)
		keep_unusable(r, &d->url, value, why);
	else {
		query = strchr(url.target, '?');
		if (query != NULL && strcmp(query + 1, SETTING_MASK) == 0)
			setting_wrong_mildly(r, SETTING_IS_MASK);
		if (url.port == (url.tls ? 443 : 80))
			url.port = 0;
		setting_put(&d->url, write_host(url.tls ? "wss://" : "ws://",
					 "", url.host, url.port, url.target));
	}
	url_free(&url);
}

/* What a query says may be meant for the orchestrator alone. */
static bool
print_url(const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	size_t n = strcspn(d->url, "?");
	struct url url;
	bool usable = url_parse(d->url, &url) == NULL;
	char *text;

	(void)s;
	*at = SIZE_MAX;
	url_free(&url);
	if (!usable)
		return false;
	if (asprintf(&text, "%.*s%s", (int)n, d->url,
		d->url[n] == '\0' ? "" : "?" SETTING_MASK) == -1)
		fatal("settings");
	value_quote(f, text);
	free(text);
	return true;
}

const struct setting_type type_url = {
	.set = set_url,
	.print = print_url,
};

static void
set_proxy(const struct reading *r, const char *value)
{
	struct draft *d = &r->settings->draft;
	struct dialer_conf scratch = { 0 };
	const char *why = proxy_parse(value, &scratch);

	if (why != NULL)
		keep_unusable(r, &d->proxy, value, why);
	else {
		if (scratch.proxy_auth != NULL &&
		    strcmp(scratch.proxy_auth, SETTING_MASK) == 0)
			setting_wrong_mildly(r, SETTING_IS_MASK);
		setting_put(&d->proxy, strdup(value));
	}
	slice_free_dialer(&scratch);
}

/* One that is of no use to us is none of ours. */
static bool
print_proxy(const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	struct dialer_conf scratch = { 0 };
	bool usable =
	    d->proxy[0] != '\0' && proxy_parse(d->proxy, &scratch) == NULL;
	char *text;

	(void)s;
	*at = SIZE_MAX;
	if (usable) {
		text = write_host("http://",
		    scratch.proxy_auth == NULL ? "" : SETTING_MASK,
		    scratch.proxy_host, scratch.proxy_port, "");
		value_quote(f, text);
		free(text);
	}
	slice_free_dialer(&scratch);
	return usable;
}

const struct setting_type type_proxy = {
	.set = set_proxy,
	.print = print_proxy,
};
