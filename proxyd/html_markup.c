#include <string.h>

#include "proxyd/html_states.h"

/* Everything up to a ">"; doctypes end there, too, even in quotes. */
const char *
html_step_bogus_comment(struct rewrite_html *h, const char *p, const char *end)
{
	p = memchr(p, '>', (size_t)(end - p));
	if (p == NULL)
		return end;
	h->state = HTML_DATA;
	return p + 1;
}

/* Behind "<!". */
const char *
html_step_markup(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	if (*p == '-') {
		h->state = HTML_MARKUP_DASH;
		return p + 1;
	}
	if (*p == '[' && html_foreign_has_cdata(&h->foreign)) {
		h->state = HTML_CDATA_OPEN;
		h->matched = 1;
		return p + 1;
	}
	h->state = HTML_BOGUS_COMMENT;
	return p;
}

const char *
html_step_markup_dash(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	if (*p != '-') {
		h->state = HTML_BOGUS_COMMENT;
		return p;
	}
	h->state = HTML_COMMENT_START;
	return p + 1;
}

const char *
html_step_comment_start(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	switch (*p) {
	case '-':
		h->state = HTML_COMMENT_START_DASH;
		return p + 1;
	case '>':
		h->state = HTML_DATA;
		return p + 1;
	default:
		h->state = HTML_COMMENT;
		return p;
	}
}

const char *
html_step_comment_start_dash(
    struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	switch (*p) {
	case '-':
		h->state = HTML_COMMENT_END;
		return p + 1;
	case '>':
		h->state = HTML_DATA;
		return p + 1;
	default:
		h->state = HTML_COMMENT;
		return p;
	}
}

const char *
html_step_comment(struct rewrite_html *h, const char *p, const char *end)
{
	p = memchr(p, '-', (size_t)(end - p));
	if (p == NULL)
		return end;
	h->state = HTML_COMMENT_DASH;
	return p + 1;
}

const char *
html_step_comment_dash(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	if (*p != '-') {
		h->state = HTML_COMMENT;
		return p;
	}
	h->state = HTML_COMMENT_END;
	return p + 1;
}

const char *
html_step_comment_end(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	switch (*p) {
	case '>':
		h->state = HTML_DATA;
		return p + 1;
	case '!':
		h->state = HTML_COMMENT_BANG;
		return p + 1;
	case '-':
		return p + 1;
	default:
		h->state = HTML_COMMENT;
		return p;
	}
}

const char *
html_step_comment_bang(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	switch (*p) {
	case '>':
		h->state = HTML_DATA;
		return p + 1;
	case '-':
		h->state = HTML_COMMENT_DASH;
		return p + 1;
	default:
		h->state = HTML_COMMENT;
		return p;
	}
}

const char *
html_step_cdata_open(struct rewrite_html *h, const char *p, const char *end)
{
	static const char open[] = "[CDATA[";

	(void)end;
	if (*p != open[h->matched]) {
		h->state = HTML_BOGUS_COMMENT;
		return p;
	}
	if (open[++h->matched] == '\0')
		h->state = HTML_CDATA;
	return p + 1;
}

const char *
html_step_cdata(struct rewrite_html *h, const char *p, const char *end)
{
	p = memchr(p, ']', (size_t)(end - p));
	if (p == NULL)
		return end;
	h->state = HTML_CDATA_BRACKET;
	return p + 1;
}

const char *
html_step_cdata_bracket(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	if (*p != ']') {
		h->state = HTML_CDATA;
		return p;
	}
	h->state = HTML_CDATA_END;
	return p + 1;
}

const char *
html_step_cdata_end(struct rewrite_html *h, const char *p, const char *end)
{
	(void)end;
	if (*p == ']')
		return p + 1;
	if (*p == '>') {
		h->state = HTML_DATA;
		return p + 1;
	}
	h->state = HTML_CDATA;
	return p;
}
