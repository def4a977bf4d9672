#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "proxyd/field.h"
#include "proxyd/redirect.h"

/* Whether two URLs agree in a part that both have. */
static bool
same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *of_a = NULL, *of_b = NULL;
	bool same = false;

	if (curl_url_get(a, part, &of_a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    curl_url_get(b, part, &of_b, CURLU_DEFAULT_PORT) == CURLUE_OK)
		same = strcasecmp(of_a, of_b) == 0;
	curl_free(of_a);
	curl_free(of_b);
	return same;
}

/* The target that url asks for, or NULL. */
static char *
url_target(CURLU *url)
{
	char *path = NULL, *query = NULL, *target = NULL;
	const char *why;

	if (curl_url_get(url, CURLUPART_PATH, &path, 0) == CURLUE_OK) {
		/* Absence of a query is reported as an error. */
		(void)curl_url_get(url, CURLUPART_QUERY, &query, 0);
		target = request_target(path, strlen(path), query,
		    query != NULL ? strlen(query) : 0, &why);
	}
	curl_free(path);
	curl_free(query);
	return target;
}

/* Resolve location as seen from target; NULL if that leads elsewhere. */
static char *
resolve(const char *base, const char *target, const char *location)
{
	/* Spaces and the like are encoded when the target is made. */
	const unsigned flags = CURLU_DISALLOW_USER | CURLU_ALLOW_SPACE;
	CURLU *upstream = curl_url(), *url = NULL;
	char *resolved = NULL, *next = NULL;

	if (upstream == NULL ||
	    curl_url_set(upstream, CURLUPART_URL, base, 0) != CURLUE_OK ||
	    (url = curl_url_dup(upstream)) == NULL)
		goto done;
	if (asprintf(&resolved, "%s%s", base, target) == -1) {
		resolved = NULL;
		goto done;
	}
	if (curl_url_set(url, CURLUPART_URL, resolved, CURLU_PATH_AS_IS) !=
		CURLUE_OK ||
	    curl_url_set(url, CURLUPART_URL, location, flags) != CURLUE_OK)
		goto done;
	if (same_part(upstream, url, CURLUPART_SCHEME) &&
	    same_part(upstream, url, CURLUPART_HOST) &&
	    same_part(upstream, url, CURLUPART_PORT))
		next = url_target(url);
done:
	free(resolved);
	curl_url_cleanup(upstream);
	curl_url_cleanup(url);
	return next;
}

/* Whether the method becomes GET, and the body is left behind. */
static bool
becomes_get(long status, const char *method)
{
	if (status == 301 || status == 302)
		return strcmp(method, "POST") == 0;
	if (status == 303)
		return strcmp(method, "GET") != 0 &&
		       strcmp(method, "HEAD") != 0;
	return false;
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

bool
redirect_next(const char *base, const char *method, const char *target,
    long status, const char *location, struct redirect *next)
{
	/* An empty one would lead back to where it came from. */
	if (!is_redirect(status) || location == NULL || *location == '\0')
		return false;
	if (strlen(location) > REQUEST_TARGET_MAX ||
	    !field_is_value(location, strlen(location)))
		return false;
	memset(next, 0, sizeof(*next));
	next->keep_body = !becomes_get(status, method);
	if (!next->keep_body)
		method = "GET";
	if (strlcpy(next->method, method, sizeof(next->method)) >=
	    sizeof(next->method))
		return false;
	next->target = resolve(base, target, location);
	return next->target != NULL;
}

bool
redirect_drops(const char *header)
{
	static const char *const names[] = { "content-encoding",
		"content-language", "content-location", "content-type" };
	size_t len = strcspn(header, ":;"), i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len &&
		    strncasecmp(header, names[i], len) == 0)
			return true;
	return false;
}
