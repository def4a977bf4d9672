#include <ctype.h>
#include <string.h>

#include "proxyd/prefix.h"

/*
 * Whether a segment is empty, "." or "..", which browsers also read in "%2e"
 * (URL standard, "double-dot URL path segment").
 */
static bool
segment_is_dots(const char *s, size_t len)
{
	size_t i = 0, dots = 0;

	for (; i < len; dots++) {
		if (s[i] == '.')
			i++;
		else if (len - i >= 3 && strncasecmp(s + i, "%2e", 3) == 0)
			i += 3;
		else
			return false;
	}
	return dots <= 2;
}

/* One segment of proxy_base: what no context of a page takes apart. */
static bool
segment_is_safe(const char *s, size_t len)
{
	size_t i;

	if (segment_is_dots(s, len))
		return false;
	for (i = 0; i < len; i++) {
		if (isalnum((unsigned char)s[i]) ||
		    strchr("-._~", s[i]) != NULL)
			continue;
		if (s[i] != '%' || len - i < 3 ||
		    !isxdigit((unsigned char)s[i + 1]) ||
		    !isxdigit((unsigned char)s[i + 2]))
			return false;
		i += 2;
	}
	return true;
}

bool
prefix_init(struct prefix *prefix, const char *proxy_base)
{
	const char *segment;
	size_t len = strlen(proxy_base), n;

	if (len > 1 && proxy_base[len - 1] == '/')
		len--;
	if (len < 2 || len >= sizeof(prefix->text) || proxy_base[0] != '/')
		return false;
	for (segment = proxy_base; segment < proxy_base + len;
	     segment += 1 + n) {
		n = strcspn(segment + 1, "/");
		if (!segment_is_safe(segment + 1, n))
			return false;
	}
	memcpy(prefix->text, proxy_base, len);
	prefix->text[len] = '\0';
	prefix->len = len;
	return true;
}

/* Browsers drop these from URLs, wherever they are. */
static bool
is_dropped(char c)
{
	return c == '\t' || c == '\n' || c == '\r';
}

/* In URLs of the web, both are. */
static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

enum prefix_verdict
prefix_judge(
    const struct prefix *prefix, const char *url, size_t len, bool whole)
{
	size_t i = 1, common;

	if (len == 0)
		return whole ? PREFIX_KEEP : PREFIX_MORE;
	if (url[0] != '/')
		return PREFIX_KEEP;
	while (i < len && i < PREFIX_LOOK && is_dropped(url[i]))
		i++;
	if (i == len && !whole && len < PREFIX_LOOK)
		return PREFIX_MORE;
	if (i < len && i < PREFIX_LOOK && is_slash(url[i]))
		return PREFIX_KEEP;

	common = len < prefix->len ? len : prefix->len;
	if (memcmp(url, prefix->text, common) != 0)
		return PREFIX_ADD;
	if (len <= prefix->len && !whole)
		return PREFIX_MORE;
	if (len < prefix->len)
		return PREFIX_ADD;
	if (len == prefix->len || url[prefix->len] == '?' ||
	    url[prefix->len] == '#')
		return PREFIX_CLOSE;
	return is_slash(url[prefix->len]) ? PREFIX_KEEP : PREFIX_ADD;
}

bool
prefix_apply(const struct prefix *prefix, const char *url, size_t len,
    char *out, size_t size)
{
	size_t head = 0;
	const char *insert = "";

	switch (prefix_judge(prefix, url, len, true)) {
	case PREFIX_ADD:
		insert = prefix->text;
		break;
	case PREFIX_CLOSE:
		insert = "/";
		head = prefix->len;
		break;
	case PREFIX_KEEP:
	case PREFIX_MORE:
		break;
	}
	if (len + strlen(insert) >= size)
		return false;
	memcpy(out, url, head);
	memcpy(out + head, insert, strlen(insert));
	memcpy(out + head + strlen(insert), url + head, len - head);
	out[len + strlen(insert)] = '\0';
	return true;
}
