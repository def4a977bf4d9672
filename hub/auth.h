#ifndef HUB_AUTH_H
#define HUB_AUTH_H

#include <stdbool.h>
#include <stddef.h>

struct evhttp_request;
struct evkeyval;
struct hub;

/*
 * Who may use the routes that are for people.  With a password: who knows
 * it, by HTTP Basic at first and then by a cookie, since pages that set
 * Authorization themselves push Basic aside.  Without one the hub listens
 * on loopback, and whoever gets there may; but only under a name of
 * loopback, lest a page elsewhere points its own name here.
 */

/*
 * Whether the request may go on; otherwise it is answered.  With
 * same_origin a page of another origin is refused.
 */
bool auth_person(struct hub *, struct evhttp_request *, bool same_origin);

/*
 * The value of a request header as an instance may see it: without the
 * hub's own credentials.  Returns it, or buffer, or NULL if nothing is left.
 */
const char *auth_strip(
    struct hub *, const struct evkeyval *, char *buffer, size_t size);

#endif
