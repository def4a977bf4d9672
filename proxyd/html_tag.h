#ifndef PROXYD_HTML_TAG_H
#define PROXYD_HTML_TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/html_element.h"
#include "proxyd/html_entity.h"
#include "proxyd/html_output.h"
#include "proxyd/html_scan.h"
#include "proxyd/html_style.h"
#include "proxyd/html_url.h"
#include "proxyd/rewrite_css.h"

/*
 * A tag and its attributes, as the tokenizer meets them, and what is
 * inserted in them.
 */

#define HTML_TAG_NAME_MAX 16
#define HTML_TAG_WORD_MAX 40
#define HTML_TAG_EDITS	  8

/* What the value of an attribute is. */
enum html_value {
	HTML_VALUE_SKIP,
	HTML_VALUE_URL,
	HTML_VALUE_LIST,
	HTML_VALUE_SRCSET,
	HTML_VALUE_REFRESH,
	HTML_VALUE_STYLE,
	HTML_VALUE_WORD
};

enum html_answer { HTML_UNKNOWN, HTML_YES, HTML_NO };

struct html_edit {
	uint64_t at;
	const char *text;
	size_t len;
	bool conditional;
};

struct html_tag {
	const struct prefix *prefix;
	struct html_output *output;
	struct rewrite_css *css;

	uint64_t now; /* behind the byte that is looked at */
	bool end;     /* an end tag */
	bool self_closing;
	enum html_element element;
	char name[HTML_TAG_NAME_MAX]; /* in lower case; its beginning */
	size_t name_len;

	/* The attribute. */
	bool naming; /* its name is not complete */
	char attr[HTML_TAG_NAME_MAX];
	size_t attr_len;
	uint64_t attr_at;
	unsigned which; /* of the table */
	uint32_t seen;	/* those of the table that this tag had */
	enum html_value value;
	bool in_value; /* it began, and is looked at */
	struct html_entity entity;
	bool in_url;
	uint8_t scan; /* the state of the scanner */
	struct html_url url;
	struct html_style style;
	char word[HTML_TAG_WORD_MAX];
	size_t word_len; /* counts on when there is no room */

	/*
	 * On which some edits depend: whether a meta element is a refresh,
	 * whether the file of a script or link element is the web app's.
	 */
	enum html_answer condition;
	enum html_answer type_is_code, language_is_code;
	size_t nedits;
	struct html_edit edits[HTML_TAG_EDITS]; /* that wait for it */
};

/* All pointers must outlive it. */
void html_tag_init(struct html_tag *, const struct prefix *,
    struct html_output *, struct rewrite_css *);

void html_tag_start(struct html_tag *, bool end);

/* The name is complete. */
void html_tag_named(struct html_tag *);

/* An attribute begins at that place; its name is complete. */
void html_tag_attr_start(struct html_tag *, uint64_t at);
void html_tag_attr_named(struct html_tag *);

/* Its value, if it has one, up to where nothing can change any more. */
void html_tag_value_start(struct html_tag *, uint64_t at);
void html_tag_value_feed(struct html_tag *, const char *, const char *end);
void html_tag_value_end(struct html_tag *, uint64_t at);

/* The ">" is behind us. */
void html_tag_finish(struct html_tag *);

/* Where something may still be inserted first, when all before end is read. */
uint64_t html_tag_keep(const struct html_tag *, uint64_t end);

/* Whether the text of the script element is code. */
bool html_tag_is_code(const struct html_tag *);

#endif
