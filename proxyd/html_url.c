#include <ctype.h>
#include <string.h>

#include "proxyd/html_url.h"

void
html_url_start(struct html_url *url, const struct prefix *prefix)
{
	url->prefix = prefix;
	url->verdict = PREFIX_MORE;
	url->origin = HTML_ORIGIN_EMPTY;
	url->at = url->close_at = 0;
	url->gap = false;
	url->len = 0;
}

static enum html_origin
next_origin(enum html_origin origin, char c)
{
	bool slash = c == '/' || c == '\\';

	switch (origin) {
	case HTML_ORIGIN_EMPTY:
		if (slash)
			return HTML_ORIGIN_SLASH;
		return isalpha((unsigned char)c) ? HTML_ORIGIN_SCHEME
						 : HTML_ORIGIN_OWN;
	case HTML_ORIGIN_SLASH:
		return slash ? HTML_ORIGIN_FOREIGN : HTML_ORIGIN_OWN;
	case HTML_ORIGIN_SCHEME:
		if (c == ':')
			return HTML_ORIGIN_FOREIGN;
		if (isalnum((unsigned char)c) || strchr("+-.", c) != NULL)
			return HTML_ORIGIN_SCHEME;
		return HTML_ORIGIN_OWN;
	case HTML_ORIGIN_OWN:
	case HTML_ORIGIN_FOREIGN:
		break;
	}
	return origin;
}

void
html_url_feed(struct html_url *url, const struct html_unit *unit)
{
	char c = unit->c;

	if (c == '\t' || c == '\n' || c == '\r')
		return;
	if ((unsigned char)c <= ' ') {
		url->gap = url->origin != HTML_ORIGIN_EMPTY;
		return;
	}
	if (url->gap)
		url->origin = next_origin(url->origin, ' ');
	url->origin = next_origin(url->origin, c);
	if (url->verdict != PREFIX_MORE)
		return;
	if (url->len == 0)
		url->at = unit->at;
	if (url->gap)
		url->text[url->len++] = ' ';
	url->text[url->len++] = c;
	if (url->len == url->prefix->len)
		url->close_at = unit->end;
	/* It knows before there is no more room. */
	url->verdict = prefix_judge(url->prefix, url->text, url->len, false);
}

void
html_url_finish(struct html_url *url)
{
	if (url->verdict == PREFIX_MORE)
		url->verdict =
		    prefix_judge(url->prefix, url->text, url->len, true);
	if (url->origin == HTML_ORIGIN_SLASH ||
	    url->origin == HTML_ORIGIN_SCHEME)
		url->origin = HTML_ORIGIN_OWN;
}
