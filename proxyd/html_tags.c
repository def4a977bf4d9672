#include <string.h>

#include "proxyd/html_states.h"

/* What ends names, and values without quotes. */
#define SPACE 1
#define SLASH 2
#define MORE  4 /* ">" */
#define EQUAL 8

static const uint8_t class[256] = {
	[' '] = SPACE,
	['\t'] = SPACE,
	['\n'] = SPACE,
	['\f'] = SPACE,
	['\r'] = SPACE,
	['/'] = SLASH,
	['>'] = MORE,
	['='] = EQUAL,
};

static inline bool
is_any(char c, unsigned classes)
{
	return (class[(unsigned char)c] & classes) != 0;
}

const char *
html_step_tag_open(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	if (html_is_alpha(*p)) {
		html_tag_start(&h->tag, false);
		h->state = HTML_TAG_NAME;
		return p;
	}
	switch (*p) {
	case '!':
		h->state = HTML_MARKUP;
		return p + 1;
	case '/':
		h->state = HTML_END_TAG_OPEN;
		return p + 1;
	case '?':
		h->state = HTML_BOGUS_COMMENT;
		return p + 1;
	default:
		html_inject(h, h->less_at);
		h->state = HTML_DATA;
		return p;
	}
}

const char *
html_step_end_tag_open(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	if (html_is_alpha(*p)) {
		html_tag_start(&h->tag, true);
		h->state = HTML_TAG_NAME;
		return p;
	}
	h->state = *p == '>' ? HTML_DATA : HTML_BOGUS_COMMENT;
	return p + 1;
}

/* Whether the tag makes browsers open the head, if there is none. */
static bool
opens_head(const struct html_tag *tag)
{
	enum html_element element = tag->element;

	if (element == HTML_ELEMENT_BODY || element == HTML_ELEMENT_BR)
		return true;
	if (element == HTML_ELEMENT_HTML || element == HTML_ELEMENT_HEAD)
		return tag->end;
	return !tag->end;
}

const char *
html_step_tag_name(struct rewrite_html *h, const char *p, const char *end)
{
	struct html_tag *tag = &h->tag;

	size_t n = tag->name_len;

	for (; p < end && !is_any(*p, SPACE | SLASH | MORE); p++, n++)
		if (n < sizeof(tag->name))
			tag->name[n] = html_lower(*p);
	tag->name_len = n;
	if (p == end)
		return p;
	html_tag_named(tag);
	/* Was it too long to be kept, the next tag has to do. */
	if (!h->injected && opens_head(tag) &&
	    html_output_has(h->less_at, html_output_place(&h->output, p) + 1))
		html_inject(h, h->less_at);
	return html_step_before_attr(h, p, end);
}

/* The ">" was read. */
static const char *
finish_tag(struct rewrite_html *h, const char *p)
{
	struct html_tag *tag = &h->tag;
	struct html_foreign *foreign = &h->foreign;
	uint64_t at = html_output_place(&h->output, p);

	tag->now = at;
	html_tag_finish(tag);
	h->state = HTML_DATA;
	if (tag->end) {
		if (foreign->depth > 0)
			html_foreign_end(foreign, tag->name, tag->name_len);
		return p;
	}
	if (tag->element == HTML_ELEMENT_HEAD)
		html_inject(h, at);
	if ((foreign->depth == 0 && tag->element != HTML_ELEMENT_SVG &&
		tag->element != HTML_ELEMENT_MATH) ||
	    html_foreign_start(
		foreign, tag->name, tag->name_len, tag->self_closing))
		html_raw_start(h, at);
	return p;
}

const char *
html_step_before_attr(struct rewrite_html *h, const char *p, const char *end)
{
	while (is_any(*p, SPACE))
		if (++p == end) {
			h->state = HTML_BEFORE_ATTR;
			return p;
		}
	if (*p == '/') {
		h->state = HTML_SELF_CLOSING;
		return p + 1;
	}
	if (*p == '>')
		return finish_tag(h, p + 1);
	html_tag_attr_start(&h->tag, html_output_place(&h->output, p));
	/* An "=" in front belongs to the name. */
	h->tag.attr[0] = html_lower(*p);
	h->tag.attr_len = 1;
	h->state = HTML_ATTR_NAME;
	return p + 1;
}

const char *
html_step_attr_name(struct rewrite_html *h, const char *p, const char *end)
{
	struct html_tag *tag = &h->tag;

	size_t n = tag->attr_len;

	for (; p < end && class[(unsigned char)*p] == 0; p++, n++)
		if (n < sizeof(tag->attr))
			tag->attr[n] = html_lower(*p);
	tag->attr_len = n;
	if (p == end)
		return p;
	tag->now = html_output_place(&h->output, p) + 1;
	html_tag_attr_named(tag);
	if (*p == '=') {
		h->state = HTML_BEFORE_VALUE;
		return p + 1;
	}
	h->state = HTML_AFTER_ATTR_NAME;
	return p;
}

const char *
html_step_after_attr_name(
    struct rewrite_html *h, const char *p, const char *end)
{
	while (is_any(*p, SPACE))
		if (++p == end)
			return p;
	if (*p == '=') {
		h->state = HTML_BEFORE_VALUE;
		return p + 1;
	}
	return html_step_before_attr(h, p, end);
}

/*
 * Most styles have nothing in them that could be rooted; if that can be seen
 * here, the CSS rewriter needs not be asked.
 */
static bool
is_plain_style(const struct rewrite_html *h, const char *p, const char *end)
{
	const char *close;

	if (h->tag.value != HTML_VALUE_STYLE)
		return false;
	close = memchr(p, h->quote, (size_t)(end - p));
	if (close == NULL)
		return false;
	for (; p < close; p++)
		if (*p == '/' || *p == '&' || *p == '\\')
			return false;
	return true;
}

const char *
html_step_before_value(struct rewrite_html *h, const char *p, const char *end)
{
	uint64_t at;

	while (is_any(*p, SPACE))
		if (++p == end)
			return p;
	at = html_output_place(&h->output, p);
	if (*p != '"' && *p != '\'') {
		html_tag_value_start(&h->tag, at);
		h->state = HTML_UNQUOTED_VALUE;
		return p;
	}
	h->quote = *p++;
	h->state = HTML_QUOTED_VALUE;
	if (is_plain_style(h, p, end))
		h->tag.value = HTML_VALUE_SKIP;
	html_tag_value_start(&h->tag, at + 1);
	return p;
}

const char *
html_step_quoted_value(struct rewrite_html *h, const char *p, const char *end)
{
	const char *close = memchr(p, h->quote, (size_t)(end - p));

	html_tag_value_feed(&h->tag, p, close != NULL ? close : end);
	if (close == NULL)
		return end;
	html_tag_value_end(&h->tag, html_output_place(&h->output, close));
	h->state = HTML_AFTER_VALUE;
	return close + 1;
}

const char *
html_step_unquoted_value(struct rewrite_html *h, const char *p, const char *end)
{
	const char *start = p;

	while (p < end && !is_any(*p, SPACE | MORE))
		p++;
	html_tag_value_feed(&h->tag, start, p);
	if (p == end)
		return p;
	html_tag_value_end(&h->tag, html_output_place(&h->output, p));
	return html_step_before_attr(h, p, end);
}

const char *
html_step_after_value(struct rewrite_html *h, const char *p, const char *end)
{
	return html_step_before_attr(h, p, end);
}

const char *
html_step_self_closing(struct rewrite_html *h, const char *p, const char *end)
{
	if (*p == '>') {
		h->tag.self_closing = true;
		return finish_tag(h, p + 1);
	}
	return html_step_before_attr(h, p, end);
}
