#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "proxyd/css_judge.h"
#include "proxyd/rewrite_css.h"

enum state {
	TEXT,	     /* between tokens, or within one of no interest */
	TEXT_ESCAPE, /* behind a backslash */
	SLASH,	     /* may begin a comment */
	COMMENT,
	COMMENT_STAR, /* may end it */
	AT,	      /* within what may be one of the at-keywords */
	IMPORT,	      /* behind @import: a string is a URL */
	STRING,
	STRING_ESCAPE,
	STRING_RETURN, /* behind a backslash and CR */
	STRING_URL,    /* at the start of a string that is a URL */
	URL,	       /* behind "url(" */
	RAW,	       /* within a URL without quotes */
	RAW_ESCAPE,
	HELD_STRING, /* the start of a URL is held back */
	HELD_RAW
};

/* A piece of the input: what is before done is written. */
struct piece {
	const char *in;
	size_t len;
	size_t at;
	size_t done;
};

static int step(struct rewrite_css *, struct piece *);
static int url_release(struct rewrite_css *, enum prefix_verdict);

void
rewrite_css_init(struct rewrite_css *css, const struct prefix *prefix,
    const struct sink *sink)
{
	memset(css, 0, sizeof(*css));
	css->prefix = prefix;
	css->sink = sink;
}

int
rewrite_css_feed(struct rewrite_css *css, const char *in, size_t len)
{
	struct piece piece = { in, len, 0, 0 };

	while (piece.at < len)
		if (step(css, &piece) == -1)
			return -1;
	behind_add(&css->behind, in, len);
	return sink_write(css->sink, in + piece.done, len - piece.done);
}

int
rewrite_css_finish(struct rewrite_css *css)
{
	/* The end of the file ends a URL, too. */
	if (css->state != HELD_STRING && css->state != HELD_RAW)
		return 0;
	return url_release(
	    css, prefix_judge(css->prefix, css->held, css->held_len, true));
}

#ifdef __SSE2__
static __m128i
equal(__m128i bytes, char c)
{
	return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

/* Those of 16 bytes that are in the set, as bits. */
static unsigned
block_finds(const char *at, const char set[6])
{
	__m128i bytes = _mm_loadu_si128((const void *)at);
	__m128i found = _mm_or_si128(
	    _mm_or_si128(
		_mm_or_si128(equal(bytes, set[0]), equal(bytes, set[1])),
		_mm_or_si128(equal(bytes, set[2]), equal(bytes, set[3]))),
	    _mm_or_si128(equal(bytes, set[4]), equal(bytes, set[5])));

	return (unsigned)_mm_movemask_epi8(found);
}
#endif

/* Move on to the next byte of the set. */
static inline void
skip_to(struct piece *piece, const char set[6])
{
#ifdef __SSE2__
	for (unsigned found; piece->len - piece->at >= 16; piece->at += 16) {
		found = block_finds(piece->in + piece->at, set);
		if (found != 0) {
			piece->at += (unsigned)__builtin_ctz(found);
			return;
		}
	}
#endif
	while (piece->at < piece->len &&
	       memchr(set, piece->in[piece->at], 6) == NULL)
		piece->at++;
}

/* The same within parentheses or @namespace, where more counts; rare. */
static void
skip_to_any(struct piece *piece)
{
	static const char set[] = "\"'(/@\\);{}";

	while (piece->at < piece->len &&
	       memchr(set, piece->in[piece->at], sizeof(set) - 1) == NULL)
		piece->at++;
}

/* At a "(" in text. */
static void
open_parenthesis(struct rewrite_css *css, const struct piece *piece)
{
	char scratch[BEHIND_MAX];
	const char *text;
	size_t len;
	enum css_function function;

	text = behind_get(&css->behind, piece->in, piece->at, scratch, &len);
	function = css_judge_function(text, len);
	if (function == CSS_URL)
		css->state = URL;
	css->takes_urls = css->takes_urls << 1 | (function == CSS_STRINGS);
}

static void
text_step(struct rewrite_css *css, struct piece *piece)
{
	char c;

	if (css->takes_urls != 0 || css->in_namespace)
		skip_to_any(piece);
	else
		skip_to(piece, "\"'(/@\\");
	if (piece->at == piece->len)
		return;
	c = piece->in[piece->at];
	switch (c) {
	case '"':
	case '\'':
		css->quote = c;
		css->state = css->takes_urls & 1 ? STRING_URL : STRING;
		break;
	case '(':
		open_parenthesis(css, piece);
		break;
	case ')':
		css->takes_urls >>= 1;
		break;
	case '/':
		css->comment_in = TEXT;
		css->state = SLASH;
		break;
	case '@':
		css->matched = 0;
		css->state = AT;
		break;
	case '\\':
		css->state = TEXT_ESCAPE;
		break;
	default:
		css->in_namespace = false;
		break;
	}
	piece->at++;
}

static void
comment_step(struct rewrite_css *css, struct piece *piece)
{
	char c = piece->in[piece->at];
	const char *star;

	if (css->state == SLASH) {
		css->state = c == '*' ? COMMENT : TEXT;
		piece->at += c == '*';
	} else if (css->state == COMMENT_STAR && c == '/') {
		css->state = css->comment_in;
		piece->at++;
	} else {
		star =
		    memchr(piece->in + piece->at, '*', piece->len - piece->at);
		css->state = star != NULL ? COMMENT_STAR : COMMENT;
		piece->at =
		    star != NULL ? (size_t)(star - piece->in) + 1 : piece->len;
	}
}

/* One byte behind "@". */
static void
at_step(struct rewrite_css *css, struct piece *piece)
{
	char c = piece->in[piece->at];

	if (css->matched == 0)
		css->keyword = css_lower(c) == 'n' ? "namespace" : "import";
	if (css->keyword[css->matched] != '\0') {
		if (css_lower(c) != css->keyword[css->matched]) {
			css->state = TEXT;
			return;
		}
		css->matched++;
		piece->at++;
		return;
	}
	css->state = TEXT;
	if (css_is_name(c) || c == '\\')
		return;
	if (css->keyword[0] == 'i')
		css->state = IMPORT;
	else
		css->in_namespace = true;
}

static void
import_step(struct rewrite_css *css, struct piece *piece)
{
	char c = piece->in[piece->at];

	css->quote = c;
	if (c == '"' || c == '\'')
		css->state = STRING_URL;
	else if (c == '/')
		css->state = SLASH;
	else if (!css_is_blank(c))
		css->state = TEXT;
	css->comment_in = IMPORT;
	piece->at += css->state != TEXT;
}

static void
string_step(struct rewrite_css *css, struct piece *piece)
{
	const char set[6] = { css->quote, '\\', '\n', '\r', '\f', '\n' };

	skip_to(piece, set);
	if (piece->at == piece->len)
		return;
	/* A newline, too, ends it: the string is broken. */
	css->state = piece->in[piece->at] == '\\' ? STRING_ESCAPE : TEXT;
	piece->at++;
}

/* A backslash and a newline, which may be two bytes, are nothing. */
static void
string_escape_step(struct rewrite_css *css, struct piece *piece)
{
	char c = piece->in[piece->at];

	if (css->state == STRING_ESCAPE) {
		css->state = c == '\r' ? STRING_RETURN : STRING;
		piece->at++;
	} else {
		css->state = STRING;
		piece->at += c == '\n';
	}
}

static void
raw_step(struct rewrite_css *css, struct piece *piece)
{
	skip_to(piece, "))))\\\\");
	if (piece->at == piece->len)
		return;
	if (piece->in[piece->at] == '\\') {
		css->state = RAW_ESCAPE;
		piece->at++;
	} else {
		css->state = TEXT;
	}
}

/* Whether a URL ends before c. */
static bool
url_ends(const struct rewrite_css *css, bool raw, char c)
{
	return raw ? c == ')' || css_is_blank(c)
		   : c == css->quote || css_is_newline(c);
}

static int
url_hold(struct rewrite_css *css, struct piece *piece, bool raw)
{
	css->state = raw ? HELD_RAW : HELD_STRING;
	css->held_len = piece->len - piece->at;
	memcpy(css->held, piece->in + piece->at, css->held_len);
	piece->at = piece->len;
	if (sink_write(css->sink, piece->in + piece->done,
		piece->len - css->held_len - piece->done) == -1)
		return -1;
	piece->done = piece->len;
	return 0;
}

/* At the first byte of a URL. */
static int
url_begin(struct rewrite_css *css, struct piece *piece, bool raw)
{
	const char *url = piece->in + piece->at, *insert = css->prefix->text;
	size_t left = piece->len - piece->at, len = 0, head = 0;
	enum prefix_verdict verdict;

	css->state = raw ? RAW : STRING;
	if (css->in_namespace)
		return 0;
	while (len < left && len < PREFIX_LOOK && !url_ends(css, raw, url[len]))
		len++;
	verdict = prefix_judge(
	    css->prefix, url, len, len < left && len < PREFIX_LOOK);
	if (verdict == PREFIX_MORE)
		return url_hold(css, piece, raw);
	if (verdict == PREFIX_KEEP)
		return 0;
	if (verdict == PREFIX_CLOSE) {
		insert = "/";
		head = css->prefix->len;
	}
	if (sink_write(css->sink, piece->in + piece->done,
		piece->at + head - piece->done) == -1)
		return -1;
	piece->done = piece->at + head;
	return sink_write(css->sink, insert, strlen(insert));
}

/* Write what is held back of a URL, of which the verdict is known. */
static int
url_release(struct rewrite_css *css, enum prefix_verdict verdict)
{
	const struct sink *sink = css->sink;

	if (verdict == PREFIX_ADD &&
	    sink_write(sink, css->prefix->text, css->prefix->len) == -1)
		return -1;
	if (sink_write(sink, css->held, css->held_len) == -1)
		return -1;
	/* The byte that decides is not held, so the prefix is all of it. */
	return verdict == PREFIX_CLOSE ? sink_write(sink, "/", 1) : 0;
}

/* One byte more than is held back; the one that decides is looked at again. */
static int
url_go_on(struct rewrite_css *css, struct piece *piece)
{
	bool raw = css->state == HELD_RAW;
	bool whole = url_ends(css, raw, piece->in[piece->at]);
	enum prefix_verdict verdict;

	css->held[css->held_len] = piece->in[piece->at];
	verdict =
	    prefix_judge(css->prefix, css->held, css->held_len + !whole, whole);
	if (verdict == PREFIX_MORE) {
		css->held_len++;
		piece->done = ++piece->at;
		return 0;
	}
	css->state = raw ? RAW : STRING;
	return url_release(css, verdict);
}

/* Within "url(", or at the start of a string that is a URL. */
static int
url_step(struct rewrite_css *css, struct piece *piece)
{
	char c = piece->in[piece->at];
	bool raw = css->state == URL;

	if (raw && (c == '"' || c == '\'')) {
		css->quote = c;
		css->state = STRING_URL;
	} else if (raw ? !css_is_blank(c) : c != ' ' && c != '\t') {
		return url_begin(css, piece, raw);
	}
	piece->at++;
	return 0;
}

/* Move on by one byte or more, or to another state. */
static int
step(struct rewrite_css *css, struct piece *piece)
{
	switch ((enum state)css->state) {
	case TEXT:
		text_step(css, piece);
		return 0;
	case SLASH:
	case COMMENT:
	case COMMENT_STAR:
		comment_step(css, piece);
		return 0;
	case AT:
		at_step(css, piece);
		return 0;
	case IMPORT:
		import_step(css, piece);
		return 0;
	case STRING:
		string_step(css, piece);
		return 0;
	case STRING_ESCAPE:
	case STRING_RETURN:
		string_escape_step(css, piece);
		return 0;
	case RAW:
		raw_step(css, piece);
		return 0;
	case TEXT_ESCAPE:
	case RAW_ESCAPE:
		css->state = css->state == RAW_ESCAPE ? RAW : TEXT;
		piece->at++;
		return 0;
	case STRING_URL:
	case URL:
		return url_step(css, piece);
	case HELD_STRING:
	case HELD_RAW:
		return url_go_on(css, piece);
	}
	return 0;
}
