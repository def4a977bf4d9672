#ifndef PROXYD_HTML_ENTITY_H
#define PROXYD_HTML_ENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Character references in attribute values (HTML standard, "Character
 * reference state").  Known are all numeric ones and the names of ASCII
 * characters; no other character means anything to URLs, CSS or numbers.
 */

/* One character as a browser sees it, and the bytes that stand for it. */
struct html_unit {
	char c;	      /* HTML_OTHER for what is not ASCII, and for NUL */
	bool open;    /* a reference without its ";" */
	uint64_t at;  /* the place of its first byte, and */
	uint64_t end; /* that behind its last one */
};

#define HTML_OTHER ((char)0x80)

struct html_entity {
	uint64_t at;
	uint32_t number;
	bool digits;
	size_t len;    /* 0 outside of references */
	char text[20]; /* without digits */
};

typedef void html_unit_fn(void *arg, const struct html_unit *);

/* Take the byte of a value that is at that place. */
void html_entity_feed(
    struct html_entity *, char, uint64_t at, html_unit_fn *, void *arg);

/* The value ended before that place. */
void html_entity_finish(
    struct html_entity *, uint64_t at, html_unit_fn *, void *arg);

#endif
