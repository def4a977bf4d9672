#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/denied.h"
#include "proxyd/rewrite_cache.h"
#include "proxyd/rewrite_cookie.h"
#include "proxyd/rewrite_csp.h"
#include "proxyd/rewrite_fields.h"
#include "proxyd/rewrite_tag.h"
#include "proxyd/rewrite_uri.h"
#include "proxyd/text.h"

static bool rewrite_type(const struct rewrite_fields *, const char *, FILE *);

#define SAME	(1u << REWRITE_FIELDS_SAME)
#define CHANGED (1u << REWRITE_FIELDS_CHANGED)
#define PAGE	(1u << REWRITE_FIELDS_PAGE)
#define ANY	(SAME | CHANGED | PAGE)

static const struct rule {
	const char *name;
	unsigned bodies;
	/* Write the new value, or false to drop the field; NULL always does. */
	bool (*rewrite)(const struct rewrite_fields *, const char *, FILE *);
} rules[] = {
	/* Where the app's own URLs are. */
	{ "location", ANY, rewrite_uri },
	{ "content-location", ANY, rewrite_uri },
	{ "sourcemap", ANY, rewrite_uri },
	{ "x-sourcemap", ANY, rewrite_uri },
	{ "refresh", ANY, rewrite_uri_refresh },
	{ "link", ANY, rewrite_uri_link },
	{ "set-cookie", ANY, rewrite_cookie },
	/* Names them too, and only makes pages faster. */
	{ "speculation-rules", ANY, NULL },

	/* Credentials for the upstream, which are ours to hold. */
	{ "x-refreshed-token", ANY, NULL },
	/* Authorization never gets there: the browser would ask for ever. */
	{ "www-authenticate", ANY, NULL },
	/* The page is to believe this of us alone. */
	{ DENIED_FIELD, ANY, NULL },
	/* Would let other sites read with the orchestrator's cookies. */
	{ "access-control-allow-credentials", ANY, NULL },

	/* The origin's storage and workers are the orchestrator's, too. */
	{ "clear-site-data", ANY, NULL },
	{ "service-worker-allowed", ANY, NULL },
	{ "origin-agent-cluster", ANY, NULL },
	/* So are who is logged in there, and how requests to it look. */
	{ "set-login", ANY, NULL },
	{ "secure-session-registration", ANY, NULL },
	{ "sec-session-registration", ANY, NULL },
	{ "accept-ch", ANY, NULL },
	{ "critical-ch", ANY, NULL },
	{ "use-as-dictionary", ANY, NULL },
	/* Promises about the host's TLS, or where else it is served. */
	{ "strict-transport-security", ANY, NULL },
	{ "public-key-pins", ANY, NULL },
	{ "public-key-pins-report-only", ANY, NULL },
	{ "expect-ct", ANY, NULL },
	{ "alt-svc", ANY, NULL },
	/* Tell a third party what goes on at the origin. */
	{ "nel", ANY, NULL },
	{ "report-to", ANY, NULL },
	{ "reporting-endpoints", ANY, NULL },
	/* Orders to the servers in front of the orchestrator. */
	{ "x-accel-redirect", ANY, NULL },
	{ "x-sendfile", ANY, NULL },
	{ "surrogate-control", ANY, NULL },
	{ "cdn-cache-control", ANY, NULL },
	{ "cloudflare-cdn-cache-control", ANY, NULL },

	/* No longer true of other bytes. */
	{ "last-modified", CHANGED | PAGE, NULL },
	{ "accept-ranges", CHANGED | PAGE, NULL },
	{ "content-md5", CHANGED | PAGE, NULL },
	{ "digest", CHANGED | PAGE, NULL },
	{ "content-digest", CHANGED | PAGE, NULL },
	{ "repr-digest", CHANGED | PAGE, NULL },
	{ "etag", SAME, rewrite_tag_keep },
	{ "etag", CHANGED, rewrite_tag_make },
	{ "cache-control", CHANGED, rewrite_cache_control },
	{ "expires", CHANGED, rewrite_cache_expires },

	/* A page holds what is only for this user, now. */
	{ "etag", PAGE, NULL },
	{ "cache-control", PAGE, NULL },
	{ "expires", PAGE, NULL },
	{ "pragma", PAGE, NULL },
	{ "content-security-policy", PAGE, rewrite_csp },
	{ "content-security-policy-report-only", PAGE, rewrite_csp },
	{ "content-type", PAGE, rewrite_type },
};

/*
 * Our script can push <meta charset> out of the first 1024 bytes, which are
 * all that browsers look at.
 */
static bool
rewrite_type(const struct rewrite_fields *how, const char *value, FILE *out)
{
	(void)fputs(value, out);
	if (how->utf8 && *value != '\0' && !text_has_charset(value))
		(void)fputs("; charset=utf-8", out);
	return true;
}

static const struct rule *
find_rule(const char *name, enum rewrite_fields_body body)
{
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if ((rules[i].bodies & (1u << body)) != 0 &&
		    strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}

/* Rewrite one field: 1 if it stays, 0 if it is to be dropped, or -1. */
static int
apply_rule(const struct rule *rule, const struct rewrite_fields *how,
    struct headers *headers, size_t i)
{
	char *value = NULL;
	size_t len;
	bool stays, broken;
	FILE *out;

	if (rule->rewrite == NULL)
		return 0;
	if ((out = open_memstream(&value, &len)) == NULL)
		return -1;
	stays = rule->rewrite(how, headers->list[i].value, out);
	broken = ferror(out) != 0;
	if (fclose(out) == EOF || broken) {
		free(value);
		return -1;
	}
	if (!stays) {
		free(value);
		return 0;
	}
	headers_replace(headers, i, value);
	return headers->size > REWRITE_FIELDS_SIZE_MAX ? -1 : 1;
}

int
rewrite_fields(struct headers *headers, const struct rewrite_fields *how)
{
	const struct rule *rule;
	size_t i = 0;

	while (i < headers->count) {
		rule = find_rule(headers->list[i].name, how->body);
		if (rule == NULL) {
			i++;
			continue;
		}
		switch (apply_rule(rule, how, headers, i)) {
		case 1:
			i++;
			break;
		case 0:
			headers_remove(headers, i);
			break;
		default:
			return -1;
		}
	}
	if (how->body == REWRITE_FIELDS_PAGE)
		return headers_append(headers, "cache-control", "no-store");
	return 0;
}
