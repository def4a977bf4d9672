#ifndef HUB_PAGE_H
#define HUB_PAGE_H

struct evhttp_request;

/* The files of the page that lists instances. */
enum page_file { PAGE_HTML, PAGE_SCRIPT, PAGE_STYLE };

void page_send(struct evhttp_request *, enum page_file);

#endif
