#include <sys/un.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/client_id.h"
#include "common/slice.h"
#include "tetherd/setting_check.h"
#include "tetherd/url.h"

#define LOGIN_MAX 64
#define SLUG_MAX  100
#define GROUP_MAX 32

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

static bool
consists_of(const char *s, size_t len, size_t max, const char *characters)
{
	return len >= 1 && len <= max && strspn(s, characters) >= len;
}

/* White space has no place in a URL, and control characters in a header. */
static bool
begins_url(const char *s, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncasecmp(s, scheme, len) == 0 && slice_is_token(s);
}

const char *
check_token(const char *s)
{
	return slice_is_token(s)
		   ? NULL
		   : "white space or other characters that have no place in a "
		     "token";
}

const char *
check_client_id(const char *s)
{
	return client_id_check(s);
}

const char *
check_http_url(const char *s)
{
	return begins_url(s, "http://") || begins_url(s, "https://")
		   ? NULL
		   : "not an http:// or https:// URL";
}

/* What is asked there carries tokens, which no network may see. */
const char *
check_api_url(const char *s)
{
	struct url url;
	const char *why = url_parse_http(s, &url);

	if (why == NULL && s[strcspn(s, "?#")] != '\0')
		why = "queries and fragments have no place in it";
	else if (why == NULL && !url.tls && !url_is_local(&url))
		why = "not an https:// URL, and not of this host";
	url_free(&url);
	return why;
}

/* It may be made after us, so that it need not be there. */
static const char *
check_unix_path(const char *path)
{
	if (path[0] != '/')
		return "not an absolute path after unix:";
	return check_socket(path);
}

const char *
check_address(const char *s)
{
	static const char unix_prefix[] = "unix:";
	struct in6_addr address;

	if (strncmp(s, unix_prefix, strlen(unix_prefix)) == 0)
		return check_unix_path(s + strlen(unix_prefix));
	return inet_pton(AF_INET, s, &address) == 1 ||
		       inet_pton(AF_INET6, s, &address) == 1
		   ? NULL
		   : "not a numeric IPv4 or IPv6 address, nor unix:/path";
}

const char *
check_socket(const char *s)
{
	return strlen(s) < sizeof(((struct sockaddr_un *)NULL)->sun_path)
		   ? NULL
		   : "not short enough for the path of a socket";
}

const char *
check_group(const char *s)
{
	return consists_of(s, strlen(s), GROUP_MAX, LETTERS DIGITS "_.-") &&
		       s[0] != '-'
		   ? NULL
		   : "not the name of a group";
}

const char *
check_login(const char *s)
{
	return consists_of(s, strlen(s), LOGIN_MAX, LETTERS DIGITS "_-")
		   ? NULL
		   : "not the name of a GitHub account";
}

const char *
check_team(const char *s)
{
	size_t org = strcspn(s, "/");
	const char *slug = s[org] == '/' ? s + org + 1 : "";

	return consists_of(s, org, LOGIN_MAX, LETTERS DIGITS "_-") &&
		       consists_of(
			   slug, strlen(slug), SLUG_MAX, LETTERS DIGITS "_-")
		   ? NULL
		   : "not a GitHub team, like acme/staff";
}

const char *
check_no_proxy(const char *s)
{
	return s[strcspn(s, ", ")] == '\0' ? NULL : "not a single host";
}

const char *
check_deny_path(const char *s)
{
	return s[0] == '/' ? NULL : "not a path that begins with /";
}
