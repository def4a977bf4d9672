#include <string.h>

#include "proxyd/behind.h"
#include "proxyd/js_judge.h"

/* The longest variable name that a router's pattern may have, in bytes. */
#define NAME_MAX_LEN 32
/* A literal within literals within a literal has 7 before its quotes. */
#define BACKSLASHES_MAX 7

/* The first segments of the web app's own paths. */
static const char *const paths[] = { "api", "assets", "auth", "ws", "shell",
	"plugin-ws", "favicon", "static", "socket.io", "sw.js", "manifest.json",
	"icons" };

/* Compare as far as there are bytes: KEEP if it is another word. */
static enum prefix_verdict
judge_word(const char *word, const char *s, size_t len)
{
	size_t n = strlen(word);

	if (memcmp(s, word, len < n ? len : n) != 0)
		return PREFIX_KEEP;
	return len < n ? PREFIX_MORE : PREFIX_ADD;
}

/* Whether a segment of a path ends here: ADD if it does. */
static enum prefix_verdict
judge_end(char quote, const char *s, size_t len)
{
	size_t i = 0;

	if (len == 0)
		return PREFIX_MORE;
	if (s[0] == quote || s[0] == '/' || s[0] == '?' || s[0] == '#')
		return PREFIX_ADD;
	if (s[0] == '$' && quote == '`')
		return judge_word("${", s, len);
	while (i < len && i < BACKSLASHES_MAX && s[i] == '\\')
		i++;
	if (i == len)
		return PREFIX_MORE;
	return s[i] == quote ? PREFIX_ADD : PREFIX_KEEP;
}

/* What follows "/api/": KEEP if that is the orchestrator's. */
static enum prefix_verdict
judge_api(char quote, const char *s, size_t len)
{
	enum prefix_verdict verdict;

	verdict = judge_word("tokens", s, len);
	if (verdict != PREFIX_KEEP)
		return verdict == PREFIX_ADD ? PREFIX_KEEP : PREFIX_MORE;
	verdict = judge_word("clients", s, len);
	if (verdict == PREFIX_ADD) {
		s += strlen("clients");
		len -= strlen("clients");
		verdict = judge_end(quote, s, len);
	}
	if (verdict == PREFIX_MORE)
		return PREFIX_MORE;
	return verdict == PREFIX_ADD ? PREFIX_KEEP : PREFIX_ADD;
}

/* Whether the app's own path begins here. */
static enum prefix_verdict
judge_path(char quote, const char *s, size_t len)
{
	enum prefix_verdict verdict = PREFIX_KEEP;
	size_t i = 0, n;

	if (len == 0)
		return PREFIX_MORE;
	for (; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (paths[i][0] == s[0] &&
		    (verdict = judge_word(paths[i], s, len)) != PREFIX_KEEP)
			break;
	if (verdict != PREFIX_ADD)
		return verdict;
	n = strlen(paths[i]);
	s += n;
	len -= n;
	if (len > 0 && s[0] == '.' && strcmp(paths[i], "favicon") == 0)
		return PREFIX_ADD;
	verdict = judge_end(quote, s, len);
	if (verdict == PREFIX_ADD && s[0] == '/' &&
	    strcmp(paths[i], "api") == 0)
		return judge_api(quote, s + 1, len - 1);
	return verdict;
}

enum prefix_verdict
js_judge_literal(
    const struct prefix *prefix, char quote, const char *literal, size_t len)
{
	enum prefix_verdict verdict;
	size_t end = 0;

	verdict = judge_path(quote, literal + 1, len - 1);
	if (verdict != PREFIX_ADD)
		return verdict;
	/* The prefix itself may begin as the app's paths do. */
	while (end < len && end < PREFIX_LOOK && literal[end] != quote &&
	       literal[end] != '$')
		end++;
	verdict =
	    prefix_judge(prefix, literal, end, end < len && end < PREFIX_LOOK);
	return verdict;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/* Cut blanks off the end. */
static size_t
cut_blanks(const char *text, size_t len)
{
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	return len;
}

/* Cut a word off the end; false, with *len as it was, if it is another. */
static bool
cut_word(const char *text, size_t *len, const char *word)
{
	size_t n = strlen(word);

	if (*len < n || memcmp(text + *len - n, word, n) != 0)
		return false;
	*len -= n;
	return true;
}

/*
 * Whether the text ends with "function", a name or none, and "(".  One that
 * is not whole may begin within a word.
 */
static bool
ends_with_function(const char *text, size_t len, bool whole)
{
	len = cut_blanks(text, len);
	if (!cut_word(text, &len, "("))
		return false;
	len = cut_blanks(text, len);
	if (cut_word(text, &len, "function") &&
	    (len > 0 ? !is_name(text[len - 1]) : whole))
		return true;
	while (len > 0 && is_name(text[len - 1]))
		len--;
	len = cut_blanks(text, len);
	return cut_word(text, &len, "function") &&
	       (len > 0 ? !is_name(text[len - 1]) : whole);
}

bool
js_judge_basename(const char *text, size_t len, bool *in_function)
{
	bool whole = len < BEHIND_MAX;

	if (!cut_word(text, &len, "basename"))
		return false;
	len = cut_blanks(text, len);
	if (!cut_word(text, &len, "{"))
		return false;
	*in_function = ends_with_function(text, len, whole);
	return true;
}

/* Goes along a text; stays where the verdict is no longer PREFIX_ADD. */
struct cursor {
	const char *text;
	size_t len;
	size_t at;
	enum prefix_verdict verdict;
};

/* The next byte that is no blank, or NUL. */
static char
cursor_next(struct cursor *cursor)
{
	if (cursor->verdict != PREFIX_ADD)
		return '\0';
	while (cursor->at < cursor->len && is_blank(cursor->text[cursor->at]))
		cursor->at++;
	if (cursor->at < cursor->len)
		return cursor->text[cursor->at];
	cursor->verdict = PREFIX_MORE;
	return '\0';
}

static void
cursor_word(struct cursor *cursor, const char *word)
{
	(void)cursor_next(cursor);
	if (cursor->verdict != PREFIX_ADD)
		return;
	cursor->verdict = judge_word(
	    word, cursor->text + cursor->at, cursor->len - cursor->at);
	if (cursor->verdict == PREFIX_ADD)
		cursor->at += strlen(word);
}

/* A variable's name: not "window", which the default speaks of. */
static void
cursor_name(struct cursor *cursor)
{
	char first = cursor_next(cursor);
	size_t start = cursor->at, n;

	if (cursor->verdict != PREFIX_ADD)
		return;
	while (cursor->at < cursor->len && is_name(cursor->text[cursor->at]))
		cursor->at++;
	n = cursor->at - start;
	if (n > NAME_MAX_LEN || !is_name(first) ||
	    (first >= '0' && first <= '9'))
		cursor->verdict = PREFIX_KEEP;
	else if (cursor->at == cursor->len)
		cursor->verdict = PREFIX_MORE;
	else if (n == strlen("window") &&
		 memcmp(cursor->text + start, "window", n) == 0)
		cursor->verdict = PREFIX_KEEP;
}

/*
 * Behind the "}": an assignment ("let {…} = o", or a parameter's default) or
 * the end of parameters makes the braces a pattern.
 */
static void
cursor_behind(struct cursor *cursor, bool in_function)
{
	char next = cursor_next(cursor);

	if (next == ')') {
		cursor->at++;
		next = cursor_next(cursor);
		if (next != '{' || !in_function)
			cursor_word(cursor, "=>");
		return;
	}
	cursor_word(cursor, "=");
	if (cursor->verdict != PREFIX_ADD)
		return;
	if (cursor->at == cursor->len)
		cursor->verdict = PREFIX_MORE;
	else if (cursor->text[cursor->at] == '=' ||
		 cursor->text[cursor->at] == '>')
		cursor->verdict = PREFIX_KEEP;
}

enum prefix_verdict
js_judge_router(const char *text, size_t len, bool in_function, size_t *at)
{
	static const char *const others[] = { "children", "future", "window" };
	struct cursor cursor = { text,
		len < JS_JUDGE_ROUTER_MAX ? len : JS_JUDGE_ROUTER_MAX, 0,
		PREFIX_ADD };
	size_t i;

	cursor_word(&cursor, ":");
	cursor_name(&cursor);
	*at = cursor.at;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		cursor_word(&cursor, ",");
		cursor_word(&cursor, others[i]);
		cursor_word(&cursor, ":");
		cursor_name(&cursor);
	}
	cursor_word(&cursor, "}");
	cursor_behind(&cursor, in_function);
	if (cursor.verdict == PREFIX_MORE && len >= JS_JUDGE_ROUTER_MAX)
		return PREFIX_KEEP;
	return cursor.verdict;
}
