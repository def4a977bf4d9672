#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "authd/github_site.h"
#include "common/log.h"
#include "common/slice.h"

#define WHY_SIZE 256

static bool
has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

/* NULL, or what is wrong with the URL that was parsed. */
static const char *
check_parts(CURLU *url, bool *tls)
{
	char *scheme = NULL;
	const char *why = NULL;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		fatalx("curl: out of memory");
	*tls = strcmp(scheme, "https") == 0;
	if (!*tls && strcmp(scheme, "http") != 0)
		why = "neither https:// nor http://";
	else if (has_part(url, CURLUPART_USER) ||
		 has_part(url, CURLUPART_PASSWORD))
		why = "a user or a password has no place in it";
	else if (has_part(url, CURLUPART_QUERY) ||
		 has_part(url, CURLUPART_FRAGMENT))
		why = "only a path may follow the host";
	curl_free(scheme);
	return why;
}

/* The URL in its usual form, to which a path can be added. */
static const char *
read_url(struct github_site *site, const char *text)
{
	CURLU *url = curl_url();
	char *usual = NULL;
	const char *why = NULL;
	CURLUcode code;
	size_t len;

	if (url == NULL)
		fatalx("curl: out of memory");
	code = curl_url_set(url, CURLUPART_URL, text, 0);
	if (code == CURLUE_OUT_OF_MEMORY)
		fatalx("curl: out of memory");
	why = code == CURLUE_OK ? check_parts(url, &site->tls)
				: curl_url_strerror(code);
	if (why == NULL &&
	    curl_url_get(url, CURLUPART_URL, &usual, 0) != CURLUE_OK)
		fatalx("curl: out of memory");
	if (why == NULL) {
		len = strlen(usual);
		while (len > 0 && usual[len - 1] == '/')
			usual[--len] = '\0';
		if (strlcpy(site->url, usual, sizeof(site->url)) >=
		    sizeof(site->url))
			why = "too long";
	}
	curl_free(usual);
	curl_url_cleanup(url);
	return why;
}

const char *
github_site_read(struct github_site *site, const struct authd_conf *conf,
    const struct trust *system)
{
	static char message[WHY_SIZE];
	struct github_site new = { 0 };
	const char *why = read_url(&new, conf->github_api);

	if (why != NULL) {
		(void)snprintf(
		    message, sizeof(message), "github: api url: %s", why);
		return message;
	}
	if (conf->github_ca_fd == -1)
		trust_copy(&new.trust, system);
	else
		why = trust_read_file(
		    &new.trust, conf->github_ca_file, conf->github_ca_fd);
	if (why != NULL)
		return why;
	*site = new;
	return NULL;
}

bool
github_site_is_same(const struct github_site *a, const struct github_site *b)
{
	return strcmp(a->url, b->url) == 0 &&
	       trust_is_same(&a->trust, &b->trust);
}

void
github_site_clear(struct github_site *site)
{
	trust_clear(&site->trust);
	memset(site, 0, sizeof(*site));
}
