#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/slice.h"
#include "connector/target.h"

/* Percent-encode all but the unreserved characters (RFC 3986). */
static char *
append_byte(char *out, char c)
{
	static const char hex[] = "0123456789ABCDEF";

	if (isalnum((unsigned char)c) || strchr("-._~", c) != NULL)
		*out++ = c;
	else {
		*out++ = '%';
		*out++ = hex[(unsigned char)c >> 4];
		*out++ = hex[c & 15];
	}
	return out;
}

static char *
append_encoded(char *out, const char *s)
{
	for (; *s != '\0'; s++)
		out = append_byte(out, *s);
	*out = '\0';
	return out;
}

char *
target_new(
    const struct connector_conf *conf, const char *client_id, const char *token)
{
	static const char token_name[] = "?token=", id_name[] = "&client_id=";
	char *target, *end;

	/* In its final place from the start: nothing else to be wiped. */
	target =
	    malloc(strlen(conf->target) + sizeof(token_name) + sizeof(id_name) +
		   3 * (strlen(token) + strlen(client_id)));
	if (target == NULL)
		return NULL;
	end = stpcpy(stpcpy(target, conf->target), token_name);
	if (strchr(conf->target, '?') != NULL)
		target[strlen(conf->target)] = '&';
	end = append_encoded(end, token);
	end = stpcpy(end, id_name);
	(void)append_encoded(end, client_id);
	return target;
}

static bool
is_named(const char *member, const char *name)
{
	size_t len = strlen(name);

	return strncmp(member, name, len) == 0 &&
	       strchr("=&", member[len]) != NULL;
}

/* The members of a query, which begins with '?', that are not ours. */
static char *
append_others(char *out, const char *query, char *separator)
{
	const char *member;
	size_t len;

	for (; *query != '\0'; query = member + len) {
		member = query + 1;
		len = strcspn(member, "&");
		if (len == 0 || is_named(member, "user") ||
		    is_named(member, "org") || is_named(member, "team"))
			continue;
		*out++ = *separator;
		*separator = '&';
		out = mempcpy(out, member, len);
	}
	*out = '\0';
	return out;
}

/* Names with spaces between them as a comma list, if there are any. */
static char *
append_claims(char *out, const char *name, const char *names, char *separator)
{
	if (names[0] == '\0')
		return out;
	*out++ = *separator;
	*separator = '&';
	out = stpcpy(stpcpy(out, name), "=");
	for (; *names != '\0'; names++)
		out = append_byte(out, *names == ' ' ? ',' : *names);
	*out = '\0';
	return out;
}

char *
target_new_pending(const struct connector_conf *conf)
{
	static const char pending[] = "pending",
			  members[] = "?user=&org=&team=";
	size_t path = strcspn(conf->target, "?");
	char *target, *end, separator = '?';

	target =
	    malloc(strlen(conf->target) + sizeof(pending) + sizeof(members) +
		   3 * (strlen(conf->claim_users) + strlen(conf->claim_orgs) +
			   strlen(conf->claim_teams)));
	if (target == NULL)
		return NULL;
	end = mempcpy(target, conf->target, path);
	while (end > target && end[-1] != '/')
		end--;
	end = stpcpy(end, pending);
	end = append_others(end, conf->target + path, &separator);
	end = append_claims(end, "user", conf->claim_users, &separator);
	end = append_claims(end, "org", conf->claim_orgs, &separator);
	(void)append_claims(end, "team", conf->claim_teams, &separator);
	return target;
}
