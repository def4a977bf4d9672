#include <stdint.h>
#include <string.h>

#include "proxyd/html_states.h"

/* The input of the element goes this way. */
static int
write_text(void *arg, const void *data, size_t len)
{
	struct rewrite_html *h = arg;

	return h->text == HTML_TEXT_CSS ? rewrite_css_feed(&h->css, data, len)
					: rewrite_js_feed(&h->js, data, len);
}

void
html_raw_start(struct rewrite_html *h, uint64_t at)
{
	h->text = HTML_TEXT_PLAIN;
	if (h->tag.element == HTML_ELEMENT_PLAINTEXT) {
		h->state = HTML_PLAINTEXT;
		return;
	}
	if (h->tag.element < HTML_ELEMENT_SCRIPT)
		return;
	h->state = HTML_RAW;
	h->raw = h->tag.element;
	h->escaped = h->dashes = 0;
	if (h->raw == HTML_ELEMENT_STYLE) {
		h->text = HTML_TEXT_CSS;
		rewrite_css_init(&h->css, h->prefix, h->sink);
	} else if (h->raw == HTML_ELEMENT_SCRIPT && html_tag_is_code(&h->tag)) {
		h->text = HTML_TEXT_JS;
		rewrite_js_init(&h->js, h->prefix, h->sink);
	} else
		return;
	html_output_pass(&h->output, at);
	h->text_sink.write = write_text;
	h->text_sink.arg = h;
	h->output.via = &h->text_sink;
}

void
html_raw_end(struct rewrite_html *h, uint64_t at)
{
	int error = 0;

	if (h->text == HTML_TEXT_PLAIN)
		return;
	html_output_pass(&h->output, at);
	h->output.via = h->sink;
	if (h->output.failed)
		return;
	error = h->text == HTML_TEXT_CSS ? rewrite_css_finish(&h->css)
					 : rewrite_js_finish(&h->js);
	if (error == -1)
		h->output.failed = true;
	h->text = HTML_TEXT_PLAIN;
}

const char *
html_step_plaintext(struct rewrite_html *h, const char *p, const char *end)
{
	(void)h;
	(void)p;
	return end;
}

/* The states "script data (double) escaped", with their dashes. */
static const char *
find_less_escaped(struct rewrite_html *h, const char *p, const char *end)
{
	for (; p < end && *p != '<'; p++) {
		if (*p == '-') {
			if (h->dashes < 2)
				h->dashes++;
			continue;
		}
		if (*p == '>' && h->dashes == 2) {
			h->escaped = 0;
			return p;
		}
		h->dashes = 0;
	}
	return p;
}

const char *
html_step_raw(struct rewrite_html *h, const char *p, const char *end)
{
	if (h->escaped > 0)
		p = find_less_escaped(h, p, end);
	if (h->escaped == 0)
		p = memchr(p, '<', (size_t)(end - p));
	if (p == NULL || p == end)
		return end;
	h->less_at = html_output_place(&h->output, p);
	h->dashes = 0;
	h->state = HTML_RAW_LESS;
	return p + 1;
}

const char *
html_step_raw_less(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	h->state = HTML_RAW;
	if (*p == '/') {
		h->matched = 0;
		h->state =
		    h->escaped == 2 ? HTML_SCRIPT_WORD : HTML_RAW_END_OPEN;
		return p + 1;
	}
	if (h->escaped == 1 && html_is_alpha(*p)) {
		h->matched = 0;
		h->state = HTML_SCRIPT_WORD;
	} else if (*p == '!' && h->raw == HTML_ELEMENT_SCRIPT &&
		   h->escaped == 0) {
		h->state = HTML_SCRIPT_BANG;
		return p + 1;
	}
	return p;
}

const char *
html_step_raw_end_open(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	h->state = html_is_alpha(*p) ? HTML_RAW_END_NAME : HTML_RAW;
	return p;
}

const char *
html_step_raw_end_name(struct rewrite_html *h, const char *p, const char *end)
{
	const char *name = html_element_name(h->raw);

	(void)end;
	if (name[h->matched] != '\0') {
		if (html_lower(*p) != name[h->matched]) {
			h->state = HTML_RAW;
			return p;
		}
		h->matched++;
		return p + 1;
	}
	h->state = HTML_RAW;
	if (!html_is_space(*p) && *p != '/' && *p != '>')
		return p;
	html_raw_end(h, h->less_at);
	html_tag_start(&h->tag, true);
	memcpy(h->tag.name, name, h->matched);
	h->tag.name_len = h->matched;
	html_tag_named(&h->tag);
	return html_step_before_attr(h, p, end);
}

/* Behind "<!" in a script. */
const char *
html_step_script_bang(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	h->state = *p == '-' ? HTML_SCRIPT_BANG_DASH : HTML_RAW;
	return *p == '-' ? p + 1 : p;
}

const char *
html_step_script_bang_dash(
    struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	h->state = HTML_RAW;
	if (*p != '-')
		return p;
	h->escaped = 1;
	h->dashes = 2;
	return p + 1;
}

/*
 * Behind "<" in an escaped part of a script, or "</" in a double escaped
 * one: the word "script" leads from one to the other.
 */
const char *
html_step_script_word(struct rewrite_html *h, const char *p, const char *end)
{
	static const char word[] = "script";

	(void)end;
	if (html_is_alpha(*p)) {
		if (h->matched < strlen(word) &&
		    html_lower(*p) == word[h->matched])
			h->matched++;
		else
			h->matched = SIZE_MAX;
		return p + 1;
	}
	h->state = HTML_RAW;
	if (!html_is_space(*p) && *p != '/' && *p != '>')
		return p;
	if (h->matched == strlen(word))
		h->escaped = h->escaped == 1 ? 2 : 1;
	return p + 1;
}
