#ifndef PROXYD_REQUEST_HEADERS_H
#define PROXYD_REQUEST_HEADERS_H

#include <stdbool.h>

struct proxyd_conf;
struct request;

/*
 * The part of request_parse() that concerns the headers: checks all of
 * them, sets who asks, and makes the list of those to forward.  How many
 * they may be, and how long, is in the settings.  Returns NULL, or why the
 * request is bad.
 */
const char *request_take_headers(
    struct request *, const struct proxyd_conf *, bool keep_conditions);

/*
 * The answer will be rewritten: make the conditions fit for the upstream, of
 * which we know no more than what rewriting of this version told the browser.
 */
void request_rewrite_conditions(struct request *, const char *version);

/* The same for headers that a page names itself, which do not say who asks;
 * conditions stay. */
const char *request_take_page_headers(
    struct request *, const struct proxyd_conf *);

#endif
