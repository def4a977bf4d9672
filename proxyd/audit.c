#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "proxyd/audit.h"
#include "proxyd/proxyd.h"
#include "proxyd/request.h"
#include "proxyd/tunnel.h"

/* Bytes of a name and of a path, with their NULs; what is longer is cut. */
#define NAME_SIZE 96
#define PATH_SIZE 512

#define WHO_SIZE (NAME_SIZE + 48)

/* Printable and without blanks, so that it cannot pass for other words. */
static const char *
make_word(char *dst, size_t size, const char *src)
{
	char *p;

	(void)log_safe(dst, size, src);
	for (p = dst; *p != '\0'; p++)
		if (*p == ' ')
			*p = '?';
	return dst[0] == '\0' ? "-" : dst;
}

static const char *
make_path(char dst[PATH_SIZE], const char *target)
{
	char path[PATH_SIZE];
	size_t len = strcspn(target, "?");

	if (len >= sizeof(path))
		len = sizeof(path) - 1;
	memcpy(path, target, len);
	path[len] = '\0';
	return make_word(dst, PATH_SIZE, path);
}

/* github_id is 0 for nobody. */
static const char *
make_who(char dst[WHO_SIZE], uint64_t github_id, const char *login)
{
	char name[NAME_SIZE];

	if (github_id == 0)
		return "nobody";
	(void)snprintf(dst, WHO_SIZE, "GitHub id %" PRIu64 " login %s",
	    github_id, make_word(name, sizeof(name), login));
	return dst;
}

void
audit_request(const struct proxyd *p, const struct request *r, int status)
{
	char who_text[WHO_SIZE], path_text[PATH_SIZE], outcome[16];
	const char *who;

	if (!p->conf.audit)
		return;
	if (r->error != NULL) {
		log_infox("audit: nobody malformed request %d", status);
		return;
	}
	who = make_who(who_text, r->identified ? r->github_id : 0, r->login);
	(void)snprintf(outcome, sizeof(outcome), "%d", status);
	log_infox("audit: %s %s %s %s", who, r->method,
	    make_path(path_text, r->target),
	    status == 0 ? "unanswered" : outcome);
}

void
audit_tunnel(const struct tunnel *t, const char *reason)
{
	char who_text[WHO_SIZE], path_text[PATH_SIZE];
	const char *path, *who;

	if (!t->proxyd->conf.audit)
		return;
	who = make_who(who_text, t->github_id, t->login);
	path = t->path == NULL ? "-" : make_path(path_text, t->path);
	if (reason == NULL)
		log_infox("audit: %s tunnel %s opened", who, path);
	else if (reason[0] == '\0')
		log_infox("audit: %s tunnel %s given up", who, path);
	else
		log_infox("audit: %s tunnel %s refused %.*s", who, path,
		    (int)strspn(reason, "0123456789"), reason);
}
