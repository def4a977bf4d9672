#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "proxyd/js_judge.h"
#include "proxyd/rewrite_js.h"

/* How far behind an interesting byte the scanner looks. */
#define LOOK_BEHIND 7

static const char base_name[] = "=window.__ROUTER_BASENAME__";

void
rewrite_js_init(
    struct rewrite_js *js, const struct prefix *prefix, const struct sink *sink)
{
	memset(js, 0, sizeof(*js));
	js->prefix = prefix;
	js->sink = sink;
}

static bool
is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

#ifdef __SSE2__
static __m128i
load(const char *at)
{
	return _mm_loadu_si128((const void *)at);
}

static __m128i
equal(__m128i bytes, char c)
{
	return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

/* Those of 16 bytes that find_next() looks for, as bits. */
static unsigned
block_finds(const char *at)
{
	__m128i before = load(at - 1);
	__m128i quotes = _mm_or_si128(equal(before, '"'),
	    _mm_or_si128(equal(before, '\''), equal(before, '`')));
	__m128i literals = _mm_and_si128(equal(load(at), '/'), quotes);
	__m128i names =
	    _mm_and_si128(equal(load(at - 7), 'b'), equal(load(at - 3), 'n'));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(literals, names));
}
#endif

/*
 * The next byte from i on that may be the "/" of a literal or the last of
 * "basename", or len.  Of the name two letters are compared, which seldom
 * stand so.
 */
static size_t
find_next(const struct rewrite_js *js, const char *in, size_t i, size_t len)
{
	for (; i < len && i < LOOK_BEHIND; i++)
		if (in[i] == 'e' ||
		    (in[i] == '/' && is_quote(behind_byte(&js->behind, in, i))))
			return i;
#ifdef __SSE2__
	for (unsigned found; len - i >= 16; i += 16)
		if ((found = block_finds(in + i)) != 0)
			return i + (unsigned)__builtin_ctz(found);
#endif
	for (; i < len; i++)
		if ((in[i] == '/' && is_quote(in[i - 1])) ||
		    (in[i - 7] == 'b' && in[i - 3] == 'n'))
			return i;
	return len;
}

static int
write_prefix(const struct rewrite_js *js)
{
	return sink_write(js->sink, js->prefix->text, js->prefix->len);
}

static int
write_base_name(const struct rewrite_js *js)
{
	return sink_write(js->sink, base_name, strlen(base_name));
}

/* The verdict on what js->state says may begin here; *at: where to add. */
static enum prefix_verdict
judge(const struct rewrite_js *js, const char *text, size_t len, size_t *at)
{
	*at = 0;
	if (js->state == REWRITE_JS_ROUTER)
		return js_judge_router(text, len, js->in_function, at);
	return js_judge_literal(js->prefix, js->quote, text, len);
}

/* Write all but the first *done of these bytes, with the addition at at. */
static int
write_added(
    const struct rewrite_js *js, const char *in, size_t *done, size_t at)
{
	int rc = sink_write(js->sink, in + *done, at - *done);

	*done = at;
	if (rc == 0)
		rc = js->state == REWRITE_JS_ROUTER ? write_base_name(js)
						    : write_prefix(js);
	return rc;
}

/* Write what was held back, with the addition if there is one. */
static int
release(struct rewrite_js *js, bool add, size_t at)
{
	size_t done = 0;
	int rc = 0;

	if (add)
		rc = write_added(js, js->held, &done, at);
	js->state = REWRITE_JS_TEXT;
	return rc == 0
		   ? sink_write(js->sink, js->held + done, js->held_len - done)
		   : -1;
}

/*
 * Go on with what is held back, from the start of a piece on.  *used becomes
 * how much of it belongs to that: what decides is not, and is looked at
 * again as any other byte.
 */
static int
go_on(struct rewrite_js *js, const char *in, size_t len, size_t *used)
{
	enum prefix_verdict verdict;
	size_t i, at;

	for (i = 0; i < len; i++) {
		js->held[js->held_len] = in[i];
		verdict = judge(js, js->held, js->held_len + 1, &at);
		if (verdict != PREFIX_MORE) {
			*used = i;
			return release(js, verdict == PREFIX_ADD, at);
		}
		js->held_len++;
	}
	*used = len;
	return 0;
}

/* Whether something begins at in[i]; *start is where its judge looks. */
static bool
begin(struct rewrite_js *js, const char *in, size_t i, size_t *start)
{
	char scratch[BEHIND_MAX];
	const char *text;
	size_t len;

	*start = i;
	if (in[i] == '/') {
		js->quote = behind_byte(&js->behind, in, i);
		if (!is_quote(js->quote))
			return false;
		js->state = REWRITE_JS_LITERAL;
		return true;
	}
	*start = i + 1;
	text = behind_get(&js->behind, in, *start, scratch, &len);
	if (!js_judge_basename(text, len, &js->in_function))
		return false;
	js->state = REWRITE_JS_ROUTER;
	return true;
}

/* The rest of a piece, from done on, with nothing held back. */
static int
scan(struct rewrite_js *js, const char *in, size_t done, size_t len)
{
	enum prefix_verdict verdict;
	size_t i = done, start, at;

	for (; (i = find_next(js, in, i, len)) < len; i++) {
		if (!begin(js, in, i, &start))
			continue;
		verdict = judge(js, in + start, len - start, &at);
		if (verdict == PREFIX_MORE) {
			js->held_len = len - start;
			memcpy(js->held, in + start, js->held_len);
			return sink_write(js->sink, in + done, start - done);
		}
		if (verdict == PREFIX_ADD &&
		    write_added(js, in, &done, start + at) == -1)
			return -1;
		js->state = REWRITE_JS_TEXT;
	}
	return sink_write(js->sink, in + done, len - done);
}

int
rewrite_js_feed(struct rewrite_js *js, const char *in, size_t len)
{
	size_t used = 0;

	if (js->state != REWRITE_JS_TEXT && go_on(js, in, len, &used) == -1)
		return -1;
	if (js->state == REWRITE_JS_TEXT && scan(js, in, used, len) == -1)
		return -1;
	behind_add(&js->behind, in, len);
	return 0;
}

int
rewrite_js_finish(struct rewrite_js *js)
{
	/* A literal or pattern that has no end is none. */
	return js->state == REWRITE_JS_TEXT ? 0 : release(js, false, 0);
}
