#include <string.h>

#include "proxyd/html_names.h"
#include "proxyd/html_script.h"
#include "proxyd/html_tag.h"

/* What they mean only in these elements. */
#define ANY    0
#define META   (1U << HTML_ELEMENT_META)
#define OBJECT (1U << HTML_ELEMENT_OBJECT)
#define SCRIPT (1U << HTML_ELEMENT_SCRIPT)
#define LINK   (1U << HTML_ELEMENT_LINK)

enum {
	ATTR_NONE,
	ATTR_HREF,
	ATTR_SRC,
	ATTR_HTTP_EQUIV,
	ATTR_TYPE,
	ATTR_LANGUAGE,
	ATTR_INTEGRITY,
	ATTR_FIRST_OTHER
};

static const struct {
	uint8_t len;
	char name[12];
	uint8_t value;
	unsigned elements;
} attrs[] = {
	[ATTR_NONE] = { 0, "", HTML_VALUE_SKIP, ANY },
	[ATTR_HREF] = { 4, "href", HTML_VALUE_URL, ANY },
	[ATTR_SRC] = { 3, "src", HTML_VALUE_URL, ANY },
	[ATTR_HTTP_EQUIV] = { 10, "http-equiv", HTML_VALUE_WORD, META },
	[ATTR_TYPE] = { 4, "type", HTML_VALUE_WORD, SCRIPT },
	[ATTR_LANGUAGE] = { 8, "language", HTML_VALUE_WORD, SCRIPT },
	[ATTR_INTEGRITY] = { 9, "integrity", HTML_VALUE_SKIP, SCRIPT | LINK },
	[ATTR_FIRST_OTHER] = { 6, "action", HTML_VALUE_URL, ANY },
	{ 10, "formaction", HTML_VALUE_URL, ANY },
	{ 6, "poster", HTML_VALUE_URL, ANY },
	{ 10, "background", HTML_VALUE_URL, ANY },
	{ 4, "cite", HTML_VALUE_URL, ANY },
	{ 8, "longdesc", HTML_VALUE_URL, ANY },
	{ 8, "manifest", HTML_VALUE_URL, ANY },
	{ 10, "xlink:href", HTML_VALUE_URL, ANY },
	{ 4, "data", HTML_VALUE_URL, OBJECT },
	{ 4, "ping", HTML_VALUE_LIST, ANY },
	{ 6, "srcset", HTML_VALUE_SRCSET, ANY },
	{ 11, "imagesrcset", HTML_VALUE_SRCSET, ANY },
	{ 5, "style", HTML_VALUE_STYLE, ANY },
	{ 7, "content", HTML_VALUE_REFRESH, META },
};

static const uint32_t letters[] = { [3] = HTML_LETTER('s'),
	[4] = HTML_LETTER('c') | HTML_LETTER('d') | HTML_LETTER('h') |
	      HTML_LETTER('p') | HTML_LETTER('t'),
	[5] = HTML_LETTER('s'),
	[6] = HTML_LETTER('a') | HTML_LETTER('p') | HTML_LETTER('s'),
	[7] = HTML_LETTER('c'),
	[8] = HTML_LETTER('l') | HTML_LETTER('m'),
	[9] = HTML_LETTER('i'),
	[10] = HTML_LETTER('b') | HTML_LETTER('f') | HTML_LETTER('h') |
	       HTML_LETTER('x'),
	[11] = HTML_LETTER('i') };

#define NATTRS (sizeof(attrs) / sizeof(attrs[0]))

void
html_tag_init(struct html_tag *tag, const struct prefix *prefix,
    struct html_output *output, struct rewrite_css *css)
{
	tag->prefix = prefix;
	tag->output = output;
	tag->css = css;
	html_tag_start(tag, false);
}

void
html_tag_start(struct html_tag *tag, bool end)
{
	tag->end = end;
	tag->self_closing = false;
	tag->element = HTML_ELEMENT_OTHER;
	tag->name_len = 0;
	tag->naming = false;
	tag->seen = 0;
	tag->value = HTML_VALUE_SKIP;
	tag->in_value = false;
	tag->condition = HTML_UNKNOWN;
	tag->type_is_code = tag->language_is_code = HTML_UNKNOWN;
	tag->nedits = 0;
}

void
html_tag_named(struct html_tag *tag)
{
	tag->element = html_element_find(tag->name, tag->name_len);
}

/* What waits for too long is given up, whether it is still here or not. */
static void
drop_late(struct html_tag *tag)
{
	if (tag->nedits > 0 && !html_output_has(tag->edits[0].at, tag->now))
		tag->nedits = 0;
}

static void
add_edit(struct html_tag *tag, uint64_t at, const char *text, size_t len,
    bool conditional)
{
	drop_late(tag);
	if (!html_output_has(at, tag->now) ||
	    (conditional && tag->condition == HTML_NO))
		return;
	conditional = conditional && tag->condition == HTML_UNKNOWN;
	if (tag->nedits == 0 && !conditional)
		html_output_insert(tag->output, at, text, len);
	else if (tag->nedits < HTML_TAG_EDITS)
		tag->edits[tag->nedits++] =
		    (struct html_edit){ at, text, len, conditional };
}

static void
settle(struct html_tag *tag, bool yes)
{
	size_t i;

	tag->condition = yes ? HTML_YES : HTML_NO;
	drop_late(tag);
	for (i = 0; i < tag->nedits; i++)
		if (yes || !tag->edits[i].conditional)
			html_output_insert(tag->output, tag->edits[i].at,
			    tag->edits[i].text, tag->edits[i].len);
	tag->nedits = 0;
}

/* Whether the attribute names the file that integrity is about. */
static bool
is_file(const struct html_tag *tag)
{
	return (tag->element == HTML_ELEMENT_SCRIPT &&
		   tag->which == ATTR_SRC) ||
	       (tag->element == HTML_ELEMENT_LINK && tag->which == ATTR_HREF);
}

/* The URL is known. */
static void
apply_url(struct html_tag *tag)
{
	const struct html_url *url = &tag->url;
	bool conditional = tag->value == HTML_VALUE_REFRESH;

	tag->in_url = false;
	if (url->verdict == PREFIX_ADD)
		add_edit(tag, url->at, tag->prefix->text, tag->prefix->len,
		    conditional);
	else if (url->verdict == PREFIX_CLOSE &&
		 html_output_has(url->at, tag->now))
		add_edit(tag, url->close_at, "/", 1, conditional);
	if (is_file(tag))
		settle(tag, url->origin == HTML_ORIGIN_OWN);
}

static void
feed_url(struct html_tag *tag, const struct html_unit *unit)
{
	if (!tag->in_url)
		return;
	html_url_feed(&tag->url, unit);
	if (html_url_known(&tag->url))
		apply_url(tag);
}

static void
end_url(struct html_tag *tag)
{
	if (!tag->in_url)
		return;
	html_url_finish(&tag->url);
	apply_url(tag);
}

static void
begin_url(struct html_tag *tag)
{
	html_url_start(&tag->url, tag->prefix);
	tag->in_url = true;
}

static void
feed_scan(
    struct html_tag *tag, const struct html_unit *unit, enum html_scan scan)
{
	struct html_unit space;

	switch (html_scan_step(scan, &tag->scan, unit->c)) {
	case HTML_PART_OTHER:
		break;
	case HTML_PART_NEVER:
		tag->value = HTML_VALUE_SKIP;
		break;
	case HTML_PART_URL:
		feed_url(tag, unit);
		break;
	case HTML_PART_MAYBE:
		space = *unit;
		space.c = ' ';
		feed_url(tag, &space);
		break;
	case HTML_PART_END:
		end_url(tag);
		begin_url(tag);
		break;
	}
}

static void
feed_unit(void *arg, const struct html_unit *unit)
{
	struct html_tag *tag = arg;

	switch (tag->value) {
	case HTML_VALUE_SKIP:
		break;
	case HTML_VALUE_URL:
		feed_url(tag, unit);
		if (!tag->in_url)
			tag->value = HTML_VALUE_SKIP;
		break;
	case HTML_VALUE_LIST:
		feed_scan(tag, unit, HTML_SCAN_LIST);
		break;
	case HTML_VALUE_SRCSET:
		feed_scan(tag, unit, HTML_SCAN_SRCSET);
		break;
	case HTML_VALUE_REFRESH:
		feed_scan(tag, unit, HTML_SCAN_REFRESH);
		break;
	case HTML_VALUE_STYLE:
		html_style_feed(&tag->style, unit, tag->now);
		break;
	case HTML_VALUE_WORD:
		if (tag->word_len < sizeof(tag->word))
			tag->word[tag->word_len] = unit->c;
		tag->word_len++;
		break;
	}
}

static unsigned
find_attr(const struct html_tag *tag)
{
	unsigned i;

	if (!html_names_may_have(letters, sizeof(letters) / sizeof(letters[0]),
		tag->attr, tag->attr_len))
		return ATTR_NONE;
	for (i = ATTR_HREF; i < NATTRS; i++)
		if (attrs[i].len == tag->attr_len &&
		    attrs[i].name[0] == tag->attr[0] &&
		    memcmp(attrs[i].name, tag->attr, tag->attr_len) == 0 &&
		    (attrs[i].elements == ANY ||
			(attrs[i].elements & 1U << tag->element) != 0))
			return i;
	return ATTR_NONE;
}

void
html_tag_attr_start(struct html_tag *tag, uint64_t at)
{
	tag->naming = true;
	tag->attr_at = at;
	tag->attr_len = 0;
	tag->value = HTML_VALUE_SKIP;
	tag->in_value = false;
}

void
html_tag_attr_named(struct html_tag *tag)
{
	tag->naming = false;
	if (tag->end || (tag->which = find_attr(tag)) == ATTR_NONE)
		return;
	/*
	 * Another name, that means nothing: for all of them, as a second one
	 * would count without the first.
	 */
	if (tag->which == ATTR_INTEGRITY)
		add_edit(tag, tag->attr_at, "data-", 5, true);
	if ((tag->seen & 1U << tag->which) != 0)
		return;
	tag->seen |= 1U << tag->which;
	tag->value = (enum html_value)attrs[tag->which].value;
	if (tag->which == ATTR_TYPE)
		tag->type_is_code = HTML_YES;
	else if (tag->which == ATTR_LANGUAGE)
		tag->language_is_code = HTML_YES;
	if (tag->value == HTML_VALUE_REFRESH && tag->condition == HTML_NO)
		tag->value = HTML_VALUE_SKIP;
	/* Its own insertions can not wait. */
	drop_late(tag);
	if (tag->value == HTML_VALUE_STYLE && tag->nedits > 0)
		tag->value = HTML_VALUE_SKIP;
}

void
html_tag_value_start(struct html_tag *tag, uint64_t at)
{
	if (tag->value == HTML_VALUE_SKIP)
		return;
	tag->in_value = true;
	tag->entity.len = 0;
	tag->scan = 0;
	tag->word_len = 0;
	if (tag->value == HTML_VALUE_STYLE)
		html_style_start(
		    &tag->style, tag->css, tag->prefix, tag->output, at);
	else
		begin_url(tag);
}

void
html_tag_value_feed(struct html_tag *tag, const char *p, const char *end)
{
	uint64_t at = html_output_place(tag->output, p);

	for (; p < end && tag->value != HTML_VALUE_SKIP; p++) {
		tag->now = at + 1;
		html_entity_feed(&tag->entity, *p, at, feed_unit, tag);
		at++;
	}
}

static void
end_word(struct html_tag *tag)
{
	const char *word = tag->word;
	size_t len = tag->word_len;
	bool yes, fits = len <= sizeof(tag->word);

	if (tag->which == ATTR_HTTP_EQUIV) {
		settle(tag, len == 7 && strncasecmp(word, "refresh", 7) == 0);
		return;
	}
	if (tag->which == ATTR_TYPE) {
		yes = fits && html_script_type_is_code(word, len);
		tag->type_is_code = yes ? HTML_YES : HTML_NO;
	} else {
		yes = fits && html_script_language_is_code(word, len);
		tag->language_is_code = yes ? HTML_YES : HTML_NO;
	}
}

void
html_tag_value_end(struct html_tag *tag, uint64_t at)
{
	if (tag->value == HTML_VALUE_SKIP)
		return;
	tag->now = at + 1;
	html_entity_finish(&tag->entity, at, feed_unit, tag);
	if (tag->value == HTML_VALUE_STYLE)
		html_style_finish(&tag->style, tag->now);
	else if (tag->value == HTML_VALUE_WORD)
		end_word(tag);
	else
		end_url(tag);
	tag->value = HTML_VALUE_SKIP;
	tag->in_value = false;
}

void
html_tag_finish(struct html_tag *tag)
{
	if (tag->nedits > 0)
		settle(tag, false);
}

uint64_t
html_tag_keep(const struct html_tag *tag, uint64_t end)
{
	uint64_t keep = HTML_NOWHERE;

	if (tag->nedits > 0 && html_output_has(tag->edits[0].at, end))
		return tag->edits[0].at;
	if (tag->naming && (tag->element == HTML_ELEMENT_SCRIPT ||
			       tag->element == HTML_ELEMENT_LINK))
		return tag->attr_at;
	if (!tag->in_value)
		return keep;
	switch (tag->value) {
	case HTML_VALUE_STYLE:
		return tag->style.at;
	case HTML_VALUE_URL:
	case HTML_VALUE_LIST:
	case HTML_VALUE_SRCSET:
	case HTML_VALUE_REFRESH:
		if (tag->in_url && tag->url.len > 0 &&
		    tag->url.verdict == PREFIX_MORE)
			keep = tag->url.at;
		else if (tag->entity.len > 0)
			keep = tag->entity.at;
		break;
	case HTML_VALUE_SKIP:
	case HTML_VALUE_WORD:
		break;
	}
	return keep;
}

bool
html_tag_is_code(const struct html_tag *tag)
{
	if (tag->type_is_code != HTML_UNKNOWN)
		return tag->type_is_code == HTML_YES;
	return tag->language_is_code != HTML_NO;
}
