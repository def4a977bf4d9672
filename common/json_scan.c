#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/json_scan.h"

/* What is read twice, for UTF-8 and for JSON, while it is in the cache. */
#define STRIDE 16384

/* What may come next. */
enum expected {
	VALUE,
	ITEM, /* the first of an array; or its end */
	NAME,
	FIRST_NAME, /* or the end of the object */
	COLON,
	AFTER, /* what follows a value */
	STRING,
	ESCAPE, /* what follows a backslash */
	HEX,
	WORD,
	MINUS, /* what follows it, as with all of a number */
	ZERO,
	WHOLE,
	POINT,
	FRACTION,
	EXPONENT,
	SIGN,
	POWER,
	NOTHING, /* it is wrong */
};

void
json_scan_start(struct json_scan *s, unsigned depth_max)
{
	memset(s, 0, sizeof(*s));
	s->expected = VALUE;
	s->depth_max = depth_max < JSON_SCAN_DEPTH_LIMIT
			   ? depth_max
			   : JSON_SCAN_DEPTH_LIMIT;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* How many bytes of a string come before its end, an escape or a control. */
static size_t
count_plain(const char *p, size_t len)
{
	size_t i = 0;

#ifdef __SSE2__
	const __m128i control = _mm_set1_epi8(0x1f);
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');

	for (; len - i >= 16; i += 16) {
		__m128i b = _mm_loadu_si128((const void *)(p + i));
		int stops = _mm_movemask_epi8(
		    _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(b, control), b),
			_mm_or_si128(_mm_cmpeq_epi8(b, quote),
			    _mm_cmpeq_epi8(b, backslash))));

		if (stops != 0)
			return i + (size_t)__builtin_ctz((unsigned)stops);
	}
#endif
	while (i < len && (unsigned char)p[i] >= ' ' && p[i] != '"' &&
	       p[i] != '\\')
		i++;
	return i;
}

static bool
in_object(const struct json_scan *s)
{
	unsigned last = s->depth - 1;

	return (s->objects[last / 64] >> last % 64 & 1) != 0;
}

static enum expected
open_container(struct json_scan *s, bool object)
{
	uint64_t bit = UINT64_C(1) << s->depth % 64;

	if (s->depth == s->depth_max)
		return NOTHING;
	if (object)
		s->objects[s->depth / 64] |= bit;
	else
		s->objects[s->depth / 64] &= ~bit;
	s->depth++;
	return object ? FIRST_NAME : ITEM;
}

static enum expected
close_container(struct json_scan *s)
{
	s->depth--;
	return AFTER;
}

static enum expected
begin_string(struct json_scan *s, bool name)
{
	s->name = name;
	return STRING;
}

static enum expected
begin_word(struct json_scan *s, const char *rest)
{
	s->word = rest;
	return WORD;
}

static enum expected
begin_value(struct json_scan *s, char c)
{
	s->values++;
	switch (c) {
	case '"':
		return begin_string(s, false);
	case '{':
		return open_container(s, true);
	case '[':
		return open_container(s, false);
	case 't':
		return begin_word(s, "rue");
	case 'f':
		return begin_word(s, "alse");
	case 'n':
		return begin_word(s, "ull");
	case '-':
		return MINUS;
	case '0':
		return ZERO;
	default:
		return is_digit(c) ? WHOLE : NOTHING;
	}
}

/* A mark between values and names, or the first byte of one. */
static enum expected
read_mark(struct json_scan *s, char c)
{
	switch (s->expected) {
	case ITEM:
		if (c == ']')
			return close_container(s);
		return begin_value(s, c);
	case VALUE:
		return begin_value(s, c);
	case FIRST_NAME:
		if (c == '}')
			return close_container(s);
		return c == '"' ? begin_string(s, true) : NOTHING;
	case NAME:
		return c == '"' ? begin_string(s, true) : NOTHING;
	case COLON:
		return c == ':' ? VALUE : NOTHING;
	default:
		if (s->depth == 0)
			return NOTHING;
		if (c == ',')
			return in_object(s) ? NAME : VALUE;
		return c == (in_object(s) ? '}' : ']') ? close_container(s)
						       : NOTHING;
	}
}

/* A byte of a number, but for its first; AFTER for one that follows it. */
static enum expected
read_number(unsigned expected, char c)
{
	bool digit = is_digit(c);

	switch (expected) {
	case MINUS:
		return c == '0' ? ZERO : digit ? WHOLE : NOTHING;
	case POINT:
		return digit ? FRACTION : NOTHING;
	case EXPONENT:
		return c == '+' || c == '-' ? SIGN : digit ? POWER : NOTHING;
	case SIGN:
		return digit ? POWER : NOTHING;
	case POWER:
		return digit ? POWER : AFTER;
	default:
		if (digit && expected != ZERO)
			return expected;
		if (c == '.' && expected != FRACTION)
			return POINT;
		return c == 'e' || c == 'E' ? EXPONENT : AFTER;
	}
}

/* What may follow a backslash and is all of the escape. */
static bool
is_letter(char c)
{
	return c == 'n' || c == '"' || c == '\\' || c == 't' || c == '/' ||
	       c == 'r' || c == 'b' || c == 'f';
}

static enum expected
read_escape(struct json_scan *s, char c)
{
	if (c == 'u') {
		s->digits = 4;
		return HEX;
	}
	return is_letter(c) ? STRING : NOTHING;
}

/* A byte within a string, where plain ones end, or a word. */
static enum expected
read_inner(struct json_scan *s, char c)
{
	switch (s->expected) {
	case STRING:
		if (c == '"')
			return s->name ? COLON : AFTER;
		return c == '\\' ? ESCAPE : NOTHING;
	case ESCAPE:
		return read_escape(s, c);
	case HEX:
		if (!is_hex(c))
			return NOTHING;
		return --s->digits == 0 ? STRING : HEX;
	default:
		if (c != *s->word)
			return NOTHING;
		return *++s->word == '\0' ? AFTER : WORD;
	}
}

/* How many bytes of a string need no more than a look. */
static size_t
count_easy(const char *p, size_t len)
{
	size_t i = count_plain(p, len);

	while (len - i >= 2 && p[i] == '\\' && is_letter(p[i + 1])) {
		i += 2;
		i += count_plain(p + i, len - i);
	}
	return i;
}

static void
scan_piece(struct json_scan *s, const char *p, size_t len)
{
	size_t i = 0;

	while (i < len && s->expected != NOTHING) {
		if (s->expected == STRING)
			i += count_easy(p + i, len - i);
		if (i == len)
			return;
		if (s->expected >= MINUS) {
			s->expected = read_number(s->expected, p[i]);
			/* It is not of the number, so it is still to come. */
			i += s->expected != AFTER;
		} else if (s->expected >= STRING) {
			s->expected = read_inner(s, p[i++]);
		} else {
			if (!is_blank(p[i]))
				s->expected = read_mark(s, p[i]);
			i++;
		}
	}
}

bool
json_scan_feed(struct json_scan *s, const void *text, size_t len)
{
	const char *p = text;
	size_t n;

	for (; len > 0 && s->expected != NOTHING; p += n, len -= n) {
		n = len < STRIDE ? len : STRIDE;
		if (utf8_feed(&s->utf8, (const uint8_t *)p, n))
			scan_piece(s, p, n);
		else
			s->expected = NOTHING;
	}
	return s->expected != NOTHING;
}

/* No character can be unfinished: it would be within a string. */
bool
json_scan_complete(const struct json_scan *s)
{
	return s->depth == 0 &&
	       (s->expected == AFTER || s->expected == ZERO ||
		   s->expected == WHOLE || s->expected == FRACTION ||
		   s->expected == POWER);
}

bool
json_scan_text(const void *text, size_t len, unsigned depth_max)
{
	struct json_scan s;

	json_scan_start(&s, depth_max);
	return json_scan_feed(&s, text, len) && json_scan_complete(&s);
}
