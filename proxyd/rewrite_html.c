#include <string.h>

#include "proxyd/html_states.h"

static const char mark[] = "\xef\xbb\xbf"; /* the byte order mark */

void
rewrite_html_init(struct rewrite_html *h, const struct prefix *prefix,
    const char *injection, size_t injection_len, const struct sink *sink)
{
	h->prefix = prefix;
	h->sink = sink;
	h->injection = injection;
	h->injection_len = injection_len;
	h->state = HTML_DATA;
	html_output_init(&h->output, sink);
	html_tag_init(&h->tag, prefix, &h->output, &h->css);
	h->foreign.depth = 0;
	h->injected = false;
	h->less_at = 0;
	h->raw = HTML_ELEMENT_OTHER;
	h->text = HTML_TEXT_PLAIN;
	h->escaped = h->dashes = 0;
	h->matched = 0;
}

void
html_inject(struct rewrite_html *h, uint64_t at)
{
	if (h->injected)
		return;
	html_output_insert(&h->output, at, h->injection, h->injection_len);
	h->injected = true;
}

/* Whether the page begins with a part of a byte order mark, that is text. */
static bool
has_half_mark(const struct rewrite_html *h)
{
	return !h->injected && h->matched > 0 && h->matched < strlen(mark);
}

/* Before any text that opens the head; decoders take a mark away. */
static const char *
skip_space(struct rewrite_html *h, const char *p, const char *end)
{
	uint64_t at = html_output_place(&h->output, p);

	while (p < end && h->matched == at && h->matched < strlen(mark) &&
	       *p == mark[h->matched]) {
		h->matched++;
		at++;
		p++;
	}
	if (p < end && has_half_mark(h))
		html_inject(h, 0);
	while (p < end && html_is_space(*p))
		p++;
	return p;
}

static const char *
step_data(struct rewrite_html *h, const char *p, const char *end)
{
	if (!h->injected) {
		p = skip_space(h, p, end);
		if (p == end)
			return end;
		if (*p != '<')
			html_inject(h, html_output_place(&h->output, p));
	}
	p = memchr(p, '<', (size_t)(end - p));
	if (p == NULL)
		return end;
	h->less_at = html_output_place(&h->output, p);
	h->state = HTML_TAG_OPEN;
	return p + 1;
}

static html_step *const steps[] = {
	[HTML_DATA] = step_data,
	[HTML_TAG_OPEN] = html_step_tag_open,
	[HTML_END_TAG_OPEN] = html_step_end_tag_open,
	[HTML_TAG_NAME] = html_step_tag_name,
	[HTML_BEFORE_ATTR] = html_step_before_attr,
	[HTML_ATTR_NAME] = html_step_attr_name,
	[HTML_AFTER_ATTR_NAME] = html_step_after_attr_name,
	[HTML_BEFORE_VALUE] = html_step_before_value,
	[HTML_QUOTED_VALUE] = html_step_quoted_value,
	[HTML_UNQUOTED_VALUE] = html_step_unquoted_value,
	[HTML_AFTER_VALUE] = html_step_after_value,
	[HTML_SELF_CLOSING] = html_step_self_closing,
	[HTML_MARKUP] = html_step_markup,
	[HTML_MARKUP_DASH] = html_step_markup_dash,
	[HTML_BOGUS_COMMENT] = html_step_bogus_comment,
	[HTML_COMMENT_START] = html_step_comment_start,
	[HTML_COMMENT_START_DASH] = html_step_comment_start_dash,
	[HTML_COMMENT] = html_step_comment,
	[HTML_COMMENT_DASH] = html_step_comment_dash,
	[HTML_COMMENT_END] = html_step_comment_end,
	[HTML_COMMENT_BANG] = html_step_comment_bang,
	[HTML_CDATA_OPEN] = html_step_cdata_open,
	[HTML_CDATA] = html_step_cdata,
	[HTML_CDATA_BRACKET] = html_step_cdata_bracket,
	[HTML_CDATA_END] = html_step_cdata_end,
	[HTML_RAW] = html_step_raw,
	[HTML_RAW_LESS] = html_step_raw_less,
	[HTML_RAW_END_OPEN] = html_step_raw_end_open,
	[HTML_RAW_END_NAME] = html_step_raw_end_name,
	[HTML_SCRIPT_BANG] = html_step_script_bang,
	[HTML_SCRIPT_BANG_DASH] = html_step_script_bang_dash,
	[HTML_SCRIPT_WORD] = html_step_script_word,
	[HTML_PLAINTEXT] = html_step_plaintext,
};

/* Where something may still be inserted first, when all before end is read. */
static uint64_t
keep(const struct rewrite_html *h, uint64_t end)
{
	enum html_state state = h->state;

	if (state >= HTML_RAW_LESS && state <= HTML_RAW_END_NAME)
		return h->less_at;
	if (state >= HTML_TAG_OPEN && state <= HTML_TAG_NAME)
		return h->injected ? HTML_NOWHERE : h->less_at;
	if (state >= HTML_BEFORE_ATTR && state <= HTML_SELF_CLOSING)
		return html_tag_keep(&h->tag, end);
	if (state == HTML_DATA && has_half_mark(h))
		return 0;
	return HTML_NOWHERE;
}

int
rewrite_html_feed(struct rewrite_html *h, const char *in, size_t len)
{
	const char *p = in, *end = in + len;

	html_output_begin(&h->output, in, len);
	while (p < end && !h->output.failed)
		p = steps[h->state](h, p, end);
	if (!h->output.failed)
		html_output_end(
		    &h->output, keep(h, html_output_place(&h->output, end)));
	return h->output.failed ? -1 : 0;
}

/*
 * What ends a comment or tag that the page left open, and in which the
 * injection would have no effect, or not the right one.
 */
static const char *
closing(const struct rewrite_html *h)
{
	switch ((int)h->state) {
	case HTML_QUOTED_VALUE:
		return h->quote == '"' ? "\">" : "'>";
	case HTML_COMMENT_START:
	case HTML_COMMENT:
		return "-->";
	case HTML_COMMENT_START_DASH:
	case HTML_COMMENT_DASH:
		return "->";
	case HTML_DATA:
		return "";
	default:
		return ">";
	}
}

int
rewrite_html_finish(struct rewrite_html *h)
{
	const char *close;
	uint64_t at;

	html_output_begin(&h->output, "", 0);
	at = h->output.piece_at;
	html_raw_end(h, at);
	/* Browsers drop a tag that is not complete. */
	if (keep(h, at) == h->less_at && html_output_has(h->less_at, at))
		html_inject(h, h->less_at);
	if (!h->injected) {
		close = closing(h);
		html_output_insert(&h->output, at, close, strlen(close));
		html_inject(h, at);
	}
	html_output_end(&h->output, HTML_NOWHERE);
	return h->output.failed ? -1 : 0;
}
