#ifndef AUTHD_GITHUB_SITE_H
#define AUTHD_GITHUB_SITE_H

#include <stdbool.h>

#include "common/trust.h"

/* Where the GitHub API is, and whom we believe that it is there. */

struct authd_conf;

/* The longest URL of an API, without its NUL. */
#define GITHUB_URL_MAX 1024

struct github_site {
	char url[GITHUB_URL_MAX + 1]; /* without a slash at its end */
	bool tls;
	struct trust trust;
};

/*
 * NULL, and *site is new; or what is wrong, for the operator, valid until the
 * next call.  system are the certificates that count if conf names no file.
 */
const char *github_site_read(struct github_site *, const struct authd_conf *,
    const struct trust *system);

/* Whether both would be asked in the same way. */
bool github_site_is_same(
    const struct github_site *, const struct github_site *);

void github_site_clear(struct github_site *);

#endif
