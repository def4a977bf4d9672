#ifndef PROXYD_HTML_SCAN_H
#define PROXYD_HTML_SCAN_H

#include <stdint.h>

/* Where in attribute values of more than a URL there are URLs. */

enum html_scan {
	HTML_SCAN_LIST,	  /* separated by spaces: ping */
	HTML_SCAN_SRCSET, /* with descriptors (HTML, "parse a srcset") */
	HTML_SCAN_REFRESH /* HTML, "shared declarative refresh steps" */
};

enum html_part {
	HTML_PART_OTHER,
	HTML_PART_NEVER, /* there is none from here on */
	HTML_PART_URL,	 /* the next character of a URL */
	HTML_PART_MAYBE, /* only so if more of the same URL follows */
	HTML_PART_END	 /* a URL ended before this character */
};

/* Take a character; the state of a new value is 0. */
enum html_part html_scan_step(enum html_scan, uint8_t *state, char);

#endif
