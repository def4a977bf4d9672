#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/slice.h"
#include "connector/target.h"

/* Percent-encode all but the unreserved characters (RFC 3986). */
static char *
append_encoded(char *out, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";

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
	return out;
}

char *
target_new(const struct connector_conf *conf, const char *token)
{
	static const char token_name[] = "?token=", id_name[] = "&client_id=";
	char *target, *end;

	/* In its final place from the start: nothing else to be wiped. */
	target =
	    malloc(strlen(conf->target) + sizeof(token_name) + sizeof(id_name) +
		   3 * (strlen(token) + strlen(conf->client_id)));
	if (target == NULL)
		return NULL;
	end = stpcpy(stpcpy(target, conf->target), token_name);
	if (strchr(conf->target, '?') != NULL)
		target[strlen(conf->target)] = '&';
	end = append_encoded(end, token);
	end = stpcpy(end, id_name);
	(void)append_encoded(end, conf->client_id);
	return target;
}
