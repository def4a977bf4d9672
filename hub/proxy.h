#ifndef HUB_PROXY_H
#define HUB_PROXY_H

struct evhttp_request;
struct hub;

/*
 * A request for something under /clients/<id>/proxy: pass it on to the
 * instance.  rest is the part of the URI after that.
 */
void proxy_request(
    struct hub *, struct evhttp_request *, const char *id, const char *rest);

#endif
