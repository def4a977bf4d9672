#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "authd/github_head.h"

/* Where nothing says how long: what GitHub's documentation asks for. */
#define WAIT_UNKNOWN_S 60

/* The largest number that is told apart from others, far beyond any time. */
#define NUMBER_MAX (INT64_C(1) << 40)

#define VALUE_SIZE 4096

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Digits alone; what is too large is the largest.  -1 for anything else. */
static int64_t
read_number(const char *s)
{
	int64_t n = 0;

	if (*s == '\0')
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		n = n * 10 + (*s - '0');
		if (n > NUMBER_MAX)
			n = NUMBER_MAX;
	}
	return n;
}

/* Seconds, or a date. */
static int64_t
read_after(const char *s, time_t now)
{
	int64_t n = read_number(s);
	time_t date;

	if (n != -1)
		return n;
	date = curl_getdate(s, NULL);
	if (date == -1)
		return -1;
	return date <= now ? 0 : date - now;
}

/* Whether a list of relation types has "next". */
static bool
has_next(const char *s, size_t len)
{
	size_t n;

	for (; len > 0; s += n, len -= n) {
		for (n = 0; n < len && !is_blank(s[n]); n++)
			continue;
		if (n == 4 && strncasecmp(s, "next", n) == 0)
			return true;
		while (n < len && is_blank(s[n]))
			n++;
	}
	return false;
}

static const char *
skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/*
 * A parameter of a link, from behind its semicolon on; *is_rel says whether
 * it is "rel", and *next whether that has "next".  Returns what follows.
 */
static const char *
read_parameter(const char *s, bool *is_rel, bool *next)
{
	size_t len = strcspn(s, " \t=;,");
	const char *value;

	*is_rel = len == 3 && strncasecmp(s, "rel", len) == 0;
	*next = false;
	s = skip_blanks(s + len);
	if (*s != '=')
		return s;
	value = skip_blanks(s + 1);
	if (*value != '"') {
		len = strcspn(value, " \t;,");
		*next = has_next(value, len);
		return value + len;
	}
	value++;
	for (len = 0; value[len] != '"' && value[len] != '\0'; len++)
		if (value[len] == '\\' && value[len + 1] != '\0')
			len++;
	*next = has_next(value, len);
	return value[len] == '"' ? value + len + 1 : value + len;
}

/* RFC 8288 section 3: <target>; rel="next", … */
static bool
read_link(const char *s)
{
	bool is_rel, next, had_rel;

	for (s += strspn(s, " \t,"); *s == '<'; s += strspn(s, " \t,")) {
		s += strcspn(s, ">");
		if (*s == '>')
			s++;
		had_rel = false;
		for (s = skip_blanks(s); *s == ';'; s = skip_blanks(s)) {
			s = read_parameter(skip_blanks(s + 1), &is_rel, &next);
			/* Section 3.3: only the first one counts. */
			if (is_rel && !had_rel && next)
				return true;
			had_rel = had_rel || is_rel;
		}
	}
	return false;
}

static void
take_field(
    struct github_head *h, const char *name, const char *value, time_t now)
{
	if (strcasecmp(name, "link") == 0)
		h->more = h->more || read_link(value);
	else if (strcasecmp(name, "retry-after") == 0) {
		h->has_after = true;
		h->after = read_after(value, now);
	} else if (strcasecmp(name, "x-ratelimit-remaining") == 0) {
		h->has_remaining = true;
		h->remaining = read_number(value);
	} else if (strcasecmp(name, "x-ratelimit-reset") == 0) {
		h->has_reset = true;
		h->reset = read_number(value);
	}
}

int
github_head_add(struct github_head *h, const char *line, size_t len, time_t now)
{
	char text[VALUE_SIZE], *value;

	h->bytes += len;
	if (++h->lines > GITHUB_HEAD_LINES_MAX || h->bytes > GITHUB_HEAD_MAX)
		return -1;
	/* An interim answer (RFC 9110 section 15.2) has a head, too. */
	if (len >= 5 && strncasecmp(line, "HTTP/", 5) == 0) {
		h->whole = h->more = h->has_after = h->has_remaining =
		    h->has_reset = false;
		return 0;
	}
	/* No field that we know is as long as that. */
	if (len >= sizeof(text))
		return 0;
	while (len > 0 && (is_blank(line[len - 1]) || line[len - 1] == '\r' ||
			      line[len - 1] == '\n'))
		len--;
	if (len == 0)
		h->whole = true;
	memcpy(text, line, len);
	text[len] = '\0';
	value = strchr(text, ':');
	if (value == NULL)
		return 0;
	*value++ = '\0';
	take_field(h, text, skip_blanks(value), now);
	return 0;
}

bool
github_head_is_limit(
    const struct github_head *h, int status, time_t now, uint32_t *wait_ms)
{
	bool used_up = h->has_remaining && h->remaining == 0;
	int64_t ms, seconds = -1;

	if (status != 429 && (status != 403 || (!h->has_after && !used_up)))
		return false;
	if (h->has_after)
		seconds = h->after;
	/* While there is something left, the limit is another one. */
	if (seconds == -1 && h->has_reset && h->reset != -1 &&
	    (used_up || !h->has_remaining))
		seconds = h->reset <= now ? 0 : h->reset - now;
	if (seconds == -1)
		seconds = WAIT_UNKNOWN_S;
	ms = seconds * 1000;
	if (ms < GITHUB_WAIT_MIN_MS)
		ms = GITHUB_WAIT_MIN_MS;
	*wait_ms = ms > GITHUB_WAIT_MAX_MS ? GITHUB_WAIT_MAX_MS : (uint32_t)ms;
	return true;
}
