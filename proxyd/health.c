#include <stdbool.h>
#include <string.h>

#include <curl/curl.h>

#include "common/log.h"
#include "proxyd/health.h"
#include "proxyd/proxyd.h"
#include "proxyd/upstream.h"

void
health_note(struct proxyd *p, const char *name, int error)
{
	const char *what = error == CURLE_COULDNT_CONNECT
			       ? upstream_connect_failure(p->upstream)
			       : curl_easy_strerror((CURLcode)error);
	bool fails = error != CURLE_OK;

	if (fails)
		p->counts.upstream_failed++;
	/* One that is no more in use says nothing about the other. */
	if (strcmp(name, upstream_name(p->upstream)) != 0) {
		log_debugx("upstream %s, as it was: %s", name, what);
		return;
	}
	if (!fails && p->trouble != NULL)
		log_infox("upstream %s answers again", name);
	else if (fails && p->trouble == NULL)
		log_warnx("upstream %s: %s", name, what);
	else if (fails)
		log_debugx("upstream: %s", what);
	p->upstream_asked = true;
	p->trouble = fails ? what : NULL;
}

void
health_forget(struct proxyd *p)
{
	p->upstream_asked = false;
	p->trouble = NULL;
}

const char *
health_text(const struct proxyd *p)
{
	if (p->trouble != NULL)
		return p->trouble;
	return p->upstream_asked ? "answers" : "not asked yet";
}
