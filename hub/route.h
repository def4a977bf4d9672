#ifndef HUB_ROUTE_H
#define HUB_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

struct evhttp_request;

/* Find who handles a request, and have it handled; arg is the hub. */
void route_request(struct evhttp_request *, void *hub);

/*
 * Whether the path of a URI is that of the pattern.  '*' stands for one
 * non-empty segment, which is copied to id; a '>' at the end for anything
 * that follows, which rest then points to.
 */
bool route_match(const char *pattern, const char *uri, char *id, size_t id_size,
    const char **rest);

#endif
