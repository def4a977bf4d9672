#ifndef HUB_CLAIMS_H
#define HUB_CLAIMS_H

#include <stdbool.h>

struct evhttp_request;
struct json_object;

/*
 * Who may claim a pending instance: comma lists, from its query.  One that is
 * longer counts for none.
 */
struct claims {
	char users[8192];
	char orgs[8192];
	char teams[8192];
};

/* Read them; false if there are none. */
bool claims_read(struct claims *, struct evhttp_request *);

/*
 * Whether a person with this login may.  Nobody here knows who belongs to
 * an organisation or team: those let our one user in.
 */
bool claims_allow(const struct claims *, const char *login);

/* Add them to an object, as arrays. */
void claims_json(const struct claims *, struct json_object *);

#endif
