#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "authd/policy.h"
#include "common/slice.h"

#define LOGIN_MAX 64

/*
 * GitHub logins are letters, digits and hyphens; those of enterprise
 * accounts carry an underscore.  Nothing else gets near a query or a URL.
 */
static bool
login_is_valid(const char *login)
{
	size_t len = strlen(login);

	return len >= 1 && len <= LOGIN_MAX &&
	       strspn(login,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		   "0123456789_-") == len;
}

static bool
list_contains(const char *list, const char *login)
{
	static const char blanks[] = " \t";
	size_t len = strlen(login), n;
	const char *p;

	for (p = list + strspn(list, blanks); *p != '\0';
	     p += n + strspn(p + n, blanks)) {
		n = strcspn(p, blanks);
		if (n == len && strncasecmp(p, login, n) == 0)
			return true;
	}
	return false;
}

const char *
policy_check(
    const struct authd_conf *conf, uint64_t github_id, const char *login)
{
	/* SQLite's integers are signed. */
	if (github_id == 0 || github_id > INT64_MAX)
		return "your user id is not valid";
	if (!login_is_valid(login))
		return "your user name is not valid";
	if (list_contains(conf->users[SESSION_ROLE_FULL], login))
		return NULL;
	if (conf->teams[SESSION_ROLE_FULL][0] != '\0' ||
	    conf->orgs[SESSION_ROLE_FULL][0] != '\0')
		return "this instance cannot check its team and org rules";
	if (conf->users[SESSION_ROLE_FULL][0] != '\0')
		return "you are not among the users of this instance";
	return NULL;
}
